// A second date beside the first: aligned by bones, its nodes matched with those of the first, its planes linked. Either of
// the two is the open scan, whose nodes can be changed.
import { InputError } from "@lnsnet/core";
import type { FollowUp } from "@lnsnet/core/metrics";
import {
  crop,
  inverted,
  movedGeometry,
  paste,
  type RigidTransform,
  transformed,
  type Vector3,
  type Volume,
} from "@lnsnet/core/volume";
import { signal } from "@preact/signals";
import { type PaintedLabel, paintOf } from "../../display/label-paint.js";
import type { EngineJob, FoundScan, NodeAnswer, OpenedScan } from "../../engine/answers.js";
import type { Engine } from "../../engine/engine.js";
import type { ExportedNode } from "../../engine/exporting.js";
import { keptNodesOf } from "../../keeping.js";
import { LiveMeasures } from "../../study/live-measures.js";
import { startNodeReader } from "../../study/node-reader.js";
import { type AxisEnds, mostNodes, type StudyNode } from "../../study/nodes.js";
import { createStudy } from "../../study/study.js";
import { exportedNodes } from "../exported-nodes.js";
import { modelFor } from "../segmenting/segmenter.js";
import { nodes as nodeTexts } from "../texts.js";
import { linkedView, type View } from "../view.js";
import type { Workspace } from "../workspace.js";

/** A node of the scan beside as it is drawn, in the space of the open scan. */
interface BesideNode extends PaintedLabel {
  readonly longAxis: AxisEnds;
  readonly shortAxis: AxisEnds;
}

/** A row of the comparison: a node at both dates, or at one. */
interface ComparedNode {
  readonly name: string;
  readonly colour: string;
  readonly found: FollowUp["nodes"][number];
  /** Its number in the open scan; null where it is not there. */
  readonly openNumber: number | null;
  /** Where it is, in the space of the open scan, LPS mm. */
  readonly pointMm: Vector3;
}

/** A node of a date with its name and colour. */
type DatedNode = ExportedNode & Pick<StudyNode, "colour">;

/** The nodes of a scan. */
export interface ScanNodes {
  readonly labels: Volume<Uint8Array>;
  readonly nodes: readonly DatedNode[];
  /** Whether a person kept them, in place of a model that found them. */
  readonly areKept: boolean;
}

/** The scan that stands beside the open one. */
export interface ScanBeside {
  readonly opened: Omit<OpenedScan, "scan">;
  readonly nodes: ScanNodes;
  /** Whether it is the first date, because the second one is open to be corrected. */
  readonly isFirst: boolean;
  /** Takes points of the open scan to the same tissue in this one. */
  readonly toBeside: RigidTransform;
  /** How well the bones of both dates agree, −1 … 1. */
  readonly correlation: number;
}

/** Two dates side by side: the open scan, and the one beside it. */
export interface SecondDate extends ScanBeside {
  /** The view of the open scan. */
  readonly openView: View;
  /** What each date is called: the day, or the name of the scan. */
  readonly dates: { readonly first: string; readonly second: string };
  /** The planes of the scan beside as they lie in the open one, linked with those. */
  readonly view: View;
  readonly drawn: readonly BesideNode[];
  readonly rows: readonly ComparedNode[];
  readonly sums: Pick<FollowUp, "sumOfShortAxesMm" | "sumOfVolumesMl">;
  /** The open scan's `changes` that the comparison holds for. */
  readonly changes: number;
}

/** The date that stands beside the open scan; null while there is none. */
export const secondDate = signal<SecondDate | null>(null);

/**
 * Opens a scan of the latest list as the second date of a study.
 *
 * @throws InputError where it cannot be read, or its bones do not fit; the signal's reason
 */
export async function openSecondDate(
  engine: Engine,
  workspace: Workspace,
  { id, refusal }: FoundScan,
  job: EngineJob,
): Promise<SecondDate> {
  if (refusal !== null) throw new InputError(refusal);
  await workspace.kept.known;
  const opened = await engine.read({ id }, job);
  try {
    const alignment = await engine.align({ first: workspace.opened.scan, second: opened.scan }, job);
    if (alignment.found === "none") throw new InputError(alignment.reason);
    const nodes = await nodesOf(engine, opened, job);
    const { toSecond, correlation } = alignment;
    return await compared(engine, workspace, {
      opened,
      nodes,
      isFirst: false,
      toBeside: toSecond,
      correlation,
    });
  } finally {
    await engine.closeScan({ scan: opened.scan });
  }
}

