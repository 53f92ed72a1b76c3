// Writing the phantom cohort as a data set: all of it, or nothing.
import { lstat, mkdir, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { InputError } from "@lnsnet/core";
import { cohortManifest } from "@lnsnet/core/phantom";
import { csvTable } from "@lnsnet/core/reports";
import { z } from "zod";
import {
  ensureWritableFolder,
  fileError,
  isFolder,
  removeUnfinished,
  writeAtomically,
} from "../files/disk.js";
import { whileHolding } from "../files/folder-lock.js";
import { isAbsent, requireFreeNames } from "../files/outputs.js";
import { isMarked, makerOf, markedName } from "../files/process-mark.js";
import { runInWorkers } from "../work/pool.js";
import { createProgress } from "../work/progress.js";
import type { PhantomResult, PhantomTask } from "./phantom-worker.js";

export interface CohortOptions {
  readonly seed: number;
  readonly training: number;
  readonly test: number;
  /** Whether a cohort that stands in the folder is replaced; other files there are kept. */
  readonly force?: boolean;
  /** Worker threads; 2 by default. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/**
 * Writes imagesTr, labelsTr, instancesTr, the same for Ts, nodes.csv and dataset.json. Patients are made in a hidden
 * folder beside, which becomes the data set at the end: dataset.json comes last, so a folder with it is complete.
 *
 * @returns the patients with their nodes
 * @throws InputError where the folder is not empty, cannot be written to or is held by another process; Interrupted
 *   where the signal is set
 */
export async function writeCohort(folder: string, options: CohortOptions): Promise<PhantomResult[]> {
  const existed = await isFolder(folder);
  if (!existed && !(await isAbsent(folder)))
    throw new InputError(`${folder} is a file, and the cohort needs a folder; name another path.`);
  await ensureWritableFolder(folder);
  try {
    return await whileHolding(folder, "lnsnet phantom", () => makeCohort(folder, options));
  } catch (error) {
    if (!existed) await rmdir(folder).catch(() => undefined);
    throw error;
  }
}

async function makeCohort(
  folder: string,
  { seed, training, test, force = false, threads = 2, signal }: CohortOptions,
): Promise<PhantomResult[]> {
  const { dataset, cases } = cohortManifest(seed, training, test);
  await clearWay(folder, force);
  const staging = join(folder, markedName("partial"));
  try {
    for (const subset of new Set(cases.map((one) => one.subset)))
      for (const kind of kinds) await makeFolder(join(staging, `${kind}${subset}`));
    const progress = createProgress("phantom", "patient");
    progress.update({ done: 0, total: cases.length });
    const tasks = cases.map((one): PhantomTask => ({ folder: staging, seed, case: one }));
    const patients = await runInWorkers<PhantomTask, PhantomResult>(
      new URL("./phantom-worker.js", import.meta.url),
      tasks,
      threads,
      (done, patient) => progress.update({ done, total: cases.length, text: patient.case.id }),
      signal,
    );
    progress.finish();
    await writeAtomically(join(staging, "nodes.csv"), nodesTable(patients));
    await writeAtomically(join(staging, descriptionName), `${JSON.stringify(dataset, null, 2)}\n`);
    await publish(staging, folder);
    return patients;
  } catch (error) {
    // A cohort that is being put into place stays, as the record of what is ours.
    if (!(await isBeingPublished(folder, staging))) await rm(staging, { recursive: true, force: true });
    // The hidden folder is nobody's concern but ours.
    throw error instanceof InputError ? new InputError(error.message.replaceAll(staging, folder)) : error;
  }
}

const kinds = ["images", "labels", "instances"] as const;
const subsets = ["Tr", "Ts"] as const;
const caseFolders = subsets.flatMap((subset) => kinds.map((kind) => `${kind}${subset}`));
/** Moved first where a cohort is replaced, and last into place. */
const descriptionName = "dataset.json";
const entries = ["nodes.csv", ...caseFolders];
/** The description of a cohort that is being replaced, in the staging folder. */
const replacedName = "replaced.json";

/**
 * Sees to it that the folder is empty but for what is ours and may be replaced; what a killed process left is removed.
 *
 * @throws InputError where something else stands there
 */
async function clearWay(folder: string, force: boolean): Promise<void> {
  const names = (await readdir(folder)).filter((name) => !isMarked(name));
  const halfPublished = names.includes(descriptionName) ? null : await stagedCohort(folder);
  if (names.length > 0 && halfPublished === null && !force)
    throw new InputError(
      `${folder} is not empty (it holds ${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ""}); name another folder, or give --force to replace the cohort in it.`,
    );
  const ours = new Set(halfPublished ?? (await cohortFiles(join(folder, descriptionName))));
  const found: string[] = [];
  for (const name of names.filter((name) => name === descriptionName || entries.includes(name))) {
    // A link to a folder is somebody else's: a cohort makes none.
    const isCaseFolder = caseFolders.includes(name) && (await lstat(join(folder, name))).isDirectory();
    found.push(
      ...(isCaseFolder ? (await readdir(join(folder, name))).map((one) => join(name, one)) : [name]),
    );
  }
  await requireFreeNames(folder, found, (name) => ours.has(name) || isMarked(basename(name)));
  if (halfPublished !== null)
    for (const name of entries) await rm(join(folder, name), { recursive: true, force: true });
  await removeUnfinished(folder);
}

/** What processes that were killed while they put a cohort into place may have put there or left; null where there were none. */
async function stagedCohort(folder: string): Promise<string[] | null> {
  const files: string[] = [];
  for (const name of (await readdir(folder)).filter((name) => makerOf(name, "partial") === "gone")) {
    const made = await cohortFiles(join(folder, name, descriptionName));
    if (made !== null) files.push(...made, ...((await cohortFiles(join(folder, name, replacedName))) ?? []));
  }
  return files.length > 0 ? files : null;
}

/** The files of a cohort of ours, by the description that it left; null where there is none. */
async function cohortFiles(descriptionPath: string): Promise<string[] | null> {
  const text = await readFile(descriptionPath, "utf8").catch(() => null);
  const found = descriptionSchema.safeParse(text === null ? null : jsonOrNull(text));
  if (!found.success) return null;
  const { numTraining, numTest } = found.data;
  const { cases } = cohortManifest(0, numTraining, numTest);
  return [
    descriptionName,
    "nodes.csv",
    ...cases.flatMap(({ id, subset }) => [
      join(`images${subset}`, `${id}_0000.nii.gz`),
      join(`labels${subset}`, `${id}.nii.gz`),
      join(`instances${subset}`, `${id}.nii.gz`),
    ]),
  ];
}

const descriptionSchema = z.object({
  name: z.string().startsWith("LNSNet phantom "),
  numTraining: z.int().min(0),
  numTest: z.int().min(0),
});

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, path, "write");
  });
}

