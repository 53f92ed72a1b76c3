// Worker thread: reads one case and brings it to the working grid, in memory that all threads share.
import {
  type IntensityWindow,
  type PreparedCase,
  prepareCase,
  prepareImage,
  prepareLabel,
  type Vector3,
} from "@lnsnet/core";
import { type Case, loadCase } from "../dataset.js";
import { type Outcome, outcomeOf } from "./outcome.js";

export interface PrepareTask {
  readonly case: Case;
  readonly labels: Readonly<Record<string, number>>;
  readonly spacingMm: Vector3;
  readonly window: IntensityWindow;
}

export function run(task: PrepareTask): Promise<Outcome<PreparedCase>> {
  return outcomeOf(async () => {
    const { id, image, label } = await loadCase(task.case, task.labels);
    const prepared = prepareImage(image, task.spacingMm, task.window);
    const onGrid = label === null ? new Uint8Array(prepared.hu.length) : prepareLabel(label, prepared);
    const one = prepareCase(id, prepared, onGrid);
    return {
      ...one,
      hu: shared(one.hu, new Int16Array(new SharedArrayBuffer(one.hu.byteLength))),
      label: shared(one.label, new Uint8Array(new SharedArrayBuffer(one.label.byteLength))),
      foreground: shared(one.foreground, new Int32Array(new SharedArrayBuffer(one.foreground.byteLength))),
      bodyOffsets: shared(one.bodyOffsets, new Int32Array(new SharedArrayBuffer(one.bodyOffsets.byteLength))),
    };
  });
}

function shared<T extends Int16Array | Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
