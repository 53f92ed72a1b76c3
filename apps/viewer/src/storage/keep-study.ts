// Opens a scan as a study that is kept: with what was done before, saved as it happens, in one tab at a time.
import type { SourceSeries } from "@lnsnet/core";
import type { Volume } from "@lnsnet/core/volume";
import type { NodeReader } from "../study/node-reader.js";
import { createStudy, type Study } from "../study/study.js";
import { contentHash } from "./content-hash.js";
import { StudyKeeper, whyNotKept } from "./study-keeper.js";
import type { StudyStore } from "./study-store.js";
import { holdStudy } from "./tab-lock.js";

/** A study that is open in this tab. */
export interface OpenStudy {
  /** Only to be read, and without the nodes that are kept, until {@link known}. */
  readonly study: Study;
  /** Ends with {@link close}. */
  readonly reader: NodeReader;
  /** Resolves when its kept nodes are there and it can be changed, if it can be in this tab. Never rejects. */
  readonly known: Promise<void>;
  /** Of the scan; null until {@link known}, or where nothing is kept. */
  readonly hash: string | null;
  /** Whether and what is saved. null until {@link known}, in a tab that may only read, or where the browser keeps nothing. */
  readonly keeper: StudyKeeper | null;
  /** What the person should know, such as that the study is open in another tab; sentences. */
  readonly remarks: readonly string[];
  /** Whether the browser has the scan too, known when it was written or could not be; false until {@link known}. */
  readonly scanKept: Promise<boolean>;
  /** Saves the rest and lets other tabs have the study. */
  close(): Promise<void>;
}

export interface KeepOptions {
  readonly name: string;
  readonly source: SourceSeries | null;
  /** Of no person. */
  readonly isPhantom: boolean;
  /** The database and `navigator.locks`; null where the browser keeps nothing, as in a page that came over plain http. */
  readonly storage: Promise<StudyStorage | null>;
  /** `startNodeReader` in a page. */
  readonly startReader: (study: Study) => NodeReader;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Called when {@link OpenStudy.keeper} or the remarks changed. */
  readonly onChange?: () => void;
}

interface StudyStorage {
  readonly store: StudyStore;
  readonly locks: Pick<LockManager, "request">;
}

export const lookingUp =
  "Nodes can be drawn in a moment: the page is still looking whether this browser keeps nodes of this scan.";
export const openInAnotherTab =
  "This study is open in another tab: here it is only to be read until that tab is closed.";
export const notKept =
  "This browser keeps nothing for this page: what you do stays only until the page is closed; export your nodes.";
const scanNotKept =
  "The browser has no room for the scan itself: your nodes are saved, but after a reload open the scan again.";

/** A person need not be told of what is over by then, ms. */
const briefMs = 700;

/**
 * Opens a study. The scan can be looked at meanwhile: to know whether its nodes are kept takes a hash of all its voxels.
 * Never fails for want of storage: it then works without, and says so.
 *
 * @param scan HU
 */
export function keepStudy(scan: Volume, options: KeepOptions): OpenStudy {
  const { onChange = () => {} } = options;
  const study = createStudy(scan);
  const reader = options.startReader(study);
  study.setReadOnly(lookingUp);
  const remarks: string[] = [];
  const closing = new AbortController();
  let keeper: StudyKeeper | null = null;
  let hash: string | null = null;
  let release = () => {};
  let scanKept = Promise.resolve(false);

  const startKeeping = async (held: StudyStore, ofScan: string) => {
    const kept = await held.noteOpened(ofScan, scan, {
      name: options.name,
      source: options.source,
      isPhantom: options.isPhantom,
      openedAt: options.now,
    });
    const stored = await held.nodesOf(ofScan);
    if (closing.signal.aborted) return;
    study.restore(stored);
    keeper = new StudyKeeper(held, study, ofScan, kept.hasUnexported, reader.runs);
    study.setReadOnly(null);
    // Long, and the person need not wait for it.
    scanKept =
      kept.scanKind !== null
        ? Promise.resolve(true)
        : held.saveScan(ofScan, scan).then(
            () => true,
            (error: unknown) => {
              const isFull = error instanceof DOMException && error.name === "QuotaExceededError";
              remarks.push(isFull ? scanNotKept : whyNotKept(error));
              onChange();
              return false;
            },
          );
  };
  const failed = (error: unknown) => {
    if (closing.signal.aborted) return;
    remarks.push(whyNotKept(error));
    study.setReadOnly(null);
    onChange();
  };
  const lookUp = async () => {
    const storage = await options.storage;
    if (storage === null) {
      remarks.push(notKept);
      study.setReadOnly(null);
      return;
    }
    const { store, locks } = storage;
    const ofScan = await contentHash(scan, closing.signal);
    hash = ofScan;
    const lock = await holdStudy(locks, ofScan, () => {
      remarks.splice(remarks.indexOf(openInAnotherTab), 1);
      startKeeping(store, ofScan).then(onChange, failed);
    });
    release = lock.release;
    if (lock.isHeld) return startKeeping(store, ofScan);
    study.setReadOnly(openInAnotherTab);
    remarks.push(openInAnotherTab);
    const stored = await store.nodesOf(ofScan);
    // The other tab may have been closed by now.
    if (keeper === null) study.restore(stored);
  };
  const telling = setTimeout(() => {
    remarks.push(lookingUp);
    onChange();
  }, briefMs);
  const known = lookUp()
    .catch(failed)
    .finally(() => {
      clearTimeout(telling);
      const told = remarks.indexOf(lookingUp);
      if (told >= 0) remarks.splice(told, 1);
      onChange();
    });

  return {
    study,
    reader,
    known,
    get hash() {
      return hash;
    },
    get keeper() {
      return keeper;
    },
    remarks,
    get scanKept() {
      return scanKept;
    },
    close: async () => {
      closing.abort();
      await known;
      await keeper?.close();
      reader.end();
      release();
    },
  };
}
