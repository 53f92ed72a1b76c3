// Data sets in nnU-Net's layout: imagesTr, labelsTr, imagesTs, labelsTs and dataset.json in one folder.
import { readdir, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { volumeFormatOf, volumeFormats } from "@lnsnet/core/formats";
import { counted, foldedName, shown } from "@lnsnet/core/text";
import {
  describeGeometry,
  type Geometry,
  type IntegerVoxelArray,
  sameGeometry,
  type Volume,
} from "@lnsnet/core/volume";
import { labelValues } from "@lnsnet/core/voxels";
import { z } from "zod";
import { fileError, isFile, isFolder, readJson, requirePath } from "../files/disk.js";
import { readLabelVolume, readScan } from "../files/imaging.js";
import { type DatasetLabels, labelsOf, labelsSchema, targetsOf } from "./foreground.js";
import { patientsOfImport } from "./import-record.js";

export interface Dataset {
  readonly name: string;
  readonly folder: string;
  /** Names of the channels, in the order of the files `_0000`, `_0001`, …. */
  readonly channels: readonly string[];
  readonly labels: DatasetLabels;
  /** Patient by case id, as far as the data set names them: `patients` of dataset.json, or the import's record. */
  readonly patients: ReadonlyMap<string, string>;
  readonly training: readonly Case[];
  readonly test: readonly Case[];
}

export interface Case {
  readonly id: string;
  /** The first channel. */
  readonly imagePath: string;
  /** Further channels. */
  readonly furtherPaths?: readonly string[];
  /** Null where a test case has no label. */
  readonly labelPath: string | null;
  /** The same foreground with a value for each node, where the data set has it (instancesTr, as `phantom` and `dataset import` write). */
  readonly instancesPath: string | null;
  /** A mask of what may be taken for foreground and is none, where the data set has it (lookalikesTr). */
  readonly lookAlikesPath?: string;
}

/** All channels of a case. */
export const imagePathsOf = ({ imagePath, furtherPaths = [] }: Case): readonly string[] => [
  imagePath,
  ...furtherPaths,
];

/** A case as it was read. */
export interface LoadedCase {
  readonly id: string;
  /** The first channel. */
  readonly image: Volume;
  /** All channels, on one grid. */
  readonly channels: readonly Volume[];
  /** Target numbers on the same grid, as `targetNumbers` of `@lnsnet/core/transforms` gives them; a class alone is 1. */
  readonly label: Volume<Uint8Array> | null;
}

/**
 * Reads what a data set holds; no image is opened.
 *
 * @param foreground the only class that is to be foreground; by default all are
 * @throws InputError where the folder or dataset.json is missing or of another form, there is no training case, a
 *   training image has no label, or an image lacks a channel
 */
export async function openDataset(folder: string, foreground?: string): Promise<Dataset> {
  const { dataset, problems } = await listDataset(folder, foreground);
  const [problem] = problems;
  if (problem !== undefined) throw new InputError(problem);
  return dataset;
}

/**
 * What a data set holds, and every reason why {@link openDataset} refuses it, a sentence each; no image is opened. Images
 * whose name cannot be used are left out.
 *
 * @throws InputError where the folder or dataset.json is missing or of another form
 */
export async function listDataset(
  folder: string,
  foreground?: string,
): Promise<{ dataset: Dataset; problems: string[] }> {
  await requirePath(folder);
  if (!(await isFolder(folder))) {
    throw new InputError(
      `${folder} is a file, and a data set's folder is expected; choose the folder that holds dataset.json.`,
    );
  }
  const path = join(folder, "dataset.json");
  const description = await readJson(path, descriptionSchema);
  const problems: string[] = [];
  const channels = Object.values(description.channel_names ?? description.modality ?? { 0: "CT" });
  const labels = labelsOf(path, description.labels, description.regions_class_order, foreground ?? null);
  const ending = description.file_ending;
  const found = { folder, ending, channels, problems };
  const training =
    description.dataset === undefined
      ? await casesOf(found, "Tr", namesListed(description.training))
      : await casesNamed(found, description.dataset);
  const test = await casesOf(found, "Ts", namesListed(description.test));
  if (training.length === 0) {
    problems.push(
      description.dataset === undefined
        ? `${join(folder, "imagesTr")} holds no image, and at least one NAME_0000${ending} is expected; put the training scans there.`
        : `${path} names no case that can be used in "dataset", and at least one is expected; name the training scans there.`,
    );
  }
  const names = new Map<string, string>();
  for (const { id } of [...training, ...test]) {
    const alike = names.get(foldedName(id));
    if (alike !== undefined && alike !== id)
      problems.push(
        `${folder} has the cases ${alike} and ${id}, whose files would be the same ones on some disks; rename one of the two.`,
      );
    names.set(foldedName(id), id);
  }
  const unlabelled = training.filter((scan) => scan.labelPath === null);
  if (unlabelled.length > 0) {
    problems.push(
      `${join(folder, "labelsTr")} has no label for ${listed(unlabelled.map((scan) => scan.id))}; add ${unlabelled[0].id}${ending} there or remove the image.`,
    );
  }
  if (description.numTraining !== undefined && description.numTraining !== training.length) {
    problems.push(
      `${path} states numTraining ${description.numTraining}, but ${description.dataset === undefined ? "imagesTr holds" : '"dataset" names'} ${counted(training.length, "image")}; add the missing scans or correct the number.`,
    );
  }
  const name = description.name ?? basename(folder);
  const patients = new Map([
    ...(await patientsOfImport(folder)),
    ...Object.entries(description.patients ?? {}),
  ]);
  return { dataset: { name, folder, channels, labels, patients, training, test }, problems };
}

/**
 * Reads the channels and the label of a case.
 *
 * @throws InputError where a file cannot be read, channels and label have different geometry, or the label holds a value
 *   that dataset.json does not name
 */
export async function loadCase(scan: Case, labels: DatasetLabels): Promise<LoadedCase> {
  const channels = await readChannels(scan);
  const [image] = channels;
  if (scan.labelPath === null) return { id: scan.id, image, channels, label: null };
  const label = await readLabelVolume(scan.labelPath);
  const [problem] = labelProblems(scan, image, label, labels);
  if (problem !== undefined) throw new InputError(problem.message);
  return { id: scan.id, image, channels, label: targetsOf(label, labels) };
}

/** The channels of a case. @throws InputError where one cannot be read, or lies on another grid than the first */
export async function readChannels(scan: Case): Promise<Volume[]> {
  const channels: Volume[] = [];
  for (const path of imagePathsOf(scan)) {
    const volume = await readScan(path);
    const [first] = channels;
    if (first !== undefined && !sameGeometry(volume, first))
      throw new InputError(
        `${path} (${describeGeometry(volume)}) does not have the same geometry as the first channel ${scan.imagePath} (${describeGeometry(first)}); resample it onto that grid.`,
      );
    channels.push(volume);
  }
  return channels;
}

/** Why a label cannot be used. */
export interface LabelProblem {
  readonly kind: "geometry" | "value" | "instances";
  /** A sentence. */
  readonly message: string;
}

/** Why a label does not fit its image and data set; empty where it does. */
export function labelProblems(
  { imagePath, labelPath }: Case,
  image: Geometry,
  label: Volume<IntegerVoxelArray>,
  { values }: DatasetLabels,
): LabelProblem[] {
  const problems: LabelProblem[] = [];
  if (!sameGeometry(image, label)) {
    problems.push({
      kind: "geometry",
      message:
        `${labelPath} (${describeGeometry(label)}) does not have the same geometry as its image ${imagePath} (${describeGeometry(image)}); ` +
        "resample the label onto the image's grid.",
    });
  }
  const found = labelValues(label.data);
  // The background need not be named.
  const unknown = found.filter((value) => value !== 0 && !Object.values(values).flat().includes(value));
  if (unknown.length > 0) {
    problems.push({
      kind: "value",
      message:
        `${labelPath} holds the value${unknown.length === 1 ? "" : "s"} ${listed(unknown.map(String))}, and dataset.json names only ` +
        `${Object.entries(values)
          .map(([name, ofName]) => `${ofName.join(", ")} (${name})`)
          .join(", ")}; correct the label or add the value there.`,
    });
  }
  return problems;
}

/** The id of a case by its file's name: `kbp_001` of `kbp_001_0000.nii.gz` and of `kbp_001.nii.gz`. */
export function caseId(path: string): string {
  const name = basename(path);
  const endings = [...(volumeFormatOf(name)?.endings ?? []), ".zip", ".dcm"];
  const ending = endings.find((candidate) => name.toLowerCase().endsWith(candidate)) ?? "";
  return name.slice(0, name.length - ending.length).replace(/_0000$/, "");
}

/** Names in a row, at most five of them. */
export function listed(names: readonly string[]): string {
  return names.length <= 5
    ? names.join(", ")
    : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;
}

/** One file a scan. */
const fileEndings = volumeFormats.flatMap(({ writtenEndings }) => writtenEndings);

const imageList = z.array(z.union([z.string(), z.object({ image: z.string() })])).optional();

const descriptionSchema = z.object({
  name: z.string().optional(),
  channel_names: z.record(z.string(), z.string()).optional(),
  modality: z.record(z.string(), z.string()).optional(),
  labels: labelsSchema,
  regions_class_order: z.array(z.number()).optional(),
  /** nnU-Net v1 and the Medical Decathlon list their images, whose names have no channel number in the latter. */
  training: imageList,
  test: imageList,
  /** nnU-Net v2: training cases by their files, which may lie anywhere; in place of imagesTr and labelsTr. */
  dataset: z
    .record(z.string(), z.object({ images: z.array(z.string()).min(1), label: z.string() }))
    .optional(),
  patients: z.record(z.string(), z.string()).optional(),
  numTraining: z.int().min(0).optional(),
  file_ending: z.enum(fileEndings, `must be one of ${fileEndings.join(", ")}`).default(".nii.gz"),
});

/** The names of the images that a dataset.json lists. */
function namesListed(list: z.infer<typeof imageList>): ReadonlySet<string> {
  return new Set((list ?? []).map((entry) => basename(typeof entry === "string" ? entry : entry.image)));
}

/** Where cases are looked for, and what is found that cannot be used. */
interface CaseSearch {
  readonly folder: string;
  readonly ending: string;
  /** Names of the channels that each case must have. */
  readonly channels: readonly string[];
  readonly problems: string[];
}

/** The cases of two folders; images that cannot be used become problems. */
async function casesOf(
  search: CaseSearch,
  subset: "Tr" | "Ts",
  listed: ReadonlySet<string>,
): Promise<Case[]> {
  const { folder, ending } = search;
  const [images, labels, instances] = ["images", "labels", "instances"].map((kind) => `${kind}${subset}`);
  const labelNames = new Set(await namesIn(join(folder, labels)));
  const instanceNames = new Set(await namesIn(join(folder, instances)));
  const found = await channelsOf(search, images, listed);
  const cases: Case[] = [];
  for (const [id, ofCase] of found) {
    const [imagePath, ...furtherPaths] = completeChannels(search, join(folder, images, id), ofCase);
    if (imagePath === undefined) continue;
    const label = `${id}${ending}`;
    cases.push({
      id,
      imagePath,
      ...(furtherPaths.length > 0 ? { furtherPaths } : {}),
      labelPath: labelNames.has(label) ? join(folder, labels, label) : null,
      instancesPath: instanceNames.has(label) ? join(folder, instances, label) : null,
      ...(await lookAlikesBeside(imagePath)),
    });
  }
  return cases;
}

async function lookAlikesBeside(imagePath: string): Promise<Pick<Case, "lookAlikesPath">> {
  const path = await structuresBeside(imagePath, "lookalikes");
  return path === null ? {} : { lookAlikesPath: path };
}

/** Training cases whose files dataset.json names, from its folder; those that cannot be used become problems. */
async function casesNamed(
  { folder, channels, problems }: CaseSearch,
  named: NonNullable<z.infer<typeof descriptionSchema>["dataset"]>,
): Promise<Case[]> {
  const cases: Case[] = [];
  const description = join(folder, "dataset.json");
  // A link to the folder is followed first: "../scans" is beside the folder itself.
  const root = await realpath(folder);
  for (const [id, { images, label }] of Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!isNameOfFiles(id)) {
      problems.push(
        `${description} names a case "${shown(id)}", and its results could not be called so; use a name without slashes that does not begin with a dot.`,
      );
      continue;
    }
    const [imagePath, ...furtherPaths] = images.map((path) => resolve(root, path));
    const labelPath = resolve(root, label);
    if (images.length !== channels.length) {
      problems.push(
        `${description} names ${counted(images.length, "image")} for the case ${id}, and each case needs its ${counted(channels.length, "channel")} (${channels.join(", ")}); name one image for each.`,
      );
      continue;
    }
    if ([...images, label].includes("")) {
      problems.push(`${description} has an empty path for the case ${id}; name the file.`);
      continue;
    }
    const unusable: string[] = [];
    for (const path of [imagePath, ...furtherPaths, labelPath])
      if (!(await isFile(path))) unusable.push(path);
    if (unusable.length > 0) {
      const [path] = unusable;
      problems.push(
        (await isFolder(path))
          ? `${path} is a folder, and ${description} names it for the case ${id}, where a file is expected; name the file in it.`
          : `${path} does not exist, and ${description} names it for the case ${id}; move the file there, or correct the path.`,
      );
      continue;
    }
    cases.push({
      id,
      imagePath,
      ...(furtherPaths.length > 0 ? { furtherPaths } : {}),
      labelPath,
      instancesPath: await fileBeside(labelPath, "labels", "instances", basename(labelPath)),
      ...(await lookAlikesBeside(imagePath)),
    });
  }
  const [shared] = await sharedFiles(cases);
  if (shared !== undefined)
    problems.push(
      `${description} names ${shared.path} twice, for ${shared.ids[0] === shared.ids[1] ? `the case ${shared.ids[0]}` : `the cases ${shared.ids.join(" and ")}`}; each file may stand there once.`,
    );
  return cases;
}

