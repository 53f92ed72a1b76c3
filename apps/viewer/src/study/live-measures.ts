// Measurements that follow a study: each node is measured again, elsewhere, whenever its voxels change.
import { ofNode, type StudyMeasurement } from "./measures.js";
import type { MeasuredNode } from "./node-reader-worker.js";
import type { Study } from "./study.js";

/** Measures a node as it is now, usually in a worker; null for a node without voxels. */
export type Measure = (number: number) => Promise<MeasuredNode | null>;

/**
 * A node that takes longer is measured when nothing has changed for a while, ms: a stroke needs the processor itself, and the
 * next stroke comes soon after.
 */
const liveMs = 250;
const restMs = 700;

/**
 * One node is measured at a time, the selected or latest changed one first; what changes meanwhile is measured again. The
 * former values stand until new ones are there.
 */
export class LiveMeasures {
  readonly #study: Study;
  readonly #measure: Measure;
  /** The latest measurement of each node. */
  readonly #known = new Map<number, MeasuredNode | null>();
  /** Nodes to measure, the next one last. */
  readonly #waiting = new Set<number>();
  readonly #listeners = new Set<() => void>();
  readonly #stop: () => void;
  #working: Promise<void> | null = null;
  #failure: unknown = null;
  #changedAtMs = 0;
  /** How long the last measuring took. */
  #tookMs = 0;

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
    this.#changedAtMs = performance.now();
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
  }

  async #work(): Promise<void> {
    for (;;) {
      // What changes in the same moment is measured once, and the page answers in between.
      await new Promise((resolve) => setTimeout(resolve));
      await this.#rest();
      const next = lastOf(this.#waiting);
      if (next === undefined) return;
      this.#waiting.delete(next);
      const beganMs = performance.now();
      try {
        await this.#measureNow(next);
        this.#failure = null;
      } catch (error) {
        this.#failure = error;
      }
      this.#tookMs = performance.now() - beganMs;
      for (const listener of this.#listeners) listener();
    }
  }

  /** Returns when nothing has changed for a while, if measuring takes long. */
  async #rest(): Promise<void> {
    if (this.#tookMs <= liveMs) return;
    for (;;) {
      const leftMs = this.#changedAtMs + restMs - performance.now();
      if (leftMs <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, leftMs));
    }
  }

  async #measureNow(number: number): Promise<void> {
    if (!this.#study.nodes.some((node) => node.number === number)) {
      this.#known.delete(number);
      return;
    }
    this.#known.set(number, await this.#measure(number));
  }
}

function lastOf(numbers: ReadonlySet<number>): number | undefined {
  let last: number | undefined;
  for (const number of numbers) last = number;
  return last;
}
