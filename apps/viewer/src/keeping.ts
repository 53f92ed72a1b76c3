// Keeps what is open in this browser, and goes on with it after a reload.
import type { Volume } from "@lnsnet/core";
import { signal } from "@preact/signals";
import type { OpenedScan } from "./engine/answers.js";
import type { Engine } from "./engine/engine.js";
import { openScan } from "./interface/session.js";
import { contentHash } from "./storage/content-hash.js";
import { keepStudy, type OpenStudy } from "./storage/keep-study.js";
import { type KeptStudy, openStudyStore, type StudyStore } from "./storage/study-store.js";
import { startNodeReader } from "./study/node-reader.js";
import type { StoredNode } from "./study/study.js";

/** The studies that this browser keeps, the one opened last first. */
export const keptStudies = signal<readonly KeptStudy[]>([]);

let store: Promise<StudyStore | null> | null = null;

/** The database; null where the browser keeps nothing, as for a page that came over plain http. */
function theStore(): Promise<StudyStore | null> {
  store ??=
    isSecureContext && "locks" in navigator ? openStudyStore().catch(() => null) : Promise.resolve(null);
  return store;
}

/** Where this tab remembers over a reload which study it had open. */
const openKey = "lnsnet-open-study";

/** Opens a scan as a study that is kept. @param onChange called when what there is to say of keeping changed */
export function keepOpened(
  { name, volume, source }: OpenedScan,
  isPhantom: boolean,
  onChange: () => void,
): OpenStudy {
  const storage = theStore().then((store) => store && { store, locks: navigator.locks });
  const about = { name, source, isPhantom, now: Date.now() };
  const kept = keepStudy(volume, { ...about, storage, startReader: startNodeReader, onChange });
  sessionStorage.removeItem(openKey);
  void kept.known.then(() => {
    if (openScan.value?.kept === kept && kept.hash !== null) sessionStorage.setItem(openKey, kept.hash);
  });
  // Some browsers ask the person; nothing waits for the answer.
  navigator.storage?.persist?.().catch(() => false);
  return kept;
}

/** Reads which studies are kept. @returns the one that this tab had open before it was loaded anew, if its scan is kept */
export async function listKept(): Promise<KeptStudy | null> {
  const opened = await theStore();
  keptStudies.value = (await opened?.list()) ?? [];
  const hash = sessionStorage.getItem(openKey);
  return keptStudies.value.find((study) => study.hash === hash && study.scanKind !== null) ?? null;
}

/** The scan of a kept study, open in the engine; null where the browser no longer has it whole. */
export async function openKeptScan(
  engine: Engine,
  { hash, name, source }: KeptStudy,
): Promise<OpenedScan | null> {
  const volume = (await (await theStore())?.readScan(hash)) ?? null;
  return volume === null ? null : engine.adopt({ name, volume, source });
}

/** The nodes that this browser keeps of a scan; none where it keeps nothing. */
export async function keptNodesOf(volume: Volume): Promise<readonly StoredNode[]> {
  const opened = await theStore();
  return opened === null ? [] : opened.nodesOf(await contentHash(volume));
}

/** Deletes a study with its nodes from this browser. */
export async function forget({ hash }: KeptStudy): Promise<void> {
  await (await theStore())?.remove(hash);
  await listKept();
}

let isLeaving = false;

/**
 * Loads the page again, which then goes on with the study that is open.
 *
 * @returns false where the browser does not have its scan and nodes whole: nothing happens
 */
export async function reloadWithStudy(): Promise<boolean> {
  const { kept } = openScan.value ?? {};
  if (kept !== undefined) {
    await kept.known;
    await kept.keeper?.flush();
    if (kept.keeper?.keeping.state !== "saved" || !(await kept.scanKept)) return false;
  }
  isLeaving = true;
  location.reload();
  return true;
}

/** Saves at once when the page is hidden, and warns who leaves with nodes that were not exported. */
export function guardLeaving(): void {
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") void openScan.value?.kept.keeper?.flush();
  });
  addEventListener("beforeunload", (event) => {
    const open = openScan.value;
    if (isLeaving) return;
    if (open?.kept.keeper?.hasUnexported === true && open.study.nodes.length > 0) event.preventDefault();
  });
}
