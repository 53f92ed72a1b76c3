// Where the cases of a public or own collection are: one list of sources for each layout that is known.
import { readdir } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import {
  chooseSeries,
  type DicomSeries,
  type DrawnObject,
  dicomModality,
  matchRois,
  type ReadImage,
  readChosen,
  readRtstruct,
  readSeg,
  roiPattern,
} from "@lnsnet/core/formats";
import type { DrawnLabels } from "@lnsnet/core/results";
import { lymphNodeNames } from "@lnsnet/core/transforms";
import { resampleLabels, sameGeometry } from "@lnsnet/core/volume";
import { isFile, isFolder, readBytes, requirePath } from "../files/disk.js";
import { filesBelow, findImages, readImage, readLabelVolume } from "../files/imaging.js";
import { readLabels } from "../files/labels.js";
import { type Case, labelProblems, listDataset } from "./dataset.js";
import { type DatasetLabels, severalClasses } from "./foreground.js";
import type { Subset } from "./survey.js";

/** A scan with its labels, read when asked. The texts may identify the patient: they stay out of what is written. */
export interface ImportSource {
  /** Path or UID that tells it from every other, the same at each import. */
  readonly origin: string;
  readonly patient: string;
  /** Where the collection divides its cases; null where it does not. */
  readonly subset: Subset | null;
  readonly read: () => Promise<{ scan: ReadImage; labels: DrawnLabels }>;
}

export interface SourceList {
  readonly sources: readonly ImportSource[];
  /** What looked like a case and is none, with the reason. */
  readonly skipped: readonly { readonly origin: string; readonly reason: string }[];
}

export const layouts = ["auto", "rtstruct", "seg", "hecktor", "lnq", "tcia-lymph-nodes", "nnunet"] as const;
export type Layout = (typeof layouts)[number];

/** The structures that are imported unless others are named. */
export const defaultRoi = String(lymphNodeNames);

/**
 * The cases of a collection.
 *
 * @param pattern the ROIs, segments or labels that are nodes; null for the layout's own rule
 * @throws InputError where the folder is missing, or of no known layout
 */
export async function listSources(root: string, layout: Layout, pattern: RegExp | null): Promise<SourceList> {
  await requirePath(root);
  if (!(await isFolder(root)))
    throw new InputError(`${root} is a file, and the folder of a collection is expected; choose the folder.`);
  switch (layout === "auto" ? await layoutOf(root) : layout) {
    case "nnunet":
      return nnunetSources(root, pattern);
    case "hecktor":
      return hecktorSources(root);
    case "lnq":
      return lnqSources(root);
    case "tcia-lymph-nodes":
      return tciaLymphNodeSources(root);
    case "seg":
      return dicomSources(root, ["SEG"], pattern ?? roiPattern(defaultRoi));
    case "rtstruct":
      return dicomSources(root, ["RTSTRUCT"], pattern ?? roiPattern(defaultRoi));
    case "dicom":
      return dicomSources(root, ["RTSTRUCT", "SEG"], pattern ?? roiPattern(defaultRoi));
  }
}

const hecktorCt = /^(.+)__CT\.nii\.gz$/;
const lnqCt = /^(.+)-ct\.nrrd$/;
const tciaMask = /^(.+)_mask\.nii\.gz$/;

async function layoutOf(root: string): Promise<Exclude<Layout, "auto"> | "dicom"> {
  if (await isFile(join(root, "dataset.json"))) return "nnunet";
  const names = (await filesBelow(root)).files.map(({ name }) => basename(name));
  if (names.some((name) => hecktorCt.test(name))) return "hecktor";
  if (names.some((name) => lnqCt.test(name))) return "lnq";
  if (names.some((name) => tciaMask.test(name))) return "tcia-lymph-nodes";
  return "dicom";
}

/** Any nnU-Net data set as it is; its division into training and test stays. Test scans without label are left out. */
async function nnunetSources(root: string, pattern: RegExp | null): Promise<SourceList> {
  const { dataset, problems } = await listDataset(root);
  const { classes } = dataset.labels.scheme;
  if (dataset.channels.length > 1)
    throw new InputError(
      `${root} has ${dataset.channels.length} channels (${dataset.channels.join(", ")}), and an import takes a CT alone; train on the data set as it is, or keep its CT alone.`,
    );
  const several = pattern === null ? severalClasses(root, dataset.labels, "the option roi") : null;
  if (several !== null) throw new InputError(several);
  const wanted =
    pattern === null
      ? classes
      : matchRois(
          classes.map(({ name }) => name),
          pattern,
          root,
        ).map((n) => classes[n]);
  const chosen = new Map(wanted.flatMap(({ name, values }) => values.map((value) => [value, name] as const)));
  const source = (scan: Case, subset: Subset, labelPath: string): ImportSource => ({
    origin: relative(root, scan.imagePath),
    patient: scan.id,
    subset,
    // Instances keep nodes apart that touch; they hold no names, so a pattern needs the label.
    read: async () => {
      await requireKnownLabels(scan, labelPath, dataset.labels);
      return pattern === null && scan.instancesPath !== null
        ? readPair(scan.imagePath, scan.instancesPath, null, false)
        : readPair(scan.imagePath, labelPath, chosen, false);
    },
  });
  const labelled = (cases: readonly Case[], subset: Subset) =>
    cases.flatMap((scan) => (scan.labelPath === null ? [] : [source(scan, subset, scan.labelPath)]));
  return {
    sources: [...labelled(dataset.training, "training"), ...labelled(dataset.test, "test")],
    skipped: problems.map((reason) => ({ origin: root, reason })),
  };
}

