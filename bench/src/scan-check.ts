// What a check of real scans is, and how it says that it failed or could not be done.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { NamedFile } from "@lnsnet/core";

/** One comparison with what another tool reads. */
export interface ScanCheck {
  /** The sub-folder that it reads; the check is skipped where that is missing. */
  readonly folder: string;
  readonly name: string;
  /**
   * What was measured.
   *
   * @throws FailedCheck where it is not as it must be; SkippedCheck where it cannot be measured
   */
  run(folder: string): Promise<string>;
}

export class FailedCheck extends Error {
  override readonly name = "FailedCheck";
}

export class SkippedCheck extends Error {
  override readonly name = "SkippedCheck";
}

/** @throws FailedCheck with the message where the condition does not hold */
export function require(condition: boolean, message: string): void {
  if (!condition) throw new FailedCheck(message);
}

export function namedFile(path: string): NamedFile {
  return { name: basename(path), read: async () => new Uint8Array(readFileSync(path)) };
}

/** The files of a folder whose names match. */
export function filesIn(folder: string, pattern = /\.dcm$/): NamedFile[] {
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => namedFile(join(folder, name)));
}
