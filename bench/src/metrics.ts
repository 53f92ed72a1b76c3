// npm run bench:metrics: how long the metrics of a whole scan take, beside SciPy's distance transforms.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { detectNodes, evaluateCase, surfaceConventions, textTable, type Volume } from "@lnsnet/core";
import { drawnNeck, leastSeconds, scipySeconds } from "./drawn-neck.js";
import { findPython } from "./python.js";

const help = `npm run bench:metrics -- [options]

Times every metric of a pair of masks of 512 × 512 × 300 voxels, 30 nodes against the same nodes moved by a voxel: by each
convention, the matching of nodes, and the same distances by SciPy in the box around the foreground and over the whole
grid where a Python with scipy is found ($PYTHON, python3 or /usr/bin/python3). One thread each; the least of the rounds.
SciPy's part over the whole grid needs 5 GB of memory.

  --json           print JSON
  --rounds COUNT   rounds (2)
  --slices COUNT   slices of the scan (300)
  --no-scipy       leave SciPy out
  --help           print this`;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "2" },
    slices: { type: "string", default: "300" },
    "no-scipy": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(`${help}\n`);
else main(Number(values.rounds), Number(values.slices));

function main(rounds: number, slices: number): void {
  const truth = drawnNeck(slices).nodes;
  const prediction = movedByOneVoxel(truth);
  const python = values["no-scipy"] ? null : findPython("scipy");
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
  if (values.json) {
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

/** Along every axis; what leaves the grid is lost, as in bench/scipy/time_metrics.py. */
function movedByOneVoxel(mask: Volume<Uint8Array>): Volume<Uint8Array> {
  const [width, height] = mask.size;
  const step = 1 + width * (1 + height);
  const data = new Uint8Array(mask.data.length);
  data.set(mask.data.subarray(0, mask.data.length - step), step);
  return { ...mask, data };
}
