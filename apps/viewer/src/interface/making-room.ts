// While a person draws or goes through the slices, searches and learning rest, so that the planes follow the pointer.
import { signal } from "@preact/signals";
import { theEngine } from "./segmenting/segmenter.js";
import { tellError, works } from "./session.js";

/** Whether what takes long rests now. */
export const isResting = signal(false);

let untilMs = Number.NEGATIVE_INFINITY;
let waking: ReturnType<typeof setTimeout> | undefined;

/** Called whenever the brush moves, also before it presses. Between two strokes a second may pass. */
export const makeRoomToDraw = (): void => rest(1000);

/** Called whenever a plane shows something else. */
export const makeRoomToLook = (): void => rest(500);

function rest(milliseconds: number): void {
  const wantedMs = performance.now() + milliseconds;
  // The engine is told again when a third of the time has gone.
  if (works.peek().length === 0 || wantedMs - untilMs < milliseconds / 3) return;
  untilMs = wantedMs;
  isResting.value = true;
  clearTimeout(waking);
  waking = setTimeout(() => {
    isResting.value = false;
  }, milliseconds);
  theEngine().rest({ milliseconds }).catch(tellError);
}
