// Opens what a person chose or dropped.
import { InputError } from "@lnsnet/core";
import { signal } from "@preact/signals";
import type { ChosenFile, FoundDrawing, FoundScan, OpenedScan } from "./engine/answers.js";
import type { DrawnNodes } from "./engine/drawn-nodes.js";
import type { Engine } from "./engine/engine.js";
import { makeExample } from "./example.js";
import { secondDate } from "./interface/follow-up/second-date.js";
import { openOwnModel } from "./interface/segmenting/segmenter.js";
import { choice, doWork, notice, openScan, stopWork, tellError } from "./interface/session.js";
import { saving, service, shell } from "./interface/texts.js";
import { createWorkspace, type Workspace } from "./interface/workspace.js";
import { keepOpened, listKept, openKeptScan } from "./keeping.js";
import { fetchJob, serviceAddress } from "./service.js";
import type { KeptStudy } from "./storage/study-store.js";
import type { NodeFields } from "./study/nodes.js";
import type { Study } from "./study/study.js";
import type { BoxedMask } from "./study/voxel-box.js";

/** Lists what files hold and opens it; where it is several scans, the person chooses. A model is opened as one's own. */
export async function openFiles(engine: Engine, files: readonly ChosenFile[]): Promise<void> {
  choice.value = null;
  if (files.some(isOfModel)) return openOwnModel(files);
  const [{ path }] = files;
  const listing = await doWork(
    shell.reading(files.length === 1 ? path : shell.files(files.length)),
    (...job) => engine.list({ files }, jobOf(...job)),
    "opening",
  );
  if (listing === null) return;
  const { scans, drawings, others } = listing;
  if (scans.length === 0 && drawings.length > 0) {
    for (const drawing of drawings) await openDrawing(engine, drawing);
  } else if (scans.length === 0) {
    const [first] = others;
    tellError(
      new InputError(first === undefined ? shell.nothingFound : shell.noScan(first.name, first.reason)),
    );
  } else if (scans.length === 1) {
    await openFound(engine, scans[0]);
    if (drawings.length > 0 && notice.value?.kind === "done")
      notice.value = { kind: "done", text: `${notice.value.text} ${shell.drawnToo(drawings[0].name)}` };
  } else
    choice.value = {
      scans,
      onChoose: (found) => void openFound(engine, found),
      pictureOf: ({ id }) => engine.picture({ id }),
    };
}

/** Opens a scan of the latest list. Where it turns out to be labels of the scan that is open, they become its nodes. */
async function openFound(engine: Engine, { id, title, refusal }: FoundScan): Promise<void> {
  if (refusal !== null) return tellError(new InputError(refusal));
  const workspace = openScan.value;
  const answer = await doWork(
    shell.reading(title),
    (...job) =>
      workspace === null
        ? engine.read({ id }, jobOf(...job))
        : engine.readBeside({ id, scan: workspace.opened.scan }, jobOf(...job)),
    "opening",
  );
  if (answer === null) return;
  if ("volume" in answer) await show(engine, answer, false);
  else await addDrawn(workspace, title, answer);
}

/** Adds the nodes of a SEG or an RTSTRUCT to the scan that is open. */
async function openDrawing(engine: Engine, { id, name }: FoundDrawing): Promise<void> {
  const workspace = openScan.value;
  if (workspace === null) return tellError(new InputError(shell.drawnNeedScan(name)));
  const { scan } = workspace.opened;
  const answer = await doWork(
    shell.reading(name),
    (...job) => engine.readBeside({ id, scan }, jobOf(...job)),
    "opening",
  );
  if (answer !== null && "nodes" in answer) await addDrawn(workspace, name, answer);
}

