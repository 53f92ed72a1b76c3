// Masks of several bodies as one label volume, each body its own label.
import type { Vector3 } from "../volume/volume.js";
import { labelComponents } from "./components.js";
import { requireMaskOfSize } from "./mask-size.js";

/** One body, or several under one name: foreground where nonzero, i fastest. */
export interface NamedMask {
  readonly name: string;
  readonly mask: Uint8Array;
}

/** A label volume and what its labels are. */
export interface LabelledBodies {
  /** 0 for background, else the body's label, i fastest; the smallest type that holds them. */
  readonly labels: Uint8Array | Uint16Array;
  readonly bodies: readonly { readonly label: number; readonly name: string; readonly voxels: number }[];
  /** Voxels that two masks share; they went to the first. */
  readonly overlaps: readonly { readonly first: string; readonly second: string; readonly voxels: number }[];
  /** Names whose mask has no voxel, or none left. */
  readonly empty: readonly string[];
}

/**
 * Numbers the masks from 1 in their order. Masks are asked for one by one, so only one needs to be in memory.
 *
 * @param size - voxels along (i, j, k)
 * @param split - whether each connected component (26 neighbours) of a mask is a body of its own: "NAME 1", "NAME 2", …,
 * in the order of their first voxels
 * @throws RangeError where a mask does not fill the grid, or there are more than 65,535 bodies
 */
export function labelBodies(masks: Iterable<NamedMask>, size: Vector3, split = false): LabelledBodies {
  const labels = new Uint16Array(size[0] * size[1] * size[2]);
  const bodies: { label: number; name: string; voxels: number }[] = [];
  const overlaps = new Map<string, { first: string; second: string; voxels: number }>();
  const empty: string[] = [];
  const sources: string[] = [];
  for (const { name, mask } of masks) {
    requireMaskOfSize(mask.length, size);
    const { labels: parts, count } = split ? labelComponents(mask, size, 26) : { labels: mask, count: 1 };
    const before = bodies.length;
    if (before + count > 65_535) throw new RangeError(`${before + count} bodies are more than labels.`);
    const voxels = new Array<number>(count).fill(0);
    const taken = new Map<number, number>();
    for (let n = 0; n < mask.length; n++) {
      if (mask[n] === 0) continue;
      const owner = labels[n];
      if (owner !== 0 && owner <= before) {
        taken.set(owner, (taken.get(owner) ?? 0) + 1);
        continue;
      }
      const part = split ? parts[n] : 1;
      labels[n] = before + part;
      voxels[part - 1]++;
    }
    for (const [owner, shared] of taken) {
      const first = sources[owner - 1];
      const known = overlaps.get(`${first}\n${name}`)?.voxels ?? 0;
      overlaps.set(`${first}\n${name}`, { first, second: name, voxels: known + shared });
    }
    if (voxels.every((number) => number === 0)) {
      empty.push(name);
      continue;
    }
    voxels.forEach((number, part) => {
      bodies.push({
        label: before + part + 1,
        name: count === 1 ? name : `${name} ${part + 1}`,
        voxels: number,
      });
      sources.push(name);
    });
  }
  return {
    labels: bodies.length <= 255 ? Uint8Array.from(labels) : labels,
    bodies,
    overlaps: [...overlaps.values()],
    empty,
  };
}
