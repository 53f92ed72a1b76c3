// npm run bench -- augmentation: what each augmentation costs a patch, and a picture of what it does.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { generatePatient, type PatchSize } from "@lnsnet/core";
import { type MontageTile, montagePng, textTable } from "@lnsnet/core/reports";
import { type PreparedCase, prepareCase } from "@lnsnet/core/training";
import {
  cutPatch,
  defaultAugmentation,
  drawVariation,
  indexedStream,
  noVariation,
  type PatchVariation,
  patchForm,
  prepareImage,
  prepareLabel,
} from "@lnsnet/core/transforms";

const help = `npm run bench -- augmentation [options]

Times each variation of a patch of 64 × 48 × 48 voxels of a phantom, all of them at once, and the draw of training; one
thread, the median of the rounds.

  --json            print JSON
  --rounds COUNT    patches for each figure (20)
  --picture FILE    also write a PNG of the patch under each variation
  --help            print this`;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "20" },
    picture: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const patchSize: PatchSize = [64, 48, 48];
const window = { lowHu: -160, highHu: 240 };
const form = patchForm({ patchSize, window });

/** Strong, so that the picture shows it; within the defaults' bounds where they have some. */
const variations: Readonly<Record<string, Partial<PatchVariation>>> = {
  flip: { flip: true },
  rotation: { rotationDegrees: [0, 0, 15] },
  scaling: { scaling: 1.15 },
  elastic: { elasticMm: 8, elasticSeed: 3 },
  "HU shift": { shiftHu: 15 },
  "thick slices": { sliceThicknessMm: 6 },
  "low resolution": { coarseness: 2 },
  blur: { blurMm: 1.2 },
  gamma: { gamma: 1.25 },
  contrast: { contrast: 0.85 },
  brightness: { brightness: 0.1 },
  noise: { noiseDeviation: 0.1, noiseSeed: 1 },
};
const everything: PatchVariation = Object.assign({}, noVariation, ...Object.values(variations));

if (values.help) process.stdout.write(`${help}\n`);
else main(Number(values.rounds));

function main(rounds: number): void {
  const patient = phantomCase();
  const cut = (variation: Partial<PatchVariation>) =>
    cutPatch(patient, patient.label, centreOf(patient), form, { ...noVariation, ...variation });
  const timed = (work: (round: number) => unknown): number => {
    const milliseconds = Array.from({ length: rounds }, (_, round) => {
      const start = performance.now();
      work(round);
      return performance.now() - start;
    });
    return milliseconds.sort((a, b) => a - b)[Math.floor(rounds / 2)];
  };
  const training = (round: number) => cut(drawVariation(indexedStream(1, round), defaultAugmentation));
  // Once for the compiler.
  for (let round = 0; round < 20; round++) training(round);
  const figures = Object.entries({ none: {}, ...variations, "all at once": everything }).map(
    ([name, variation]) => ({ name, milliseconds: timed(() => cut(variation)) }),
  );
  figures.push({ name: "drawn as in training", milliseconds: timed(training) });
  if (values.json) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  else
    process.stdout.write(
      `${textTable(
        [
          { key: "name", title: "variation" },
          { key: "milliseconds", title: "a patch", unit: "ms", format: (value) => value.toFixed(1) },
        ],
        figures,
      )}\n`,
    );
  if (values.picture !== undefined) {
    const tiles = Object.entries({ "as scanned": {}, ...variations, "all at once": everything }).map(
      ([name, variation]) => coronalTile(name, cut(variation)),
    );
    writeFileSync(values.picture, montagePng(tiles, 7, 4));
  }
}

function phantomCase(): PreparedCase {
  const { image, label, id } = generatePatient(1, 0);
  const prepared = prepareImage(image, [1, 1, 1], window);
  return prepareCase(id, prepared, prepareLabel(label, prepared));
}

/** The middle voxel of the largest connected component. */
function centreOf({ foreground, componentOffsets, size }: PreparedCase): [number, number, number] {
  const voxels = (n: number) => componentOffsets[n + 1] - componentOffsets[n];
  const components = Array.from({ length: componentOffsets.length - 1 }, (_, n) => n);
  const largest = components.reduce((a, b) => (voxels(b) > voxels(a) ? b : a));
  const voxel = foreground[Math.floor((componentOffsets[largest] + componentOffsets[largest + 1]) / 2)];
  return [voxel % size[0], Math.floor(voxel / size[0]) % size[1], Math.floor(voxel / (size[0] * size[1]))];
}

/** The patch's middle plane across j, seen from the front: superior is on top. */
function coronalTile(
  name: string,
  { image, label }: { readonly image: Float32Array; readonly label: Float32Array },
): MontageTile {
  const [depth, height, width] = patchSize;
  const middle = Math.floor(height / 2);
  const plane = (data: Float32Array): Float32Array =>
    Float32Array.from({ length: depth * width }, (_, n) => {
      const k = depth - 1 - Math.floor(n / width);
      return data[(n % width) + width * (middle + height * k)];
    });
  return { name, width, height: depth, grey: plane(image), mask: plane(label) };
}
