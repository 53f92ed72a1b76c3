// Opens what a person chose or dropped.
import { InputError } from "@lnsnet/core";
import type { ChosenFile, FoundScan, OpenedScan } from "./engine/answers.js";
import type { Engine } from "./engine/engine.js";
import { makeExample } from "./example.js";
import { choice, doWork, notice, openScan, tellError } from "./interface/session.js";
import { shell } from "./interface/texts.js";
import { createWorkspace } from "./interface/workspace.js";
import { createStudy } from "./study/study.js";

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
  if (opened !== null) show(opened, false);
}

/** Makes the phantom and opens it. */
export async function openExample(engine: Engine): Promise<void> {
  const opened = await doWork(shell.makingExample, async (signal) => {
    const volume = await makeExample();
    signal.throwIfAborted();
    return engine.adopt({ name: shell.exampleName, volume, source: null });
  });
  if (opened !== null) show(opened, true);
}

function show(opened: OpenedScan, isPhantom: boolean): void {
  choice.value = null;
  openScan.value?.close();
  openScan.value = createWorkspace(opened, isPhantom, createStudy(opened.volume));
  notice.value = { kind: "done", text: [shell.opened(opened.name), ...opened.problems].join(" ") };
}

const jobOf = (signal: AbortSignal, onProgress: (progress: { done: number; total: number }) => void) => ({
  signal,
  onProgress,
});
