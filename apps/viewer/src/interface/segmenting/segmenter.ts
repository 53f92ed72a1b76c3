// Segments by the engine what a person points at, or all nodes, and puts the results into the study.
import { InputError } from "@lnsnet/core";
import type { EarlyNode } from "@lnsnet/core/inference";
import type { Vector3 } from "@lnsnet/core/volume";
import { signal } from "@preact/signals";
import type { ChosenFile, Computed, NodeAnswer, OpenedModel } from "../../engine/answers.js";
import type { Engine } from "../../engine/engine.js";
import type { NodeClick, NodeFields, StudyNode } from "../../study/nodes.js";
import type { OpenStep, Study } from "../../study/study.js";
import type { BoxedMask } from "../../study/voxel-box.js";
import { doWork, notice, openScan, tellError } from "../session.js";
import { ownModel, segmenting } from "../texts.js";
import type { Tool } from "../tool.js";
import type { Workspace } from "../workspace.js";

export type ModelRole = "clicker" | "finder";

/** The models that are open, by what they are for. */
export const models = signal<Readonly<Partial<Record<ModelRole, OpenedModel>>>>({});

/** The model that was asked last, which the panel tells of. */
export const askedLast = signal<ModelRole>("clicker");

/** Whether a click corrects the selected node, as it does with Ctrl. */
export const isCorrecting = signal(false);

/** What the threshold belongs to: the answer for the node that was clicked last. */
interface Adjustable {
  readonly number: number;
  readonly answer: number;
}

export const adjustable = signal<Adjustable | null>(null);
export const threshold = signal(0.5);

let engine: Engine | null = null;
const opening = new Map<ModelRole, Promise<OpenedModel>>();

/** Gives the page's engine to what segments. Nothing is loaded yet. */
export function segmentWith(started: Engine): void {
  engine = started;
}

/**
 * Loads a model, once. Where a person opened another one for the same meanwhile, that one.
 *
 * @throws InputError where it cannot be loaded; it is tried again the next time
 */
export function modelFor(role: ModelRole): Promise<OpenedModel> {
  const known = opening.get(role);
  if (known !== undefined) return known;
  const isWanted = () => opening.get(role) === opened;
  const opened: Promise<OpenedModel> = theEngine()
    .openModel({ from: role })
    .then(
      (model) => {
        if (isWanted()) models.value = { ...models.value, [role]: model };
        else theEngine().closeModel({ model: model.model }).catch(tellError);
        return isWanted() ? model : modelFor(role);
      },
      (error: unknown) => {
        if (isWanted()) opening.delete(role);
        throw error;
      },
    );
  opening.set(role, opened);
  return opened;
}

/** From now on this model finds nodes, or outlines what is clicked if it takes clicks. What it replaces is closed. */
export function useModel(model: OpenedModel): void {
  const role: ModelRole = model.isPromptable ? "clicker" : "finder";
  const before = models.value[role];
  opening.set(role, Promise.resolve(model));
  models.value = { ...models.value, [role]: model };
  askedLast.value = role;
  if (before !== undefined) theEngine().closeModel({ model: before.model }).catch(tellError);
}

/** The model that comes with the page does this again. */
export async function useShipped(role: ModelRole): Promise<void> {
  const before = models.value[role];
  opening.delete(role);
  try {
    await modelFor(role);
    if (before !== undefined) await theEngine().closeModel({ model: before.model });
  } catch (error) {
    tellError(error);
  }
}

/** Opens a person's own model and uses it. */
export async function openOwnModel(files: readonly ChosenFile[]): Promise<void> {
  const opened = await doWork(
    ownModel.opening,
    (signal) => theEngine().openModel({ from: files }, { signal }),
    "opening",
  );
  if (opened === null) return;
  useModel(opened);
  const { name, members, notes } = opened;
  const used = members.length === 1 ? ownModel.used(name) : ownModel.usedTogether(members.length);
  notice.value = { kind: "done", text: [used, ...notes].join(" ") };
}

/** Shows where a model computed the last time. */
function noteComputed(role: ModelRole, computed: Computed): void {
  const model = models.value[role];
  if (model !== undefined && model.deviceNote !== computed.deviceNote)
    models.value = { ...models.value, [role]: { ...model, ...computed } };
}

