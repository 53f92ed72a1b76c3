// npm run check -- clicks: every node of a data set clicked, in its middle and beside it, and compared with the truth and with each other.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  countOverlap,
  crop,
  dice,
  openPredictor,
  readModel,
  readNifti,
  segment,
  summarise,
  type Vector3,
  type Volume,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { indexedStream, uniform } from "@lnsnet/core/transforms";
import { maskWhere } from "@lnsnet/core/volume";
import { measureNodes } from "@lnsnet/core/voxels";
import { shippedModelPath } from "./shipped-model.js";

const help = `npm run check -- clicks DATASET [options]

Clicks each node of DATASET's test set (imagesTs, and instancesTs or labelsTs) in its centroid and at points up to 3 mm
beside it, and prints the DSC with the true node, and between the clicks of one node.

  --model FILE       model.safetensors (the shipped phantom model)
  --jitters COUNT    clicks beside the middle (3)
  --cases COUNT      scans, the first ones (all)
  --json             print JSON
  --help             print this`;

const jitterMm = 3;
/** Voxels around a true node that are compared; what a click marks beyond them counts as wrong all the same. */
const marginVoxels = 40;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string", default: shippedModelPath },
    jitters: { type: "string", default: "3" },
    cases: { type: "string", default: "1000" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help || positionals.length !== 1) console.log(help);
else await main(positionals[0]);

interface NodeResult {
  readonly case: string;
  readonly node: number;
  readonly short_axis_mm: number;
  /** With the true node; 0 where the click found nothing. */
  readonly dsc: number;
  /** Mean over all pairs of this node's clicks. */
  readonly agreement: number;
}

async function main(dataset: string): Promise<void> {
  const model = readModel(readFileSync(values.model), values.model);
  const predictor = await openPredictor([model], nodeRuntime);
  const truthFolder = readdirSync(dataset).includes("instancesTs") ? "instancesTs" : "labelsTs";
  const names = readdirSync(join(dataset, truthFolder)).sort().slice(0, Number(values.cases));
  const results: NodeResult[] = [];
  for (const [index, name] of names.entries()) {
    const scan = read(join(dataset, "imagesTs", name.replace(".nii.gz", "_0000.nii.gz")));
    const truth = read(join(dataset, truthFolder, name));
    const labels = { ...truth, data: Uint16Array.from(truth.data) };
    const split = truthFolder === "instancesTs" ? "labels" : "components";
    const nodes = measureNodes(labels, scan, split);
    for (const node of nodes) {
      const random = indexedStream(11, index * 1000 + node.id);
      const masks: Volume<Uint8Array>[] = [];
      const { start, size } = node.boundingBoxIndex;
      const from = start.map((at) => at - marginVoxels);
      const box = size.map((length) => length + 2 * marginVoxels);
      const boxed = (volume: Volume) =>
        crop(volume, [from[0], from[1], from[2]], [box[0], box[1], box[2]], 0);
      const own = boxed(labels);
      const isOwn = (value: number) => (split === "labels" ? value === node.id : value !== 0);
      for (let click = 0; click <= Number(values.jitters); click++) {
        const point = click === 0 ? node.centroidLpsMm : beside(node.centroidLpsMm, random);
        const { instances } = await segment(scan, predictor, { at: [point] });
        const found = boxed(instances);
        masks.push({ ...found, data: Uint8Array.from(found.data) });
      }
      const trueMask = { ...own, data: maskWhere(own.data, isOwn) };
      const pairs = masks.flatMap((one, a) => masks.slice(a + 1).map((other) => dsc(one, other)));
      results.push({
        case: name,
        node: node.id,
        short_axis_mm: node.shortAxisMm,
        dsc: dsc(trueMask, masks[0]),
        agreement: pairs.reduce((sum, value) => sum + value, 0) / pairs.length,
      });
    }
    process.stderr.write(`${name}: ${nodes.length} nodes\n`);
  }
  await predictor.release();
  print(results, model.plan.dataLabel);
}

function print(results: readonly NodeResult[], trainedOn: string): void {
  const found = results.filter((one) => one.dsc > 0);
  const dscOf = summarise(results.map((one) => one.dsc));
  const agreement = summarise(results.map(({ agreement }) => agreement));
  const summary = {
    nodes: results.length,
    found: found.length,
    trained_on: trainedOn,
    dsc: dscOf,
    agreement,
  };
  if (values.json) console.log(JSON.stringify({ summary, results }, null, 2));
  else {
    const inWords = ({ mean, sd, median }: typeof dscOf) =>
      `${mean?.toFixed(3)} ± ${sd?.toFixed(3)}, median ${median?.toFixed(3)}`;
    console.log(`Clicks, a model trained on ${trainedOn}: ${found.length} of ${results.length} nodes found.`);
    console.log(`DSC with the true node, clicked in its middle: ${inWords(dscOf)}`);
    console.log(`DSC between clicks within ${jitterMm} mm of the middle: ${inWords(agreement)}`);
  }
}

function read(path: string): Volume {
  return readNifti(readFileSync(path), path);
}

/** A point within the ball around the middle. */
function beside([x, y, z]: Vector3, random: ReturnType<typeof indexedStream>): Vector3 {
  for (;;) {
    const step = [0, 1, 2].map(() => uniform(random, -jitterMm, jitterMm));
    if (Math.hypot(...step) <= jitterMm) return [x + step[0], y + step[1], z + step[2]];
  }
}

function dsc(a: Volume<Uint8Array>, b: Volume<Uint8Array>): number {
  return dice(countOverlap(a.data, b.data));
}
