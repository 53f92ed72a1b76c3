// Surveys a case of a data set: grid, HU, labels and nodes, for checks and fingerprints.
import { createHash } from "node:crypto";
import { InputError } from "@lnsnet/core/errors";
import { IGNORED, isCtName, targetTable, truthOfClass } from "@lnsnet/core/transforms";
import {
  type Geometry,
  type IntegerVoxelArray,
  orientationCode,
  sameGeometry,
  type Volume,
  voxelVolumeMm3,
} from "@lnsnet/core/volume";
import { ctProblem, measureNodes } from "@lnsnet/core/voxels";
import { readLabelVolume } from "../files/imaging.js";
import { type Case, type Dataset, type LabelProblem, labelProblems, readChannels } from "./dataset.js";
import { type DatasetLabels, foregroundMask, leavesClassesOut, targetsOf } from "./foreground.js";
import { addHu, emptyHistogram, type HuHistogram } from "./hu-histogram.js";

export type Subset = "training" | "test";

/** A case, or the sentence that says why it cannot be read. */
export interface CaseSurvey {
  readonly id: string;
  readonly subset: Subset;
  readonly image: ImageSurvey | { readonly unreadable: string };
  /** Null where the case has none. */
  readonly label: LabelSurvey | { readonly unreadable: string } | null;
}

/** Of the CT among the channels, or of the first channel where none is. */
export interface ImageSurvey {
  readonly geometry: Geometry;
  /** Whether values are in HU. */
  readonly isCt: boolean;
  /** Where i, j, k grow to, such as "LPS". */
  readonly orientation: string;
  /** SHA-256 of the voxels as float32, in the order of the file. */
  readonly voxelHash: string;
  /** Why it can be no CT in HU, and what to do, as a clause; null where it can. */
  readonly ctProblem: string | null;
  readonly lowestHu: number;
  readonly highestHu: number;
  /** Share of the voxels that have the greatest value. */
  readonly shareAtHighest: number;
  /** HU of the voxels above −500, which are nearly all body. */
  readonly body: HuHistogram;
}

export interface LabelSurvey {
  readonly problems: readonly LabelProblem[];
  /** The rest is empty where the label does not lie on the image's grid. */
  readonly foregroundMl: number;
  readonly foreground: HuHistogram;
  readonly nodes: readonly SurveyedNode[];
}

/** A node by its instance; where the data set has none, a 26-connected component of one class. */
interface SurveyedNode {
  /** Where there are several classes. */
  readonly className?: string | undefined;
  readonly voxels: number;
  readonly volumeMl: number;
  readonly shortAxisMm: number;
}

/** Air in and around the body lies below this, fat and everything denser above. */
const BODY_HU = -500;

/** What of a data set a survey needs. */
export type SurveyedDataset = Pick<Dataset, "channels" | "labels">;

/** Opens a case. What cannot be read is part of the answer; only errors of ours are thrown. */
export async function surveyCase(
  datasetCase: Case,
  subset: Subset,
  dataset: SurveyedDataset,
): Promise<CaseSurvey> {
  const read = await orReason(() => readChannels(datasetCase));
  const ct = dataset.channels.findIndex(isCtName);
  const scan = "unreadable" in read ? read : read[Math.max(0, ct)];
  const label = datasetCase.labelPath === null ? null : await labelsOrReason(datasetCase.labelPath);
  return {
    id: datasetCase.id,
    subset,
    image: "unreadable" in scan ? scan : surveyImage(scan, ct >= 0),
    label:
      label === null || "unreadable" in label
        ? label
        : "unreadable" in scan
          ? { problems: [], foregroundMl: 0, foreground: emptyHistogram(), nodes: [] }
          : await surveyLabel(datasetCase, scan, label, dataset.labels),
  };
}

const labelsOrReason = (path: string) => orReason(() => readLabelVolume(path));

async function orReason<T>(read: () => Promise<T>): Promise<T | { unreadable: string }> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof InputError) return { unreadable: error.message };
    throw error;
  }
}