/** Whether files of any folder can be called so: it leads to no other folder, and is not hidden. */
const isNameOfFiles = (id: string): boolean => /^[^./\\\p{Cc}][^/\\\p{Cc}]*$/u.test(id);

/** Files that are named twice, by whatever name or link, each with both of its cases. */
export async function sharedFiles(
  cases: readonly Case[],
): Promise<{ readonly path: string; readonly ids: readonly [string, string] }[]> {
  const owners = new Map<string, string>();
  const shared: { path: string; ids: [string, string] }[] = [];
  for (const of of cases)
    for (const path of [...imagePathsOf(of), ...(of.labelPath === null ? [] : [of.labelPath])]) {
      const file = await realpath(path);
      const owner = owners.get(file);
      if (owner !== undefined) shared.push({ path, ids: [owner, of.id] });
      owners.set(file, of.id);
    }
  return shared;
}

/**
 * The structures of an image, such as `organsTr/p.nii.gz` or `targetsTr/p.nii.gz` for `imagesTr/p_0000.nii.gz`; null where
 * there are none.
 */
export const structuresBeside = (
  imagePath: string,
  kind: "organs" | "targets" | "lookalikes",
): Promise<string | null> =>
  fileBeside(imagePath, "images", kind, basename(imagePath).replace(/_0000(?=\.[^_]*$)/, ""));

