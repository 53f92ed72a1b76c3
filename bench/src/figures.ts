// From seconds of single runs to the figures of the benchmark, and how they are shown.
import { decimals, textTable } from "@lnsnet/core/reports";
import { medianOf } from "@lnsnet/core/statistics";
import type { Work } from "./count.js";

/** Runs of one side: seconds of each round, and the largest resident set of its process in 10⁶ bytes. */
export interface Measured {
  readonly forwardSeconds: readonly number[];
  readonly stepSeconds: readonly number[];
  readonly peakMb: number;
}

export interface Measurements {
  readonly lnsnet: Measured;
  /** PyTorch as installed, and with an allocator that keeps freed memory; null where it cannot run. */
  readonly pytorch: Measured | null;
  readonly pytorchTuned: Measured | null;
  /** The best rates of this machine: matrix products in 10⁹ operations a second, memory in 10⁹ bytes a second. */
  readonly gemmGflops: number;
  readonly memoryGbPerSecond: number;
  readonly forwardWork: Work;
  readonly stepWork: Work;
}

/** What `--json` prints of the measurements; a number that does not exist is null. */
export function figuresOf(measurements: Measurements) {
  const { lnsnet, pytorch, pytorchTuned, gemmGflops, memoryGbPerSecond } = measurements;
  const ours = summary(lnsnet);
  const compared = (peer: Measured | null) => {
    if (peer === null) return null;
    const theirs = summary(peer);
    return {
      ...theirs,
      forward_ratio: ours.forward_seconds / theirs.forward_seconds,
      step_ratio: ours.step_seconds / theirs.step_seconds,
    };
  };
  const effort = ({ multiplyAdds, bytes, nodes }: Work, seconds: number) => ({
    multiply_adds: multiplyAdds,
    bytes,
    nodes,
    gemm_fraction: (2 * multiplyAdds) / seconds / (gemmGflops * 1e9),
    // Arithmetic at the rate of matrix products, and then every tensor once through memory.
    floor_seconds: (2 * multiplyAdds) / (gemmGflops * 1e9) + bytes / (memoryGbPerSecond * 1e9),
  });
  const headline = compared(pytorch);
  return {
    ...ours,
    gemm_gflops: gemmGflops,
    memory_gb_per_second: memoryGbPerSecond,
    pytorch: headline,
    pytorch_tuned: compared(pytorchTuned),
    forward_ratio: headline?.forward_ratio ?? null,
    step_ratio: headline?.step_ratio ?? null,
    forward: effort(measurements.forwardWork, ours.forward_seconds),
    step: effort(measurements.stepWork, ours.step_seconds),
  };
}

function summary({ forwardSeconds, stepSeconds, peakMb }: Measured) {
  return {
    forward_seconds: medianOf(forwardSeconds),
    step_seconds: medianOf(stepSeconds),
    forward_min_seconds: Math.min(...forwardSeconds),
    step_min_seconds: Math.min(...stepSeconds),
    peak_mb: peakMb,
  };
}

/** Two tables for a person: who takes how long, and how near the machine's limits that is. */
export function figuresText(figures: ReturnType<typeof figuresOf>): string {
  const { pytorch, pytorch_tuned: tuned } = figures;
  const rows = [
    { side: "lnsnet", ...figures, forward_ratio: null, step_ratio: null },
    ...(pytorch ? [{ side: "PyTorch as installed", ...pytorch }] : []),
    ...(tuned ? [{ side: "PyTorch keeping freed memory", ...tuned }] : []),
  ];
  const seconds = { unit: "s", format: decimals(3) };
  const sides = textTable(
    [
      { key: "side", title: "" },
      { key: "forward_seconds", title: "forward", ...seconds },
      { key: "forward_min_seconds", title: "least", ...seconds },
      { key: "forward_ratio", title: "lnsnet's share", format: decimals(2) },
      { key: "step_seconds", title: "training step", ...seconds },
      { key: "step_min_seconds", title: "least", ...seconds },
      { key: "step_ratio", title: "lnsnet's share", format: decimals(2) },
      { key: "peak_mb", title: "peak", unit: "MB", format: decimals(0) },
    ],
    rows,
  );
  const limits = textTable(
    [
      { key: "what", title: "" },
      { key: "multiply_adds", title: "multiply-adds", unit: "G", format: billions },
      { key: "bytes", title: "bytes", unit: "GB", format: billions },
      { key: "floor_seconds", title: "both at full rate", ...seconds },
      { key: "gemm_fraction", title: "share of the GEMM rate", format: decimals(2) },
    ],
    [
      { what: "forward", ...figures.forward },
      { what: "training step", ...figures.step },
    ],
  );
  const rates = `This machine: ${figures.gemm_gflops.toFixed(1)} GFLOPS in matrix products, ${figures.memory_gb_per_second.toFixed(1)} GB/s through memory.`;
  return `${sides}\n\n${limits}\n\n${rates}`;
}

/** Work by operation, most bytes first. */
export function workText(works: ReadonlyMap<string, Work>, total: Work): string {
  const row = (operation: string, { nodes, multiplyAdds, bytes }: Work) => ({
    operation,
    nodes,
    multiplyAdds,
    bytes,
  });
  return textTable(
    [
      { key: "operation", title: "operation" },
      { key: "nodes", title: "nodes" },
      { key: "multiplyAdds", title: "multiply-adds", unit: "G", format: billions },
      { key: "bytes", title: "bytes", unit: "GB", format: billions },
    ],
    [...works].map(([operation, work]) => row(operation, work)),
    [row("all", total)],
  );
}

function billions(value: number): string {
  return (value / 1e9).toFixed(3);
}
