// The command `lnsnet`: finds the subcommand, checks its arguments, and turns every failure into an exit code.
import { stripVTControlCharacters } from "node:util";
import { InputError, safeLines } from "@lnsnet/core";
import { type CommandMeta, renderUsage, runCommand, type SubCommandsDef } from "citty";
import { checkArguments } from "./arguments.js";
import { Interrupted } from "./interrupt.js";
import { watchStreams } from "./standard-streams.js";
import { packageVersion } from "./version.js";

type Command = Awaited<SubCommandsDef[string] extends infer Entry ? Exclude<Entry, () => unknown> : never>;

/** Loaded when asked for, so that `--help` and small commands do not wait for ONNX Runtime. */
const commands: Readonly<
  Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>
> = {
  info: {
    summary: "list the images at a path, with every problem",
    load: () => import("./commands/info.js").then((module) => module.infoCommand),
  },
  convert: {
    summary: "convert a scan or labels to another format",
    load: () => import("./commands/convert.js").then((module) => module.convertCommand),
  },
  measure: {
    summary: "measure each node of a label file",
    load: () => import("./commands/measure.js").then((module) => module.measureCommand),
  },
  phantom: {
    summary: "write a synthetic cohort of head-and-neck CTs with lymph nodes",
    load: () => import("./commands/phantom.js").then((module) => module.phantomCommand),
  },
  "dataset import": {
    summary: "bring a collection of scans and labels into one layout, without identifiers",
    load: () => import("./commands/dataset-import.js").then((module) => module.datasetImportCommand),
  },
  "dataset check": {
    summary: "look for every problem of a data set",
    load: () => import("./commands/dataset-check.js").then((module) => module.datasetCheckCommand),
  },
  "dataset fingerprint": {
    summary: "write what a data set's scans and nodes are like, with plots",
    load: () =>
      import("./commands/dataset-fingerprint.js").then((module) => module.datasetFingerprintCommand),
  },
  preprocess: {
    summary: "prepare a data set's scans once, for several trainings",
    load: () => import("./commands/preprocess.js").then((module) => module.preprocessCommand),
  },
  train: {
    summary: "train a network on a data set",
    load: () => import("./commands/train.js").then((module) => module.trainCommand),
  },
  crossvalidate: {
    summary: "train and judge a network on every fold of a data set, with tables and a report",
    load: () => import("./commands/crossvalidate.js").then((module) => module.crossvalidateCommand),
  },
  predict: {
    summary: "segment the lymph nodes of a scan",
    load: () => import("./commands/predict.js").then((module) => module.predictCommand),
  },
  evaluate: {
    summary: "compare predicted masks with true ones",
    load: () => import("./commands/evaluate.js").then((module) => module.evaluateCommand),
  },
  profile: {
    summary: "count a network's parameters and multiply-adds",
    load: () => import("./commands/profile.js").then((module) => module.profileCommand),
  },
  export: {
    summary: "write a trained network as an ONNX file",
    load: () => import("./commands/export.js").then((module) => module.exportCommand),
  },
  demo: {
    summary: "all of it on the phantom: patients, training, prediction, report",
    load: () => import("./commands/demo.js").then((module) => module.demoCommand),
  },
};

const researchUse = "Research use only: not a medical device, not for diagnosis or treatment.";

await main(process.argv.slice(2));

async function main(rawArguments: readonly string[]): Promise<void> {
  const streams = watchStreams();
  const failure = await dispatch(rawArguments).then(() => null, ending);
  // On a terminal an unfinished progress line may stand there.
  if (failure !== null) process.stderr.write(`${process.stderr.isTTY ? "\r\u001b[2K" : ""}${failure.text}\n`);
  await streams.flushed();
  if (failure !== null) process.exit(failure.code);
  const lost = streams.lostOutput();
  if (lost === null) return;
  process.stderr.write(`lnsnet: ${lost}\n`);
  process.exitCode ||= 2;
}

async function dispatch(tokens: readonly string[]): Promise<void> {
  const [first] = tokens;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") return print(help());
  if (first === "--version" || first === "-v") return print(packageVersion());
  // Names of two words, such as "dataset check", share their first.
  const words = Object.keys(commands).some((name) => name.startsWith(`${first} `)) ? 2 : 1;
  const name = tokens.slice(0, words).join(" ");
  const rest = tokens.slice(words);
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    if (words === 2 && (tokens[1] === "--help" || tokens[1] === "-h")) return print(help(`${first} `));
    const kind = first.startsWith("-") ? "option" : "command";
    throw new InputError(
      `There is no ${kind} "${name}"; the commands are ${Object.keys(commands).join(", ")}, see "lnsnet --help".`,
    );
  }
  const command = await entry.load();
  const end = rest.indexOf("--");
  if (rest.some((token, at) => (token === "--help" || token === "-h") && (end === -1 || at < end))) {
    return print(`${await usage(command, name)}\n${researchUse}`);
  }
  const definition = await (typeof command.args === "function" ? command.args() : command.args);
  checkArguments(name, definition ?? {}, rest);
  await runCommand(command, { rawArgs: rest });
}

/** What a failure prints and the exit code it ends with. */
function ending(error: unknown): { text: string; code: number } {
  if (error instanceof InputError) return { text: `lnsnet: ${error.message}`, code: 2 };
  if (error instanceof Interrupted) return { text: `lnsnet: ${error.message}`, code: error.exitCode };
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: safeLines(`lnsnet: internal error, please report it\n${trace}`), code: 1 };
}

/** The commands whose names begin so. */
function help(prefix = ""): string {
  const shown = Object.entries(commands).filter(([name]) => name.startsWith(prefix));
  const width = Math.max(...shown.map(([name]) => name.length));
  const lines = shown.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    `lnsnet ${packageVersion()}: lymph-node segmentation for head-and-neck CT`,
    "",
    "Usage: lnsnet COMMAND [OPTIONS]",
    "",
    "Commands:",
    ...lines,
    "",
    "Options:",
    "  -h, --help     this text; after a command, the command's own",
    "  -v, --version  the version",
    "",
    "Exit codes: 0 done, 1 internal error, 2 input that cannot be used, 130 stopped with Ctrl-C (143 by",
    "SIGTERM, 129 by SIGHUP).",
    researchUse,
  ].join("\n");
}

async function usage(command: Command, name: string): Promise<string> {
  const meta: CommandMeta = {
    ...(await (typeof command.meta === "function" ? command.meta() : command.meta)),
    name,
  };
  const text = await renderUsage(
    { ...command, meta },
    { meta: { name: "lnsnet", version: packageVersion() } },
  );
  return process.stdout.isTTY ? text : stripVTControlCharacters(text);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
