// Tells scans apart by their content, so that the nodes of one are never shown on another.
import type { Volume } from "@lnsnet/core/volume";
import { voxelChunks } from "./voxel-chunks.js";

/** Part of what a hash is: with another size, nodes that are kept are not found again. */
const chunkBytes = 8 * 2 ** 20;

/**
 * SHA-256 over a scan's geometry, kind of numbers and voxels, as 64 hexadecimal digits. Chunk by chunk, so that no more
 * than one is copied at a time and the page goes on.
 *
 * @throws TypeError where the page was not opened over https or from this machine: the browser then has no digests; the
 *   signal's reason where it was stopped
 */
export async function contentHash(scan: Volume, signal?: AbortSignal): Promise<string> {
  const { size, spacingMm, originMm, direction, data } = scan;
  const place = JSON.stringify([data.constructor.name, size, spacingMm, originMm, direction]);
  const digests = [await crypto.subtle.digest("SHA-256", new TextEncoder().encode(place))];
  for (const chunk of voxelChunks(data, chunkBytes)) {
    signal?.throwIfAborted();
    digests.push(await crypto.subtle.digest("SHA-256", chunk));
    // A browser may have the digest at once; what waits comes first all the same.
    await new Promise((resolve) => setTimeout(resolve));
  }
  const all = await crypto.subtle.digest("SHA-256", await new Blob(digests).arrayBuffer());
  return Array.from(new Uint8Array(all), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
