// Measurements that follow a study: each node is measured again, elsewhere, whenever its voxels change.
import type { NodeMeasurement } from "@lnsnet/core/voxels";
import { type MeasuringInput, measuringInput, ofNode, type StudyMeasurement } from "./measures.js";
import type { Study } from "./study.js";
import type { BoxedMask } from "./voxel-box.js";

/** Measures a node, usually in a worker. */
export type Measure = (input: MeasuringInput) => Promise<NodeMeasurement>;

/** The latest measurement of a node's voxels; null for a node without any. */
interface Known {
  readonly measured: NodeMeasurement;
  readonly box: Pick<BoxedMask, "start" | "size">;
}

/**
 * One node is measured at a time, the selected or latest changed one first; what changes meanwhile is measured again. The
 * former values stand until new ones are there.
 */
export class LiveMeasures {
  readonly #study: Study;
  readonly #measure: Measure;
  readonly #known = new Map<number, Known | null>();
  /** Nodes to measure, the next one last. */
  readonly #waiting = new Set<number>();
  readonly #listeners = new Set<() => void>();
  readonly #stop: () => void;
  #working: Promise<void> | null = null;
  #failure: unknown = null;

  constructor(study: Study, measure: Measure) {
    this.#study = study;
    this.#measure = measure;
    this.#stop = study.subscribe(({ box, numbers }) => {
      for (const number of numbers) if (box !== null || !this.#known.has(number)) this.#want(number);
    });
    for (const { number } of study.nodes) this.#want(number);
  }

  /** What is known of a node now, which may be of a moment ago; null where nothing is, or it has no voxels. */
  of(number: number): StudyMeasurement | null {
    const known = this.#known.get(number) ?? null;
    const node = this.#study.nodes.find((other) => other.number === number);
    return known === null || node === undefined ? null : ofNode(node, known.measured, known.box);
  }

  /** Whether a node's measurements are of its present voxels. */
  isCurrent(number: number): boolean {
    return this.#known.has(number) && !this.#waiting.has(number);
  }

  /** What measuring threw the last time; null where it went well. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * Waits until all nodes are measured, as an export must.
   *
   * @throws what measuring threw
   */
  async settled(): Promise<void> {
    while (this.#working !== null) await this.#working;
    if (this.#failure !== null) throw this.#failure;
  }

  /** Calls back after each measurement. @returns a function that ends it */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends following the study. */
  close(): void {
    this.#stop();
    this.#waiting.clear();
    this.#listeners.clear();
  }

  #want(number: number): void {
    // Once more as the last, which comes next.
    this.#waiting.delete(number);
    this.#waiting.add(number);
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
  }

  async #work(): Promise<void> {
    for (;;) {
      // What changes in the same moment is measured once, and the page answers in between.
      await new Promise((resolve) => setTimeout(resolve));
      const next = lastOf(this.#waiting);
      if (next === undefined) return;
      this.#waiting.delete(next);
      try {
        await this.#measureNow(next);
        this.#failure = null;
      } catch (error) {
        this.#failure = error;
      }
      for (const listener of this.#listeners) listener();
    }
  }

  async #measureNow(number: number): Promise<void> {
    if (!this.#study.nodes.some((node) => node.number === number)) {
      this.#known.delete(number);
      return;
    }
    const mask = this.#study.maskOf(number);
    if (mask === null) {
      this.#known.set(number, null);
      return;
    }
    const measured = await this.#measure(measuringInput(this.#study.scan, mask));
    this.#known.set(number, { measured, box: { start: mask.start, size: mask.size } });
  }
}

function lastOf(numbers: ReadonlySet<number>): number | undefined {
  let last: number | undefined;
  for (const number of numbers) last = number;
  return last;
}
