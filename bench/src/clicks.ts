// npm run check -- clicks: every structure of a data set clicked, in its middle, beside it, and again where the answer was wrong.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  counted,
  countOverlap,
  crop,
  dice,
  openPredictor,
  type Predictor,
  pointOfIndex,
  readModel,
  readNifti,
  type Segmentation,
  segment,
  summarise,
  type Vector3,
  type Volume,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { textTable } from "@lnsnet/core/reports";
import { indexedStream, uniform } from "@lnsnet/core/transforms";
import { maskWhere } from "@lnsnet/core/volume";
import { clickInto, correctingClick, measureNodes, numberedComponents } from "@lnsnet/core/voxels";
import { shippedModelPath } from "./shipped-models.js";

const help = `npm run check -- clicks DATASET [options]
npm run check -- clicks --image SCAN --mask MASK [options]

Clicks each structure in the middle (the voxel that lies deepest in it) and at other points of it up to 3 mm from that, and
prints the DSC with the truth, and between clicks of one structure within 3 mm of each other. A model that takes further clicks is then corrected: each
click lies where the answer before it is most wrong, in the largest part that it lacks or has too much.

  --truth FOLDER     folder of DATASET with the structures (instancesTs, or labelsTs), such as organsTs
  --values LIST      only these values of the masks, such as 1,2 (all)
  --image, --mask    one scan (.nii.gz) and a mask of it, whose connected components are the structures
  --model FILE       model.safetensors (the shipped clicker)
  --clicks COUNT     clicks of each structure where the model takes several (5)
  --jitters COUNT    clicks beside the middle (3)
  --cases COUNT      scans, the first ones (all)
  --json             print JSON
  --help             print this`;

