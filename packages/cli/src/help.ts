// The help texts: of lnsnet, and of each command from its table of arguments. No line is longer than 80 columns.

import { packageVersion } from "@lnsnet/node/work";
import type { ArgDef, ArgsDef } from "citty";
import { type Command, type CommandEntry, commands, stages } from "./command-table.js";

const lineWidth = 80;
/** Where the texts of options begin. */
const textColumn = 28;

const researchUse = "Research use only: not a medical device, not for diagnosis or treatment.";

/** The headings of options in their order. An option of one name has one meaning, and so one heading, in every command. */
export const optionGroups = {
  Points: ["at", "at-voxel", "points", "not-at", "not-at-voxel", "class"],
  Input: [
    ...[
      "series",
      "channels",
      "image",
      "images",
      "reference",
      "roi",
      "layout",
      "split",
      "foreground",
      "leave-out",
    ],
    ...["label", "truth-label", "prediction-label", "classes", "ignore", "threshold", "patient-pattern"],
    ...["model", "average-with", "cache", "checkpoint", "names"],
  ],
  Network: [
    "network",
    "networks",
    "variants",
    "clicks",
    "patch",
    "size",
    "spacing",
    "window",
    "weights",
    "train",
    "target",
  ],
  Training: [
    ...[
      "steps",
      "minutes",
      "batch",
      "accumulate",
      "learning-rate",
      "decay",
      "weight-decay",
      "foreground-share",
    ],
    ...["augment", "without", "dice-smoothing", "stations", "seed"],
  ],
  "Folds and validation": [
    ...["folds", "fold", "only", "splits", "collect", "training", "test", "test-share"],
    ...["validation-cases", "validate-every", "patience"],
  ],
  Method: [
    "variety",
    "plain",
    "organs",
    "repeats",
    "protocol",
    "search",
    "proposer",
    "overlap",
    "mirrored",
    "mirroring",
    "minimum-volume",
    "keep-implausible",
    "keep-touching",
    "least-confidence",
    "false-positives",
    "surface",
    "nodes",
  ],
  Output: [
    ...[
      "output",
      "format",
      "numbered",
      "dicom",
      "csv",
      "plot",
      "pictures",
      "data",
      "name",
      "anonymize",
      "salt",
    ],
    ...["keep-mapping", "resume", "force", "layers", "json"],
  ],
  Service: [
    ...[
      "config",
      "folder",
      "host",
      "port",
      "queue",
      "shared",
      "store",
      "jobs",
      "new-token",
      "user",
      "days",
      "test-rule",
      "calling-title",
    ],
  ],
  Machine: ["device", "threads"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Commands that make scans: what decides these stands together, where trainings have it under several headings. */
const cohortCommands = ["implant", "phantom"];
const cohortOptions: readonly string[] = [
  "training",
  "test",
  "repeats",
  "variety",
  "plain",
  "organs",
  "spacing",
  "seed",
];

/** The help of lnsnet: the commands whose names begin with `prefix`, by stage. */
export function generalHelp(prefix = ""): string {
  const shown = Object.entries(commands).filter(([name]) => name.startsWith(prefix));
  const width = Math.max(...shown.map(([name]) => name.length));
  const groups = stages.flatMap((stage) => {
    const lines = shown
      .filter(([, entry]) => entry.stage === stage)
      .flatMap(([name, { summary }]) => entryLines(name, summary, width + 4));
    return lines.length === 0 ? [] : [`${stage}:`, ...lines, ""];
  });
  return [
    `lnsnet ${packageVersion()}: lymph-node segmentation for head-and-neck CT`,
    "",
    `Usage: lnsnet ${prefix}COMMAND [OPTIONS]`,
    "",
    ...groups,
    "Options:",
    "  -h, --help     print this text; after a command, the command's own help",
    "  -V, --version  print the version",
    "",
    "Exit codes: 0 done, 1 internal error, 2 input that cannot be used,",
    "130 stopped with Ctrl-C (143 by SIGTERM, 129 by SIGHUP).",
    researchUse,
  ].join("\n");
}

/** The help of one command. */
export async function commandHelp(name: string, entry: CommandEntry, command: Command): Promise<string> {
  const meta = await (typeof command.meta === "function" ? command.meta() : command.meta);
  const definition: ArgsDef =
    (await (typeof command.args === "function" ? command.args() : command.args)) ?? {};
  const places = Object.entries(definition).filter(([, argument]) => argument.type === "positional");
  const options = Object.entries(definition).filter(([, argument]) => argument.type !== "positional");
  const required = options.filter(([, argument]) => argument.required === true);
  const usage = [
    `lnsnet ${name}`,
    ...places.map(([place]) => place.toUpperCase()),
    ...required.map(([option, argument]) => `--${option} ${placeholder(option, argument)}`),
    "[OPTIONS]",
  ];
  return [
    ...wrapped(`${meta?.description ?? entry.summary}.`, lineWidth),
    "",
    ...wrapped(`Usage: ${usage.join(" ")}`, lineWidth),
    "",
    ...places.flatMap(([place, argument]) => entryLines(place.toUpperCase(), argument.description ?? "")),
    ...(places.length === 0 ? [] : [""]),
    ...grouped(name, Object.fromEntries(options)),
    "Examples:",
    ...entry.examples.flatMap(exampleLines),
    "",
    researchUse,
  ].join("\n");
}

/** The options under their headings; those of none come last, under "Options". */
function grouped(command: string, options: ArgsDef): string[] {
  const named: readonly string[] = Object.values(optionGroups).flat();
  const ofCohort = cohortCommands.includes(command) ? cohortOptions : [];
  const headings = [
    ["Cohort", ofCohort] as const,
    ...Object.entries(optionGroups).map(
      ([heading, names]) => [heading, names.filter((name) => !ofCohort.includes(name))] as const,
    ),
    ["Options", Object.keys(options).filter((name) => !named.includes(name))] as const,
  ];
  return headings.flatMap(([heading, names]) => {
    const lines = names
      .filter((name) => Object.hasOwn(options, name))
      .flatMap((name) => entryLines(...optionEntry(name, options[name])));
    return lines.length === 0 ? [] : [`${heading}:`, ...lines, ""];
  });
}

/** An option as it is typed, and what is said of it. */
function optionEntry(name: string, argument: ArgDef): [string, string] {
  const text = argument.description ?? "";
  if (argument.type === "boolean")
    return argument.default === true
      ? [`--no-${name}`, argument.negativeDescription ?? text]
      : [`--${name}`, text];
  const facts = [
    argument.type === "enum" ? `one of ${(argument.options ?? []).join(", ")}` : "",
    argument.default === undefined ? "" : `default ${argument.default}`,
    argument.required === true ? "required" : "",
  ].filter((fact) => fact !== "");
  return [
    `--${name} ${placeholder(name, argument)}`,
    facts.length === 0 ? text : `${text} (${facts.join("; ")})`,
  ];
}

/** What stands for an option's value: its hint, else the last word of its name. */
function placeholder(name: string, argument: ArgDef): string {
  const hint = "valueHint" in argument ? argument.valueHint : undefined;
  return hint ?? name.slice(name.lastIndexOf("-") + 1).toUpperCase();
}

/** A term and its text from a column on, or below the term where that is too long. */
function entryLines(term: string, text: string, column = textColumn): string[] {
  const lines = wrapped(text, lineWidth - column).map((line) => " ".repeat(column) + line);
  const head = `  ${term}`;
  if (head.length + 2 > column) return [head, ...lines];
  return [head.padEnd(column) + (lines[0] ?? "").trimStart(), ...lines.slice(1)];
}

/** A command line, continued on the next line as a shell reads it where it is too long. */
function exampleLines(example: string): string[] {
  return wrapped(example, lineWidth - 6).map(
    (line, n, lines) => `${n === 0 ? "  " : "    "}${line}${n < lines.length - 1 ? " \\" : ""}`,
  );
}

function wrapped(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
