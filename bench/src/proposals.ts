// npm run check -- proposals: how many nodes a coarse network proposes, and how much of a neck is left to compute.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InputError, openPredictor, readModel, readNifti, type Vector3, type Volume } from "@lnsnet/core";
import { placesOf, probabilityOfScan, proposedMask } from "@lnsnet/core/inference";
import { nodeRuntime } from "@lnsnet/core/node";
import { type TableColumn, textTable } from "@lnsnet/core/reports";
import { indexOfPoint, pointOfIndex } from "@lnsnet/core/volume";
import { maskTest, measureNodes } from "@lnsnet/core/voxels";

const help = `npm run check -- proposals DATASET --proposer FILE [options]

Runs a coarse network over the test set of DATASET (imagesTs and instancesTs) and prints, for several thresholds, the
share of nodes that it proposes, by short axis, and the share of the searched part that the fine network has to compute.

  --cases COUNT      scans, the first ones (all)
  --help             print this`;

const thresholds = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5];
/** Upper ends of the classes of short axes. */
const sizesMm = [5, 10, 15, Number.POSITIVE_INFINITY];
/** The patches of the default training: 64×48×48 voxels of 1.5 mm, with half overlap. */
const patchMm: Vector3 = [72, 72, 96];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    proposer: { type: "string" },
    cases: { type: "string", default: "1000" },
    help: { type: "boolean", default: false },
  },
});
const columns: readonly TableColumn<string>[] = [
  { key: "threshold", title: "threshold" },
  ...sizesMm.map((upTo, size) => ({
    key: `size${size}`,
    title: Number.isFinite(upTo) ? `below ${upTo} mm` : "larger",
  })),
  { key: "share", title: "patches to compute" },
];

if (values.help || positionals.length !== 1) console.log(help);
else await main(positionals[0]);

async function main(dataset: string): Promise<void> {
  if (values.proposer === undefined) throw new InputError("--proposer is missing; give a model file.");
  const predictor = await openPredictor(
    [readModel(readFileSync(values.proposer), values.proposer)],
    nodeRuntime,
  );
  const counts = thresholds.map(() => sizesMm.map(() => ({ nodes: 0, proposed: 0 })));
  const shares: number[][] = thresholds.map(() => []);
  const names = readdirSync(join(dataset, "instancesTs")).filter((name) => name.endsWith(".nii.gz"));
  for (const name of names.sort().slice(0, Number(values.cases))) {
    const scan = read(join(dataset, "imagesTs", name.replace(".nii.gz", "_0000.nii.gz")));
    const truth = read(join(dataset, "instancesTs", name));
    const instances = { ...truth, data: Uint16Array.from(truth.data) };
    const { predictions } = await probabilityOfScan(scan, predictor, { overlap: 0.25 });
    const nodes = measureNodes(instances, null, "labels");
    for (const [at, threshold] of thresholds.entries()) {
      const mask = proposedMask(predictions, threshold);
      const hit = numbersIn(instances, mask);
      for (const { id, shortAxisMm } of nodes) {
        const count = counts[at][sizesMm.findIndex((upTo) => shortAxisMm < upTo)];
        count.nodes++;
        if (hit.has(id)) count.proposed++;
      }
      shares[at].push(sharePatched(mask));
    }
    process.stderr.write(`${name}: ${nodes.length} nodes\n`);
  }
  await predictor.release();
  const rows = thresholds.map((threshold, at) => ({
    threshold: threshold.toFixed(2),
    ...Object.fromEntries(
      counts[at].map(({ nodes, proposed }, size) => [`size${size}`, `${proposed} of ${nodes}`]),
    ),
    share: `${((100 * sum(shares[at])) / shares[at].length).toFixed(0)} %`,
  }));
  console.log(textTable(columns, rows));
}

/** The numbers of the instances that hold a voxel of a mask on another grid. */
function numbersIn(instances: Volume<Uint16Array>, mask: Volume<Uint8Array>): Set<number> {
  const found = new Set<number>();
  const [nx, ny] = mask.size;
  for (let at = 0; at < mask.data.length; at++) {
    if (mask.data[at] === 0) continue;
    const point = pointOfIndex(mask, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]);
    const [i, j, k] = indexOfPoint(instances, point).map(Math.round);
    const { size, data } = instances;
    if (i < 0 || j < 0 || k < 0 || i >= size[0] || j >= size[1] || k >= size[2]) continue;
    const number = data[i + size[0] * (j + size[1] * k)];
    if (number !== 0) found.add(number);
  }
  return found;
}

/** The share of the patches over the mask's grid that hold a voxel of it. */
function sharePatched(mask: Volume<Uint8Array>): number {
  const along = (axis: 0 | 1 | 2) => Math.round(patchMm[axis] / mask.spacingMm[axis]);
  const size: Vector3 = [along(0), along(1), along(2)];
  const holdsAny = maskTest(mask, mask);
  const starts = placesOf(mask.size, size, 0.5);
  return starts.filter((start) => holdsAny({ start, size })).length / starts.length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function read(path: string): Volume {
  return readNifti(readFileSync(path), path);
}