/** @throws InputError where a label holds a value that dataset.json does not name, or voxels to be ignored */
async function requireKnownLabels(scan: Case, labelPath: string, labels: DatasetLabels): Promise<void> {
  const label = await readLabelVolume(labelPath);
  const [problem] = labelProblems(scan, label, label, labels);
  if (problem !== undefined) throw new InputError(problem.message);
  const { ignored } = labels.scheme;
  let count = 0;
  for (const value of label.data) if (value === ignored) count++;
  if (count > 0)
    throw new InputError(
      `${labelPath} marks ${count} voxels as to be ignored (value ${ignored}), and an import would make background of them; train on the data set as it is, or leave the case out.`,
    );
}

/**
 * HECKTOR 2022 to 2026: NAME__CT.nii.gz with the label NAME.nii.gz beside it or in labelsTr, 1 GTVp, 2 GTVn
 * (hecktor.grand-challenge.org/Data, hecktor26.grand-challenge.org/dataset).
 */
async function hecktorSources(root: string): Promise<SourceList> {
  // The documents write CHUM-001 for images and CHUM_001 for labels.
  const key = (name: string) => name.replaceAll("_", "-");
  return pairedSources(root, hecktorCt, (id, paths) => {
    const label = [...paths].find((path) => key(basename(path)) === `${key(id)}.nii.gz`);
    return label === undefined ? null : { label, values: new Map([[2, "GTVn"]]), mayResample: true };
  });
}

/** LNQ 2023: NAME-ct.nrrd and NAME-seg.nrrd in one folder. Only some of the nodes of a training scan are labelled. */
async function lnqSources(root: string): Promise<SourceList> {
  return pairedSources(root, lnqCt, (id, paths, ct) => {
    const label = join(dirname(ct), `${id}-seg.nrrd`);
    return paths.has(label) ? { label, values: null, mayResample: false } : null;
  });
}

/** TCIA CT Lymph Nodes: a folder NAME of DICOM for each mask NAME_mask.nii.gz, whose values are the nodes. */
async function tciaLymphNodeSources(root: string): Promise<SourceList> {
  const paths = (await filesBelow(root)).files.map(({ name }) => name);
  const sources: ImportSource[] = [];
  const skipped: { origin: string; reason: string }[] = [];
  for (const mask of paths) {
    const id = tciaMask.exec(basename(mask))?.[1];
    if (id === undefined) continue;
    const inside = paths.find(
      (path) => path !== mask && path.split(/[/\\]/).includes(id) && !/\.nii(\.gz)?$/.test(path),
    );
    if (inside === undefined) {
      skipped.push({ origin: mask, reason: `there is no folder ${id} with its DICOM files` });
      continue;
    }
    const parts = inside.split(/[/\\]/);
    const folder = parts.slice(0, parts.lastIndexOf(id) + 1).join("/");
    const read = async () => {
      const { series, others } = await findImages(folder);
      const scan = await readChosen(chooseSeries({ series, others }, undefined));
      return { scan, labels: await readLabels(mask, { reference: scan, pattern: null }) };
    };
    sources.push({ origin: relative(root, mask), patient: id, subset: null, read });
  }
  return { sources, skipped };
}

interface PairedLabel {
  readonly label: string;
  /** Values that are nodes, with their names; null for every value. */
  readonly values: ReadonlyMap<number, string> | null;
  /** Whether the labels may lie on another grid than the scan. */
  readonly mayResample: boolean;
}

async function pairedSources(
  root: string,
  ctName: RegExp,
  labelOf: (id: string, paths: ReadonlySet<string>, ct: string) => PairedLabel | null,
): Promise<SourceList> {
  const paths = new Set((await filesBelow(root)).files.map(({ name }) => name));
  const sources: ImportSource[] = [];
  const skipped: { origin: string; reason: string }[] = [];
  for (const ct of paths) {
    const id = ctName.exec(basename(ct))?.[1];
    if (id === undefined) continue;
    const pair = labelOf(id, paths, ct);
    if (pair === null) skipped.push({ origin: ct, reason: "it has no label" });
    else
      sources.push({
        origin: relative(root, ct),
        patient: id,
        subset: null,
        read: () => readPair(ct, pair.label, pair.values, pair.mayResample),
      });
  }
  return { sources, skipped };
}

