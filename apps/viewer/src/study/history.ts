// Steps that were done and can be undone and redone, within a limit of memory.
import { bytesOfChange, type LabelChange } from "./label-change.js";
import type { StudyNode } from "./nodes.js";

/** What a step was, for the words on the buttons of undo and redo. */
export type StepKind =
  | "add"
  | "read"
  | "correct"
  | "rename"
  | "colour"
  | "visibility"
  | "lock"
  | "delete"
  | "merge"
  | "split"
  | "axis"
  | "brush"
  | "erase"
  | "fill"
  | "interpolate"
  | "grow"
  | "shrink"
  | "threshold";

/** One thing that a person did: label changes in their order, and the list of nodes before and after. */
export interface Step {
  readonly kind: StepKind;
  readonly changes: readonly LabelChange[];
  readonly nodesBefore: readonly StudyNode[];
  readonly nodesAfter: readonly StudyNode[];
}

/** The steps of a study. The oldest are forgotten when all take more than the limit; the latest always stays. */
export class History {
  readonly #limitBytes: number;
  #done: Step[] = [];
  #undone: Step[] = [];
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Adds a step that was done. What was undone before can no longer be redone. */
  add(step: Step): void {
    for (const forgotten of this.#undone) this.#bytes -= bytesOfStep(forgotten);
    this.#undone = [];
    this.#done.push(step);
    this.#bytes += bytesOfStep(step);
    while (this.#bytes > this.#limitBytes && this.#done.length > 1)
      this.#bytes -= bytesOfStep(this.#done.shift() as Step);
  }

  /** The step to undo now, which counts as undone; null for none. */
  takeDone(): Step | null {
    const step = this.#done.pop();
    if (step === undefined) return null;
    this.#undone.push(step);
    return step;
  }

  /** The step to redo now, which counts as done; null for none. */
  takeUndone(): Step | null {
    const step = this.#undone.pop();
    if (step === undefined) return null;
    this.#done.push(step);
    return step;
  }

  clear(): void {
    this.#done = [];
    this.#undone = [];
    this.#bytes = 0;
  }

  /** What undo would undo; null for nothing. */
  get nextUndo(): StepKind | null {
    return this.#done.at(-1)?.kind ?? null;
  }

  /** What redo would do; null for nothing. */
  get nextRedo(): StepKind | null {
    return this.#undone.at(-1)?.kind ?? null;
  }

  /** Bytes that all steps take, about. */
  get bytes(): number {
    return this.#bytes;
  }
}

/** The two lists of nodes share their nodes with other steps; only the lists themselves count. */
function bytesOfStep({ changes, nodesBefore, nodesAfter }: Step): number {
  const lists = 8 * (nodesBefore.length + nodesAfter.length);
  return changes.reduce((sum, change) => sum + bytesOfChange(change), 400 + lists);
}