/** The nodes that this browser keeps of a scan; where it keeps none, those that the model finds. */
async function nodesOf(engine: Engine, opened: OpenedScan, job: EngineJob): Promise<ScanNodes> {
  const stored = await keptNodesOf(opened.volume);
  if (stored.length > 0) {
    const study = createStudy(opened.volume, stored);
    const reader = startNodeReader(study);
    const measures = new LiveMeasures(study, reader.measure);
    try {
      const kept = await studyNodes({ study, measures });
      if (kept.nodes.length > 0) return kept;
    } finally {
      measures.close();
      reader.end();
    }
  }
  const { model } = await modelFor("finder");
  const { nodes } = await engine.findAll({ scan: opened.scan, model }, job);
  // Numbers go from the largest node to the smallest, and a byte holds no more of them.
  const held = nodes.filter(({ node }) => node.id <= mostNodes);
  return {
    labels: labelsOf(opened.volume, held),
    nodes: held.map(({ node }) => ({ ...node, name: nodeTexts.newOne(node.id), colour: newColour })),
    areKept: false,
  };
}

/** The nodes of a study as they are now. @throws what measuring threw */
export async function studyNodes(from: Pick<Workspace, "study" | "measures">): Promise<ScanNodes> {
  const { instances, nodes } = await exportedNodes(from);
  const colourOf = new Map(from.study.nodes.map(({ number, colour }) => [number, colour]));
  return {
    labels: instances,
    nodes: nodes.map((node) => ({ ...node, colour: colourOf.get(node.id) ?? newColour })),
    areKept: true,
  };
}

/** Compares the nodes of the open scan as they are now with those of the scan beside. */
export async function compared(
  engine: Engine,
  workspace: Workspace,
  beside: ScanBeside,
): Promise<SecondDate> {
  const { opened, nodes, isFirst, toBeside } = beside;
  const open = await studyNodes(workspace);
  const changes = workspace.changes.peek();
  const [first, second] = isFirst ? [nodes, open] : [open, nodes];
  const back = inverted(toBeside);
  const { nodes: followed, ...sums } = await engine.compare({
    first: { labels: first.labels, nodes: first.nodes },
    second: { labels: second.labels, nodes: second.nodes },
    toSecond: isFirst ? back : toBeside,
  });
  const inOpen = (pointMm: Vector3) => transformed(back, pointMm);
  const rows = followed.map((found): ComparedNode => {
    const own = first.nodes.find(({ id }) => id === found.first?.id);
    // The comparison tells all places in the first date.
    const pointMm = (found.first ?? found.second)?.centroidLpsMm ?? workspace.view.point.value;
    return {
      name: own?.name ?? nodeTexts.newOne(found.second?.id ?? 0),
      colour: own?.colour ?? newColour,
      found,
      openNumber: (isFirst ? found.second?.id : found.first?.id) ?? null,
      pointMm: isFirst ? inOpen(pointMm) : pointMm,
    };
  });
  const besideId = ({ found }: ComparedNode) => (isFirst ? found.first?.id : found.second?.id);
  const colourOf = new Map(rows.map((row) => [besideId(row), row.colour]));
  const drawn = nodes.nodes.map((node) => ({
    number: node.id,
    visible: true,
    colour: colourOf.get(node.id) ?? newColour,
    longAxis: [inOpen(node.longAxisEndsLpsMm[0]), inOpen(node.longAxisEndsLpsMm[1])] as const,
    shortAxis: [inOpen(node.shortAxisEndsLpsMm[0]), inOpen(node.shortAxisEndsLpsMm[1])] as const,
  }));
  const called = (scan: ScanBeside["opened"]) => dateOf(scan) ?? scan.name;
  const moved = <Grid extends Volume>(grid: Grid) => movedGeometry(grid, back);
  return {
    ...beside,
    openView: workspace.view,
    dates: isFirst
      ? { first: called(opened), second: called(workspace.opened) }
      : { first: called(workspace.opened), second: called(opened) },
    view: linkedView(workspace.view, moved(opened.volume), {
      labels: moved(nodes.labels),
      paint: paintOf(drawn, 0, workspace.fillOpacity.value),
    }),
    drawn,
    rows,
    sums,
    changes,
  };
}

/** Of nodes that the first date does not have. */
const newColour = "#ff7ad9";

/** When a scan was made, as YYYY-MM-DD; null where it does not say. */
function dateOf({ source }: Pick<OpenedScan, "source">): string | null {
  const digits = /^(\d{4})(\d{2})(\d{2})$/.exec(source?.study.studyDate ?? "");
  return digits === null ? null : digits.slice(1).join("-");
}

/** The number of the node in each voxel of a scan. */
function labelsOf(
  { size, spacingMm, originMm, direction }: Volume,
  nodes: readonly NodeAnswer[],
): Volume<Uint8Array> {
  const labels = { size, spacingMm, originMm, direction, data: new Uint8Array(size[0] * size[1] * size[2]) };
  for (const { mask, start, node } of nodes) {
    const held = crop(labels, start, mask.size);
    paste(
      { ...held, data: held.data.map((value, at) => (mask.data[at] === 1 ? node.id : value)) },
      start,
      labels,
    );
  }
  return labels;
}
