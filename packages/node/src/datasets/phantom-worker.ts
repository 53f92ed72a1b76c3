// Worker thread: makes one phantom patient and writes its three volumes.
import { join } from "node:path";
import { generatePatient, type PhantomPatient, type Volume, writeNifti } from "@lnsnet/core";
import type { CohortCase } from "@lnsnet/core/phantom";
import { writeAtomically } from "../files/disk.js";
import { type Outcome, outcomeOf } from "../work/outcome.js";

export interface PhantomTask {
  readonly folder: string;
  readonly seed: number;
  readonly case: CohortCase;
}

export interface PhantomResult {
  readonly case: CohortCase;
  readonly nodes: PhantomPatient["nodes"];
}

export function run({ folder, seed, case: one }: PhantomTask): Promise<Outcome<PhantomResult>> {
  return outcomeOf(async () => {
    const { image, label, instances, nodes } = generatePatient(seed, one.index);
    const write = (kind: string, ending: string, volume: Volume) =>
      writeAtomically(
        join(folder, `${kind}${one.subset}`, `${one.id}${ending}`),
        writeNifti(volume, { description: "lnsnet phantom, research use only" }),
      );
    await write("images", "_0000.nii.gz", image);
    await write("labels", ".nii.gz", label);
    await write("instances", ".nii.gz", instances);
    return { case: one, nodes };
  });
}
