// Saves a study as it changes: the changed nodes alone, some tenths of a second after each change.
import type { StoredNode, Study } from "../study/study.js";
import type { StudyStore } from "./study-store.js";

/** Whether what was done is kept. */
export type Keeping =
  | { readonly state: "saved" | "saving" }
  /** `why` is a sentence for the person. The page goes on, and tries again with the next change. */
  | { readonly state: "failed"; readonly why: string };

/** How long changes are gathered before they are written, ms. */
const gatheringMs = 300;

/** After so long the page itself reads what is to be written: a worker that was lost never answers, ms. */
const mostReadingMs = 10_000;

/** Reads the runs of a node that are stored; see `StoredNode`. */
export type ReadRuns = (number: number) => Promise<Int32Array>;

export class StudyKeeper {
  readonly #store: StudyStore;
  readonly #study: Study;
  readonly #hash: string;
  readonly #readRuns: ReadRuns;
  readonly #stop: () => void;
  readonly #listeners = new Set<() => void>();
  /** Nodes that were changed, added or deleted since they were last read to be written. */
  #unsaved = new Set<number>();
  /** Nodes that are being read to be written; null while none are. */
  #reading: ReadonlySet<number> | null = null;
  #hasUnexported: boolean;
  #isExportNoted = true;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #writing: Promise<void> = Promise.resolve();
  #keeping: Keeping = { state: "saved" };

  /** @param readRuns what takes long for large nodes, and so is done elsewhere while the page is shown */
  constructor(store: StudyStore, study: Study, hash: string, hasUnexported: boolean, readRuns: ReadRuns) {
    this.#store = store;
    this.#study = study;
    this.#hash = hash;
    this.#readRuns = readRuns;
    this.#hasUnexported = hasUnexported;
    this.#stop = study.subscribe(({ numbers }) => {
      if (numbers.size === 0) return;
      for (const number of numbers) this.#unsaved.add(number);
      this.#hasUnexported = true;
      this.#schedule();
    });
  }

  get keeping(): Keeping {
    return this.#keeping;
  }

  /** Whether something was done since the last export, so that leaving the page should warn. */
  get hasUnexported(): boolean {
    return this.#hasUnexported;
  }

  /** Notes that all nodes were exported. */
  markExported(): void {
    this.#hasUnexported = false;
    this.#isExportNoted = false;
    this.#schedule();
  }

  /** Calls back when {@link keeping} or {@link hasUnexported} changed. @returns a function that ends it */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads and writes at once what is not written, as when the page is hidden. Never rejects: see {@link keeping}. */
  async flush(): Promise<void> {
    const numbers = this.#take();
    const stored = this.#present(numbers).map((number) => this.#study.stored(number));
    this.#writing = this.#writing.then(() => this.#write(numbers, stored));
    await this.#writing;
  }

  /** Writes the rest, and ends. */
  async close(): Promise<void> {
    this.#stop();
    await this.flush();
    this.#listeners.clear();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.#readAndWrite(), gatheringMs);
    this.#tell({ state: "saving" });
  }

  async #readAndWrite(): Promise<void> {
    const numbers = this.#take();
    this.#reading = numbers;
    const reading = this.#present(numbers).map(async (number) => {
      const node = this.#study.node(number);
      // Whatever became of the worker, the page can read.
      const runs = await this.#readRuns(number).catch(() => null);
      return runs === null ? null : { node, runs };
    });
    const late = setTimeout(() => void this.flush(), mostReadingMs);
    const stored = await Promise.all(reading);
    clearTimeout(late);
    // It was flushed meanwhile.
    if (this.#reading !== numbers) return;
    this.#reading = null;
    const whole = this.#present(numbers).map((number) => {
      const read = stored.find((known) => known?.node.number === number);
      return read ?? this.#study.stored(number);
    });
    this.#writing = this.#writing.then(() => this.#write(numbers, whole));
    await this.#writing;
  }

  /** The nodes that are to be written now, those among them that are being read. */
  #take(): ReadonlySet<number> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const numbers = new Set([...this.#unsaved, ...(this.#reading ?? [])]);
    this.#unsaved = new Set();
    this.#reading = null;
    return numbers;
  }

  #present(numbers: ReadonlySet<number>): number[] {
    const present = new Set(this.#study.nodes.map(({ number }) => number));
    return [...numbers].filter((number) => present.has(number));
  }

  async #write(numbers: ReadonlySet<number>, stored: readonly StoredNode[]): Promise<void> {
    if (numbers.size === 0 && this.#isExportNoted) return this.#tellSaved();
    this.#isExportNoted = true;
    const written = new Set(stored.map(({ node }) => node.number));
    const deleted = [...numbers].filter((number) => !written.has(number));
    try {
      await this.#store.saveNodes(this.#hash, stored, deleted, this.#hasUnexported);
      this.#tellSaved();
    } catch (error) {
      for (const number of numbers) this.#unsaved.add(number);
      this.#isExportNoted = false;
      this.#tell({ state: "failed", why: whyNotKept(error) });
    }
  }

  #tellSaved(): void {
    const isWhole = this.#unsaved.size === 0 && this.#reading === null;
    this.#tell({ state: isWhole ? "saved" : "saving" });
  }

  #tell(keeping: Keeping): void {
    this.#keeping = keeping;
    for (const listener of this.#listeners) listener();
  }
}

/** Why the browser did not keep something, as a sentence for the person. */
export function whyNotKept(error: unknown): string {
  if (error instanceof DOMException && error.name === "QuotaExceededError")
    return "The browser's storage is full: what you do now stays only until the page is closed; export your nodes, or delete studies that are kept.";
  const reason = error instanceof Error ? error.message : String(error);
  return `The browser did not save (${reason}): what you do now stays only until the page is closed; export your nodes.`;
}
