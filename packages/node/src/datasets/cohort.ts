// Writes a generated cohort as a data set in nnU-Net's layout; a stopped cohort is continued.
import { lstat, mkdir, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { InputError } from "@lnsnet/core/errors";
import type { DatasetDescription } from "@lnsnet/core/phantom";
import { csvTable } from "@lnsnet/core/reports";
import { z } from "zod";
import {
  datasetFolders,
  fileError,
  isFolder,
  removeUnfinished,
  writeAtomically,
  writeJson,
} from "../files/disk.js";
import { whileWriting } from "../files/folder-lock.js";
import { isAbsent, requireFreeNames } from "../files/outputs.js";
import { isMarked } from "../files/process-mark.js";
import type { Job } from "../work/job.js";
import { runInWorkers } from "../work/pool.js";
import { packageVersion } from "../work/version.js";
import {
  type CohortCase,
  type CohortTask,
  casePaths,
  cohortRecordName,
  jsonOrNull,
  type NodeRow,
  outcomeOfCase,
} from "./cohort-case.js";

/** Options of a command by their names. */
export type CohortValues = Readonly<Record<string, string | number | boolean>>;

/** What is to be written. All that decides the voxels stands in `options` and `cases`, which the folder keeps. */
export interface Cohort<Case extends CohortCase, Options extends CohortValues, Source = null> {
  /** Such as "lnsnet phantom". */
  readonly command: string;
  readonly options: Options;
  /** Describes the cases that could be made. */
  readonly datasetOf: (cases: readonly Case[]) => DatasetDescription;
  readonly cases: readonly Case[];
  /** What a case is made from, such as paths. The folder does not keep it: the same content elsewhere gives the same case. */
  readonly sourceOf: (of: Case) => Source;
  /**
   * Module whose `run(task)` makes one case of a {@link CohortTask} in a worker thread, writes it with
   * `writeCohortCase` or leaves it out with `leaveOutCase`, and returns an `Outcome`.
   */
  readonly worker: URL;
}

export interface CohortOptions {
  /** Whether a cohort that stands in the folder is replaced; other files there are kept. */
  readonly force?: boolean;
  /** Worker threads; 2 by default. */
  readonly threads?: number;
}

export interface WrittenCohort<Case extends CohortCase> {
  readonly cases: readonly { readonly case: Case; readonly nodes: readonly NodeRow[] }[];
  /** Cases that cannot be made, each with a sentence. */
  readonly leftOut: readonly { readonly case: Case; readonly reason: string }[];
  /** How many cases stood there already. */
  readonly kept: number;
}

/**
 * Writes imagesTr, labelsTr, instancesTr, for some also organsTr, the same for Ts, nodes.csv, cohort.json and dataset.json, which comes last: a
 * folder with it is complete. Cases that an earlier call with the same options wrote stay.
 *
 * @throws InputError where the folder holds something else or a cohort by other options, cannot be written to or is
 *   held by another process; the signal's reason where it is aborted
 */
export async function writeCohort<Case extends CohortCase, Options extends CohortValues, Source>(
  folder: string,
  cohort: Cohort<Case, Options, Source>,
  options: CohortOptions = {},
  job: Job = {},
): Promise<WrittenCohort<Case>> {
  if (!(await isFolder(folder)) && !(await isAbsent(folder)))
    throw new InputError(`${folder} is a file, and the cohort needs a folder; choose another path.`);
  return whileWriting(folder, cohort.command, () => makeCohort(folder, cohort, options, job), job);
}

async function makeCohort<Case extends CohortCase, Options extends CohortValues, Source>(
  folder: string,
  { command, options, datasetOf, cases, sourceOf, worker }: Cohort<Case, Options, Source>,
  { force = false, threads = 2 }: CohortOptions,
  job: Job,
): Promise<WrittenCohort<Case>> {
  const record = recordSchema.parse({
    kind: "lnsnet-cohort",
    version: packageVersion(),
    command,
    options,
    cases,
  });
  await prepareFolder(folder, record, force);
  const begun = await missingCases(folder, cases);
  const kept = cases.length - begun.length;
  // First of all, so that what a killed process leaves is known as ours.
  await writeJson(join(folder, cohortRecordName), record);
  try {
    for (const name of foldersOf(cases))
      await mkdir(join(folder, name), { recursive: true }).catch((error: unknown) => {
        throw fileError(error, join(folder, name), "write");
      });
    const tasks = begun.map(
      (of): CohortTask<Case, Options, Source> => ({ folder, case: of, options, source: sourceOf(of) }),
    );
    await runInWorkers<CohortTask<Case, Options, Source>, null>(
      tasks,
      { worker, threads, stage: command.slice("lnsnet ".length), unit: "scan", alreadyDone: kept },
      job,
    );
    const { made, leftOut } = await outcomesOf(folder, cases);
    const [first] = leftOut;
    if (made.length === 0 && first !== undefined) {
      await removeCohort(folder, record);
      throw new InputError(`Not one case could be made. ${first.reason}`);
    }
    if (await isAbsent(join(folder, tableName)))
      await writeAtomically(join(folder, tableName), nodesTable(made));
    if (await isAbsent(join(folder, descriptionName)))
      await writeJson(join(folder, descriptionName), datasetOf(made.map((scan) => scan.case)));
    return { cases: made, leftOut, kept };
  } catch (error) {
    // Where not even one case is whole there is nothing to go on with.
    if ((await missingCases(folder, cases)).length === cases.length) await removeCohort(folder, record);
    throw error;
  }
}

const tableName = "nodes.csv";
/** Written last, and removed first. */
const descriptionName = "dataset.json";

const recordSchema = z.object({
  kind: z.literal("lnsnet-cohort"),
  version: z.string(),
  command: z.string(),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  // Further fields are the generator's own.
  cases: z.array(
    z.looseObject({
      id: z.string().regex(/^[A-Za-z0-9_-]+$/),
      subset: z.enum(["Tr", "Ts"]),
      channels: z.number().int().positive().max(99).optional(),
      organs: z.boolean().optional(),
    }),
  ),
});

type CohortRecord = z.infer<typeof recordSchema>;

/** Cases that are neither whole nor left out. */
async function missingCases<Case extends CohortCase>(
  folder: string,
  cases: readonly Case[],
): Promise<Case[]> {
  const missing: Case[] = [];
  for (const of of cases) if ((await outcomeOfCase(folder, of)) === null) missing.push(of);
  return missing;
}

async function outcomesOf<Case extends CohortCase>(folder: string, cases: readonly Case[]) {
  const made: { case: Case; nodes: readonly NodeRow[] }[] = [];
  const leftOut: { case: Case; reason: string }[] = [];
  for (const of of cases) {
    const outcome = await outcomeOfCase(folder, of);
    if (outcome === null) continue;
    if ("leftOut" in outcome) leftOut.push({ case: of, reason: outcome.leftOut });
    else made.push({ case: of, nodes: outcome.nodes });
  }
  return { made, leftOut };
}

/**
 * Sees to it that the folder holds nothing but the begun cohort, or what does not concern it; what a killed process left
 * is removed.
 *
 * @throws InputError where something else stands there
 */
async function prepareFolder(folder: string, record: CohortRecord, force: boolean): Promise<void> {
  const names = (await readdir(folder)).filter((name) => !isMarked(name));
  const earlier = await readRecord(folder);
  if (earlier === null && names.length > 0 && !force)
    throw new InputError(
      `${folder} is not empty (it holds ${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ""}); choose another folder.`,
    );
  const ours = new Set(earlier === null ? [] : filesOf(earlier));
  const found: string[] = [];
  const folders = new Set([
    ...datasetFolders,
    ...foldersOf(record.cases),
    ...foldersOf(earlier?.cases ?? []),
  ]);
  for (const name of names.filter((name) => fixedNames.includes(name) || folders.has(name))) {
    // A link to a folder is somebody else's: a cohort makes none.
    const isCaseFolder = folders.has(name) && (await lstat(join(folder, name))).isDirectory();
    if (!isCaseFolder) found.push(name);
    else
      for (const file of await readdir(join(folder, name))) if (!isMarked(file)) found.push(join(name, file));
  }
  await requireFreeNames(folder, found, (name) => ours.has(name));
  if (earlier !== null && !force && !isDeepStrictEqual(earlier, record))
    throw new InputError(
      `${folder} holds ${differenceOf(earlier, record)}; repeat those options to go on with it, name another folder, or give the option force to replace it.`,
    );
  await removeUnfinished(folder, { isOurs: true });
  for (const name of folders)
    if (names.includes(name)) await removeUnfinished(join(folder, name), { isOurs: true });
  if (earlier !== null && force) await removeCohort(folder, earlier);
}

const fixedNames = [cohortRecordName, tableName, descriptionName];

function differenceOf(earlier: CohortRecord, asked: CohortRecord): string {
  const [before, now] = [earlier, asked].map(commandOf);
  return before === now
    ? `a cohort of other cases by the same ${before}`
    : `a cohort by ${before}, and ${now} was requested`;
}

/** The command line of a record, with the version where that is not ours. */
function commandOf({ command, options, version }: CohortRecord): string {
  const words = Object.entries(options).map(
    ([name, value]) => ` --${name}${value === true ? "" : ` ${value}`}`,
  );
  return `"${command}${words.join("")}"${version === packageVersion() ? "" : ` of lnsnet ${version}`}`;
}

/** The record of the cohort in a folder; null where there is none, or a file of somebody else. */
async function readRecord(folder: string): Promise<CohortRecord | null> {
  const path = join(folder, cohortRecordName);
  // A link is somebody else's too.
  if (!(await lstat(path).catch(() => null))?.isFile()) return null;
  const found = recordSchema.safeParse(jsonOrNull(await readFile(path, "utf8").catch(() => "")));
  return found.success ? found.data : null;
}

/** Every file that a cohort may have written; its record comes last. */
function filesOf({ cases }: CohortRecord): string[] {
  return [
    descriptionName,
    tableName,
    ...cases.flatMap((of) => Object.values(casePaths(of)).flat().reverse()),
    cohortRecordName,
  ];
}

function foldersOf(cases: readonly CohortCase[]): string[] {
  return [...new Set(cases.flatMap((of) => Object.values(casePaths(of)).flat().map(dirname)))];
}

/** The record goes last, so that a killed removal is known as ours, and goes on. */
async function removeCohort(folder: string, record: CohortRecord): Promise<void> {
  for (const name of filesOf(record)) {
    if (name === cohortRecordName)
      for (const empty of foldersOf(record.cases)) await rmdir(join(folder, empty)).catch(() => undefined);
    await rm(join(folder, name), { force: true });
  }
}

function nodesTable(written: WrittenCohort<CohortCase>["cases"]): string {
  const rows = written.flatMap(({ case: { id, subset }, nodes }) =>
    nodes.map((node): NodeRow => ({ case: id, subset, ...node })),
  );
  const keys = [...new Set(["case", "subset", ...rows.flatMap((row) => Object.keys(row))])];
  return csvTable(
    keys.map((key) => ({ key, title: key })),
    rows,
  );
}
