// Of two dates side by side the other one becomes the open scan, so that its nodes can be corrected; and back.
import { crop, inverted, maskWhere, transformed } from "@lnsnet/core/volume";
import type { Engine } from "../../engine/engine.js";
import { show } from "../../opening.js";
import { openScan } from "../session.js";
import { goTo } from "../view.js";
import type { Workspace } from "../workspace.js";
import { compared, type SecondDate, secondDate, studyNodes } from "./second-date.js";

/**
 * Opens the date that stands beside as the study of its own that it is, with the open one beside it: the same pair, the
 * other way round. Nodes that the model found become nodes of that study, called as those of the first date that they
 * were matched with.
 *
 * @throws InputError where another tab has the study
 */
export async function swapDates(engine: Engine, workspace: Workspace, pair: SecondDate): Promise<void> {
  const nodes = await studyNodes(workspace);
  const { name, volume, source } = pair.opened;
  const adopted = await engine.adopt({ name, volume, source });
  await show(engine, { ...adopted, problems: [] }, workspace.isPhantom);
  const open = openScan.value;
  if (open?.opened.scan !== adopted.scan) return;
  goTo(open.view, transformed(pair.toBeside, workspace.view.point.peek()));
  open.view.window.value = workspace.view.window.peek();
  if (!pair.nodes.areKept && open.study.nodes.length === 0) addFound(open, pair);
  secondDate.value = await compared(engine, open, {
    opened: workspace.opened,
    nodes,
    isFirst: !pair.isFirst,
    toBeside: inverted(pair.toBeside),
    correlation: pair.correlation,
  });
}

/** Puts the nodes that the model found in the scan beside into its study, in one step of undo. */
function addFound({ study }: Workspace, { rows, nodes: { labels, nodes } }: SecondDate): void {
  const step = study.begin("add");
  try {
    for (const { id, boundingBoxIndex, meanProbability, ensembleDisagreement } of nodes) {
      const row = rows.find(({ found }) => found.second?.id === id);
      const { start, size } = boundingBoxIndex;
      const data = maskWhere(crop(labels, start, size).data, (number) => number === id);
      const named = row === undefined ? {} : { name: row.name, colour: row.colour };
      study.addNode(
        { start, size, data },
        {
          ...named,
          origin: "found",
          probability: meanProbability ?? null,
          disagreement: ensembleDisagreement ?? null,
        },
      );
    }
  } finally {
    step.commit();
  }
}
