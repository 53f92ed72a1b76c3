// The mark that a process leaves in the names of its short-lived files, by which another process tells whether it still runs.
import { createHash, randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** "alive" and "gone" are certain; "unknown" is a process of another machine or container. */
export type ProcessState = "alive" | "gone" | "unknown";

/**
 * A name for a short-lived file of this process: `.lnsnet-MACHINE-PROCESS-START-RANDOM.KIND`. It does not depend on
 * the file that it stands for, so that no file of a user's can have it by chance.
 */
export function markedName(kind: string): string {
  return `${ownMark()}${randomUUID().slice(0, 8)}.${kind}`;
}

/** Whether {@link markedName} of this very process made a name. */
export const isOwnMark = (name: string): boolean => name.startsWith(ownMark());

const ownMark = (): string => `.lnsnet-${thisMachine()}-${process.pid}-${startOf("self") ?? 0}-`;

/** Whether {@link markedName} made a name. */
export function isMarked(name: string): boolean {
  return markPattern.test(name);
}

const markPattern = /^\.lnsnet-([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{8}\.([a-z]+)$/;

/** Whether the process that gave a file its name still runs; null where {@link markedName} did not make the name. */
export function makerOf(name: string, kind: string): ProcessState | null {
  const match = markPattern.exec(name);
  if (match === null || match[4] !== kind) return null;
  const [, machine, pid, start] = match;
  return machine === thisMachine() ? stateOf(Number(pid), start) : "unknown";
}

let machine: string | null = null;

/** Changes with each start of the machine, and differs between containers that number their processes themselves. */
function thisMachine(): string {
  machine ??= createHash("sha256")
    .update([hostname(), bootId(), processSpace()].join("\n"))
    .digest("hex")
    .slice(0, 8);
  return machine;
}

const bootId = () => textOrNull(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"));
const processSpace = () => textOrNull(() => readlinkSync("/proc/self/ns/pid"));

/** A process id is given again after a while; the time of its start tells one process from the next. */
function stateOf(pid: number, start: string): ProcessState {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process runs, and is another user's.
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return "gone";
  }
  const found = startOf(pid);
  if (found === null) return start === "0" ? "unknown" : "alive";
  return found === start ? "alive" : "gone";
}

/** In ticks since the machine's start; null where the system does not say, "ended" of a process that nobody has buried. */
function startOf(pid: number | "self"): string | null {
  const text = textOrNull(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (text === null) return null;
  // The name in parentheses may hold anything; the fields behind it begin with the third, the state.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? "ended" : fields[19];
}

/** Only Linux has these files. */
function textOrNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
