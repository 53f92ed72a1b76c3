// What the page has open, what it is doing, and what it tells the person.
import { signal } from "@preact/signals";
import type { FoundScan, Thumbnail } from "../engine/answers.js";
import { shell } from "./texts.js";
import type { Workspace } from "./workspace.js";

/** The scan that is worked on. */
export const openScan = signal<Workspace | null>(null);

/** Scans that were found in what a person opened, of which one is to be chosen. */
export interface ScanChoices {
  readonly scans: readonly FoundScan[];
  readonly onChoose: (scan: FoundScan) => void;
  /** For a scan without a picture. */
  readonly pictureOf: (scan: FoundScan) => Promise<Thumbnail | null>;
}

export const choice = signal<ScanChoices | null>(null);

/** What a person reads in the status line; an error stays until something else is done. */
export interface Notice {
  readonly text: string;
  readonly kind: "done" | "error";
  /** Where the person can go on. */
  readonly link?: { readonly address: string; readonly text: string };
}

export const notice = signal<Notice | null>(null);

/** What takes long and can be stopped. */
export interface Work {
  readonly text: string;
  /** From 0 to 1; null where it is not known. */
  readonly done: number | null;
  readonly stop: () => void;
}

export const work = signal<Work | null>(null);

/** Tells what went wrong; the page goes on. */
export function tellError(error: unknown): void {
  const isExpected = error instanceof Error && error.name === "InputError";
  const what = error instanceof Error ? error.message : String(error);
  if (!isExpected) console.error(error);
  const text = isExpected ? what : isMemoryShort(what) ? shell.noMemory : shell.unexpected(what);
  notice.value = { kind: "error", text };
}

/** Browsers and onnxruntime-web have no error of its own for it. */
const isMemoryShort = (message: string): boolean =>
  /allocation failed|out of memory|bad_alloc|\boom\b|memory\.grow/i.test(message);

/**
 * Does something that takes long: shows it with its progress, lets the person stop it, and tells what went wrong.
 * Work that is under way is stopped first.
 *
 * @returns its result; null where it failed or was stopped
 */
export async function doWork<T>(
  text: string,
  task: (signal: AbortSignal, onProgress: (progress: { done: number; total: number }) => void) => Promise<T>,
): Promise<T | null> {
  work.value?.stop();
  const controller = new AbortController();
  const stop = () => {
    controller.abort(new Error("stopped"));
    if (work.value === mine) work.value = null;
  };
  let mine: Work = { text, done: null, stop };
  work.value = mine;
  notice.value = null;
  const show = (next: Work) => {
    if (work.value !== mine) return;
    mine = next;
    work.value = mine;
  };
  try {
    return await task(controller.signal, ({ done, total }) => show({ ...mine, done: done / total }));
  } catch (error) {
    if (!controller.signal.aborted) tellError(error);
    return null;
  } finally {
    if (work.value === mine) work.value = null;
  }
}
