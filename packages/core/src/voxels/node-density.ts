// Mean densities that lymph nodes have, so that what cannot be one is seen.

/**
 * Mean HU from a necrotic or fatty node to one that takes up much contrast medium. Vessels full of contrast medium, bone,
 * teeth and glands full of fat lie outside.
 */
export const nodeHu = { low: -40, high: 160 } as const;

/** Whether a node may have this mean HU; one of unknown density may. */
export function isNodeHu(huMean: number | null): boolean {
  return huMean === null || (huMean >= nodeHu.low && huMean <= nodeHu.high);
}