const jitterMm = 3;
/** Voxels around a structure that are compared; what a click marks beyond them counts as wrong all the same. */
const marginVoxels = 40;
/** Structures of fewer voxels are no measure of an outline. */
const leastVoxels = 8;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    truth: { type: "string" },
    values: { type: "string" },
    image: { type: "string" },
    mask: { type: "string" },
    model: { type: "string", default: shippedModelPath("clicker") },
    clicks: { type: "string", default: "5" },
    jitters: { type: "string", default: "3" },
    cases: { type: "string", default: "1000" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const isSingle = values.image !== undefined && values.mask !== undefined;
if (values.help || (isSingle ? positionals.length !== 0 : positionals.length !== 1)) console.log(help);
else await main();

/** A scan with its truth: numbers of structures, or a mask whose components they are. */
interface ScanFiles {
  readonly name: string;
  readonly image: string;
  readonly truth: string;
  /** Whether each value is one structure; else each connected component is. */
  readonly isNumbered: boolean;
}

interface StructureResult {
  readonly case: string;
  readonly structure: number;
  readonly value: number;
  readonly short_axis_mm: number;
  /** With the truth, after one click, two, …; 0 where nothing was found. */
  readonly dsc: readonly number[];
  /** Mean over the pairs of first clicks that lie within 3 mm of each other; null where none of them found anything. */
  readonly agreement: number | null;
  /** Of the first click, in seconds. */
  readonly seconds: number;
}

async function main(): Promise<void> {
  const model = readModel(readFileSync(values.model), values.model);
  const predictor = await openPredictor([model], nodeRuntime);
  const wanted = values.values?.split(",").map(Number) ?? null;
  const results: StructureResult[] = [];
  for (const [index, files] of filesOf(positionals[0]).entries()) {
    const scan = read(files.image);
    const truth = read(files.truth);
    const kept = maskedValues(truth, wanted);
    const numbers = files.isNumbered ? kept : numberedComponents(kept);
    const nodes = measureNodes(numbers, null, "labels").filter(({ voxels }) => voxels >= leastVoxels);
    for (const node of nodes) {
      const random = indexedStream(11, index * 1000 + node.id);
      const value = kept.data[numbers.data.indexOf(node.id)];
      const figures = await clickStructure(scan, numbers, node, predictor, random);
      results.push({ case: files.name, structure: node.id, value, ...figures });
    }
    process.stderr.write(`${files.name}: ${nodes.length} structures\n`);
  }
  await predictor.release();
  print(results, model.plan.dataLabel);
}

function filesOf(dataset: string | undefined): ScanFiles[] {
  if (values.image !== undefined && values.mask !== undefined)
    return [{ name: values.image, image: values.image, truth: values.mask, isNumbered: false }];
  const folder = dataset ?? "";
  const usual = readdirSync(folder).includes("instancesTs") ? "instancesTs" : "labelsTs";
  const truthFolder = values.truth ?? usual;
  const isNumbered = !truthFolder.startsWith("labels");
  const images = truthFolder.endsWith("Tr") ? "imagesTr" : "imagesTs";
  return readdirSync(join(folder, truthFolder))
    .filter((name) => name.endsWith(".nii.gz"))
    .sort()
    .slice(0, Number(values.cases))
    .map((name) => ({
      name,
      image: join(folder, images, name.replace(".nii.gz", "_0000.nii.gz")),
      truth: join(folder, truthFolder, name),
      isNumbered,
    }));
}

type Node = ReturnType<typeof measureNodes>[number];

async function clickStructure(
  scan: Volume,
  numbers: ReturnType<typeof numberedComponents>,
  node: Node,
  predictor: Predictor,
  random: ReturnType<typeof indexedStream>,
): Promise<Omit<StructureResult, "case" | "structure" | "value">> {
  const { start, size } = node.boundingBoxIndex;
  const from: Vector3 = [start[0] - marginVoxels, start[1] - marginVoxels, start[2] - marginVoxels];
  const box: Vector3 = [size[0] + 2 * marginVoxels, size[1] + 2 * marginVoxels, size[2] + 2 * marginVoxels];
  const own = crop(numbers, from, box, 0);
  const truth = maskWhere(own.data, (value) => value === node.id);
  const middle = clickInto(truth, box, own.spacingMm) ?? [0, 0, 0];
  const pointAt = (index: Vector3) => pointOfIndex(own, index);
  const answerOf = ({ instances }: Segmentation) =>
    maskWhere(crop(instances, from, box, 0).data, (value) => value !== 0);
  const dscOf = (a: Uint8Array, b: Uint8Array) => dice(countOverlap(a, b));

  const began = performance.now();
  let found = await segment(scan, predictor, { at: [pointAt(middle)] });
  const seconds = (performance.now() - began) / 1000;
  const first = answerOf(found);
  const dsc = [dscOf(truth, first)];
  const clicks = predictor.plan.clickMaps === undefined ? 1 : Number(values.clicks);
  const given = { at: [pointAt(middle)], not: [] as Vector3[] };
  for (let count = 1; count < clicks; count++) {
    const click = correctingClick(truth, answerOf(found), box, own.spacingMm);
    if (click !== null) {
      (click.isPositive ? given.at : given.not).push(pointAt(click.index));
      const next = await segment(scan, predictor, given);
      // A click that is refused, such as into bone, leaves the node as it stands.
      if (next.nodes.length > 0) found = next;
      else (click.isPositive ? given.at : given.not).pop();
    }
    dsc.push(dscOf(truth, answerOf(found)));
  }
  const answers = [{ point: pointAt(middle), mask: first }];
  for (let jitter = 0; jitter < Number(values.jitters); jitter++) {
    const point = pointAt(besideIn(truth, own, middle, random));
    answers.push({ point, mask: answerOf(await segment(scan, predictor, { at: [point] })) });
  }
  const pairs = answers.flatMap((one, a) =>
    answers
      .slice(a + 1)
      .filter((other) => distanceMm(one.point, other.point) <= jitterMm)
      .map((other) => dscOf(one.mask, other.mask)),
  );
  const isFound = pairs.length > 0 && answers.some(({ mask }) => mask.includes(1));
  const agreement = isFound ? pairs.reduce((sum, value) => sum + value, 0) / pairs.length : null;
  return { short_axis_mm: node.shortAxisMm, dsc, agreement, seconds };
}

function maskedValues(truth: Volume, wanted: readonly number[] | null): Volume<Uint16Array> {
  const data = Uint16Array.from(truth.data);
  if (wanted !== null) for (let at = 0; at < data.length; at++) if (!wanted.includes(data[at])) data[at] = 0;
  return { ...truth, data };
}

function print(results: readonly StructureResult[], trainedOn: string): void {
  const found = results.filter(({ dsc }) => dsc[0] > 0);
  const clicks = Math.max(0, ...results.map(({ dsc }) => dsc.length));
  const after = Array.from({ length: clicks }, (_, n) => summarise(results.map(({ dsc }) => dsc[n])));
  const agreement = summarise(results.flatMap((one) => one.agreement ?? []));
  const seconds = summarise(results.map((one) => one.seconds));
  const summary = {
    structures: results.length,
    found: found.length,
    trained_on: trainedOn,
    dsc_after_clicks: after,
    agreement,
    seconds,
  };
  if (values.json) {
    console.log(JSON.stringify({ summary, results }, null, 2));
    return;
  }
  const figures = ({ mean, sd, median }: (typeof after)[number]) => ({
    mean: mean?.toFixed(3) ?? "–",
    sd: sd?.toFixed(3) ?? "–",
    median: median?.toFixed(3) ?? "–",
  });
  console.log(
    `Clicks, a model trained on ${trainedOn}: ${found.length} of ${results.length} structures found by the first.`,
  );
  console.log(
    textTable(
      [
        { key: "measure", title: "" },
        { key: "mean", title: "mean" },
        { key: "sd", title: "SD" },
        { key: "median", title: "median" },
      ],
      [
        ...after.map((row, n) => ({ measure: `DSC after ${counted(n + 1, "click")}`, ...figures(row) })),
        { measure: `DSC between first clicks within ${jitterMm} mm`, ...figures(agreement) },
        { measure: "seconds of the first click", ...figures(seconds) },
      ],
    ),
  );
}

function read(path: string): Volume {
  return readNifti(readFileSync(path), path);
}

function distanceMm(a: Vector3, b: Vector3): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** A voxel (continuous index) of the structure within 3 mm of its middle. */
function besideIn(
  truth: Uint8Array,
  { size, spacingMm }: Volume,
  middle: Vector3,
  random: ReturnType<typeof indexedStream>,
): Vector3 {
  for (;;) {
    const mm = [0, 1, 2].map(() => uniform(random, -jitterMm, jitterMm));
    if (Math.hypot(...mm) > jitterMm) continue;
    const index = middle.map((at, axis) => at + mm[axis] / spacingMm[axis]);
    const [i, j, k] = index.map((at, axis) => Math.min(size[axis] - 1, Math.max(0, Math.round(at))));
    if (truth[i + size[0] * (j + size[1] * k)] === 1) return [index[0], index[1], index[2]];
  }
}
