// npm run bench -- what-helped HOSTS: what phantoms of wide variety, implants and ignored tissue each add to a finder.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { InputError, openPredictor, readModel, readNifti, writeNifti } from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { textTable } from "@lnsnet/core/reports";
import { runLnsnet } from "./command.js";
import { type DetectionFigures, detectionFigures } from "./detection-figures.js";

const help = `npm run bench -- what-helped HOSTS [options]

Trains the same network five times, each with one thing more: phantoms, phantoms of wide variety, these and hosts with
implanted nodes, the same with the hosts' own tissue that looks like a node left out of the loss, and that with a
smoothed Dice, in which false positives cost more. Each model then segments the implanted test hosts, with patches that
overlap by a quarter. Prints what it finds of nodes from 10 mm at 6.5 false positives a scan, how many components it has,
and how many of them have HU that fit no node. What is done stays in the folder, and is not done again.

HOSTS is a folder of CT scans without labels in nnU-Net's layout, with imagesTr and imagesTs, as for lnsnet implant.

  --output FOLDER    where everything is written (what-helped)
  --steps COUNT      training steps of each (1000)
  --phantoms COUNT   patients of each phantom cohort (40)
  --network NAME     lnsnet-half
  --threads COUNT    threads (1)
  --json             print JSON
  --help             print this`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: "string", default: "what-helped" },
    steps: { type: "string", default: "1000" },
    phantoms: { type: "string", default: "40" },
    network: { type: "string", default: "lnsnet-half" },
    threads: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const allowedFalsePositives = 6.5;
const leastMm = 10;
/** A third of the patches of the usual half. */
const overlap = 0.25;

/** Each with one thing more than the one before. */
const trainings: readonly {
  readonly cohort: string;
  readonly output: string;
  readonly data: string;
  readonly more?: readonly string[];
}[] = [
  { cohort: "typical", output: "typical-trained", data: "phantoms" },
  { cohort: "wide", output: "wide-trained", data: "phantoms of wide variety" },
  {
    cohort: "wide-and-judged",
    output: "wide-and-judged-trained",
    data: "these, and implants; look-alikes count as background",
  },
  {
    cohort: "wide-and-implanted",
    output: "wide-and-implanted-trained",
    data: "the same; look-alikes are ignored",
  },
  {
    cohort: "wide-and-implanted",
    output: "smoothed-trained",
    data: "the same; Dice smoothed by 100 voxels",
    more: ["--dice-smoothing", "100"],
  },
];

if (values.help) console.log(help);
else await main(positionals[0]);

interface Row {
  readonly data: string;
  readonly found: number;
  readonly nodes: number;
  readonly foundAtAll: number;
  readonly falsePositives: number;
  readonly leftOutByHu: number;
}

async function main(hosts: string | undefined): Promise<void> {
  if (hosts === undefined || !existsSync(hosts))
    throw new InputError("Name the folder of the hosts: npm run bench -- what-helped HOSTS.");
  const folder = resolve(values.output);
  mkdirSync(folder, { recursive: true });
  const { phantoms, steps, threads } = values;
  const cohort = ["--training", phantoms, "--test", "0", "--seed", "2027", "--threads", threads];
  await once(folder, "typical", ["phantom", ...cohort]);
  await once(folder, "wide", ["phantom", "--variety", "wide", ...cohort]);
  await once(folder, "implanted", ["implant", resolve(hosts), "--seed", "1", "--threads", threads]);
  withoutIgnored(join(folder, "implanted"), join(folder, "judged"));
  await once(folder, "wide-and-judged", ["dataset", "join", "wide", "judged"]);
  await once(folder, "wide-and-implanted", ["dataset", "join", "wide", "implanted"]);
  const rows: Row[] = [];
  for (const { cohort, output, data, more = [] } of trainings) {
    await once(folder, output, [
      ...["train", cohort, "--network", values.network, "--spacing", "1.5,1.5,1.5", "--steps", steps],
      ...[
        "--foreground-share",
        "0.4",
        "--validation-cases",
        "0",
        "--threads",
        threads,
        "--seed",
        "1",
        ...more,
      ],
    ]);
    rows.push(rowOf(data, await figuresOf(join(folder, output), join(folder, "implanted"))));
  }
  console.log(values.json ? JSON.stringify(rows, null, 2) : tableOf(rows));
}

