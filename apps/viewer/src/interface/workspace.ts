// A scan that is open, with the work on it: what all parts of the page share.
import { pointOfIndex } from "@lnsnet/core/volume";
import { effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { paintOf } from "../display/label-paint.js";
import type { OpenedScan } from "../engine/answers.js";
import type { OpenStudy } from "../storage/keep-study.js";
import { LiveMeasures } from "../study/live-measures.js";
import type { StudyNode } from "../study/nodes.js";
import type { Study } from "../study/study.js";
import { centreOn, createView, type View } from "./view.js";

export interface Workspace {
  readonly opened: OpenedScan;
  /** Of no person. */
  readonly isPhantom: boolean;
  readonly view: View;
  /** The study with what keeps it in this browser. */
  readonly kept: OpenStudy;
  /** Grows when there is something else to say of keeping. */
  readonly keptChanges: ReadonlySignal<number>;
  readonly study: Study;
  readonly measures: LiveMeasures;
  /** The nodes now, by number. */
  readonly nodes: ReadonlySignal<readonly StudyNode[]>;
  /** The number of the node that edits and clicks belong to; null for none. */
  readonly selected: Signal<number | null>;
  /** Grows with every change of the study or of a measure; read it to be drawn anew. */
  readonly changes: ReadonlySignal<number>;
  /** How strongly nodes are filled, from 0 to 1. */
  readonly fillOpacity: Signal<number>;
  /** Saves the rest, and ends what follows the study. */
  readonly close: () => Promise<void>;
}

/** Shows a study. Nodes are painted as they change. */
export function createWorkspace(
  opened: OpenedScan,
  isPhantom: boolean,
  kept: OpenStudy,
  keptChanges: ReadonlySignal<number>,
  tellError: (error: unknown) => void,
): Workspace {
  const { study } = kept;
  const view = createView(opened.volume);
  const measures = new LiveMeasures(study, kept.reader.measure);
  const nodes = signal(study.nodes);
  const selected = signal<number | null>(null);
  const changes = signal(0);
  const fillOpacity = signal(0.25);
  const stopStudy = study.subscribe(() => {
    nodes.value = study.nodes;
    changes.value++;
    const { value } = selected;
    if (value !== null && !study.nodes.some(({ number }) => number === value)) selected.value = null;
  });
  const stopMeasures = measures.subscribe(() => {
    changes.value++;
    if (measures.failure !== null) tellError(measures.failure);
  });
  const stopPainting = effect(() => {
    changes.value;
    view.overlay.value = {
      labels: study.labels,
      paint: paintOf(nodes.value, selected.value ?? 0, fillOpacity.value),
    };
  });
  return {
    opened,
    isPhantom,
    view,
    kept,
    keptChanges,
    study,
    measures,
    nodes,
    selected,
    changes,
    fillOpacity,
    async close() {
      stopStudy();
      stopMeasures();
      stopPainting();
      measures.close();
      await kept.close();
    },
  };
}

/** Selects a node and shows it in all planes. */
export function jumpTo({ view, study, selected }: Workspace, number: number): void {
  selected.value = number;
  const box = study.boxOf(number);
  if (box === null) return;
  const [i, j, k] = [0, 1, 2].map((axis) => box.start[axis] + (box.size[axis] - 1) / 2);
  centreOn(view, pointOfIndex(study.scan, [i, j, k]));
}
