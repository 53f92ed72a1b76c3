// The terminal as commands use it: results on stdout; notes and progress on stderr. Control characters in text from files are replaced.
import { safeJson, safeLines } from "@lnsnet/core/text";
import type { Job } from "@lnsnet/node/work";
import { interruptSignal } from "./interrupt.js";
import { withOptionsSpelt } from "./option-spelling.js";
import { createProgressLines } from "./progress-lines.js";

let lines = createProgressLines(process.stderr);

/** The command's work: stopped by Ctrl-C, its progress a line for each stage, and what it logs a note. */
export function terminalJob() {
  lines = createProgressLines(process.stderr);
  return { signal: interruptSignal(), onProgress: lines.show, log: printNote } satisfies Job;
}

/** Prints JSON, two spaces a level. Numbers that are not finite become null. */
export function printJson(value: unknown): void {
  lines.finish();
  process.stdout.write(`${safeJson(value)}\n`);
}

/** Prints text for a person. */
export function printText(text: string): void {
  lines.finish();
  process.stdout.write(`${safeLines(text)}\n`);
}

/** A sentence beside the result, such as what is being done or what is odd about the input. */
export function printNote(sentence: string): void {
  lines.note(`lnsnet: ${withOptionsSpelt(sentence)}`);
}

/** A note for each sentence. */
export function printProblems(problems: readonly string[]): void {
  for (const problem of problems) printNote(problem);
}
