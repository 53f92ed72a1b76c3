// What a person works on: a scan, the label buffer, the nodes, and everything that can be done, undone and redone.
import { InputError } from "@lnsnet/core";
import { crop, indexOfPoint, maskWhere, type Vector3, type Volume, voxelCount } from "@lnsnet/core/volume";
import { type IndexBox, labelComponents } from "@lnsnet/core/voxels";
import { History, type StepKind } from "./history.js";
import { type LabelChange, paintMask, redoChange, undoChange } from "./label-change.js";
import { maskWithin, runsOfMask, voxelsIn } from "./node-voxels.js";
import { type AxisEnds, mostNodes, type NodeFields, newNode, nextNumber, type StudyNode } from "./nodes.js";
import { voxelsBeyondPlane } from "./plane.js";
import { type BoxedMask, boxAround, isShared, type OwnMask, vector } from "./voxel-box.js";

/** What listeners are told. Everything may have changed where an undo or redo spans many edits. */
export interface StudyChange {
  /** The smallest box (i, j, k) of voxels that may have changed; null where none did. */
  readonly box: IndexBox | null;
  /** Numbers of the nodes that were added, deleted, or changed in a voxel or a field. */
  readonly numbers: ReadonlySet<number>;
}

/** A node with its voxels, as it is stored: `runs` holds the first voxel of each run and the one after its last, in turn. */
export interface StoredNode {
  readonly node: StudyNode;
  readonly runs: Int32Array;
}

/** Several edits that are one step of undo, such as a stroke of the brush or a slider while it is moved. */
export interface OpenStep {
  /** Ends the step. A step that changed nothing leaves no trace. */
  commit(): void;
  /** Takes back all its edits, and goes on with the same step. */
  restart(): void;
  /** Takes back all its edits, and ends it. */
  cancel(): void;
}

/** Which voxels an edit of a node may take. */
export interface PaintOptions {
  /** Whether voxels of other nodes may be taken, if these are visible and not locked; false by default. */
  readonly overOthers?: boolean;
}

/** What is being done in a step that is not ended yet. */
interface Doing {
  readonly kind: StepKind;
  readonly changes: LabelChange[];
  readonly nodesBefore: readonly StudyNode[];
  readonly ended: Promise<void>;
}

/** Memory for undo and redo. A stroke with a brush of 10 mm takes about 50 kB. */
const historyBytes = 64 * 2 ** 20;

/**
 * A study of a scan, at first without nodes.
 *
 * @param scan HU, in any orientation; voxels (i, j, k), i fastest
 * @param stored nodes of an earlier visit
 */
export function createStudy(scan: Volume, stored: readonly StoredNode[] = []): Study {
  const study = new Study(scan);
  study.restore(stored);
  return study;
}

/**
 * Every edit is a method that throws an `InputError` (a sentence for the person, nothing changed) where it is not
 * allowed, and that is undone by one {@link undo}. Voxels of locked nodes never change; those of hidden ones only where the
 * node is deleted.
 */
export class Study {
  /** HU. */
  readonly scan: Volume;
  /**
   * The number of the node in each voxel, 0 for none; i fastest, on the scan's grid. Changes in place: only to be read. In
   * memory that is shared where the scan's is.
   */
  readonly labels: Volume<Uint8Array>;
  #nodes: readonly StudyNode[] = [];
  #readOnlyReason: string | null = null;
  #doing: Doing | null = null;
  readonly #history: History;
  /** A box of each node that holds all its voxels, and may be too large. */
  readonly #boxes = new Map<number, IndexBox>();
  readonly #listeners = new Set<(change: StudyChange) => void>();

  constructor(scan: Volume, limitBytes = historyBytes) {
    this.scan = scan;
    const count = voxelCount(scan);
    const data = isShared(scan.data) ? new Uint8Array(new SharedArrayBuffer(count)) : new Uint8Array(count);
    this.labels = { ...scan, data };
    this.#history = new History(limitBytes);
  }

  /** By number. A new list whenever anything in it changed. */
  get nodes(): readonly StudyNode[] {
    return this.#nodes;
  }

