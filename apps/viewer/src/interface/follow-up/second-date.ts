// A second date beside the first: aligned by bones, its nodes matched with those of the first, its planes linked.
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
import { startMeasuring } from "../../study/measuring.js";
import { type AxisEnds, mostNodes } from "../../study/nodes.js";
import { createStudy } from "../../study/study.js";
import { exportedNodes } from "../exported-nodes.js";
import { modelFor } from "../segmenting/segmenter.js";
import { nodes as nodeTexts } from "../texts.js";
import { linkedView, type View } from "../view.js";
import type { Workspace } from "../workspace.js";

/** A node of the second date as it is drawn beside the first, in the first date's space. */
interface SecondNode extends PaintedLabel {
  readonly longAxis: AxisEnds;
  readonly shortAxis: AxisEnds;
}

/** A row of the comparison: a node at both dates, or at one. */
interface ComparedNode {
  readonly name: string;
  readonly colour: string;
  readonly found: FollowUp["nodes"][number];
  /** Where it is, in the first date's space, LPS mm. */
  readonly pointMm: Vector3;
}

export interface SecondDate {
  /** The view of the first date. */
  readonly first: View;
  readonly name: string;
  /** As YYYY-MM-DD; null where the scan does not state it. */
  readonly date: string | null;
  /** How well the bones of both dates agree, −1 … 1. */
  readonly correlation: number;
  /** Whether its nodes are those that a person kept of it, in place of found ones. */
  readonly areKept: boolean;
  /** Its planes as they lie in the first date, linked with those. */
  readonly view: View;
  readonly nodes: readonly SecondNode[];
  readonly rows: readonly ComparedNode[];
  readonly sums: Pick<FollowUp, "sumOfShortAxesMm" | "sumOfVolumesMl">;
  /** Compares again, with the first date's nodes as they are now. */
  readonly compareAgain: () => Promise<SecondDate>;
}

/** The date that stands beside the open scan; null while there is none. */
export const secondDate = signal<SecondDate | null>(null);

/** The nodes of a scan. */
interface ScanNodes {
  readonly labels: Volume<Uint8Array>;
  readonly nodes: readonly Omit<ExportedNode, "name">[];
  readonly areKept: boolean;
}

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
  const opened = await engine.read({ id }, job);
  try {
    const alignment = await engine.align({ first: workspace.opened.scan, second: opened.scan }, job);
    if (alignment.found === "none") throw new InputError(alignment.reason);
    const found = await nodesOf(engine, opened, job);
    return await compared(engine, workspace, opened, found, alignment);
  } finally {
    await engine.closeScan({ scan: opened.scan });
  }
}

/** The nodes that this browser keeps of a scan; where it keeps none, those that the model finds. */
async function nodesOf(engine: Engine, opened: OpenedScan, job: EngineJob): Promise<ScanNodes> {
  const stored = await keptNodesOf(opened.volume);
  if (stored.length > 0) {
    const study = createStudy(opened.volume, stored);
    const measuring = startMeasuring(opened.volume);
    const measures = new LiveMeasures(study, measuring.measure);
    try {
      const { instances, nodes } = await exportedNodes({ study, measures });
      if (nodes.length > 0) return { labels: instances, nodes, areKept: true };
    } finally {
      measures.close();
      measuring.end();
    }
  }
  const { model } = await modelFor("finder");
  const { nodes } = await engine.findAll({ scan: opened.scan, model }, job);
  // Numbers go from the largest node to the smallest, and a byte holds no more of them.
  const held = nodes.filter(({ node }) => node.id <= mostNodes);
  return { labels: labelsOf(opened.volume, held), nodes: held.map(({ node }) => node), areKept: false };
}

async function compared(
  engine: Engine,
  workspace: Workspace,
  opened: OpenedScan,
  second: ScanNodes,
  alignment: { readonly toSecond: RigidTransform; readonly correlation: number },
): Promise<SecondDate> {
  const first = await exportedNodes(workspace);
  const { toSecond, correlation } = alignment;
  const { nodes, ...sums } = await engine.compare({
    first: { labels: first.instances, nodes: first.nodes },
    second: { labels: second.labels, nodes: second.nodes },
    toSecond,
  });
  const back = inverted(toSecond);
  const rows = nodes.map((found): ComparedNode => {
    const own = workspace.study.nodes.find(({ number }) => number === found.first?.id);
    return {
      name: own?.name ?? nodeTexts.newOne(found.second?.id ?? 0),
      colour: own?.colour ?? newColour,
      found,
      // Of a node of the second date alone, the comparison tells the place in the first date.
      pointMm: found.first?.centroidLpsMm ?? found.second?.centroidLpsMm ?? workspace.view.point.value,
    };
  });
  const colourOf = new Map(rows.map(({ found, colour }) => [found.second?.id, colour]));
  const inFirst = (ends: AxisEnds): AxisEnds => [transformed(back, ends[0]), transformed(back, ends[1])];
  const drawn = second.nodes.map((node) => ({
    number: node.id,
    visible: true,
    colour: colourOf.get(node.id) ?? newColour,
    longAxis: inFirst(node.longAxisEndsLpsMm),
    shortAxis: inFirst(node.shortAxisEndsLpsMm),
  }));
  const moved = <Grid extends Volume>(grid: Grid) => movedGeometry(grid, back);
  return {
    first: workspace.view,
    name: opened.name,
    date: dateOf(opened),
    correlation,
    areKept: second.areKept,
    view: linkedView(workspace.view, moved(opened.volume), {
      labels: moved(second.labels),
      paint: paintOf(drawn, 0, workspace.fillOpacity.value),
    }),
    nodes: drawn,
    rows,
    sums,
    compareAgain: () => compared(engine, workspace, opened, second, alignment),
  };
}

/** Of nodes that the first date does not have. */
const newColour = "#ff7ad9";

/** When a scan was made, as YYYY-MM-DD; null where it does not say. */
export function dateOf({ source }: Pick<OpenedScan, "source">): string | null {
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