/** A click segments a node; with Ctrl, or while correcting, it says what of the selected node is wrong. */
export const nodeTool: Tool = ({ phase, view, pointMm, ctrl }) => {
  const workspace = openScan.value;
  if (phase !== "press" || workspace === null || workspace.view !== view) return;
  const corrects = ctrl || isCorrecting.value;
  // One after another: an earlier click may give the node that this one means, and none is lost.
  const answer = async () => {
    // A node that this browser keeps may stand there, and not be known yet.
    await workspace.kept.known;
    if (openScan.value !== workspace) return;
    const present = workspace.study.numberAt(pointMm);
    if (corrects) await correct(workspace, pointMm, present);
    else if (present !== null) workspace.selected.value = present;
    else await segmentNew(workspace, pointMm);
  };
  answered = answered.then(answer).catch(tellError);
};

/** Resolves when all clicks are answered. */
let answered: Promise<void> = Promise.resolve();

async function segmentNew(workspace: Workspace, pointMm: Vector3): Promise<void> {
  await outline(workspace, [{ pointMm, isPositive: true }], (mask, fields) =>
    workspace.study.addNode(mask, { ...fields, origin: "clicked" }),
  );
}

/** A point inside of the node's outline does not belong to it; one outside does. */
async function correct(workspace: Workspace, pointMm: Vector3, present: number | null): Promise<void> {
  const number = workspace.selected.value;
  if (number === null) return tellError(new InputError(segmenting.selectFirst));
  try {
    workspace.study.requireChangeable(number);
  } catch (error) {
    return tellError(error);
  }
  const model = await modelFor("clicker").catch(tellError);
  if (!model) return;
  if (!model.isPromptable) return tellError(new InputError(segmenting.oneClickModel));
  const { clicks } = workspace.study.node(number);
  if (clicks.length === 0) return tellError(new InputError(segmenting.notClicked));
  await outline(workspace, [...clicks, { pointMm, isPositive: present !== number }], (mask, fields) => {
    workspace.study.replaceMask(number, mask, fields);
    return number;
  });
}

async function outline(
  workspace: Workspace,
  clicks: readonly NodeClick[],
  put: (mask: BoxedMask, fields: NodeFields) => number,
): Promise<void> {
  const points = (isPositive: boolean) =>
    clicks.filter((click) => click.isPositive === isPositive).map(({ pointMm }) => pointMm);
  const answer = await doWork(
    segmenting.outlining,
    async (signal) => {
      askedLast.value = "clicker";
      const { model } = await modelFor("clicker");
      signal.throwIfAborted();
      const { scan } = workspace.opened;
      return theEngine().segmentAt({ scan, model, at: points(true), not: points(false) }, { signal });
    },
    "outlining",
  );
  if (answer === null) return;
  await workspace.study.whenIdle();
  if (openScan.value !== workspace) return;
  if (answer.found === "node") noteComputed("clicker", answer.computed);
  if (answer.found === "none") return tellError(new InputError(answer.reason));
  try {
    const number = put(boxed(answer), { clicks, ...confidenceOf(answer) });
    workspace.selected.value = number;
    threshold.value = 0.5;
    adjustable.value = { number, answer: answer.answer };
    if (answer.isCut) notice.value = { kind: "done", text: segmenting.isCut };
  } catch (error) {
    tellError(error);
  }
}

