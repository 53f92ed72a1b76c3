// npm run bench -- metrics: how long the metrics of a whole scan take, beside SciPy's distance transforms.
import { cpus } from "node:os";
import { detectNodes, evaluateCase } from "@lnsnet/core";
import { surfaceConventions } from "@lnsnet/core/metrics";
import { textTable } from "@lnsnet/core/reports";
import { drawnNeck, leastSeconds, type ScanBenchmark, scanBenchmark, scipySeconds } from "./drawn-neck.js";
import { movedByOneVoxel } from "./perturbed-nodes.js";

const about = `npm run bench -- metrics [options]

Times every metric of a pair of masks of 512 × 512 × 300 voxels, 30 nodes against the same nodes moved by a voxel: by each
convention, the matching of nodes, and the same distances by SciPy in the box around the foreground and over the whole
grid where a Python with scipy is found ($PYTHON, python3 or /usr/bin/python3). One thread each; the least of the rounds.
SciPy's part over the whole grid needs 5 GB of memory.`;

const benchmark = scanBenchmark(about);
if (benchmark !== null) main(benchmark);

function main({ rounds, slices, python, asJson }: ScanBenchmark): void {
  const truth = drawnNeck(slices).nodes;
  const prediction = movedByOneVoxel(truth);
  const ours = [
    ...surfaceConventions.map((surface) => ({
      operation: `all metrics, ${surface}`,
      seconds: leastSeconds(() => evaluateCase(truth, prediction, surface), rounds),
    })),
    { operation: "matching of nodes", seconds: leastSeconds(() => detectNodes(truth, prediction), rounds) },
  ];
  const scipy = python === null ? {} : scipySeconds(python.command, "time_metrics.py", rounds, slices);
  const rows = [
    ...ours,
    ...Object.entries(scipy).map(([operation, seconds]) => ({ operation: `SciPy: ${operation}`, seconds })),
  ];
  const context = {
    size: truth.size,
    rounds,
    machine: cpus()[0]?.model ?? null,
    versions: { node: process.versions.node, scipy: python?.version ?? null },
  };
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ operations: rows, ...context }, null, 2)}\n`);
    return;
  }
  process.stdout.write(
    `${truth.size.join(" × ")} voxels; Node ${context.versions.node}, SciPy ${context.versions.scipy ?? "not found"}; ${context.machine}\n\n` +
      textTable(
        [
          { key: "operation", title: "operation" },
          { key: "seconds", title: "time", unit: "s", format: (seconds: number) => seconds.toFixed(2) },
        ],
        rows,
      ),
  );
}
