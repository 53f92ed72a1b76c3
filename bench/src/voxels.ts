// npm run bench -- voxels: how long operations on the voxels of a whole scan take, beside SciPy.
import { cpus } from "node:os";
import { labelComponents, resample } from "@lnsnet/core";
import { textTable } from "@lnsnet/core/reports";
import { gridWithSpacing, resampleLabels } from "@lnsnet/core/volume";
import { bodyMask, measureNodes, squaredDistanceMm } from "@lnsnet/core/voxels";
import {
  drawnNeck,
  leastSeconds,
  nodeCount,
  type ScanBenchmark,
  scanBenchmark,
  scipySeconds,
} from "./drawn-neck.js";

const about = `npm run bench -- voxels [options]

Times components, distance transform, resampling, body mask and measurement on a drawn neck of 512 × 512 × 300 voxels with
30 nodes, and the same operations of SciPy on the same voxels where a Python with scipy is found ($PYTHON, python3 or
/usr/bin/python3). One thread each; the least of the rounds. Needs 6 GB of memory for SciPy's part.`;

/** Resampling goes to this grid: coarser in a slice, as before a network. */
const targetSpacingMm = [0.7, 0.7, 1] as const;

const benchmark = scanBenchmark(about);
if (benchmark !== null) main(benchmark);

function main({ rounds, slices, python, asJson }: ScanBenchmark): void {
  const { scan, nodes } = drawnNeck(slices);
  const target = gridWithSpacing(scan, targetSpacingMm);
  const operations: Record<string, () => unknown> = {
    components: () => labelComponents(nodes.data, nodes.size, 26),
    distance: () => squaredDistanceMm(nodes.data, nodes.size, nodes.spacingMm),
    linear: () => resample(scan, target, "linear", -1024),
    cubic: () => resample(scan, target, "cubic", -1024),
    labels: () => resampleLabels(nodes, target),
    body: () => bodyMask(scan),
    measure: () => measureNodes(nodes, scan),
  };
  const scipy = python === null ? {} : scipySeconds(python.command, "time_voxels.py", rounds, slices);
  const rows = Object.entries(operations).map(([operation, run]) => ({
    operation,
    seconds: leastSeconds(run, rounds),
    scipy_seconds: scipy[operation] ?? null,
  }));
  const context = {
    size: scan.size,
    target_size: target.size,
    nodes: nodeCount,
    rounds,
    machine: cpus()[0]?.model ?? null,
    versions: { node: process.versions.node, scipy: python?.version ?? null },
  };
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ operations: rows, ...context }, null, 2)}\n`);
    return;
  }
  const format = (seconds: number) => seconds.toFixed(2);
  process.stdout.write(
    `${scan.size.join(" × ")} voxels, ${nodeCount} nodes; Node ${context.versions.node}, SciPy ${context.versions.scipy ?? "not found"}; ${context.machine}\n\n` +
      textTable(
        [
          { key: "operation", title: "operation" },
          { key: "seconds", title: "lnsnet", unit: "s", format },
          { key: "scipy_seconds", title: "SciPy", unit: "s", format },
        ],
        rows,
      ),
  );
}