/** The file of a name in a folder of another kind beside that of a path; null where there is none. */
async function fileBeside(
  path: string,
  kind: string,
  otherKind: string,
  name: string,
): Promise<string | null> {
  const folder = dirname(path);
  const subset = ["Tr", "Ts"].find((candidate) => basename(folder) === `${kind}${candidate}`);
  if (subset === undefined) return null;
  const beside = join(dirname(folder), `${otherKind}${subset}`, name);
  return (await isFile(beside)) ? beside : null;
}

/** The images of a folder by case and number of channel; names that cannot be used become problems. */
async function channelsOf(
  { folder, ending, channels, problems }: CaseSearch,
  images: string,
  listed: ReadonlySet<string>,
): Promise<Map<string, Map<number, string>>> {
  const found = new Map<string, Map<number, string>>();
  for (const name of (await namesIn(join(folder, images))).filter((entry) => entry.endsWith(ending))) {
    const path = join(folder, images, name);
    const stem = name.slice(0, -ending.length);
    // A listed image without a channel number is the whole scan; nnU-Net v1 lists NAME and holds NAME_0000.
    const match = listed.has(name) ? [stem, stem, "0000"] : /^(.+)_(\d{4})$/.exec(stem);
    if (match === null) {
      problems.push(`${path} has no channel number in its name; rename it to ${caseId(name)}_0000${ending}.`);
      continue;
    }
    const [, id, number] = match;
    if (Number(number) >= channels.length) {
      problems.push(
        `${path} is a further channel, and dataset.json names ${channels.length} (${channels.join(", ")}); name it in "channel_names", or remove the file.`,
      );
      continue;
    }
    const ofCase = found.get(id) ?? new Map<number, string>();
    found.set(id, ofCase.set(Number(number), path));
  }
  return found;
}

/** The files of a case's channels in their order; none where one is missing, which becomes a problem. */
function completeChannels(
  { ending, channels, problems }: CaseSearch,
  stem: string,
  ofCase: ReadonlyMap<number, string>,
): string[] {
  const missing = channels.findIndex((_, number) => !ofCase.has(number));
  if (missing < 0) return channels.map((_, number) => ofCase.get(number) ?? "");
  problems.push(
    `${stem}_${String(missing).padStart(4, "0")}${ending} is missing, and each case needs its ${channels.length} ${channels.length === 1 ? "channel" : "channels"} (${channels.join(", ")}); add it, or remove the others of the case.`,
  );
  return [];
}

/** Names in a folder, sorted, without hidden ones; none where there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  if (!(await isFolder(folder))) return [];
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, folder, "read");
  });
  return names.filter((name) => !name.startsWith(".")).sort();
}
