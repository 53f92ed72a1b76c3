// The folder of a training run: its files, and whether a run may start or resume there.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import {
  changedCases,
  currentDataState,
  dataStatePath,
  type Part,
  readDataState,
  writeDataState,
} from "../datasets/data-state.js";
import type { Case } from "../datasets/dataset.js";
import { listed } from "../datasets/dataset.js";
import { removeUnfinished } from "../files/disk.js";
import { requireFreeNames } from "../files/outputs.js";

/** "begin" refuses a folder with a run, "resume" one without; "either" goes on where there is one, "replace" begins anew. */
export type TrainingStart = "begin" | "resume" | "either" | "replace";

export const trainingFiles = (folder: string) => ({
  data: dataStatePath(folder),
  state: join(folder, "state.safetensors"),
  model: join(folder, "model.safetensors"),
  best: join(folder, "best.safetensors"),
  curve: join(folder, "curve.svg"),
  log: join(folder, "log.jsonl"),
  record: join(folder, "training.json"),
});

/** A folder that a run may have. */
export interface TrainingFolder {
  /** Whether the run goes on from what the folder holds. */
  readonly goesOn: boolean;
  /** Removes what is replaced and writes `data.json`, by which a run of ours is known; before any other file. */
  begin(): Promise<void>;
}

/**
 * Checks that a run may begin or go on in a folder that exists; nothing of it is changed yet.
 *
 * @param restsOn what of the cases the run reads
 * @throws InputError where the folder holds a run and none is wanted, or the other way round; where other files have
 *   the names of a run's; and where images or labels have changed since the run that is to go on
 */
export async function openTrainingFolder(
  folder: string,
  cases: readonly Case[],
  start: TrainingStart,
  restsOn: readonly Part[] = ["image", "label"],
): Promise<TrainingFolder> {
  await removeUnfinished(folder);
  const before = await readDataState(folder);
  if (before === null) {
    if (start === "resume")
      throw new InputError(
        `${folder} holds no training to go on with; leave the option resume out to begin one there.`,
      );
    await requireFreeNames(folder, runNames);
  } else if (start === "begin")
    throw new InputError(
      `${folder} holds a training already; give the option resume to go on with it, the option force to begin anew in its place, or choose another output folder.`,
    );
  const goesOn = before !== null && start !== "replace";
  const now = await currentDataState(cases, before, restsOn);
  const changed = goesOn ? changedCases(before, now) : [];
  if (changed.length > 0)
    throw new InputError(
      `${folder} was begun with other content of ${listed(changed)}, and going on would mix the two; bring the files back, or give the option force to begin anew.`,
    );
  return {
    goesOn,
    async begin() {
      // The state first: without it, nothing else is taken for a run's.
      if (!goesOn) for (const path of Object.values(runFiles(folder))) await rm(path, { force: true });
      await writeDataState(folder, now);
    },
  };
}

/** Whether the folder holds a run of ours, begun or finished. */
export async function holdsTraining(folder: string): Promise<boolean> {
  return (await readDataState(folder)) !== null;
}

function runFiles(folder: string) {
  const { data: _, ...files } = trainingFiles(folder);
  return files;
}

const runNames = Object.values(trainingFiles("."));