  /** @throws InputError where there is no such node */
  node(number: number): StudyNode {
    const found = this.#nodes.find((node) => node.number === number);
    if (found === undefined) throw new InputError(`There is no node ${number}; it may have been deleted.`);
    return found;
  }

  /** The number of the node at a point (LPS mm); null where there is none, or outside of the scan. */
  numberAt(pointMm: Vector3): number | null {
    const { size, data } = this.labels;
    const [i, j, k] = indexOfPoint(this.labels, pointMm).map(Math.round);
    if (i < 0 || j < 0 || k < 0 || i >= size[0] || j >= size[1] || k >= size[2]) return null;
    return data[i + size[0] * (j + size[1] * k)] || null;
  }

  /** Why nothing can be changed, as a sentence; null where it can. */
  get readOnlyReason(): string | null {
    return this.#readOnlyReason;
  }

  setReadOnly(reason: string | null): void {
    this.#readOnlyReason = reason;
    this.#emit(null, []);
  }

  /** Calls back after every change, at once. @returns a function that ends it */
  subscribe(listener: (change: StudyChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // Reading

  /** The smallest box that holds a node's voxels; null for a node without any. */
  boxOf(number: number): IndexBox | null {
    const mask = this.maskOf(number);
    return mask === null ? null : { start: mask.start, size: mask.size };
  }

  /** A box that holds all voxels of a node, and may be too large; null for a node without any. Read in no time. */
  boundsOf(number: number): IndexBox | null {
    return this.#boxes.get(number) ?? null;
  }

  /** A node's voxels (0 and 1) in the smallest box that holds them; null for a node without any. */
  maskOf(number: number): OwnMask | null {
    const bounds = this.boundsOf(number);
    const mask = bounds === null ? null : maskWithin(this.labels, number, bounds);
    if (mask === null) this.#boxes.delete(number);
    else this.#boxes.set(number, { start: mask.start, size: mask.size });
    return mask;
  }

  /** A node's voxels (0 and 1) in a box within the grid. */
  maskIn(number: number, box: IndexBox): Uint8Array {
    return voxelsIn(this.labels, number, box);
  }

  /** A node as it is to be stored. @throws InputError where there is no such node */
  stored(number: number): StoredNode {
    const node = this.node(number);
    const mask = this.maskOf(number);
    return { node, runs: mask === null ? new Int32Array(0) : runsOfMask(mask, this.labels.size) };
  }

  // Undo and redo

  /** What {@link undo} would undo; null for nothing. */
  get nextUndo(): StepKind | null {
    return this.#history.nextUndo;
  }

  /** What {@link redo} would do again; null for nothing. */
  get nextRedo(): StepKind | null {
    return this.#history.nextRedo;
  }

  /** Undoes the latest step. @returns false where there is none, or while a step is open */
  undo(): boolean {
    this.#requireWritable();
    if (this.#doing !== null) return false;
    const step = this.#history.takeDone();
    if (step === null) return false;
    this.#takeBack(step.changes);
    this.#showNodes(step.nodesBefore, step.changes);
    return true;
  }

  /** Does the step that was undone last again. @returns false where there is none, or while a step is open */
  redo(): boolean {
    this.#requireWritable();
    if (this.#doing !== null) return false;
    const step = this.#history.takeUndone();
    if (step === null) return false;
    for (const change of step.changes) redoChange(this.labels.data, change);
    this.#showNodes(step.nodesAfter, step.changes);
    return true;
  }

  /**
   * Opens a step to which all edits belong until it is ended.
   *
   * @throws Error where a step is open
   */
  begin(kind: StepKind): OpenStep {
    this.#requireWritable();
    if (this.#doing !== null) throw new Error("A step is open already.");
    let tellEnded = () => {};
    const ended = new Promise<void>((resolve) => {
      tellEnded = resolve;
    });
    const doing: Doing = { kind, changes: [], nodesBefore: this.#nodes, ended };
    this.#doing = doing;
    const takeBack = () => {
      const changes = doing.changes.splice(0);
      this.#takeBack(changes);
      this.#showNodes(doing.nodesBefore, changes);
    };
    const end = () => {
      if (this.#doing !== doing) return false;
      this.#doing = null;
      tellEnded();
      return true;
    };
    return {
      commit: () => {
        if (!end()) return;
        if (doing.changes.length === 0 && this.#nodes === doing.nodesBefore) return;
        this.#history.add({ ...doing, nodesAfter: this.#nodes });
        this.#emit(null, []);
      },
      restart: () => {
        if (this.#doing === doing) takeBack();
      },
      cancel: () => {
        if (end()) takeBack();
      },
    };
  }

  /**
   * Resolves when no step is open, such as a stroke that is being drawn, in the order in which it was asked. What arrives
   * by itself waits for this, so that it becomes no part of what a person is doing, and is not taken back with it.
   */
  async whenIdle(): Promise<void> {
    while (this.#doing !== null) await this.#doing.ended;
  }

  // Edits of nodes

  /**
   * Nobody changes voxels or axes that they do not see.
   *
   * @throws InputError where the node is locked or hidden
   */
  requireChangeable(number: number): void {
    this.#requireUnlocked(number);
    const { visible, name } = this.node(number);
    if (!visible) throw new InputError(`${name} is hidden; show it to change it.`);
  }

  /**
   * Adds a node with the voxels of a mask that no other node has.
   *
   * @param mask null for a node that is drawn later
   * @returns its number
   * @throws InputError where no voxel of the mask is free, or there are 255 nodes
   */
  addNode(mask: BoxedMask | null, fields: NodeFields = {}): number {
    return this.#edit("add", () => {
      const number = nextNumber(this.#nodes);
      if (number === null)
        throw new InputError(`There are ${mostNodes} nodes, the most that a study holds; delete some first.`);
      if (mask !== null && !this.#paint(mask, number, (present) => present === 0))
        throw new InputError("Every voxel there belongs to another node; delete or correct that node first.");
      this.#setNodes([...this.#nodes, newNode(number, fields)]);
      return number;
    });
  }

  /**
   * Gives a node the voxels of a mask in place of its own, as after a correcting click. Voxels of other nodes stay.
   *
   * @param fields what changes with the mask, such as probability and clicks
   * @throws InputError where the node is locked or hidden, or no voxel of the mask is free
   */
  replaceMask(number: number, mask: BoxedMask, fields: NodeFields = {}): void {
    this.#edit("correct", () => {
      this.requireChangeable(number);
      const held = crop(this.labels, mask.start, mask.size).data;
      if (!mask.data.some((value, at) => value !== 0 && (held[at] === 0 || held[at] === number)))
        throw new InputError("Every voxel there belongs to another node; delete or correct that node first.");
      const own = this.maskOf(number);
      if (own !== null) this.#paint(withoutMask(own, mask), 0, (present) => present === number);
      this.#paint(mask, number, (present) => present === 0);
      this.#setFields(number, fields);
    });
  }

  /**
   * Gives the voxels of a mask to a node.
   *
   * @param kind what a person did, for the words of undo
   * @throws InputError where the node is locked or hidden
   */
  paint(kind: StepKind, number: number, mask: BoxedMask, { overOthers = false }: PaintOptions = {}): void {
    this.#edit(kind, () => {
      this.requireChangeable(number);
      const protectedNumbers = this.#protected();
      this.#paint(mask, number, (present) => present === 0 || (overOthers && !protectedNumbers.has(present)));
    });
  }

  /**
   * Takes the voxels of a mask from a node.
   *
   * @param kind what a person did, for the words of undo
   * @throws InputError where the node is locked or hidden
   */
  erase(kind: StepKind, number: number, mask: BoxedMask, { overOthers = false }: PaintOptions = {}): void {
    this.#edit(kind, () => {
      this.requireChangeable(number);
      const protectedNumbers = this.#protected();
      this.#paint(mask, 0, (present) => present === number || (overOthers && !protectedNumbers.has(present)));
    });
  }

  /** @throws InputError where the node is locked, or the name is empty */
  rename(number: number, name: string): void {
    this.#edit("rename", () => {
      this.#requireUnlocked(number);
      const trimmed = name.trim();
      if (trimmed === "") throw new InputError("A node's name cannot be empty; give at least one character.");
      this.#setFields(number, { name: trimmed });
    });
  }

  /** @param colour as "#rrggbb" */
  setColour(number: number, colour: string): void {
    this.#edit("colour", () => {
      this.#requireUnlocked(number);
      if (!/^#[0-9a-f]{6}$/i.test(colour))
        throw new InputError(`${colour} is no colour; give it as # and six hexadecimal digits.`);
      this.#setFields(number, { colour });
    });
  }

  /** Shows or hides a node; a locked one too. */
  setVisible(number: number, visible: boolean): void {
    this.#edit("visibility", () => this.#setFields(number, { visible }));
  }

  /** Shows or hides all nodes, in one step. */
  setAllVisible(visible: boolean): void {
    this.#edit("visibility", () => {
      for (const { number } of this.#nodes) this.#setFields(number, { visible });
    });
  }

