// For what may be needed next, and should not hold up what a person does now.
import { works } from "./session.js";

const inputs = ["pointermove", "pointerdown", "wheel", "keydown"];

/**
 * Does something once, when a person has done nothing for so long and nothing is under way.
 *
 * @returns gives it up
 */
export function whenQuiet(milliseconds: number, act: () => void): () => void {
  const over = new AbortController();
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const wait = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (works.peek().length > 0) return wait();
      over.abort();
      act();
    }, milliseconds);
  };
  for (const type of inputs)
    addEventListener(type, wait, { capture: true, passive: true, signal: over.signal });
  wait();
  return () => {
    clearTimeout(waiting);
    over.abort();
  };
}
