// Strict checking of a command's arguments, before anything runs. citty parses them but lets mistakes pass.
import { InputError } from "@lnsnet/core/errors";
import type { ArgDef, ArgsDef } from "citty";

/** The data set that a command works on. */
export const datasetArgument = {
  type: "positional",
  description: "folder with imagesTr, labelsTr and dataset.json",
  required: true,
} as const satisfies ArgDef;

/** For commands that write a file whose name the user gives. */
export const forceArgument = {
  type: "boolean",
  description: "replace an existing output file; an input is never replaced",
} as const satisfies ArgDef;

/** For commands that read a data set, of which one class is used at a time. */
export const foregroundArgument = {
  type: "string",
  description:
    "which label of dataset.json is foreground, if there are several; the others become background",
  valueHint: "NAME",
} as const satisfies ArgDef;

/** Threads for commands that work on many scans at once; read it with {@link threadCount}. */
export const threadsArgument = {
  type: "string",
  description: "worker threads",
  valueHint: "NUMBER",
  default: "2",
} as const satisfies ArgDef;

export const jsonArgument = { type: "boolean", description: "print JSON" } as const satisfies ArgDef;

/** For commands that print a table. */
export const csvArgument = {
  type: "string",
  description: "write the table to a file too",
  valueHint: "FILE",
} as const satisfies ArgDef;

/** For commands that read one scan. */
export const seriesArgument = {
  type: "string",
  description: "which series, if there are several: its number, UID or part of its description",
  valueHint: "SERIES",
} as const satisfies ArgDef;

/** For commands that train on folds. */
export const splitsArgument = {
  type: "string",
  description: "folds as nnU-Net writes them: splits_final.json",
  valueHint: "FILE",
} as const satisfies ArgDef;

/**
 * Checks the tokens after the command's name against its definition.
 *
 * @throws InputError for an unknown option, an option without its value, a value that is not on the list, a missing or
 *   an extra argument
 */
export function checkArguments(command: string, definition: ArgsDef, tokens: readonly string[]): void {
  const given = new Set<string>();
  const positionals: string[] = [];
  const hint = `see "lnsnet ${command} --help"`;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === "--") {
      positionals.push(...tokens.slice(at + 1));
      break;
    }
    if (!token.startsWith("-") || token === "-") {
      positionals.push(token);
      continue;
    }
    const equals = token.indexOf("=");
    const flag = equals === -1 ? token : token.slice(0, equals);
    const name = optionName(definition, flag);
    if (name === null)
      throw new InputError(`lnsnet ${command} has no option ${flag}${nearest(definition, flag)}; ${hint}.`);
    const option = definition[name];
    given.add(name);
    if (option.type === "boolean") {
      if (equals !== -1 && !["true", "false"].includes(token.slice(equals + 1))) {
        throw new InputError(
          `The option ${flag} takes no value, but was given "${token.slice(equals + 1)}"; ${hint}.`,
        );
      }
      continue;
    }
    const value = equals === -1 ? tokens[++at] : token.slice(equals + 1);
    if (value === undefined || value === "" || (equals === -1 && value.startsWith("--"))) {
      throw new InputError(`The option ${flag} needs a value (${option.description ?? name}); ${hint}.`);
    }
    if (option.type === "enum" && option.options !== undefined && !option.options.includes(value)) {
      throw new InputError(
        `The option ${flag} cannot be "${value}"; give one of ${option.options.join(", ")}.`,
      );
    }
  }
  checkPresence(command, definition, given, positionals, hint);
}

function checkPresence(
  command: string,
  definition: ArgsDef,
  given: ReadonlySet<string>,
  positionals: readonly string[],
  hint: string,
): void {
  const places = Object.entries(definition).filter(([, argument]) => argument.type === "positional");
  const required = places.filter(
    ([, argument]) => argument.required !== false && argument.default === undefined,
  );
  if (positionals.length < required.length) {
    const [name, argument] = required[positionals.length];
    throw new InputError(
      `lnsnet ${command} needs ${name.toUpperCase()} (${argument.description ?? "a value"}); ${hint}.`,
    );
  }
  if (positionals.length > places.length) {
    throw new InputError(
      `lnsnet ${command} was given "${positionals[places.length]}", which it has no use for; ${hint}.`,
    );
  }
  for (const [name, argument] of Object.entries(definition)) {
    if (
      argument.type !== "positional" &&
      argument.required === true &&
      argument.default === undefined &&
      !given.has(name)
    ) {
      throw new InputError(
        `lnsnet ${command} needs --${name} (${argument.description ?? "a value"}); ${hint}.`,
      );
    }
  }
}

/**
 * A whole number given as text.
 *
 * @throws InputError where it is none, or beyond the limits
 */
export function wholeNumber(text: string, name: string, lowest: number, highest: number): number {
  const value = realNumber(text, name, lowest, highest);
  if (!Number.isInteger(value))
    throw new InputError(`${name} is "${text}"; give a whole number from ${lowest} to ${highest}.`);
  return value;
}

/**
 * A number given as text.
 *
 * @throws InputError where it is none, or beyond the limits
 */
export function realNumber(text: string, name: string, lowest: number, highest: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value >= lowest && value <= highest)) {
    throw new InputError(`${name} is "${text}"; give a number from ${lowest} to ${highest}.`);
  }
  return value;
}

/** @throws InputError where the text of {@link threadsArgument} is no such number */
export const threadCount = (text: string): number => wholeNumber(text, "--threads", 1, 64);

/**
 * Three numbers given as text, such as `64,48,48`.
 *
 * @throws InputError where they are not three, or beyond the limits
 */
export function threeNumbers(
  text: string,
  name: string,
  lowest: number,
  highest: number,
): [number, number, number] {
  const parts = text.split(",");
  if (parts.length !== 3)
    throw new InputError(`${name} is "${text}"; give three numbers with commas between, such as 64,48,48.`);
  const [a, b, c] = parts.map((part) => realNumber(part, name, lowest, highest));
  return [a, b, c];
}

/** The definition's name of an option as typed: `--name`, `--no-name` of a switch, `-a` of an alias. */
function optionName(definition: ArgsDef, flag: string): string | null {
  const typed = flag.replace(/^--?/, "");
  for (const [name, argument] of Object.entries(definition)) {
    if (argument.type === "positional") continue;
    const long =
      flag.startsWith("--") && (typed === name || (argument.type === "boolean" && typed === `no-${name}`));
    if (long || aliases(argument).includes(typed)) return name;
  }
  return null;
}

function aliases(argument: ArgDef): readonly string[] {
  const alias = "alias" in argument ? argument.alias : undefined;
  return alias === undefined ? [] : typeof alias === "string" ? [alias] : alias;
}

function nearest(definition: ArgsDef, flag: string): string {
  const names = Object.entries(definition).flatMap(([name, argument]) =>
    argument.type === "positional" ? [] : [name],
  );
  const near = closest(flag.replace(/^--?/, ""), names);
  return near === null ? "" : ` (did you mean --${near}?)`;
}

/** The name that was probably meant: at most two letters away, or with the typed text as its beginning. */
export function closest(typed: string, names: readonly string[]): string | null {
  const distances = names.map((name) => editDistance(name, typed));
  const near = distances.indexOf(Math.min(...distances));
  if (distances[near] <= Math.min(2, typed.length - 1)) return names[near];
  return names.find((name) => typed.length > 2 && name.startsWith(typed)) ?? null;
}

/** Levenshtein's distance between two words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
