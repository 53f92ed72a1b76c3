// Keeps what the 3D view shows that of the study. No surface is made while a stroke is drawn.
import { boneOf } from "../display/scene.js";
import type { SceneDrawing } from "../display/scene-drawing.js";
import { tellError } from "./session.js";
import type { Workspace } from "./workspace.js";

/** How long nothing has to change before surfaces are made, ms: longer than a person pauses between two strokes. */
const restMs = 700;

/**
 * Puts bone and nodes into a 3D picture, and nodes again whenever their voxels change.
 *
 * @param boneVoxels along the longest axis of the bone's grid
 * @returns ends it
 */
export function followStudy(
  drawing: SceneDrawing,
  { study, opened, kept }: Workspace,
  boneVoxels: number,
): () => void {
  const stale = new Set(study.nodes.map(({ number }) => number));
  let isOver = false;
  let waiting: ReturnType<typeof setTimeout> | undefined;

  const makeNodes = async () => {
    for (const number of stale) {
      if (isOver) return;
      stale.delete(number);
      const mask = await kept.reader.mask(number);
      await drawing.setNode(number, mask === null ? null : { ...mask, grid: study.scan });
    }
  };
  // The planes come first.
  let making = new Promise((resolve) => setTimeout(resolve))
    .then(() => drawing.setBone(boneOf(opened.volume, boneVoxels)))
    .then(makeNodes)
    .catch(tellError);
  const stop = study.subscribe(({ box, numbers }) => {
    if (box === null) return;
    for (const number of numbers) stale.add(number);
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      making = making.then(makeNodes).catch(tellError);
    }, restMs);
  });
  return () => {
    isOver = true;
    clearTimeout(waiting);
    stop();
  };
}
