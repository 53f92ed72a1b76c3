// Voxels in pieces of some megabytes, so that hashing and storing a large scan never holds the page up.
import type { VoxelArray } from "@lnsnet/core/volume";

/** The bytes of voxels, piece by piece: copies, also of memory that is shared between threads. */
export function* voxelChunks(data: VoxelArray, chunkBytes: number): Generator<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < bytes.length; at += chunkBytes)
    yield Uint8Array.from(bytes.subarray(at, at + chunkBytes));
}

const arrays = {
  Float32Array,
  Int16Array,
  Uint16Array,
  Uint8Array,
  Int8Array,
  Int32Array,
  Uint32Array,
  Float64Array,
} as const;

/** The name of a kind of voxels. */
export type VoxelKind = keyof typeof arrays;

/** The kind of some voxels. */
export function voxelKindOf(data: VoxelArray): VoxelKind {
  const kind = (Object.keys(arrays) as VoxelKind[]).find((name) => data instanceof arrays[name]);
  if (kind === undefined) throw new TypeError("These are no voxels.");
  return kind;
}

/**
 * Voxels from the pieces of {@link voxelChunks}, in memory that workers share where the page may share any.
 *
 * @param pieceAt a piece by its number from 0; undefined where it is missing
 * @returns null where bytes are missing
 */
export async function voxelsOfChunks(
  kind: VoxelKind,
  voxels: number,
  pieceAt: (piece: number) => Promise<Uint8Array | undefined>,
): Promise<VoxelArray | null> {
  const Voxels = arrays[kind];
  const length = voxels * Voxels.BYTES_PER_ELEMENT;
  const isSharing = typeof SharedArrayBuffer !== "undefined";
  const bytes = new Uint8Array(isSharing ? new SharedArrayBuffer(length) : new ArrayBuffer(length));
  for (let piece = 0, at = 0; at < length; piece++) {
    const chunk = await pieceAt(piece);
    if (chunk === undefined || at + chunk.length > length) return null;
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return new Voxels(bytes.buffer as ArrayBuffer);
}
