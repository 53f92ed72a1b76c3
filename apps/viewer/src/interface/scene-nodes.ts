// Keeps what the 3D view shows that of the study. Surfaces are made in a worker, and none while a stroke is drawn.
import { boneOf, type Scene } from "../display/scene.js";
import { startSurfacing } from "../display/surfacing.js";
import { tellError } from "./session.js";
import type { Workspace } from "./workspace.js";

/** How long nothing has to change before surfaces are made, ms. */
const restMs = 250;

/**
 * Puts bone and nodes into a scene, and nodes again whenever their voxels change.
 *
 * @param onChange called when there is something new to draw
 * @returns ends it
 */
export function followStudy(scene: Scene, { study, opened }: Workspace, onChange: () => void): () => void {
  const surfacing = startSurfacing();
  const stale = new Set(study.nodes.map(({ number }) => number));
  let isOver = false;
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let making = Promise.resolve();

  const makeNodes = async () => {
    for (const number of stale) {
      stale.delete(number);
      const mask = study.maskOf(number);
      const data = mask === null ? null : Uint8Array.from(mask.data);
      const body =
        mask === null || data === null ? null : await surfacing.bodyOf({ ...mask, data, grid: study.scan });
      if (isOver) return;
      scene.setNode(number, body);
      onChange();
    }
  };
  const makeAtRest = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      making = making.then(makeNodes).catch(tellError);
    }, restMs);
  };
  const stop = study.subscribe(({ box, numbers }) => {
    if (box === null) return;
    for (const number of numbers) stale.add(number);
    makeAtRest();
  });
  // The planes come first.
  making = new Promise((resolve) => setTimeout(resolve))
    .then(() => surfacing.bodyOf(boneOf(opened.volume, scene.isSlow ? 40 : 72)))
    .then((bone) => {
      if (isOver) return;
      scene.setBone(bone);
      onChange();
    })
    .then(makeNodes)
    .catch(tellError);
  return () => {
    isOver = true;
    clearTimeout(waiting);
    stop();
    surfacing.end();
  };
}
