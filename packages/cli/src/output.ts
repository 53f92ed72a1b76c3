// What a program reads from stdout.

/** Prints JSON, two spaces a level. Numbers that are not finite become null. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Prints text for a person. */
export function printText(text: string): void {
  process.stdout.write(`${text}\n`);
}
