// Opens a scan as a study that is kept: with what was done before, saved as it happens, in one tab at a time.
import type { SourceSeries } from "@lnsnet/core";
import type { Volume } from "@lnsnet/core/volume";
import { createStudy, type Study } from "../study/study.js";
import { contentHash } from "./content-hash.js";
import { StudyKeeper, whyNotKept } from "./study-keeper.js";
import type { StudyStore } from "./study-store.js";
import { holdStudy } from "./tab-lock.js";

/** A study that is open in this tab. */
export interface OpenStudy {
  readonly study: Study;
  /** Of the scan. */
  readonly hash: string;
  /** Whether and what is saved. null in a tab that may only read, or where the browser keeps nothing. */
  readonly keeper: StudyKeeper | null;
  /** What the person should know, such as that the study is open in another tab; sentences. */
  readonly remarks: readonly string[];
  /** Whether the browser has the scan too, known when it was written or could not be. */
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
  readonly storage: { readonly store: StudyStore; readonly locks: Pick<LockManager, "request"> } | null;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Called when {@link OpenStudy.keeper} or the remarks changed after opening. */
  readonly onChange?: () => void;
}

export const openInAnotherTab =
  "This study is open in another tab: here it is only to be read until that tab is closed.";
export const notKept =
  "This browser keeps nothing for this page: what you do stays only until the page is closed; export your nodes.";
const scanNotKept =
  "The browser has no room for the scan itself: your nodes are saved, but after a reload open the scan again.";

/**
 * Opens a study. Never fails for want of storage: it then works without, and says so.
 *
 * @param scan HU
 */
export async function keepStudy(scan: Volume, options: KeepOptions): Promise<OpenStudy> {
  const { storage, onChange = () => {} } = options;
  const study = createStudy(scan);
  const remarks: string[] = [];
  let keeper: StudyKeeper | null = null;
  let isClosed = false;
  let hash = "";
  let release = () => {};
  let scanKept = Promise.resolve(false);

  const startKeeping = async (held: StudyStore) => {
    const kept = await held.noteOpened(hash, scan, {
      name: options.name,
      source: options.source,
      isPhantom: options.isPhantom,
      openedAt: options.now,
    });
    study.restore(await held.nodesOf(hash));
    if (isClosed) return;
    keeper = new StudyKeeper(held, study, hash, kept.hasUnexported);
    study.setReadOnly(null);
    // Long, and the person need not wait for it.
    scanKept =
      kept.scanKind !== null
        ? Promise.resolve(true)
        : held.saveScan(hash, scan).then(
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
    remarks.push(whyNotKept(error));
    study.setReadOnly(null);
    onChange();
  };

  try {
    if (storage === null) remarks.push(notKept);
    else {
      const { store, locks } = storage;
      hash = await contentHash(scan);
      const lock = await holdStudy(locks, hash, () => {
        remarks.splice(remarks.indexOf(openInAnotherTab), 1);
        startKeeping(store).then(onChange, failed);
      });
      release = lock.release;
      if (lock.isHeld) await startKeeping(store);
      else {
        study.restore(await store.nodesOf(hash));
        study.setReadOnly(openInAnotherTab);
        remarks.push(openInAnotherTab);
      }
    }
  } catch (error) {
    failed(error);
  }
  return {
    study,
    hash,
    get keeper() {
      return keeper;
    },
    remarks,
    get scanKept() {
      return scanKept;
    },
    close: async () => {
      isClosed = true;
      await keeper?.close();
      release();
    },
  };
}
