// The command `lnsnet`: finds the subcommand, checks its arguments, and turns every failure into an exit code.
import { InputError } from "@lnsnet/core/errors";
import { safeLines } from "@lnsnet/core/text";
import { packageVersion } from "@lnsnet/node/work";
import { runCommand } from "citty";
import { checkArguments, closest } from "./arguments.js";
import { commands } from "./command-table.js";
import { commandHelp, generalHelp } from "./help.js";
import { watchStreams } from "./standard-streams.js";
import { Interrupted } from "./terminal/interrupt.js";
import { withOptionsSpelt } from "./terminal/option-spelling.js";

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
  const [first, ...others] = tokens;
  if (first === undefined || asksForHelp(first)) return print(generalHelp());
  if (first === "--version" || first === "-V" || first === "-v") return print(packageVersion());
  if (first === "help") return dispatch([...others, "--help"]);
  // Names of two words, such as "dataset check", share their first.
  const words = Object.keys(commands).some((name) => name.startsWith(`${first} `)) ? 2 : 1;
  const name = tokens.slice(0, words).join(" ");
  const rest = tokens.slice(words);
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    if (words === 2 && tokens.length > 1 && tokens.slice(1).every(asksForHelp))
      return print(generalHelp(`${first} `));
    throw new InputError(unknownCommand(name));
  }
  const command = await entry.load();
  const end = rest.indexOf("--");
  if (rest.slice(0, end === -1 ? rest.length : end).some(asksForHelp))
    return print(await commandHelp(name, entry, command));
  const definition = await (typeof command.args === "function" ? command.args() : command.args);
  checkArguments(name, definition ?? {}, rest);
  await runCommand(command, { rawArgs: rest });
}

function asksForHelp(token: string): boolean {
  return token === "--help" || token === "-h";
}

function unknownCommand(name: string): string {
  if (name.startsWith("-")) return `There is no option "${name}" before a command; see "lnsnet --help".`;
  const near = closest(name, Object.keys(commands));
  const hint =
    near === null ? `the commands are ${Object.keys(commands).join(", ")}.` : `did you mean ${near}?`;
  return `There is no command "${name}"; ${hint} See "lnsnet --help".`;
}

/** What a failure prints and the exit code it ends with. */
function ending(error: unknown): { text: string; code: number } {
  if (error instanceof InputError) return { text: `lnsnet: ${withOptionsSpelt(error.message)}`, code: 2 };
  if (error instanceof Interrupted) return { text: `lnsnet: ${error.message}`, code: error.exitCode };
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: safeLines(`lnsnet: internal error, please report it\n${trace}`), code: 1 };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