  setLocked(number: number, locked: boolean): void {
    this.#edit("lock", () => this.#setFields(number, { locked }));
  }

  /** @throws InputError where the node is locked */
  deleteNode(number: number): void {
    this.#edit("delete", () => {
      this.#requireUnlocked(number);
      const mask = this.maskOf(number);
      if (mask !== null) this.#paint(mask, 0, (present) => present === number);
      this.#setNodes(this.#nodes.filter((node) => node.number !== number));
    });
  }

  /**
   * Gives the voxels of several nodes to the first of them, whose name and colour stay.
   *
   * @param numbers at least two
   * @throws InputError where one of them is locked or hidden, or there are fewer than two
   */
  merge(numbers: readonly number[]): void {
    this.#edit("merge", () => {
      const [first, ...others] = [...new Set(numbers)];
      if (others.length === 0) throw new InputError("Merging needs at least two nodes; select another one.");
      for (const number of [first, ...others]) this.requireChangeable(number);
      const clicks = [first, ...others].flatMap((number) => this.node(number).clicks);
      for (const number of others) {
        const mask = this.maskOf(number);
        if (mask !== null) this.#paint(mask, first, (present) => present === number);
      }
      this.#setNodes(this.#nodes.filter(({ number }) => !others.includes(number)));
      // What was said of a part is not true of the whole.
      this.#setFields(first, {
        clicks,
        probability: null,
        disagreement: null,
        editedAxes: { long: null, short: null },
      });
    });
  }

  /**
   * Makes each connected component (26 neighbours) a node of its own; the largest keeps the number.
   *
   * @returns the numbers of the new nodes
   * @throws InputError where the node is locked, hidden or in one piece, or there would be more than 255 nodes
   */
  splitComponents(number: number): number[] {
    return this.#edit("split", () => {
      this.requireChangeable(number);
      const mask = this.maskOf(number);
      const components = mask === null ? null : labelComponents(mask.data, mask.size, 26);
      if (mask === null || components === null || components.count < 2)
        throw new InputError(`Node ${number} is in one piece; cut it by a line to split it.`);
      const { labels, sizes } = components;
      const largest = sizes.indexOf(Math.max(...sizes)) + 1;
      const others = sizes.map((_, index) => index + 1).filter((component) => component !== largest);
      return others.map((other) => {
        const data = maskWhere(labels, (component) => component === other);
        return this.#splitOff(number, { ...mask, data });
      });
    });
  }

  /**
   * Makes the part of a node beyond a plane a node of its own.
   *
   * @param pointMm on the plane, LPS
   * @param normal of the plane, LPS; need not have length 1
   * @returns the number of the new node
   * @throws InputError where the node is locked or hidden, the plane does not cut it, or there are 255 nodes
   */
  splitByPlane(number: number, pointMm: Vector3, normal: Vector3): number {
    return this.#edit("split", () => {
      this.requireChangeable(number);
      const mask = this.maskOf(number);
      const beyond = mask === null ? null : voxelsBeyondPlane(this.scan, mask, pointMm, normal);
      const voxels = (data: Uint8Array | undefined) => data?.reduce((sum, value) => sum + value, 0) ?? 0;
      if (beyond === null || voxels(beyond.data) === 0 || voxels(beyond.data) === voxels(mask?.data))
        throw new InputError(`The line does not cut node ${number}; draw it across the node.`);
      return this.#splitOff(number, beyond);
    });
  }

  /**
   * Sets an axis by its ends. It counts as edited from then on.
   *
   * @param ends LPS mm
   * @throws InputError where the node is locked or hidden
   */
  setAxis(number: number, axis: "long" | "short", ends: AxisEnds): void {
    this.#edit("axis", () => {
      this.requireChangeable(number);
      this.#setFields(number, { editedAxes: { ...this.node(number).editedAxes, [axis]: ends } });
    });
  }

  /** Gives a node its measured axes back. @throws InputError where the node is locked or hidden */
  resetAxes(number: number): void {
    this.#edit("axis", () => {
      this.requireChangeable(number);
      this.#setFields(number, { editedAxes: { long: null, short: null } });
    });
  }

  /**
   * Puts stored nodes in place of all that is there, without a step of undo.
   *
   * @throws RangeError where a run leaves the scan
   */
  restore(stored: readonly StoredNode[]): void {
    const { data, size } = this.labels;
    const gone = this.#nodes.map(({ number }) => number);
    this.#doing = null;
    this.#history.clear();
    // Only where nodes were: to write all of a large scan takes longer than a frame.
    for (const box of this.#boxes.values())
      for (const [from, to] of rowsOf(box, size)) data.fill(0, from, to);
    this.#boxes.clear();
    for (const { node, runs } of stored) {
      for (let at = 0; at < runs.length; at += 2) {
        if (runs[at] < 0 || runs[at + 1] > data.length)
          throw new RangeError(`A stored run of node ${node.number} leaves the scan.`);
        data.fill(node.number, runs[at], runs[at + 1]);
      }
      const box = boxOfRuns(runs, size);
      if (box !== null) this.#boxes.set(node.number, box);
    }
    // What an earlier version did not store has its default.
    this.#nodes = stored.map(({ node }) => newNode(node.number, node)).sort((a, b) => a.number - b.number);
    this.#emit({ start: [0, 0, 0], size }, [...gone, ...this.#nodes.map(({ number }) => number)]);
  }

  // Private parts

  /** Runs an edit as a step of its own, or as a part of the open step. What it changed before it threw is taken back. */
  #edit<T>(kind: StepKind, work: () => T): T {
    this.#requireWritable();
    if (this.#doing !== null) return work();
    const step = this.begin(kind);
    try {
      const result = work();
      step.commit();
      return result;
    } catch (error) {
      step.cancel();
      throw error;
    }
  }

  #requireWritable(): void {
    if (this.#readOnlyReason !== null) throw new InputError(this.#readOnlyReason);
  }

  #requireUnlocked(number: number): void {
    const { locked, name } = this.node(number);
    if (locked) throw new InputError(`${name} is locked; unlock it to change it.`);
  }

  /** Nodes whose voxels no edit of another node takes. */
  #protected(): ReadonlySet<number> {
    return new Set(this.#nodes.filter((node) => node.locked || !node.visible).map(({ number }) => number));
  }

  /** @returns whether any voxel changed */
  #paint(mask: BoxedMask, value: number, mayReplace: (present: number) => boolean): boolean {
    const change = paintMask(this.labels, mask, value, mayReplace);
    if (change === null) return false;
    this.#doing?.changes.push(change);
    this.#noteVoxels([change]);
    this.#emit(change.box, change.numbers);
    return true;
  }

  #splitOff(number: number, part: BoxedMask): number {
    const { name } = this.node(number);
    const added = this.addNode(null, { origin: "split", name: this.#freeName(name) });
    this.#paint(part, added, (present) => present === number);
    this.#setFields(number, { editedAxes: { long: null, short: null } });
    return added;
  }

  /** "Node 1 b", "Node 1 c", …: a name that no node has. */
  #freeName(name: string): string {
    const names = new Set(this.#nodes.map((node) => node.name));
    const letter = (n: number) => (n < 26 ? String.fromCharCode(97 + n) : String(n));
    let n = 1;
    while (names.has(`${name} ${letter(n)}`)) n++;
    return `${name} ${letter(n)}`;
  }

  #setFields(number: number, fields: NodeFields): void {
    const node = this.node(number);
    const entries = Object.entries(fields) as [keyof NodeFields, unknown][];
    if (entries.every(([field, value]) => node[field] === value)) return;
    this.#setNodes(this.#nodes.map((other) => (other === node ? { ...node, ...fields, number } : other)));
  }

  #setNodes(nodes: readonly StudyNode[]): void {
    const sorted = [...nodes].sort((a, b) => a.number - b.number);
    const changed = changedNodes(this.#nodes, sorted);
    this.#nodes = sorted;
    this.#emit(null, changed);
  }

  #takeBack(changes: readonly LabelChange[]): void {
    for (const change of [...changes].reverse()) undoChange(this.labels.data, change);
  }

  /** Takes a list of nodes back from the history, and tells what changed with it. */
  #showNodes(nodes: readonly StudyNode[], changes: readonly LabelChange[]): void {
    const changed = changedNodes(this.#nodes, nodes);
    this.#nodes = nodes;
    this.#noteVoxels(changes);
    const box = changes.reduce<IndexBox | null>(
      (around, change) => (around === null ? change.box : boxAround(around, change.box)),
      null,
    );
    this.#emit(box, [...changed, ...changes.flatMap(({ numbers }) => numbers)]);
  }

  /** Grows the boxes of nodes whose voxels changed. */
  #noteVoxels(changes: readonly LabelChange[]): void {
    for (const { box, numbers } of changes) {
      for (const number of numbers) {
        const known = this.#boxes.get(number);
        this.#boxes.set(number, known === undefined ? box : boxAround(known, box));
      }
    }
  }

  #emit(box: IndexBox | null, numbers: Iterable<number>): void {
    const change = { box, numbers: new Set(numbers) };
    for (const listener of this.#listeners) listener(change);
  }
}

