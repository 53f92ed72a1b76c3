// Data sets in nnU-Net's layout: imagesTr, labelsTr, imagesTs, labelsTs and dataset.json in one folder.
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { counted, type Geometry, InputError, sameGeometry, type Volume, volumeFormats } from "@lnsnet/core";
import { volumeFormatOf } from "@lnsnet/core/formats";
import type { IntegerVoxelArray } from "@lnsnet/core/volume";
import { labelValues, requireLabels } from "@lnsnet/core/voxels";
import { z } from "zod";
import { fileError, isFolder, readJson, requirePath } from "../files/disk.js";
import { describeGeometry } from "../files/geometry-text.js";
import { readScan } from "../files/imaging.js";
import { type DatasetLabels, foregroundMask, labelsOf, labelsSchema, severalClasses } from "./foreground.js";
import { patientsOfImport } from "./import-record.js";

export interface Dataset {
  readonly name: string;
  readonly folder: string;
  readonly labels: DatasetLabels;
  /** Patient by case id, as far as the data set names them: `patients` of dataset.json, or the import's record. */
  readonly patients: ReadonlyMap<string, string>;
  readonly training: readonly Case[];
  readonly test: readonly Case[];
}

export interface Case {
  readonly id: string;
  readonly imagePath: string;
  /** Null where a test case has no label. */
  readonly labelPath: string | null;
  /** The same foreground with a value for each node, where the data set has it (instancesTr, as `phantom` and `dataset import` write). */
  readonly instancesPath: string | null;
}

/** A case as it was read: the image, and its foreground on the same grid, 0 or 1. */
export interface LoadedCase {
  readonly id: string;
  readonly image: Volume;
  readonly label: Volume<Uint8Array> | null;
}

/**
 * Reads what a data set holds; no image is opened.
 *
 * @param foreground the label that is foreground, where there are several
 * @throws InputError where the folder or dataset.json is missing or of another form, there is no training case, a
 *   training image has no label, images have several channels, or there are several classes and none was chosen
 */
export async function openDataset(folder: string, foreground?: string): Promise<Dataset> {
  const { dataset, problems } = await listDataset(folder, foreground);
  const [problem] = problems;
  const several = problem ?? severalClasses(folder, dataset.labels);
  if (several !== null) throw new InputError(several);
  return dataset;
}

/**
 * What a data set holds, and every reason why {@link openDataset} refuses it but for its classes, a sentence each; no
 * image is opened. Images whose name cannot be used are left out.
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
      `${folder} is a file, and a data set's folder is expected; name the folder that holds dataset.json.`,
    );
  }
  const path = join(folder, "dataset.json");
  const description = await readJson(path, descriptionSchema);
  const problems: string[] = [];
  const channels = Object.values(description.channel_names ?? description.modality ?? { 0: "CT" });
  if (channels.length !== 1) {
    problems.push(
      `${path} names ${channels.length} channels (${channels.join(", ")}), and only one-channel CT is supported; keep the CT alone.`,
    );
  }
  const labels = labelsOf(path, description.labels, foreground ?? null);
  const ending = description.file_ending;
  const training = await casesOf(folder, "Tr", ending, namesListed(description.training), problems);
  const test = await casesOf(folder, "Ts", ending, namesListed(description.test), problems);
  if (training.length === 0) {
    problems.push(
      `${join(folder, "imagesTr")} holds no image, and at least one NAME_0000${ending} is expected; put the training scans there.`,
    );
  }
  const unlabelled = training.filter((one) => one.labelPath === null);
  if (unlabelled.length > 0) {
    problems.push(
      `${join(folder, "labelsTr")} has no label for ${listed(unlabelled.map((one) => one.id))}; add ${unlabelled[0].id}${ending} there or remove the image.`,
    );
  }
  if (description.numTraining !== undefined && description.numTraining !== training.length) {
    problems.push(
      `${path} states numTraining ${description.numTraining}, but imagesTr holds ${counted(training.length, "image")}; add the missing scans or correct the number.`,
    );
  }
  const name = description.name ?? basename(folder);
  const patients = new Map([
    ...(await patientsOfImport(folder)),
    ...Object.entries(description.patients ?? {}),
  ]);
  return { dataset: { name, folder, labels, patients, training, test }, problems };
}

/**
 * Reads the image and the label of a case.
 *
 * @throws InputError where a file cannot be read, the two have different geometry, or the label holds a value that
 *   dataset.json does not name, or voxels to be ignored
 */
export async function loadCase(one: Case, labels: DatasetLabels): Promise<LoadedCase> {
  const image = await readScan(one.imagePath);
  if (one.labelPath === null) return { id: one.id, image, label: null };
  const label = requireLabels(await readScan(one.labelPath), one.labelPath);
  const [problem] = labelProblems(one, image, label, labels);
  if (problem !== undefined) throw new InputError(problem.message);
  return { id: one.id, image, label: foregroundMask(label, labels) };
}

