// How many cores of this machine have nothing to do.
import { type CpuInfo, cpus } from "node:os";
import { setTimeout } from "node:timers/promises";

const SAMPLE_MILLISECONDS = 200;

/**
 * Threads for a network where nobody asked for a number: one for each core that is idle now, at least one. Threads of
 * ONNX Runtime wait for each other in loops, so that two on one free core are slower than one.
 */
export async function idleCores(): Promise<number> {
  const before = cpus();
  await setTimeout(SAMPLE_MILLISECONDS);
  return Math.max(1, Math.round(idleShare(before, cpus()) * before.length));
}

/** The share of all cores' time that was idle between two looks; 1 where no time passed. */
export function idleShare(
  before: readonly Pick<CpuInfo, "times">[],
  after: readonly Pick<CpuInfo, "times">[],
): number {
  const sum = (infos: typeof before, of: (times: CpuInfo["times"]) => number) =>
    infos.reduce((total, { times }) => total + of(times), 0);
  const all = ({ user, nice, sys, idle, irq }: CpuInfo["times"]) => user + nice + sys + idle + irq;
  const passed = sum(after, all) - sum(before, all);
  return passed <= 0 ? 1 : (sum(after, ({ idle }) => idle) - sum(before, ({ idle }) => idle)) / passed;
}
