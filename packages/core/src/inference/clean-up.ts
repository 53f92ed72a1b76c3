// Post-processing of a mask by shape, before nodes are counted: drops small components, fills cavities.
import { crop, paste } from "../volume/crop.js";
import { type Volume, voxelVolumeMm3 } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { componentBoxes, removeSmallComponents } from "../voxels/components.js";
import { fillHoles } from "../voxels/fill-holes.js";

export interface CleanUp {
  /** Connected components (26 neighbours) below this volume in mL are left out. */
  readonly minimumVolumeMl: number;
  /** Whether cavities that are enclosed by a component are filled. */
  readonly fillsCavities: boolean;
  /** Whether components stay whose HU fit no lymph node, where lymph nodes are segmented. */
  readonly keepsImplausible: boolean;
  /** Nodes of less confidence are left out, 0 … 1; null for what the model's calibration says, 0 keeps all. */
  readonly leastConfidence: number | null;
  /** Whether lymph nodes that touch are one node; by default they are told apart at necks (`numberedNodes`). */
  readonly keepsTouching?: boolean;
}

/**
 * 0.03 mL is a ball of 3.9 mm: smaller than the nodes that are measured and reported (short axis of 5 mm), and larger
 * than single stray voxels. Cavities are errors of the network, because a node's fatty hilum lies at its edge.
 */
export const defaultCleanUp: CleanUp = {
  minimumVolumeMl: 0.03,
  fillsCavities: true,
  keepsImplausible: false,
  leastConfidence: null,
};

/** What is decided by shape alone. */
type CleanUpByShape = Pick<CleanUp, "minimumVolumeMl" | "fillsCavities">;

/** The mask without small components, with cavities filled. */
export function cleanedMask(
  mask: Volume<Uint8Array>,
  { minimumVolumeMl, fillsCavities }: CleanUpByShape,
): Volume<Uint8Array> {
  const minimumVoxels = Math.ceil((minimumVolumeMl * 1000) / voxelVolumeMm3(mask));
  const data =
    minimumVoxels > 1 ? removeSmallComponents(mask.data, mask.size, minimumVoxels, 26) : mask.data.slice();
  const cleaned = { ...mask, data };
  if (!fillsCavities) return cleaned;
  // A cavity lies in the bounding box of the component that encloses it, so the whole scan need not be searched.
  for (const { start, size } of componentBoxes(data, mask.size, 26)) {
    const inside = crop(cleaned, start, size);
    fillHoles(inside.data, size, Number.POSITIVE_INFINITY);
    paste(inside, start, cleaned);
  }
  return cleaned;
}

/**
 * Class numbers, each class cleaned separately as in {@link cleanedMask}; a cavity is only filled where it has no class.
 */
export function cleanedClasses(
  classes: Volume<Uint8Array>,
  count: number,
  cleanUp: CleanUpByShape,
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
