// Joins data sets into one that names their files where they lie: nothing is copied.
import { realpath } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { foldedName } from "@lnsnet/core/text";
import type { LabelScheme } from "@lnsnet/core/transforms";
import { writeJson } from "../files/disk.js";
import { whileWriting } from "../files/folder-lock.js";
import { requireFreeNames } from "../files/outputs.js";
import type { Job } from "../work/job.js";
import { type Case, type Dataset, imagePathsOf, openDataset, sharedFiles } from "./dataset.js";

export interface JoinedDataset {
  readonly name: string;
  /** How many training cases come from each data set, in the order in which they were given. */
  readonly training: readonly { readonly dataset: string; readonly cases: number }[];
}

/**
 * Writes a dataset.json that names the training cases of several data sets, with paths from its own folder (nnU-Net v2's
 * `dataset`). Test cases stay where they are. A patient that two data sets name alike is the same patient.
 *
 * @param folders data sets in nnU-Net's layout, at least two, with the same channels and classes; voxels to ignore may be in
 *   some of them only
 * @param output folder for dataset.json: new, or without one
 * @param name of the joined data set; by default the names of its parts
 * @throws InputError where a data set cannot be opened or is given twice, they do not fit together, two have a case of the
 *   same name or the same file, or the output holds a data set
 */
export async function joinDatasets(
  folders: readonly string[],
  output: string,
  { name }: { readonly name?: string | undefined } = {},
  job: Job = {},
): Promise<JoinedDataset> {
  if (folders.length < 2)
    throw new InputError(`${folders.length} data set is given, and at least two are needed to join them.`);
  const datasets: Dataset[] = [];
  for (const folder of folders) datasets.push(await openDataset(folder));
  const [first, ...others] = datasets;
  for (const other of others) requireAlike(first, other);
  await requireDifferent(datasets);
  requireOwnNames(datasets);
  await requireOwnFiles(datasets);
  const ignored = ignoredValue(datasets);
  const joinedName = name ?? datasets.map((dataset) => dataset.name).join(" + ");
  const content = {
    name: joinedName,
    description: `Joined from: ${datasets.map((dataset) => dataset.name).join("; ")}. Research use only.`,
    channel_names: Object.fromEntries(first.channels.map((channel, number) => [number, channel])),
    ...labelsText(first, ignored),
    patients: Object.fromEntries(datasets.flatMap((dataset) => namedPatients(dataset))),
    numTraining: datasets.reduce((sum, { training }) => sum + training.length, 0),
    file_ending: ".nii.gz",
  };
  await whileWriting(
    output,
    "lnsnet dataset join",
    async () => {
      // Where links lead: from there ".." is the same folder for every program.
      const root = await realpath(output);
      const files = datasets.flatMap(({ training }) => training.map((of) => [of.id, filesFrom(root, of)]));
      await requireFreeNames(output, ["dataset.json", "imagesTr", "labelsTr", "instancesTr"]);
      await writeJson(resolve(output, "dataset.json"), { ...content, dataset: Object.fromEntries(files) });
    },
    job,
  );
  return {
    name: joinedName,
    training: datasets.map(({ folder, training }) => ({ dataset: folder, cases: training.length })),
  };
}

/** @throws InputError where channels or classes differ */
function requireAlike(first: Dataset, other: Dataset): void {
  const channels = ({ channels: names }: Dataset) => names.join(", ");
  if (channels(first) !== channels(other))
    throw new InputError(
      `${other.folder} has the channels ${channels(other)}, and ${first.folder} has ${channels(first)}; only data sets of the same channels can be joined.`,
    );
  const classes = ({ labels: { scheme } }: Dataset) => classesInWords(scheme);
  if (classes(first) !== classes(other))
    throw new InputError(
      `${other.folder} has the classes ${classes(other)}, and ${first.folder} has ${classes(first)}; give both the same labels in their dataset.json.`,
    );
}

const classesInWords = ({ classes, kind }: LabelScheme): string =>
  `${classes.map(({ name, values }) => `${name} (${values.join(" and ")})`).join(", ")}${classes.length > 1 ? `, ${kind}` : ""}`;

/** @throws InputError where one data set is given twice */
async function requireDifferent(datasets: readonly Dataset[]): Promise<void> {
  const places = await Promise.all(datasets.map(({ folder }) => realpath(folder)));
  const twice = places.findIndex((place, at) => places.indexOf(place) < at);
  if (twice >= 0)
    throw new InputError(
      `${datasets[twice].folder} is the same data set as ${datasets[places.indexOf(places[twice])].folder}; give two different ones.`,
    );
}

/** @throws InputError where a file belongs to two cases */
async function requireOwnFiles(datasets: readonly Dataset[]): Promise<void> {
  const [shared] = await sharedFiles(datasets.flatMap(({ training }) => training));
  if (shared !== undefined)
    throw new InputError(
      `${shared.path} belongs to the cases ${shared.ids.join(" and ")}, and would be trained on twice; remove one of them.`,
    );
}

/** @throws InputError where two data sets have a case of the same name, on whatever disk */
function requireOwnNames(datasets: readonly Dataset[]): void {
  const owners = new Map<string, Dataset>();
  for (const dataset of datasets)
    for (const { id } of dataset.training) {
      const owner = owners.get(foldedName(id));
      if (owner !== undefined && owner !== dataset)
        throw new InputError(
          `${owner.folder} and ${dataset.folder} both have a case ${id}; rename its files in one of them.`,
        );
      owners.set(foldedName(id), dataset);
    }
}

/** The value that is left out, in whichever data sets have it. @throws InputError where they have different ones */
function ignoredValue(datasets: readonly Dataset[]): number | null {
  const having = datasets.filter(({ labels: { scheme } }) => scheme.ignored !== null);
  const [first] = having;
  if (first === undefined) return null;
  const value = first.labels.scheme.ignored;
  const other = having.find(({ labels: { scheme } }) => scheme.ignored !== value);
  if (other !== undefined)
    throw new InputError(
      `${other.folder} has ${other.labels.scheme.ignored} for voxels to ignore, and ${first.folder} has ${value}; use the same value in both.`,
    );
  return value;
}

/** `labels` of dataset.json, and `regions_class_order` where classes overlap. */
function labelsText({ labels: { scheme } }: Dataset, ignored: number | null) {
  const labels = {
    background: 0,
    ...Object.fromEntries(
      scheme.classes.map(({ name, values }) => [name, values.length === 1 ? values[0] : values]),
    ),
    ...(ignored === null ? {} : { ignore: ignored }),
  };
  const order = scheme.classes.map(({ writtenAs }) => writtenAs);
  return scheme.kind === "overlapping" ? { labels, regions_class_order: order } : { labels };
}

/** Case and patient, for the training cases whose patient the data set names. */
const namedPatients = ({ training, patients }: Dataset): [string, string][] =>
  training.flatMap(({ id }): [string, string][] => {
    const patient = patients.get(id);
    return patient === undefined ? [] : [[id, patient]];
  });

/** Paths from a folder, with slashes on every system. */
function filesFrom(folder: string, of: Case): { images: string[]; label: string } {
  const from = (path: string) => relative(folder, resolve(path)).split(sep).join("/");
  // Every training case has a label: a data set without one is not opened.
  return { images: imagePathsOf(of).map(from), label: from(of.labelPath ?? "") };
}
