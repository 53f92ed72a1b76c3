// Which solids of a phantom are drawn as organs: structures of soft tissue whose border can be seen.
import type { Solid, Tissue } from "./shapes.js";

/** One organ, though painted as several solids. */
const single: ReadonlySet<Tissue> = new Set<Tissue>(["spinal canal", "thyroid"]);
/** An organ for each solid. Muscles are none: they touch each other, and nobody could see where one ends. */
const several: ReadonlySet<Tissue> = new Set<Tissue>(["carotid artery", "gland", "jugular vein"]);

/** Drawn organs of real scans count from 1: in a joined data set no number means both. */
export const FIRST_ORGAN = 101;

/**
 * Which organ each solid is, from 1 in the order of painting; 0 for what is none: bone, air, muscle and thin vessels.
 *
 * @throws RangeError for organs that do not fit in a byte
 */
export function organNumbers(solids: readonly Solid[]): number[] {
  const known = new Map<Tissue, number>();
  let organs = 0;
  const numbers = solids.map(({ appearance: { tissue } }) => {
    if (several.has(tissue)) return ++organs;
    if (!single.has(tissue)) return 0;
    const number = known.get(tissue) ?? ++organs;
    known.set(tissue, number);
    return number;
  });
  if (FIRST_ORGAN + organs > 256) throw new RangeError(`numbers of ${organs} organs do not fit in a byte`);
  return numbers;
}
