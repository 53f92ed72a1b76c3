// Warns that a series may lack slices, where files near it cannot be read and do not state their series.
import { counted } from "../../text.js";
import { folderOf } from "../companion.js";
import { type SeriesProblem, warning } from "./series-problem.js";

/** A file with the reason why it cannot be read. */
export interface UnreadableFile {
  readonly name: string;
  readonly reason: string;
}

/**
 * For each series the warning that its slices may be among the unreadable files; null where no such file is near. A
 * file counts as near the series with the longest path of folders in common: those in its own folder, if there are any.
 *
 * @param series the file names of each series
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

/** How many files a warning lists by name. */
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
