// Files that cannot be read and do not say which series they belong to: what is told of the series beside them.
import { counted } from "../../text.js";
import { folderOf } from "../companion.js";
import { type SeriesProblem, warning } from "./series-problem.js";

/** A file with the reason why it cannot be read. */
export interface UnreadableFile {
  readonly name: string;
  readonly reason: string;
}

/**
 * For each series the problem that slices of it may be among the unreadable files; null where none lies near it. A file
 * is told of the series that share most of its folders: those in its own folder where there are any.
 *
 * @param series names of the files of each
 */
export function missingBeside(
  unreadable: readonly UnreadableFile[],
  series: readonly (readonly string[])[],
): (SeriesProblem | null)[] {
  const folders = series.map((names) => [...new Set(names.map(folderOf))].map(partsOf));
  const beside = series.map((): UnreadableFile[] => []);
  for (const file of unreadable) {
    const own = partsOf(folderOf(file.name));
    const shared = folders.map((of) =>
      of.reduce((most, folder) => Math.max(most, sharedParts(own, folder)), 0),
    );
    const nearest = shared.reduce((most, parts) => Math.max(most, parts), 0);
    for (const [n, parts] of shared.entries()) if (parts === nearest) beside[n].push(file);
  }
  return beside.map((files) => (files.length === 0 ? null : problemOf(files)));
}

/** How many files are named; the rest is counted. */
const namedFiles = 5;

function problemOf(files: readonly UnreadableFile[]): SeriesProblem {
  const names = files.slice(0, namedFiles).map(({ name }) => name);
  const rest = files.length - names.length;
  const list = rest > 0 ? `${names.join(", ")} and ${rest} more` : names.join(", ");
  const subject = `${counted(files.length, "file")} beside the series`;
  const verb = files.length === 1 ? "cannot be read and may be a slice" : "cannot be read and may be slices";
  return warning(
    "unreadable-neighbour",
    `${subject} ${verb} that it lacks: ${list} (${files[0].reason.replace(/\.$/, "")}).`,
  );
}

function partsOf(folder: string): readonly string[] {
  return folder.split(/[/\\]/);
}

function sharedParts(a: readonly string[], b: readonly string[]): number {
  const differing = a.findIndex((part, n) => part !== b[n]);
  return differing < 0 ? a.length : differing;
}