/** Runs the command into a folder, where it has not been done. A training that was stopped goes on. */
async function once(folder: string, output: string, words: readonly string[]): Promise<void> {
  const isTraining = words[0] === "train";
  if (isTraining ? isTrained(join(folder, output)) : existsSync(join(folder, output, "dataset.json"))) return;
  process.stderr.write(`${words.join(" ")}\n`);
  const more = isTraining && existsSync(join(folder, output, "state.safetensors")) ? ["--resume"] : [];
  await runLnsnet(folder, [...words, "--output", output, ...more]);
}

/** Whether a training has ended; one that was stopped has written a model too. */
function isTrained(training: string): boolean {
  const record = join(training, "training.json");
  return existsSync(record) && JSON.parse(readFileSync(record, "utf8")).state === "finished";
}

/** The same cohort, in which what was to be ignored counts as background. */
function withoutIgnored(from: string, to: string): void {
  if (existsSync(join(to, "dataset.json"))) return;
  mkdirSync(join(to, "labelsTr"), { recursive: true });
  for (const kind of ["imagesTr", "instancesTr"])
    if (!existsSync(join(to, kind))) symlinkSync(join(from, kind), join(to, kind));
  const description = JSON.parse(readFileSync(join(from, "dataset.json"), "utf8"));
  const { ignore, ...labels } = description.labels;
  for (const name of readdirSync(join(from, "labelsTr"))) {
    const path = join(from, "labelsTr", name);
    const volume = readNifti(readFileSync(path), path);
    const data = Uint8Array.from(volume.data, (value) => (value === ignore ? 0 : value));
    writeFileSync(join(to, "labelsTr", name), writeNifti({ ...volume, data }));
  }
  writeFileSync(join(to, "dataset.json"), JSON.stringify({ ...description, labels, numTest: 0 }));
}

async function figuresOf(training: string, cohort: string): Promise<DetectionFigures> {
  const kept = join(training, "figures.json");
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, "utf8"));
  const path = join(training, "model.safetensors");
  const model = readModel(readFileSync(path), path);
  const predictor = await openPredictor([model], nodeRuntime, { threads: Number(values.threads) });
  const figures = await detectionFigures(cohort, { predictor, proposer: null, mirrored: false, overlap });
  await predictor.release();
  writeFileSync(kept, JSON.stringify(figures));
  return figures;
}

function rowOf(data: string, { points, leftOutByHu }: DetectionFigures): Row {
  const at = (allowed: number | null) => {
    const point = points.find((candidate) => candidate.allowed === allowed);
    const size = point?.sizes.find(({ fromMm }) => fromMm === leastMm);
    if (point === undefined || size === undefined) throw new Error("no figures of this size");
    return { ...size, falsePositives: point.falsePositivesPerScan };
  };
  const { nodes, found } = at(allowedFalsePositives);
  const all = at(null);
  return { data, nodes, found, foundAtAll: all.found, falsePositives: all.falsePositives, leftOutByHu };
}

function tableOf(rows: readonly Row[]): string {
  const share = (found: number, nodes: number) => `${(found / nodes).toFixed(2)} (${found} of ${nodes})`;
  return textTable(
    [
      { key: "data", title: "trained on" },
      { key: "found", title: `from ${leastMm} mm at ${allowedFalsePositives} false positives` },
      { key: "foundAtAll", title: "at any" },
      { key: "falsePositives", title: "false positives a scan" },
      { key: "leftOutByHu", title: "left out by HU, a scan" },
    ],
    rows.map(({ data, nodes, found, foundAtAll, falsePositives, leftOutByHu }) => ({
      data,
      found: share(found, nodes),
      foundAtAll: share(foundAtAll, nodes),
      falsePositives: falsePositives.toFixed(1),
      leftOutByHu: leftOutByHu.toFixed(1),
    })),
  );
}
