// npm run bench:voxels: how long operations on the voxels of a whole scan take, beside SciPy.
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  bodyMask,
  gridWithSpacing,
  labelComponents,
  measureNodes,
  resample,
  resampleLabels,
  squaredDistanceMm,
  textTable,
  type Volume,
} from "@lnsnet/core";
import { findPython } from "./python.js";

const help = `npm run bench:voxels -- [options]

Times components, distance transform, resampling, body mask and measurement on a drawn neck of 512 × 512 × 300 voxels with
30 nodes, and the same operations of SciPy on the same voxels where a Python with scipy is found ($PYTHON, python3 or
/usr/bin/python3). One thread each; the least of the rounds. Needs 6 GB of memory for SciPy's part.

  --json           print JSON
  --rounds COUNT   rounds (2)
  --slices COUNT   slices of the scan (300)
  --no-scipy       leave SciPy out
  --help           print this`;

const nodeCount = 30;
const spacingMm = [0.5, 0.5, 1] as const;
/** Resampling goes to this grid: coarser in a slice, as before a network. */
const targetSpacingMm = [0.7, 0.7, 1] as const;

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
  const python = values["no-scipy"] ? null : findPython("scipy");
  const scipy = python === null ? {} : scipySeconds(python.command, rounds, slices);
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
  if (values.json) {
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

/** A neck of 30 HU with an airway, on a table, and ellipsoid nodes in it; the same as bench/scipy/time_voxels.py draws. */
function drawnNeck(slices: number): { scan: Volume<Int16Array>; nodes: Volume<Uint8Array> } {
  const size = [512, 512, slices] as const;
  const grid = { size, spacingMm, originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
  const scan = new Int16Array(512 * 512 * slices).fill(-1000);
  const nodes = new Uint8Array(scan.length);
  for (let k = 0, at = 0; k < slices; k++) {
    for (let j = 0; j < 512; j++) {
      for (let i = 0; i < 512; i++, at++) {
        const isNeck = ((i - 256) / 200) ** 2 + ((j - 230) / 160) ** 2 < 1;
        const isAirway = (i - 256) ** 2 + (j - 180) ** 2 < 400;
        if ((isNeck && !isAirway) || (j > 395 && j < 401)) scan[at] = 30 + ((i * 7 + j * 13 + k * 29) % 40);
      }
    }
  }
  for (let n = 0; n < nodeCount; n++) {
    const [x, y, z] = [140 + ((n * 83) % 230), 170 + ((n * 47) % 120), 12 + ((n * 37) % (slices - 24))];
    const [a, b, c] = [6 + (n % 9), 5 + (n % 7), 3 + (n % 5)];
    for (let k = z - c; k <= z + c; k++) {
      for (let j = y - b; j <= y + b; j++) {
        for (let i = x - a; i <= x + a; i++) {
          if (((i - x) / a) ** 2 + ((j - y) / b) ** 2 + ((k - z) / c) ** 2 <= 1)
            nodes[i + 512 * (j + 512 * k)] = 1;
        }
      }
    }
  }
  return { scan: { ...grid, data: scan }, nodes: { ...grid, data: nodes } };
}

function leastSeconds(run: () => unknown, rounds: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    run();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

/** By operation; empty where SciPy's side fails, with its reason on the error stream. */
function scipySeconds(command: string, rounds: number, slices: number): Record<string, number> {
  const script = fileURLToPath(new URL("../scipy/time_voxels.py", import.meta.url));
  const { status, stdout } = spawnSync(
    command,
    [script, "--rounds", String(rounds), "--slices", String(slices)],
    {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  if (status === 0) return JSON.parse(stdout);
  process.stderr.write("SciPy is left out: its script did not finish.\n");
  return {};
}
