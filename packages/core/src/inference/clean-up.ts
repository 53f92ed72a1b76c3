// What is mended of a mask before nodes are counted: bodies too small to be nodes, and cavities within them.
import { crop, paste } from "../volume/crop.js";
import { type Volume, voxelVolumeMm3 } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { componentBoxes, removeSmallComponents } from "../voxels/components.js";
import { fillHoles } from "../voxels/fill-holes.js";

export interface CleanUp {
  /** Smaller bodies (26 neighbours) are left out, mL. */
  readonly minimumVolumeMl: number;
  /** Whether cavities that a body encloses become part of it. */
  readonly fillsCavities: boolean;
}

/**
 * A body of 0.03 mL is a ball of 3.9 mm: below what is measured and reported of nodes (5 mm of short axis), and above
 * what single voxels make. A node's fatty hilum lies at its edge, and what a mask encloses whole is a gap of the network.
 */
export const defaultCleanUp: CleanUp = { minimumVolumeMl: 0.03, fillsCavities: true };

/** The mask with small bodies left out and cavities filled. */
export function cleanedMask(
  mask: Volume<Uint8Array>,
  { minimumVolumeMl, fillsCavities }: CleanUp,
): Volume<Uint8Array> {
  const minimumVoxels = Math.ceil((minimumVolumeMl * 1000) / voxelVolumeMm3(mask));
  const data =
    minimumVoxels > 1 ? removeSmallComponents(mask.data, mask.size, minimumVoxels, 26) : mask.data.slice();
  const cleaned = { ...mask, data };
  if (!fillsCavities) return cleaned;
  // What encloses a cavity is connected (26), so that the cavity lies in that body's box: no need to fill the whole scan.
  for (const { start, size } of componentBoxes(data, mask.size, 26)) {
    const inside = crop(cleaned, start, size);
    fillHoles(inside.data, size, Number.POSITIVE_INFINITY);
    paste(inside, start, cleaned);
  }
  return cleaned;
}

/**
 * Classes by their numbers, each cleaned by itself as {@link cleanedMask} does; a cavity is filled where it is of no class.
 */
export function cleanedClasses(
  classes: Volume<Uint8Array>,
  count: number,
  cleanUp: CleanUp,
): Volume<Uint8Array> {
  if (count === 1) return cleanedMask(classes, cleanUp);
  const data = new Uint8Array(classes.data.length);
  for (let number = 1; number <= count; number++) {
    const own = { ...classes, data: maskWhere(classes.data, (value) => value === number) };
    const cleaned = cleanedMask(own, cleanUp).data;
    for (let at = 0; at < data.length; at++)
      if (cleaned[at] !== 0 && (classes.data[at] === number || (classes.data[at] === 0 && data[at] === 0)))
        data[at] = number;
  }
  return { ...classes, data };
}