/** Why a label cannot be used. */
export interface LabelProblem {
  readonly kind: "geometry" | "value" | "ignored" | "instances";
  /** A sentence. */
  readonly message: string;
}

/** Why a label does not fit its image and data set; empty where it does. */
export function labelProblems(
  { imagePath, labelPath }: Case,
  image: Geometry,
  label: Volume<IntegerVoxelArray>,
  { values, ignored }: DatasetLabels,
): LabelProblem[] {
  const problems: LabelProblem[] = [];
  if (!sameGeometry(image, label)) {
    problems.push({
      kind: "geometry",
      message:
        `${labelPath} (${describeGeometry(label)}) does not have the geometry of its image ${imagePath} (${describeGeometry(image)}); ` +
        "resample the label onto the image's grid.",
    });
  }
  const found = labelValues(label.data);
  if (ignored !== null && found.includes(ignored)) {
    let count = 0;
    for (const value of label.data) if (value === ignored) count++;
    problems.push({
      kind: "ignored",
      message: `${labelPath} marks ${counted(count, "voxel")} as to be ignored (value ${ignored}), which cannot be left out of training and judging yet; label them, or leave the case out.`,
    });
  }
  // The background need not be named.
  const unknown = found.filter((value) => value !== 0 && !Object.values(values).includes(value));
  if (unknown.length > 0) {
    problems.push({
      kind: "value",
      message:
        `${labelPath} holds the value${unknown.length === 1 ? "" : "s"} ${listed(unknown.map(String))}, and dataset.json names only ` +
        `${Object.entries(values)
          .map(([name, value]) => `${value} (${name})`)
          .join(", ")}; correct the label or add the value there.`,
    });
  }
  return problems;
}

/** The id of a case by its file's name: `kbp_001` of `kbp_001_0000.nii.gz` and of `kbp_001.nii.gz`. */
export function caseId(path: string): string {
  const name = basename(path);
  const endings = [...(volumeFormatOf(name)?.endings ?? []), ".zip", ".dcm"];
  const ending = endings.find((one) => name.toLowerCase().endsWith(one)) ?? "";
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
  /** nnU-Net v1 and the Medical Decathlon list their images, whose names have no channel number in the latter. */
  training: imageList,
  test: imageList,
  patients: z.record(z.string(), z.string()).optional(),
  numTraining: z.int().min(0).optional(),
  file_ending: z.enum(fileEndings, `must be one of ${fileEndings.join(", ")}`).default(".nii.gz"),
});

/** The names of the images that a dataset.json lists. */
function namesListed(list: z.infer<typeof imageList>): ReadonlySet<string> {
  return new Set((list ?? []).map((entry) => basename(typeof entry === "string" ? entry : entry.image)));
}

/** The cases of two folders; images whose name cannot be used become problems. */
async function casesOf(
  folder: string,
  subset: "Tr" | "Ts",
  ending: string,
  listed: ReadonlySet<string>,
  problems: string[],
): Promise<Case[]> {
  const [images, labels, instances] = ["images", "labels", "instances"].map((kind) => `${kind}${subset}`);
  const labelNames = new Set(await namesIn(join(folder, labels)));
  const instanceNames = new Set(await namesIn(join(folder, instances)));
  const imageNames = (await namesIn(join(folder, images))).filter((name) => name.endsWith(ending));
  const cases: Case[] = [];
  for (const name of imageNames) {
    const stem = name.slice(0, -ending.length);
    // A listed image without a channel number is the whole scan; nnU-Net v1 lists NAME and holds NAME_0000.
    const match = listed.has(name) ? [stem, stem, "0000"] : /^(.+)_(\d{4})$/.exec(stem);
    if (match === null) {
      problems.push(
        `${join(folder, images, name)} has no channel number in its name; rename it to ${caseId(name)}_0000${ending}.`,
      );
      continue;
    }
    const [, id, channel] = match;
    if (channel !== "0000") {
      problems.push(
        `${join(folder, images, name)} is a further channel, and only one-channel CT is supported; keep the _0000 files alone.`,
      );
      continue;
    }
    const label = `${id}${ending}`;
    cases.push({
      id,
      imagePath: join(folder, images, name),
      labelPath: labelNames.has(label) ? join(folder, labels, label) : null,
      instancesPath: instanceNames.has(label) ? join(folder, instances, label) : null,
    });
  }
  return cases;
}

/** Names in a folder, sorted, without hidden ones; none where there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  if (!(await isFolder(folder))) return [];
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, folder, "read");
  });
  return names.filter((name) => !name.startsWith(".")).sort();
}
