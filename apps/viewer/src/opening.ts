// Opens what a person chose or dropped.
import { InputError } from "@lnsnet/core";
import { signal } from "@preact/signals";
import type { ChosenFile, FoundScan, OpenedScan } from "./engine/answers.js";
import type { Engine } from "./engine/engine.js";
import { makeExample } from "./example.js";
import { choice, doWork, notice, openScan, tellError } from "./interface/session.js";
import { saving, shell } from "./interface/texts.js";
import { createWorkspace } from "./interface/workspace.js";
import { keepOpened, listKept, openKeptScan } from "./keeping.js";
import type { KeptStudy } from "./storage/study-store.js";

/** Lists what files hold and opens it; where it is several scans, the person chooses. */
export async function openFiles(engine: Engine, files: readonly ChosenFile[]): Promise<void> {
  choice.value = null;
  const [{ path }] = files;
  const listing = await doWork(
    shell.reading(files.length === 1 ? path : shell.files(files.length)),
    (...job) => engine.list({ files }, jobOf(...job)),
  );
  if (listing === null) return;
  const { scans, others } = listing;
  if (scans.length === 0) {
    const [first] = others;
    tellError(
      new InputError(first === undefined ? shell.nothingFound : shell.noScan(first.name, first.reason)),
    );
  } else if (scans.length === 1) await openFound(engine, scans[0]);
  else choice.value = scans;
}

/** Opens a scan of the latest list. */
export async function openFound(engine: Engine, { id, title, refusal }: FoundScan): Promise<void> {
  if (refusal !== null) return tellError(new InputError(refusal));
  const opened = await doWork(shell.reading(title), (...job) => engine.read({ id }, jobOf(...job)));
  if (opened !== null) await show(opened, false);
}

/** Makes the phantom and opens it. */
export async function openExample(engine: Engine): Promise<void> {
  const opened = await doWork(shell.makingExample, async (signal) => {
    const volume = await makeExample();
    signal.throwIfAborted();
    return engine.adopt({ name: shell.exampleName, volume, source: null });
  });
  if (opened !== null) await show(opened, true);
}

/** Goes on with a study that this browser keeps. */
export async function openKept(engine: Engine, study: KeptStudy): Promise<void> {
  const opened = await doWork(shell.reading(study.name), async () => {
    const kept = await openKeptScan(engine, study);
    if (kept === null) throw new InputError(saving.openAgain(study.name));
    return kept;
  });
  if (opened !== null) await show(opened, study.isPhantom);
}

/** Shows which studies are kept, and goes on with the one that was open before the page was loaded anew. */
export async function resume(engine: Engine): Promise<void> {
  const study = await listKept();
  if (study !== null && openScan.value === null) await openKept(engine, study);
}

async function show(opened: OpenedScan, isPhantom: boolean): Promise<void> {
  choice.value = null;
  await openScan.value?.close();
  const changed = signal(0);
  const kept = await keepOpened(opened, isPhantom, () => changed.value++);
  openScan.value = createWorkspace(opened, isPhantom, kept, changed, tellError);
  notice.value = { kind: "done", text: [shell.opened(opened.name), ...opened.problems].join(" ") };
}

const jobOf = (signal: AbortSignal, onProgress: (progress: { done: number; total: number }) => void) => ({
  signal,
  onProgress,
});
