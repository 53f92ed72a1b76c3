// One case of a generated cohort: its volumes, and beside them what its nodes are.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import type { Volume } from "@lnsnet/core/volume";
import { z } from "zod";
import { isFile, writeAtomically, writeJson } from "../files/disk.js";

/** The record of a cohort in its folder: with it, the folder is ours. */
export const cohortRecordName = "cohort.json";

/** A case's place in nnU-Net's layout: imagesTr and labelsTr, or imagesTs and labelsTs. */
export interface CohortCase {
  readonly id: string;
  readonly subset: "Tr" | "Ts";
  /** Scans of the patient; one by default. */
  readonly channels?: number | undefined;
  /** Whether its organs are written; false by default. */
  readonly organs?: boolean | undefined;
}

/** What a worker gets to make a case from: nothing else may decide what it makes. */
export interface CohortTask<Case extends CohortCase, Options, Source = null> {
  readonly folder: string;
  readonly case: Case;
  readonly options: Options;
  readonly source: Source;
}

const nodeSchema = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));
const outcomeSchema = z.union([z.object({ nodes: z.array(nodeSchema) }), z.object({ leftOut: z.string() })]);

/** A node as `nodes.csv` has it, by column. */
export type NodeRow = z.infer<typeof nodeSchema>;

/** What a case became: a scan with nodes, or nothing, for a reason. */
export type CaseOutcome = z.infer<typeof outcomeSchema>;

/** A case as it was made. */
export interface MadeCase {
  /** One for each channel. */
  readonly images: readonly Volume[];
  readonly label: Volume;
  /** Number of the node, 0 outside. */
  readonly instances: Volume;
  /** For a case with organs: their numbers, 0 outside. */
  readonly organs?: Volume | null;
  readonly nodes: readonly NodeRow[];
}

/**
 * Writes a case. Its nodes come last, so that a case which has them is whole.
 *
 * @param description stands in each volume
 * @throws InputError where a file cannot be written
 */
export async function writeCohortCase(
  folder: string,
  of: CohortCase,
  { images, label, instances, organs = null, nodes }: MadeCase,
  description: string,
): Promise<void> {
  const paths = casePaths(of);
  const write = (path: string, volume: Volume) =>
    writeAtomically(join(folder, path), writeNifti(volume, { description }));
  for (const [channel, path] of paths.images.entries()) await write(path, images[channel]);
  await write(paths.label, label);
  await write(paths.instances, instances);
  if (organs !== null) for (const path of paths.organs) await write(path, organs);
  await writeOutcome(folder, of, { nodes: [...nodes] });
}

/**
 * Records that a case cannot be made, so that a cohort which goes on does not try it again.
 *
 * @param reason a sentence
 */
export const leaveOutCase = (folder: string, of: CohortCase, reason: string): Promise<void> =>
  writeOutcome(folder, of, { leftOut: reason });

const writeOutcome = (folder: string, of: CohortCase, outcome: CaseOutcome): Promise<void> =>
  writeJson(join(folder, casePaths(of).nodes), outcome);

/** Where the files of a case lie in the data set's folder. */
export function casePaths({ id, subset, channels = 1, organs = false }: CohortCase) {
  return {
    images: Array.from({ length: channels }, (_, channel) =>
      join(`images${subset}`, `${id}_${String(channel).padStart(4, "0")}.nii.gz`),
    ),
    label: join(`labels${subset}`, `${id}.nii.gz`),
    instances: join(`instances${subset}`, `${id}.nii.gz`),
    organs: organs ? [join(`organs${subset}`, `${id}.nii.gz`)] : [],
    nodes: join(`instances${subset}`, `${id}.json`),
  };
}

/** What a case became; null of one that is not finished. */
export async function outcomeOfCase(folder: string, of: CohortCase): Promise<CaseOutcome | null> {
  const paths = casePaths(of);
  const text = await readFile(join(folder, paths.nodes), "utf8").catch(() => null);
  const found = outcomeSchema.safeParse(text === null ? null : jsonOrNull(text));
  if (!found.success) return null;
  if ("leftOut" in found.data) return found.data;
  const areFiles = await Promise.all(
    Object.values(paths)
      .flat()
      .map((path) => isFile(join(folder, path))),
  );
  return areFiles.includes(false) ? null : found.data;
}

/** The nodes that stand beside a case's instances; null where there are none. */
export async function nodesBeside(instancesPath: string): Promise<readonly NodeRow[] | null> {
  const path = `${instancesPath.slice(0, -".nii.gz".length)}.json`;
  const text = await readFile(path, "utf8").catch(() => null);
  const found = outcomeSchema.safeParse(text === null ? null : jsonOrNull(text));
  return found.success && "nodes" in found.data ? found.data.nodes : null;
}

/** What JSON says; null where it is none. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
