// Clicks as input channels of a network: one map of positive clicks, one of negative clicks.
import type { Vector3 } from "../volume/volume.js";

/** How a promptable network is told of clicks: by two channels behind those of the image. */
export interface ClickMaps {
  /** Distance from a click at which its map has fallen to 0. */
  readonly radiusMm: number;
}

/** Clicks of one structure, as continuous voxel coordinates (i, j, k) of a grid. */
export interface Clicks {
  /** In the structure. */
  readonly positive: readonly Vector3[];
  /** In what was taken for the structure, and is not. */
  readonly negative: readonly Vector3[];
}

/** Channels of the two maps. */
export const CLICK_CHANNELS = 2;

/**
 * nnInteractive's points: a ball of four voxels, about 6 mm at this project's usual spacing, that falls off from its
 * centre (Isensee et al., arXiv 2503.08373). Local marks did better than distances over the whole image (Sofiiuk et al.,
 * arXiv 2102.06583).
 */
export const defaultClickMaps: ClickMaps = { radiusMm: 6 };

/**
 * Writes both maps of a patch: max(0, 1 − d / r) with the distance d in mm from a voxel's centre to the nearest click.
 *
 * @param start voxel (i, j, k) of the grid that is the patch's first; clicks may lie outside the patch
 * @param size of the patch: voxels along (i, j, k)
 * @param spacingMm along (i, j, k)
 * @param maps [2, D, H, W]: positive, then negative; overwritten
 */
export function writeClickMaps(
  { positive, negative }: Clicks,
  start: Vector3,
  size: Vector3,
  spacingMm: Vector3,
  { radiusMm }: ClickMaps,
  maps: Float32Array,
): void {
  const voxels = maps.length / CLICK_CHANNELS;
  maps.fill(0);
  for (const [channel, clicks] of [positive, negative].entries()) {
    const map = maps.subarray(channel * voxels, (channel + 1) * voxels);
    for (const click of clicks) addCone(map, click, start, size, spacingMm, radiusMm);
  }
}

function addCone(
  map: Float32Array,
  click: Vector3,
  start: Vector3,
  [width, height, depth]: Vector3,
  spacingMm: Vector3,
  radiusMm: number,
): void {
  const range = (axis: 0 | 1 | 2, length: number) => {
    const middle = click[axis] - start[axis];
    const reach = radiusMm / spacingMm[axis];
    return {
      middle,
      from: Math.max(0, Math.ceil(middle - reach)),
      until: Math.min(length - 1, Math.floor(middle + reach)),
    };
  };
  const [is, js, ks] = [range(0, width), range(1, height), range(2, depth)];
  for (let k = ks.from; k <= ks.until; k++)
    for (let j = js.from; j <= js.until; j++)
      for (let i = is.from; i <= is.until; i++) {
        const distanceMm = Math.hypot(
          (i - is.middle) * spacingMm[0],
          (j - js.middle) * spacingMm[1],
          (k - ks.middle) * spacingMm[2],
        );
        const at = i + width * (j + height * k);
        map[at] = Math.max(map[at], 1 - distanceMm / radiusMm);
      }
}
