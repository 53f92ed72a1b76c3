// npm run check -- real-necks FOLDER: what a model finds on real necks, of which nobody has drawn the nodes.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  InputError,
  openPredictor,
  readModel,
  resample,
  type Segmentation,
  segment,
  segmentationPreviewPng,
  shown,
  type Volume,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { type MontageTile, montagePng, textTable } from "@lnsnet/core/reports";
import { findNeckRegion, isNodeDensity, measureNodes } from "@lnsnet/core/voxels";
import {
  type DetectionFigures,
  detectionFigures,
  detectionTable,
  type Predictors,
} from "./detection-figures.js";
import { frontalTile } from "./frontal-tile.js";
import { niftiOf, type RealScan, realScans } from "./real-scans.js";
import { implantedTestHosts, printShippedFigures } from "./shipped-figures.js";
import { shippedModelPath } from "./shipped-models.js";

const help = `npm run check -- real-necks FOLDER [options]

Segments the real scans of FOLDER that hold a neck (sub-folders as of npm run check -- scans; of OpenKBP the test set) as
lnsnet predict does by default. Prints for each how many components were found, how many of them have HU that fit no
node (which must be none), how many were left out for their HU or for lying outside the body, and which share of the
found volume lies inside the planning targets, beside the share of the searched body that does: a model that finds
nothing but chance gives equal shares. Exit code 1 where a component's HU fit no node, or a scan cannot be segmented.

Nobody has drawn the nodes of these scans, so the figures say where a model fails, and not how well it finds nodes. That
is measured on implanted nodes (--implanted): the share that is found at most so many false positives a scan. Real
nodes of the hosts count as false there.

  --model FILE       model.safetensors (the shipped finder)
  --proposer FILE    coarse network that says where the model looks (none)
  --mirrored         average each answer with that of the mirrored scan, in twice the time
  --implanted FOLDER cohort of lnsnet implant; its test set is segmented too
  --everything       implants nodes into OpenKBP's test set and segments these too; then prints all other figures of the
                     model cards again, by the shipped models: phantoms, clicks, times. An hour and more; needs a machine at rest
  --scans NAMES      scans by name, with commas; those of OpenKBP's training set too (all but the training set)
  --output FOLDER    a preview picture of each scan, and all of them from the front with what was found (real-necks)
  --threads COUNT    threads (2)
  --json             print JSON
  --help             print this`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string", default: shippedModelPath("finder") },
    proposer: { type: "string" },
    mirrored: { type: "boolean", default: false },
    implanted: { type: "string" },
    everything: { type: "boolean", default: false },
    scans: { type: "string" },
    output: { type: "string", default: "real-necks" },
    threads: { type: "string", default: "2" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(help);
else process.exitCode = await main(positionals[0]);

async function main(root: string | undefined): Promise<number> {
  if (root === undefined || !existsSync(root))
    throw new InputError("Name the folder of the scans: npm run check -- real-necks FOLDER.");
  if (values.everything && values.json)
    throw new InputError("The option everything prints text alone; leave out the option json.");
  const chosen = chosenScans(realScans(root), values.scans?.split(","));
  const { plan, predictor } = await openedModel(values.model);
  const proposer = values.proposer === undefined ? null : (await openedModel(values.proposer)).predictor;
  const predictors = { predictor, proposer, mirrored: values.mirrored };
  mkdirSync(values.output, { recursive: true });
  const results: Result[] = [];
  const failures: string[] = [];
  const tiles: MontageTile[] = [];
  for (const real of chosen) {
    process.stderr.write(`${real.name} ${results.length + failures.length + 1}/${chosen.length}\n`);
    try {
      results.push(await resultOf(real, predictors, plan, tiles));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      failures.push(`${real.name}: ${error.message}`);
    }
  }
  const cohort = values.everything
    ? await implantedTestHosts(root, values.output, values.threads)
    : values.implanted;
  const implanted = cohort === undefined ? null : await detectionFigures(cohort, predictors);
  await predictor.release();
  await proposer?.release();
  const summary = { trained_on: plan.dataLabel, results, failures, implanted };
  console.log(values.json ? JSON.stringify(summary, null, 2) : textOf(summary));
  if (values.everything) await printShippedFigures(root, values.output, values.threads);
  return failures.length > 0 || results.some(({ implausible }) => implausible > 0) ? 1 : 0;
}

/** @throws InputError for a name that no scan with a neck has */
function chosenScans(scans: readonly RealScan[], names: readonly string[] | undefined): RealScan[] {
  const necks = scans.filter(({ hasNeck }) => hasNeck);
  if (names === undefined) return necks.filter(({ isForTraining }) => !isForTraining);
  return names.map((name) => {
    const scan = necks.find((real) => real.name === name);
    if (scan === undefined)
      throw new InputError(
        `The folder holds no neck called "${name}"; names are ${shown(necks.map((real) => real.name).join(", "))}.`,
      );
    return scan;
  });
}

interface Result {
  readonly scan: string;
  readonly components: number;
  /** Components whose HU fit no node, and that were not left out. */
  readonly implausible: number;
  readonly left_out_by_hu: number;
  readonly left_out_outside_body: number;
  /** Share of the volume of all components that lies inside the planning targets; null without targets or components. */
  readonly share_in_targets: number | null;
  /** Share of the searched body that does; null without targets. */
  readonly chance: number | null;
  readonly seconds: number;
}

async function openedModel(path: string) {
  const model = readModel(readFileSync(path), path);
  return {
    plan: model.plan,
    predictor: await openPredictor([model], nodeRuntime, { threads: Number(values.threads) }),
  };
}

async function resultOf(
  { name, masks, read }: RealScan,
  { predictor, ...options }: Predictors,
  { dataLabel, foreground }: { readonly dataLabel: string; readonly foreground: string },
  tiles: MontageTile[],
): Promise<Result> {
  const scan = await read();
  const start = performance.now();
  const found = await segment(scan, predictor, options);
  const seconds = (performance.now() - start) / 1000;
  const picture = segmentationPreviewPng(scan, found.instances, found.nodes, {
    title: name,
    caption: `model trained on ${dataLabel}`,
    className: foreground,
  });
  writeFileSync(join(values.output, `${name}.png`), picture);
  tiles.push(frontalTile(`${name}: ${found.nodes.length}`, scan, found.instances));
  writeFileSync(join(values.output, "from-the-front.png"), montagePng(tiles, 6, 1));
  const target = masks.find(({ isTarget }) => isTarget);
  return {
    scan: name,
    components: found.nodes.length,
    implausible: measureNodes(found.instances, scan, "labels").filter((node) => !isNodeDensity(node)).length,
    left_out_by_hu: found.leftOut.implausible,
    left_out_outside_body: found.leftOut.outsideBody,
    ...(target === undefined
      ? { share_in_targets: null, chance: null }
      : sharesInside(await niftiOf(target.path), scan, found)),
    seconds,
  };
}

/** Which share of the found voxels lies inside the targets, and which share of the searched body. */
function sharesInside(targets: Volume, scan: Volume, { instances }: Pick<Segmentation, "instances">) {
  const region = findNeckRegion(scan);
  if (region.found === "none") throw new Error("a scan was segmented that holds no neck");
  const shareOf = (part: Volume): number | null => {
    const inside = resample(targets, part, "nearest", 0).data;
    let [all, both] = [0, 0];
    part.data.forEach((value, at) => {
      if (value === 0) return;
      all++;
      if (inside[at] !== 0) both++;
    });
    return all === 0 ? null : both / all;
  };
  return { share_in_targets: shareOf(instances), chance: shareOf(region.body) };
}

function textOf({
  trained_on,
  results,
  failures,
  implanted,
}: {
  readonly trained_on: string;
  readonly results: readonly Result[];
  readonly failures: readonly string[];
  readonly implanted: DetectionFigures | null;
}): string {
  const whole = (value: number) => value.toFixed(0);
  const percent = (value: number) => (100 * value).toFixed(1);
  const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0);
  const mean = (of: (result: Result) => number | null) => {
    const known = results.map(of).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((total, value) => total + value, 0) / known.length;
  };
  const table = textTable(
    [
      { key: "scan", title: "scan" },
      { key: "components", title: "components", format: whole },
      { key: "implausible", title: "with HU of no node", format: whole },
      { key: "left_out_by_hu", title: "left out by HU", format: whole },
      { key: "left_out_outside_body", title: "left out, outside the body", format: whole },
      { key: "share_in_targets", title: "in targets, %", format: percent },
      { key: "chance", title: "chance, %", format: percent },
      { key: "seconds", title: "seconds", format: (value: number) => value.toFixed(1) },
    ],
    results.map((result) => ({ ...result })),
    [
      {
        scan: "sum, mean of shares",
        components: sum(({ components }) => components),
        implausible: sum(({ implausible }) => implausible),
        left_out_by_hu: sum(({ left_out_by_hu }) => left_out_by_hu),
        left_out_outside_body: sum(({ left_out_outside_body }) => left_out_outside_body),
        share_in_targets: mean(({ share_in_targets }) => share_in_targets),
        chance: mean(({ chance }) => chance),
        seconds: sum(({ seconds }) => seconds),
      },
    ],
  );
  return [
    `Real necks, a model trained on ${trained_on}. Pictures: ${values.output}.`,
    table,
    ...failures,
    ...(implanted === null
      ? []
      : ["", "Implanted nodes in OpenKBP CT, whole volume:", detectionTable(implanted.points)]),
  ].join("\n");
}
