// Reads and writes the state file of a training run: everything that is needed to resume it.
import { isDeepStrictEqual } from "node:util";
import { InputError } from "@lnsnet/core/errors";
import { readSafetensors, type StoredTensor, writeSafetensors } from "@lnsnet/core/formats";
import { sizeOf } from "@lnsnet/core/graph";
import {
  allFinite,
  MODEL_FORMAT_VERSION,
  type ModelFileKind,
  parsePlan,
  requireKnownVersion,
} from "@lnsnet/core/models";
import type { SavedTraining, TrainingHistory, TrainingState, TrainingStep } from "@lnsnet/core/training";
import { z } from "zod";
import { isFile, readBytes } from "../files/disk.js";

const historySchema: z.ZodType<TrainingHistory> = z.object({
  steps: z.array(z.object({ step: z.number(), loss: z.number() })),
  validation: z.array(z.object({ step: z.number(), dsc: z.number() })),
  unlogged: z.array(z.number()),
  seconds: z.number(),
});

/** @param run what must be the same for a resumed run to be the same run */
export function stateBytes({ state, history, plannedSteps }: SavedTraining, run: string): Uint8Array {
  const vector = (data: Float32Array): StoredTensor => ({ dtype: "F32", shape: [data.length], data });
  const named = (prefix: string, buffers: TrainingState["buffers"]): [string, StoredTensor][] =>
    Object.entries(buffers).map(([name, data]) => [`${prefix}.${name}`, vector(data)]);
  const tensors = new Map<string, StoredTensor>([
    ["theta", vector(state.theta)],
    ["m", vector(state.m)],
    ["v", vector(state.v)],
    ["average", vector(state.average)],
    ...named("buffer", state.buffers),
    ...named("average_buffer", state.averageBuffers),
  ]);
  const kind: ModelFileKind = "lnsnet-training-state";
  return writeSafetensors(tensors, {
    kind,
    format_version: String(MODEL_FORMAT_VERSION),
    step: String(state.step),
    history: JSON.stringify(history),
    planned_steps: String(plannedSteps),
    run,
  });
}

/**
 * The state that a run left, or null where there is none.
 *
 * @throws InputError where the file is damaged, or is of another run
 */
export async function loadState(
  path: string,
  run: string,
  { count, buffers }: TrainingStep,
): Promise<SavedTraining | null> {
  if (!(await isFile(path))) return null;
  const { tensors, metadata } = readSafetensors(await readBytes(path), path);
  if (metadata.kind !== ("lnsnet-training-state" satisfies ModelFileKind))
    throw new InputError(
      `${path} is no training state of lnsnet; give another output folder, or leave the option resume out to begin anew.`,
    );
  requireKnownVersion(metadata.format_version, path);
  if (!isDeepStrictEqual(completedRun(metadata.run, path), completedRun(run, path)))
    throw new InputError(
      `${path} was written by a run with other settings (network, data, seed or another option), and the option resume needs the same; repeat its options, or give another output folder.`,
    );
  const vector = (name: string, length: number): Float32Array => {
    const data = tensors.get(name)?.data;
    if (!(data instanceof Float32Array) || data.length !== length)
      throw new InputError(
        `${path} lacks ${length} numbers of ${name}: it is the state of another network; give another output folder.`,
      );
    if (!allFinite(data))
      throw new InputError(
        `${path} holds a number of ${name} that is NaN or infinite, from which no training goes on; copy the file again, or train anew.`,
      );
    return data;
  };
  const named = (prefix: string): TrainingState["buffers"] =>
    Object.fromEntries(buffers.map(({ name, shape }) => [name, vector(`${prefix}.${name}`, sizeOf(shape))]));
  const { step, history, plannedSteps } = progressOf(metadata, path);
  return {
    state: {
      step,
      theta: vector("theta", count),
      m: vector("m", count),
      v: vector("v", count),
      average: vector("average", count),
      buffers: named("buffer"),
      averageBuffers: named("average_buffer"),
    },
    history,
    plannedSteps,
  };
}

/** What a run is known by, with the fields at their defaults that the plan of an earlier version leaves out; null where it is no such text. */
function completedRun(run: string | undefined, path: string): unknown {
  try {
    const known = JSON.parse(run ?? "");
    return { ...known, plan: parsePlan(JSON.stringify(known.plan), path) };
  } catch {
    return null;
  }
}

function progressOf(
  metadata: Readonly<Record<string, string>>,
  path: string,
): Pick<SavedTraining, "history" | "plannedSteps"> & { readonly step: number } {
  try {
    return {
      step: z.int().parse(Number(metadata.step)),
      plannedSteps: z.int().parse(Number(metadata.planned_steps)),
      history: historySchema.parse(JSON.parse(metadata.history ?? "null")),
    };
  } catch {
    throw new InputError(
      `${path} is damaged: its record of finished steps cannot be read; copy the file again, or remove it to start a new training.`,
    );
  }
}
