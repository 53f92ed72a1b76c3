// What a program reads from stdout, and a person beside it. Text from files is made safe on its way.
import { safeJson, safeLines, safeText } from "@lnsnet/core";

/** Prints JSON, two spaces a level. Numbers that are not finite become null. */
export function printJson(value: unknown): void {
  process.stdout.write(`${safeJson(value)}\n`);
}

/** Says what is odd about the input and was dealt with, where it does not mix with the result. */
export function printProblems(problems: readonly string[]): void {
  for (const problem of problems) printNote(problem);
}

/** A sentence beside the result, such as what is being done. */
export function printNote(sentence: string): void {
  process.stderr.write(`lnsnet: ${safeText(sentence)}\n`);
}

/** Prints text for a person. */
export function printText(text: string): void {
  process.stdout.write(`${safeLines(text)}\n`);
}

/** "1 body", "2 bodies": a number with its noun. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
