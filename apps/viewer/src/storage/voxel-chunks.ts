// Voxels in pieces of some megabytes, so that hashing and storing a large scan never holds the page up.
import type { VoxelArray } from "@lnsnet/core/volume";

const chunkBytes = 8 * 2 ** 20;

/** The bytes of voxels, piece by piece: copies, also of memory that is shared between threads. */
export function* voxelChunks(data: VoxelArray): Generator<Uint8Array<ArrayBuffer>> {
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

/** Voxels from the pieces of {@link voxelChunks}; null where bytes are missing. */
export function voxelsOfChunks(
  kind: VoxelKind,
  voxels: number,
  chunks: readonly Uint8Array[],
): VoxelArray | null {
  const data = new arrays[kind](voxels);
  const bytes = new Uint8Array(data.buffer);
  let at = 0;
  for (const chunk of chunks) {
    if (at + chunk.length > bytes.length) return null;
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return at === bytes.length ? data : null;
}
