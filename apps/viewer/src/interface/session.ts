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

/** What there is at most one of at a time. */
export type WorkKind = "opening" | "outlining" | "searching" | "learning";

/** What takes long and can be stopped. */
export interface Work {
  /** Undefined where it stands beside any other. */
  readonly kind: WorkKind | undefined;
  readonly text: string;
  /** From 0 to 1; null where it is not known. */
  readonly done: number | null;
  readonly stop: () => void;
}

/** All that is under way, the oldest first. */
export const works = signal<readonly Work[]>([]);

/** Whether something of a kind is under way. */
export const isUnderWay = (kind: WorkKind): boolean => works.value.some((work) => work.kind === kind);

/** Stops what is under way of these kinds. */
export function stopWork(...kinds: readonly WorkKind[]): void {
  for (const { kind, stop } of works.value) if (kind !== undefined && kinds.includes(kind)) stop();
}

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
 * Work of the same kind is stopped first; all other goes on.
 *
 * @returns its result; null where it failed or was stopped
 */
export async function doWork<T>(
  text: string,
  task: (signal: AbortSignal, onProgress: (progress: { done: number; total: number }) => void) => Promise<T>,
  kind?: WorkKind,
): Promise<T | null> {
  if (kind !== undefined) stopWork(kind);
  const controller = new AbortController();
  const { signal } = controller;
  const end = () => {
    works.value = works.value.filter((work) => work.stop !== stop);
  };
  const stop = () => {
    controller.abort(new Error("stopped"));
    end();
  };
  works.value = [...works.value, { kind, text, done: null, stop }];
  notice.value = null;
  try {
    return await task(signal, ({ done, total }) => {
      works.value = works.value.map((work) => (work.stop === stop ? { ...work, done: done / total } : work));
    });
  } catch (error) {
    if (!signal.aborted) tellError(error);
    return null;
  } finally {
    end();
  }
}