/** Finds all nodes of the scan and adds them as they come; what stood before stays. */
export async function findAll(workspace: Workspace): Promise<void> {
  const { study } = workspace;
  const early: PlacedNode[] = [];
  const add = (mask: BoxedMask, fields: NodeFields) => {
    if (freeShare(study, mask) < 0.5) return null;
    try {
      return study.addNode(mask, { ...fields, origin: "found" });
    } catch (error) {
      tellError(error);
      return null;
    }
  };
  const answer = await doWork(
    segmenting.finding,
    async (signal, onProgress) => {
      await workspace.kept.known;
      askedLast.value = "finder";
      const { model } = await modelFor("finder");
      signal.throwIfAborted();
      const addEarly = async (nodes: readonly EarlyNode[]) => {
        await study.whenIdle();
        if (signal.aborted) return;
        for (const { mask, start } of nodes) {
          const number = add({ start, size: mask.size, data: mask.data }, {});
          if (number !== null) early.push({ node: study.node(number), mask: study.maskOf(number) });
        }
      };
      const onNodes = (nodes: readonly EarlyNode[]) => void addEarly(nodes).catch(tellError);
      return theEngine().findAll({ scan: workspace.opened.scan, model }, { signal, onProgress, onNodes });
    },
    "searching",
  );
  await study.whenIdle();
  if (openScan.value !== workspace) return;
  if (answer === null) {
    if (early.length > 0) notice.value = { kind: "done", text: segmenting.stopped(early.length) };
    return;
  }
  noteComputed("finder", answer.computed);
  const step = study.begin("add");
  try {
    // The whole scan tells more than its planes did: what came early gives way to the final answer, unless a person changed it.
    for (const node of early) if (isUntouched(study, node)) study.deleteNode(node.node.number);
    const counts = new Map<string, number>();
    const added = answer.nodes.filter((node) => {
      const { className } = node.node;
      if (className === undefined) return add(boxed(node), confidenceOf(node)) !== null;
      // Of a model of several classes, the name says what it found.
      const count = (counts.get(className) ?? 0) + 1;
      const isAdded = add(boxed(node), { ...confidenceOf(node), name: `${className} ${count}` }) !== null;
      if (isAdded) counts.set(className, count);
      return isAdded;
    });
    notice.value = { kind: "done", text: segmenting.found(added.length, answer.leftOut) };
  } finally {
    step.commit();
  }
}

/** A node that came before the search had ended, as it was put into the study. */
interface PlacedNode {
  readonly node: StudyNode;
  readonly mask: BoxedMask | null;
}

function isUntouched(study: Study, { node, mask }: PlacedNode): boolean {
  if (!study.nodes.includes(node)) return false;
  const now = study.maskOf(node.number);
  if (now === null || mask === null) return now === mask;
  const isSameBox = [...now.start, ...now.size].join() === [...mask.start, ...mask.size].join();
  return isSameBox && now.data.every((value, at) => value === mask.data[at]);
}

let sliding: { readonly step: OpenStep; readonly numberMoved: number } | null = null;
let isAsking = false;

/** Shows the clicked node at another probability while the slider moves; all of it is one step of undo. */
export async function moveThreshold(study: Study, value: number): Promise<void> {
  threshold.value = value;
  const target = adjustable.value;
  if (target === null || isAsking) return;
  try {
    isAsking = true;
    sliding ??= { step: study.begin("threshold"), numberMoved: target.number };
    let shown: number;
    do {
      shown = threshold.value;
      const answer = await theEngine().atThreshold({ answer: target.answer, threshold: shown });
      if (sliding === null) return;
      sliding.step.restart();
      if (answer !== null) study.replaceMask(target.number, boxed(answer), confidenceOf(answer));
    } while (shown !== threshold.value);
  } catch (error) {
    tellError(error);
  } finally {
    isAsking = false;
    if (isLetGo) endThreshold();
  }
}

let isLetGo = false;

/** The slider was let go: what is shown is kept. */
export function endThreshold(): void {
  isLetGo = isAsking;
  if (isAsking) return;
  sliding?.step.commit();
  sliding = null;
}

/** The page's engine. */
export function theEngine(): Engine {
  if (engine === null) throw new Error("no engine was started");
  return engine;
}

/** How sure the model is of a node, and how far the members of an ensemble differ. */
const confidenceOf = ({ node }: NodeAnswer): NodeFields => ({
  probability: node.meanProbability,
  disagreement: node.ensembleDisagreement,
});

const boxed = ({ mask, start }: NodeAnswer): BoxedMask => ({ start, size: mask.size, data: mask.data });

/** The share of a mask's voxels that no node has yet. */
function freeShare({ labels }: Study, { start, size, data }: BoxedMask): number {
  let all = 0;
  let free = 0;
  for (let k = 0, at = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      const row = start[0] + labels.size[0] * (start[1] + j + labels.size[1] * (start[2] + k));
      for (let i = 0; i < size[0]; i++, at++) {
        if (data[at] === 0) continue;
        all++;
        if (labels.data[row + i] === 0) free++;
      }
    }
  }
  return all === 0 ? 0 : free / all;
}
