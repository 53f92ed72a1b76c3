// Names that a process left which has ended.
import { spawnSync } from "node:child_process";
import { markedName } from "./process-mark.js";

/** A name such as a process gives that has ended. */
export function markOfDeadProcess(kind: string): string {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  return markedName(kind).replace(`-${process.pid}-`, `-${pid}-`);
}