async function publish(staging: string, folder: string): Promise<void> {
  const description = join(folder, descriptionName);
  try {
    if (!(await isAbsent(description))) await rename(description, join(staging, replacedName));
    for (const name of entries) await rm(join(folder, name), { recursive: true, force: true });
    const made = await readdir(staging);
    for (const name of made.filter((one) => entries.includes(one)))
      await rename(join(staging, name), join(folder, name));
    await rename(join(staging, descriptionName), description);
    await rm(staging, { recursive: true });
  } catch (error) {
    throw fileError(error, folder, "write");
  }
}

/** From the moment on when the folder loses its description until it has the new one. */
async function isBeingPublished(folder: string, staging: string): Promise<boolean> {
  return !(await isAbsent(join(staging, descriptionName))) && (await isAbsent(join(folder, descriptionName)));
}

function nodesTable(patients: readonly PhantomResult[]): string {
  const rows = patients.flatMap(({ case: one, nodes }) =>
    nodes.map((node) => ({
      case: one.id,
      subset: one.subset,
      node: node.id,
      kind: node.kind,
      short_axis_mm: node.shortAxisMm,
      long_axis_mm: node.longAxisMm,
      volume_ml: node.volumeMl,
      x_lps_mm: node.centroidLpsMm[0],
      y_lps_mm: node.centroidLpsMm[1],
      z_lps_mm: node.centroidLpsMm[2],
      touches: node.touches.join(" "),
    })),
  );
  const keys = [
    "case",
    "subset",
    "node",
    "kind",
    "short_axis_mm",
    "long_axis_mm",
    "volume_ml",
    "x_lps_mm",
    "y_lps_mm",
    "z_lps_mm",
    "touches",
  ] as const;
  return csvTable(
    keys.map((key) => ({ key, title: key })),
    rows,
  );
}
