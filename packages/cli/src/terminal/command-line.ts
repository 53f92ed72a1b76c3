// The command line of this process as a person can type it again.

/** `lnsnet` and its arguments, quoted as a POSIX shell takes them. */
export function commandLine(): string {
  return ["lnsnet", ...process.argv.slice(2).map(quoted)].join(" ");
}

function quoted(argument: string): string {
  return /^[\w./:,=@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