async function readPair(
  scanPath: string,
  labelPath: string,
  values: ReadonlyMap<number, string> | null,
  mayResample: boolean,
): Promise<{ scan: ReadImage; labels: DrawnLabels }> {
  const scan = await readImage(scanPath);
  const own = await readLabels(labelPath, { reference: mayResample ? null : scan, pattern: null });
  const moves = !sameGeometry(own.volume, scan.volume);
  const volume = moves ? resampleLabels(own.volume, scan.volume) : own.volume;
  const problems = moves ? [...own.problems, "the labels were resampled onto the scan's grid"] : own.problems;
  if (values === null) return { scan, labels: { ...own, volume, problems } };
  const data = volume.data.map((value) => (values.has(value) ? value : 0));
  const names = [...values].map(([label, name]) => ({ label, name }));
  return { scan, labels: { volume: { ...volume, data }, names, problems } };
}

/**
 * Studies of DICOM CT with RTSTRUCT or SEG, as the TCIA lays them out: each folder right below the root is looked
 * through by itself, so that a collection need not fit into memory.
 */
async function dicomSources(
  root: string,
  modalities: readonly string[],
  pattern: RegExp,
): Promise<SourceList> {
  const entries = await readdir(root, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
  const hasFiles = entries.some((entry) => entry.isFile() && !entry.name.startsWith("."));
  const units =
    hasFiles || folders.length === 0 ? [root] : folders.map(({ name }) => join(root, name)).sort();
  const sources: ImportSource[] = [];
  const skipped: { origin: string; reason: string }[] = [];
  for (const unit of units) {
    const { series, others } = await findImages(unit);
    const taken = new Set<DicomSeries>();
    let objects = 0;
    for (const { name } of others) {
      const object = await objectAt(name, modalities);
      if (object === null) continue;
      objects++;
      const match = "reason" in object ? object : seriesOf(object, series);
      if ("reason" in match) skipped.push({ origin: name, reason: match.reason });
      else if (taken.has(match))
        skipped.push({
          origin: name,
          reason: "its series has another structure set or segmentation already",
        });
      else {
        taken.add(match);
        sources.push(objectSource(root, name, match, basename(unit), pattern));
      }
    }
    if (objects === 0) skipped.push({ origin: unit, reason: `it holds no ${modalities.join(" or ")}` });
  }
  return { sources, skipped };
}

function objectSource(
  root: string,
  path: string,
  series: DicomSeries,
  unit: string,
  pattern: RegExp,
): ImportSource {
  return {
    origin: relative(root, path),
    patient: series.study.patientId || unit,
    subset: null,
    read: async () => {
      const scan = await readChosen(series);
      return { scan, labels: await readLabels(path, { reference: scan, pattern }) };
    },
  };
}

/** The object of a file; null where it holds none. What cannot be read is none: its series says so, or it is skipped. */
async function objectAt(
  path: string,
  modalities: readonly string[],
): Promise<DrawnObject | { readonly reason: string } | null> {
  let isObject = false;
  try {
    const bytes = await readBytes(path);
    const modality = dicomModality(bytes, path);
    if (modality === null || !modalities.includes(modality)) return null;
    isObject = true;
    return modality === "SEG" ? await readSeg(bytes, path) : readRtstruct(bytes, path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return isObject ? { reason: error.message } : null;
  }
}

/** The only series that an object names, or the only CT of several; else the only CT series in its frame of reference. */
function seriesOf(
  { frameOfReferenceUid, referencedSeriesUids }: DrawnObject,
  series: readonly DicomSeries[],
): DicomSeries | { readonly reason: string } {
  const named = series.filter((candidate) => referencedSeriesUids.includes(candidate.seriesInstanceUid));
  if (referencedSeriesUids.length > 0 && named.length === 0)
    return { reason: "the series that it was drawn on is not in its folder" };
  if (named.length === 1) return named[0];
  const among =
    named.length > 0
      ? named
      : series.filter((candidate) => candidate.frameOfReferenceUid === frameOfReferenceUid);
  const fitting = among.filter(({ modality }) => modality === "CT");
  if (fitting.length === 1) return fitting[0];
  return {
    reason:
      named.length > 0
        ? `it names ${named.length} series, and ${fitting.length} of them are CT, where one is expected`
        : `${fitting.length} CT series lie in its frame of reference, and it names none of them`,
  };
}