/** The voxels of a mask that another mask does not have. */
function withoutMask(mask: BoxedMask, other: BoxedMask): BoxedMask {
  const data = mask.data.slice();
  for (let k = 0, at = 0; k < mask.size[2]; k++) {
    for (let j = 0; j < mask.size[1]; j++) {
      for (let i = 0; i < mask.size[0]; i++, at++) {
        const [a, b, c] = vector((axis) => [i, j, k][axis] + mask.start[axis] - other.start[axis]);
        if (a < 0 || b < 0 || c < 0 || a >= other.size[0] || b >= other.size[1] || c >= other.size[2])
          continue;
        if (other.data[a + other.size[0] * (b + other.size[1] * c)] !== 0) data[at] = 0;
      }
    }
  }
  return { ...mask, data };
}

function changedNodes(before: readonly StudyNode[], after: readonly StudyNode[]): number[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [...before.filter((node) => !now.has(node)), ...after.filter((node) => !old.has(node))].map(
    ({ number }) => number,
  );
}

/** Offsets in the grid of the first voxel of each row of a box, and of the one after its last. */
function* rowsOf({ start, size }: IndexBox, [width, height]: Vector3): Generator<readonly [number, number]> {
  for (let k = start[2]; k < start[2] + size[2]; k++) {
    for (let j = start[1]; j < start[1] + size[1]; j++) {
      const from = start[0] + width * (j + height * k);
      yield [from, from + size[0]];
    }
  }
}

function boxOfRuns(runs: Int32Array, [width, height]: Vector3): IndexBox | null {
  if (runs.length === 0) return null;
  const low = [Infinity, Infinity, Infinity];
  const high = [-1, -1, -1];
  for (let at = 0; at < runs.length; at++) {
    const voxel = at % 2 === 0 ? runs[at] : runs[at] - 1;
    const row = Math.floor(voxel / width);
    for (const [axis, index] of [voxel - row * width, row % height, Math.floor(row / height)].entries()) {
      low[axis] = Math.min(low[axis], index);
      high[axis] = Math.max(high[axis], index);
    }
  }
  return { start: vector((axis) => low[axis]), size: vector((axis) => high[axis] - low[axis] + 1) };
}
