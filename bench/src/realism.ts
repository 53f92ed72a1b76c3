// npm run check -- realism: whether a small network can tell implanted nodes from a host's own tissue of the same size, and what gives them away.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InputError, readNifti, type Volume } from "@lnsnet/core";
import { implantLabels } from "@lnsnet/core/phantom";
import { montagePng, textTable } from "@lnsnet/core/reports";
import { clusteredBootstrap, type Interval, medianOf } from "@lnsnet/core/statistics";
import { patientOfCase, splitIntoFolds } from "@lnsnet/core/training";
import { indexedStream, uniformWhole } from "@lnsnet/core/transforms";
import { labelComponents } from "@lnsnet/core/voxels";
import { openDataset, patientRule } from "@lnsnet/node";
import { areaUnderCurve } from "./realism-curve.js";
import { type Eye, measuringEye, patchEye, suspicions } from "./realism-network.js";
import { bodiesOf, EDGE, featureNames, type Specimen, specimenOf } from "./realism-specimens.js";

const help = `npm run check -- realism COHORT [options]

Trains a small network, and a regression on simple measurements, to tell the nodes of a cohort of lnsnet implant from
the hosts' own soft tissue of the same size, on two thirds of the hosts, and asks them about the others. Prints the area
under the ROC curve of each: 0.5 is chance, 1 is told every time. Then the area of each measurement alone, which says
what gives implants away.

  --steps NUMBER     of each training (400)
  --hosts NUMBER     hosts of the training part that are used, the first ones (all)
  --seed NUMBER      of the folds, the weights and the batches (1)
  --goal AREA        exit code 1 where one of the two is greater (0.75)
  --picture FILE     a PNG of specimens of both kinds
  --json             print JSON
  --help             print this`;

const FOLDS = 3;
/** Specimens are compared within these classes of size, in mm of the sphere of their volume. */
const SIZES_MM = [4, 6, 8, 11, 15, 22];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "400" },
    hosts: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    goal: { type: "string", default: "0.75" },
    picture: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help || positionals.length !== 1) console.log(help);
else process.exitCode = await main(positionals[0]);

async function main(cohort: string): Promise<number> {
  const seed = Number(values.seed);
  const specimens = sameSizes(await specimensOf(cohort), seed);
  if (values.picture !== undefined) writeFileSync(values.picture, pictureOf(specimens));
  const network = await judged(specimens, patchEye, seed);
  const measurements = await judged(specimens, measuringEye(specimens), seed);
  const features = featureNames.map((name) => {
    const of = (specimen: Specimen) => specimen.features[name];
    const median = (isImplant: boolean) =>
      medianOf(specimens.filter((specimen) => specimen.isImplant === isImplant).map(of));
    return { measurement: name, ...areaOf(specimens, of, seed), implanted: median(true), own: median(false) };
  });
  const implants = specimens.filter(({ isImplant }) => isImplant).length;
  const hosts = new Set(specimens.map(({ patient }) => patient)).size;
  const numbers = { hosts, implants, own: specimens.length - implants };
  if (values.json) console.log(JSON.stringify({ ...numbers, network, measurements, features }, null, 2));
  else report(numbers, network, measurements, features);
  return Math.max(network.area, measurements.area) > Number(values.goal) ? 1 : 0;
}

/** How well specimens of hosts that it has not seen are told apart by a network. */
async function judged(specimens: readonly Specimen[], eye: Eye, seed: number): Promise<Area> {
  const cases = specimens.map(({ id, patient }) => ({ id, patient, nodes: 1 }));
  const told = new Map<string, number>();
  for (const [fold, { train, val }] of splitIntoFolds(cases, FOLDS, seed).entries()) {
    const [trained, tested] = [train, val].map((ids) => {
      const wanted = new Set(ids);
      return specimens.filter(({ id }) => wanted.has(id));
    });
    const found = await suspicions(eye, trained, tested, { steps: Number(values.steps), seed: seed + fold });
    tested.forEach(({ id }, n) => {
      told.set(id, found[n]);
    });
  }
  return areaOf(specimens, ({ id }) => told.get(id) ?? 0, seed);
}

/** The middle axial slices of specimens of growing size: a row of implants, a row of own bodies, twice. */
function pictureOf(specimens: readonly Specimen[]): Uint8Array {
  const columns = 6;
  const kinds = [true, false].map((isImplant) => {
    const sorted = specimens
      .filter((specimen) => specimen.isImplant === isImplant)
      .sort((a, b) => a.sizeMm - b.sizeMm);
    // From the tenth to the last, evenly.
    return Array.from(
      { length: 2 * columns },
      (_, n) => sorted[Math.floor((0.1 + (0.9 * n) / (2 * columns)) * sorted.length)],
    );
  });
  const mask = new Uint8Array(EDGE ** 2);
  const tiles = [0, columns].flatMap((first) =>
    kinds.flatMap((kind) =>
      kind.slice(first, first + columns).map(({ isImplant, sizeMm, patch }) => ({
        name: `${isImplant ? "implanted" : "own"} ${sizeMm.toFixed(0)} mm`,
        width: EDGE,
        height: EDGE,
        grey: patch.subarray((EDGE / 2) * EDGE ** 2, (EDGE / 2 + 1) * EDGE ** 2),
        mask,
      })),
    ),
  );
  return montagePng(tiles, columns, 6);
}

