// Saves a study as it changes: the changed nodes alone, some tenths of a second after each change.
import type { Study } from "../study/study.js";
import type { StudyStore } from "./study-store.js";

/** Whether what was done is kept. */
export type Keeping =
  | { readonly state: "saved" | "saving" }
  /** `why` is a sentence for the person. The page goes on, and tries again with the next change. */
  | { readonly state: "failed"; readonly why: string };

/** How long changes are gathered before they are written, ms. */
const gatheringMs = 300;

export class StudyKeeper {
  readonly #store: StudyStore;
  readonly #study: Study;
  readonly #hash: string;
  readonly #stop: () => void;
  readonly #listeners = new Set<() => void>();
  /** Nodes that were changed, added or deleted since they were last written. */
  #unsaved = new Set<number>();
  #hasUnexported: boolean;
  #isExportNoted = true;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #writing: Promise<void> = Promise.resolve();
  #keeping: Keeping = { state: "saved" };

  constructor(store: StudyStore, study: Study, hash: string, hasUnexported: boolean) {
    this.#store = store;
    this.#study = study;
    this.#hash = hash;
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

  /** Writes at once what is not written, as when the page is hidden. Never rejects: see {@link keeping}. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  /** Writes the rest, and ends. */
  async close(): Promise<void> {
    this.#stop();
    await this.flush();
    this.#listeners.clear();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.flush(), gatheringMs);
    this.#tell({ state: "saving" });
  }

  async #write(): Promise<void> {
    const numbers = this.#unsaved;
    if (numbers.size === 0 && this.#isExportNoted) return this.#tell({ state: "saved" });
    this.#unsaved = new Set();
    this.#isExportNoted = true;
    const present = new Set(this.#study.nodes.map(({ number }) => number));
    const changed = [...numbers].filter((number) => present.has(number));
    const deleted = [...numbers].filter((number) => !present.has(number));
    try {
      const stored = changed.map((number) => this.#study.stored(number));
      await this.#store.saveNodes(this.#hash, stored, deleted, this.#hasUnexported);
      this.#tell({ state: this.#unsaved.size === 0 ? "saved" : "saving" });
    } catch (error) {
      for (const number of numbers) this.#unsaved.add(number);
      this.#isExportNoted = false;
      this.#tell({ state: "failed", why: whyNotKept(error) });
    }
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
