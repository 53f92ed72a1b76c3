// Writing the phantom cohort as a data set: all of it, or nothing.
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { cohortManifest, csvTable, InputError } from "@lnsnet/core";
import { ensureWritableFolder, fileError, isFolder, requirePath, writeAtomically } from "./files.js";
import { createProgress } from "./progress.js";
import type { PhantomResult, PhantomTask } from "./workers/phantom-worker.js";
import { runInWorkers } from "./workers/pool.js";

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
 * @throws InputError where the folder is not empty or cannot be written to; Interrupted where the signal is set
 */
export async function writeCohort(
  folder: string,
  { seed, training, test, force = false, threads = 2, signal }: CohortOptions,
): Promise<PhantomResult[]> {
  const { dataset, cases } = cohortManifest(seed, training, test);
  const existed = await requireFreeFolder(folder, force);
  await ensureWritableFolder(folder);
  const staging = join(folder, `.${process.pid}.partial`);
  try {
    for (const subset of new Set(cases.map((one) => one.subset))) {
      for (const kind of ["images", "labels", "instances"])
        await makeFolder(join(staging, `${kind}${subset}`));
    }
    const progress = createProgress("phantom", "patient");
    progress.update({ done: 0, total: cases.length });
    const tasks = cases.map((one): PhantomTask => ({ folder: staging, seed, case: one }));
    const patients = await runInWorkers<PhantomTask, PhantomResult>(
      new URL("./workers/phantom-worker.js", import.meta.url),
      tasks,
      threads,
      (done, patient) => progress.update({ done, total: cases.length, text: patient.case.id }),
      signal,
    );
    progress.finish();
    await writeAtomically(join(staging, "nodes.csv"), nodesTable(patients));
    await writeAtomically(join(staging, "dataset.json"), `${JSON.stringify(dataset, null, 2)}\n`);
    await publish(staging, folder);
    return patients;
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (!existed) await rmdir(folder).catch(() => undefined);
    // The hidden folder is nobody's concern but ours.
    throw error instanceof InputError ? new InputError(error.message.replaceAll(staging, folder)) : error;
  }
}

const entries = ["dataset.json", "nodes.csv"].concat(
  ["Tr", "Ts"].flatMap((subset) => ["images", "labels", "instances"].map((kind) => `${kind}${subset}`)),
);

/** Whether the folder stood there before. */
async function requireFreeFolder(folder: string, force: boolean): Promise<boolean> {
  const existed = await requirePath(folder).then(
    () => true,
    (error: unknown) => {
      if (error instanceof InputError) return false;
      throw error;
    },
  );
  if (!existed) return false;
  if (!(await isFolder(folder)))
    throw new InputError(`${folder} is a file, and the cohort needs a folder; name another path.`);
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, folder, "read");
  });
  if (names.length > 0 && !force) {
    throw new InputError(
      `${folder} is not empty (it holds ${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ""}); name another folder, or give --force to replace the cohort in it.`,
    );
  }
  return true;
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, path, "write");
  });
}

async function publish(staging: string, folder: string): Promise<void> {
  try {
    for (const name of entries) await rm(join(folder, name), { recursive: true, force: true });
    const made = await readdir(staging);
    for (const name of made.filter((one) => one !== "dataset.json"))
      await rename(join(staging, name), join(folder, name));
    await rename(join(staging, "dataset.json"), join(folder, "dataset.json"));
    await rmdir(staging);
  } catch (error) {
    throw fileError(error, folder, "write");
  }
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
