// The range of mean densities of lymph nodes, to flag findings that cannot be a node.

/**
 * Mean HU from a necrotic or fatty node to a strongly enhancing node. Enhanced vessels, bone, teeth and fatty glands lie
 * outside.
 */
export const nodeHu = { low: -40, high: 160 } as const;

/** Whether a node may have this mean HU; true if it is not known. */
export function isNodeHu(huMean: number | null): boolean {
  return huMean === null || (huMean >= nodeHu.low && huMean <= nodeHu.high);
}
