// npm run check -- settings: how far the masks of a scan lie apart that differ in threads, in the part searched, or in the overlap.
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
  type SegmentOptions,
  segment,
  summarise,
  type Volume,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { textTable } from "@lnsnet/core/reports";
import { maskWhere, type VoxelArray } from "@lnsnet/core/volume";
import { shippedModelPath } from "./shipped-models.js";

const help = `npm run check -- settings DATASET [options]

Segments each scan of DATASET's imagesTs, with 60 mm of air around it, as lnsnet does by default (overlap 0.5, the neck, a thread a core), and again with
other settings, and prints the DSC between the two masks, and with the truth (labelsTs).

  --model FILE       model.safetensors (the shipped finder)
  --cases COUNT      scans, the first ones (4)
  --help             print this`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string", default: shippedModelPath("finder") },
    cases: { type: "string", default: "4" },
    help: { type: "boolean", default: false },
  },
});

const airMm = 60;

interface Setting extends SegmentOptions {
  readonly name: string;
  readonly threads?: number;
}

interface Scores {
  readonly usual: number;
  readonly truth: number;
}

const usualSetting: Setting = { name: "usual" };
const settings: readonly Setting[] = [
  { name: "the same again" },
  { name: "one thread", threads: 1 },
  { name: "three threads", threads: 3 },
  { name: "everything searched", searched: "everything" },
  { name: "overlap 0.25", overlap: 0.25 },
  { name: "overlap 0.75", overlap: 0.75 },
];

if (values.help || positionals.length !== 1) console.log(help);
else await main(positionals[0]);

async function main(dataset: string): Promise<void> {
  const model = readModel(readFileSync(values.model), values.model);
  const folder = join(dataset, "imagesTs");
  const names = readdirSync(folder).sort().slice(0, Number(values.cases));
  const maskOf = async (name: string, { name: _, threads = 0, ...options }: Setting) => {
    const scan = inAir(read(join(folder, name)));
    const predictor = await openPredictor([model], nodeRuntime, { threads });
    const { instances } = await segment(scan, predictor, options);
    await predictor.release();
    return instances.data;
  };
  const scores = new Map([usualSetting, ...settings].map(({ name }) => [name, [] as Scores[]]));
  for (const name of names) {
    const truth = inAir(read(join(dataset, "labelsTs", name.replace("_0000.nii.gz", ".nii.gz"))), 0).data;
    const usual = await maskOf(name, usualSetting);
    for (const setting of [usualSetting, ...settings]) {
      const mask = setting === usualSetting ? usual : await maskOf(name, setting);
      scores.get(setting.name)?.push({ usual: dsc(usual, mask), truth: dsc(truth, mask) });
    }
    process.stderr.write(`${name}\n`);
  }
  const rows = [...scores].map(([setting, list]) => {
    const [usual, truth] = [list.map((one) => one.usual), list.map((one) => one.truth)];
    return {
      setting,
      mean: summarise(usual).mean,
      least: Math.min(...usual),
      truth: summarise(truth).mean,
    };
  });
  console.log(
    `DSC with the mask by the usual settings, and with the truth; ${names.length} scans, a model trained on ${model.plan.dataLabel}:`,
  );
  console.log(textTable(columns(), rows));
}

/** A scanner's field of view is wider than the body, and phantoms are cut to it: without air around, the neck is everything. */
function inAir(scan: Volume, outside = -1000): Volume {
  const [i, j] = scan.spacingMm.slice(0, 2).map((spacing) => Math.round(airMm / spacing));
  const [nx, ny, nz] = scan.size;
  return crop(scan, [-i, -j, 0], [nx + 2 * i, ny + 2 * j, nz], outside);
}

function read(path: string): Volume {
  return readNifti(readFileSync(path), path);
}

function dsc(one: VoxelArray, other: VoxelArray): number {
  const mask = (data: VoxelArray) => maskWhere(data, (value) => value !== 0);
  return dice(countOverlap(mask(one), mask(other)));
}

function columns() {
  const format = (value: number) => value.toFixed(6);
  return [
    { key: "setting" as const, title: "setting" },
    { key: "mean" as const, title: "usual, mean", format },
    { key: "least" as const, title: "usual, least", format },
    { key: "truth" as const, title: "truth, mean", format },
  ];
}