/** All nodes of a file are one step of undo. One whose voxels all belong to other nodes is left out. */
async function addDrawn(
  workspace: Workspace | null,
  file: string,
  { nodes, problems }: DrawnNodes,
): Promise<void> {
  if (workspace === null) return;
  await workspace.kept.known;
  if (openScan.value !== workspace) return;
  const { study } = workspace;
  await study.whenIdle();
  let added = 0;
  try {
    const step = study.begin("read");
    try {
      for (const { name, start, mask } of nodes) {
        const fields = { origin: "read", ...(name === "" ? {} : { name }) } as const;
        if (add(study, { start, size: mask.size, data: mask.data }, fields)) added++;
      }
    } finally {
      step.commit();
    }
    const text = shell.drawnAdded(file, added, nodes.length - added);
    notice.value = { kind: "done", text: [text, ...problems].join(" ") };
  } catch (error) {
    tellError(error);
  }
}

/** Opens a study of the service that this page came from, with the nodes that were found there. */
export async function openJob(engine: Engine, job: string): Promise<void> {
  await listKept();
  const study = await doWork(service.fetching, (...work) => fetchJob(job, jobOf(...work)), "opening");
  if (study === null) return;
  if (study === "signed out") {
    const link = { address: serviceAddress, text: service.worklist };
    notice.value = { kind: "error", text: service.signIn, link };
    return;
  }
  const before = openScan.value;
  await openFiles(engine, study.scan);
  const workspace = openScan.value;
  // What a person did to it before stays as it is.
  if (study.nodes === null || workspace === before || workspace?.study.nodes.length !== 0) return;
  await openFiles(engine, [study.nodes]);
}

/** Makes the phantom and opens it. */
export async function openExample(engine: Engine): Promise<void> {
  const opened = await doWork(
    shell.makingExample,
    async (signal) => {
      const volume = await makeExample();
      signal.throwIfAborted();
      return engine.adopt({ name: shell.exampleName, volume, source: null });
    },
    "opening",
  );
  if (opened !== null) await show(engine, opened, true);
}

/** Goes on with a study that this browser keeps. */
export async function openKept(engine: Engine, study: KeptStudy): Promise<void> {
  const opened = await doWork(
    shell.reading(study.name),
    async () => {
      const kept = await openKeptScan(engine, study);
      if (kept === null) throw new InputError(saving.openAgain(study.name));
      return kept;
    },
    "opening",
  );
  if (opened !== null) await show(engine, opened, study.isPhantom);
}

/** Shows which studies are kept, and goes on with the one that was open before the page was loaded anew. */
export async function resume(engine: Engine): Promise<void> {
  const study = await listKept();
  if (study !== null && openScan.value === null) await openKept(engine, study);
}

/** Shows a scan. Resolves when its kept nodes are there, and it can be drawn in. */
export async function show(engine: Engine, opened: OpenedScan, isPhantom: boolean): Promise<void> {
  try {
    // Where there is no memory for its nodes, this fails while what was open still is.
    new Uint8Array(opened.volume.data.length);
    choice.value = null;
    secondDate.value = null;
    const before = openScan.value;
    stopWork("outlining", "searching", "learning");
    await before?.close();
    const changed = signal(0);
    const kept = keepOpened(opened, isPhantom, () => changed.value++);
    const workspace = createWorkspace(opened, isPhantom, kept, changed, tellError);
    openScan.value = workspace;
    if (before !== null) await engine.closeScan({ scan: before.opened.scan });
    await kept.known;
    if (openScan.value !== workspace) return;
    notice.value = { kind: "done", text: [shell.opened(opened.name), ...opened.problems].join(" ") };
  } catch (error) {
    tellError(error);
  }
}

/** @returns false where the study does not take the node */
function add(study: Study, mask: BoxedMask, fields: NodeFields): boolean {
  try {
    study.addNode(mask, fields);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

const isOfModel = ({ path }: ChosenFile): boolean => /\.(safetensors|pth)$/i.test(path);

const jobOf = (signal: AbortSignal, onProgress: (progress: { done: number; total: number }) => void) => ({
  signal,
  onProgress,
});