type Area = { readonly area: number; readonly interval: Interval | null };

function report(
  { hosts, implants, own }: { readonly hosts: number; readonly implants: number; readonly own: number },
  network: Area,
  measurements: Area,
  features: readonly (Area & {
    readonly measurement: string;
    readonly implanted: number;
    readonly own: number;
  })[],
): void {
  console.log(
    `${implants} implanted nodes and ${own} own bodies of ${hosts} hosts, of equal sizes. Areas with 95 % intervals over hosts:
told by a network that sees patches of ${EDGE}³ voxels: ${written(network)}
told by all measurements together: ${written(measurements)}
`,
  );
  const columns = (["measurement", "area", "implanted", "own"] as const).map((key) => ({ key, title: key }));
  const rows = [...features]
    .sort((a, b) => Math.abs(b.area - 0.5) - Math.abs(a.area - 0.5))
    .map((row) => ({
      measurement: row.measurement,
      area: written(row),
      implanted: row.implanted.toFixed(2),
      own: row.own.toFixed(2),
    }));
  console.log(textTable(columns, rows));
}

function written({ area, interval }: Area): string {
  const within = interval === null ? "" : ` (${interval.low.toFixed(2)}–${interval.high.toFixed(2)})`;
  return `${area.toFixed(3)}${within}`;
}

/** The area with its interval over hosts: above 0.5 where implants have the greater values. */
function areaOf(
  specimens: readonly Specimen[],
  figureOf: (specimen: Specimen) => number,
  seed: number,
): Area {
  const points = specimens.map((specimen) => ({
    isImplant: specimen.isImplant,
    value: figureOf(specimen),
    patient: specimen.patient,
  }));
  const random = indexedStream(seed, 7);
  const patients = [...new Set(points.map(({ patient }) => patient))];
  const byPatient = patients.map((name) => points.filter(({ patient }) => patient === name));
  return {
    area: areaUnderCurve(points) ?? 0.5,
    interval: clusteredBootstrap(byPatient, areaUnderCurve, (count) => uniformWhole(random, count), 500),
  };
}

async function specimensOf(cohort: string): Promise<Specimen[]> {
  const dataset = await openDataset(cohort);
  if (dataset.labels.scheme.ignored !== implantLabels.ignore)
    throw new InputError(`${cohort} has no ignored tissue; give a cohort of lnsnet implant.`);
  const rule = patientRule(dataset, undefined);
  const patients = new Set(dataset.training.map(({ id }) => patientOfCase(id, rule)));
  const used = [...patients].slice(0, Number(values.hosts));
  const specimens: Specimen[] = [];
  for (const scan of dataset.training) {
    const patient = patientOfCase(scan.id, rule);
    if (!used.includes(patient)) continue;
    const read = (folder: string, ending = ""): Volume =>
      readNifti(readFileSync(join(cohort, folder, `${scan.id}${ending}.nii.gz`)), scan.id);
    const image = read("imagesTr", "_0000");
    const own = Uint8Array.from(read("labelsTr").data, (value) => (value === implantLabels.ignore ? 1 : 0));
    for (const [isImplant, labels] of [
      [true, read("instancesTr").data],
      [false, labelComponents(own, image.size, 26).labels],
    ] as const)
      for (const body of bodiesOf(labels, image)) {
        const id = `${scan.id}/${isImplant ? "implant" : "own"} ${body.value}`;
        const specimen = specimenOf(image, body, { id, patient, isImplant });
        if (specimen !== null) specimens.push(specimen);
      }
  }
  return specimens;
}

/** As many implants as own bodies in each class of size, drawn by the seed. */
function sameSizes(specimens: readonly Specimen[], seed: number): Specimen[] {
  const random = indexedStream(seed, 8);
  return SIZES_MM.slice(1).flatMap((upTo, at) => {
    const within = specimens.filter(({ sizeMm }) => sizeMm >= SIZES_MM[at] && sizeMm < upTo);
    const kinds = [true, false].map((isImplant) =>
      within.filter((specimen) => specimen.isImplant === isImplant),
    );
    const count = Math.min(...kinds.map(({ length }) => length));
    return kinds.flatMap((kind) => {
      const rest = [...kind];
      return Array.from({ length: count }, () => rest.splice(uniformWhole(random, rest.length), 1)[0]);
    });
  });
}