function surveyImage(scan: Volume, isCt: boolean): ImageSurvey {
  const { size, spacingMm, originMm, direction, data } = scan;
  let lowestHu = Number.POSITIVE_INFINITY;
  let highestHu = Number.NEGATIVE_INFINITY;
  let atHighest = 0;
  const body = emptyHistogram();
  for (const value of data) {
    if (value < lowestHu) lowestHu = value;
    if (value > highestHu) {
      highestHu = value;
      atHighest = 0;
    }
    if (value === highestHu) atHighest++;
    if (isCt && value > BODY_HU) addHu(body, value);
  }
  const floats = data instanceof Float32Array ? data : Float32Array.from(data);
  return {
    geometry: { size, spacingMm, originMm, direction },
    orientation: orientationCode(scan),
    voxelHash: createHash("sha256").update(floats).digest("hex"),
    isCt,
    ctProblem: isCt ? ctProblem(scan) : null,
    lowestHu,
    highestHu,
    shareAtHighest: atHighest / data.length,
    body,
  };
}

async function surveyLabel(
  datasetCase: Case,
  scan: Volume,
  label: Volume<IntegerVoxelArray>,
  labels: DatasetLabels,
): Promise<LabelSurvey> {
  const problems = labelProblems(datasetCase, scan, label, labels);
  const foreground = emptyHistogram();
  if (problems.some(({ kind }) => kind === "geometry"))
    return { problems, foregroundMl: 0, foreground, nodes: [] };
  const targets = targetsOf(label, labels);
  const mask = foregroundMask(targets);
  let voxels = 0;
  for (let n = 0; n < mask.data.length; n++) {
    if (mask.data[n] === 0) continue;
    voxels++;
    addHu(foreground, scan.data[n]);
  }
  const instances =
    datasetCase.instancesPath === null ? null : await instancesOf(datasetCase.instancesPath, targets, labels);
  if (instances !== null && "problem" in instances)
    problems.push({ kind: "instances", message: instances.problem });
  const given = instances === null || "problem" in instances ? null : instances;
  return {
    problems,
    foregroundMl: (voxels * voxelVolumeMm3(label)) / 1000,
    foreground,
    nodes: nodesOfClasses(targets, given, labels),
  };
}

/** The nodes of each class, by its instances where there are any. */
function nodesOfClasses(
  targets: Volume<Uint8Array>,
  instances: Volume<Int32Array> | null,
  { scheme }: DatasetLabels,
): SurveyedNode[] {
  const table = targetTable(scheme);
  return scheme.classes.flatMap(({ name }, position) => {
    const mask = { ...targets, data: truthOfClass(targets.data, table, position) };
    const nodes =
      instances === null
        ? measureNodes(mask)
        : measureNodes(instancesWithin(instances, mask), null, "labels");
    const className = scheme.classes.length > 1 ? { className: name } : {};
    return nodes.map(({ voxels, volumeMl, shortAxisMm }) => ({
      voxels,
      volumeMl,
      shortAxisMm,
      ...className,
    }));
  });
}

/** The instances where a mask is, and 0 elsewhere. */
export function instancesWithin<T extends IntegerVoxelArray>(
  instances: Volume<T>,
  { data: mask }: Volume<Uint8Array>,
): Volume<T> {
  const data = instances.data.slice() as T;
  for (let n = 0; n < data.length; n++) if (mask[n] === 0) data[n] = 0;
  return { ...instances, data };
}

/**
 * The instances of a case's foreground, or the sentence that says why they are not those of it. Where classes or ignored
 * voxels are left out, so are their instances.
 *
 * @param targets target numbers of the case
 */
export async function instancesOf(
  path: string,
  targets: Volume<Uint8Array>,
  labels: DatasetLabels,
): Promise<Volume<Int32Array> | { readonly problem: string }> {
  const instances = await labelsOrReason(path);
  if ("unreadable" in instances) return { problem: instances.unreadable };
  const mayBeOther = leavesClassesOut(labels);
  const isWrong = (number: number, n: number) =>
    number === 0 ? instances.data[n] !== 0 && !mayBeOther : number !== IGNORED && instances.data[n] === 0;
  const differ = sameGeometry(instances, targets)
    ? targets.data.reduce((count, number, n) => count + (isWrong(number, n) ? 1 : 0), 0)
    : targets.data.length;
  if (differ === 0)
    return instancesWithin({ ...instances, data: Int32Array.from(instances.data) }, foregroundMask(targets));
  return {
    problem: `${path} differs from its label in ${differ} voxels, and the same foreground on the same grid is expected; remove or mend it.`,
  };
}
