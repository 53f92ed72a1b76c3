// While the brush moves, what takes long rests, so that strokes follow the pointer.
import { signal } from "@preact/signals";
import { theEngine } from "../segmenting/segmenter.js";
import { tellError, work } from "../session.js";

/** How long it rests after the brush moved last. */
const restMs = 1000;
/** The engine is told again after so long. */
const repeatMs = 300;

/** Whether what takes long rests now. */
export const isResting = signal(false);

let toldMs = Number.NEGATIVE_INFINITY;
let waking: ReturnType<typeof setTimeout> | undefined;

/** Called whenever the brush moves, also before it presses. */
export function makeRoomToDraw(): void {
  const nowMs = performance.now();
  if (work.value === null || nowMs - toldMs < repeatMs) return;
  toldMs = nowMs;
  isResting.value = true;
  clearTimeout(waking);
  waking = setTimeout(() => {
    isResting.value = false;
  }, restMs);
  theEngine().rest({ milliseconds: restMs }).catch(tellError);
}
