// Compresses and decompresses gzip, zlib and deflate: content has a size limit, every checksum is verified, equal input gives equal bytes.
import { Gunzip, gzipSync, Inflate, unzlibSync, zlibSync } from "fflate";
import { InputError } from "../errors.js";
import { concatenated } from "./bytes.js";

/** How much a compressed file may hold; beyond it is refused as a decompression bomb. CT compresses to about a third, masks to a hundredth. */
export const contentLimits = {
  totalBytes: 4 * 2 ** 30,
  /** Uncompressed by compressed size; only checked if the content is larger than `ratioFromBytes`. */
  ratio: 200,
  ratioFromBytes: 256 * 2 ** 20,
} as const;

/** The most bytes that a compressed file of this size may hold by {@link contentLimits}. */
export function contentLimitBytes(packedBytes: number): number {
  const { totalBytes, ratio, ratioFromBytes } = contentLimits;
  return Math.min(totalBytes, Math.max(ratioFromBytes, ratio * packedBytes));
}

/** Whether these bytes begin like a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The content of a gzip file of one or more members (RFC 1952). Trailing zeros are ignored, as gzip itself does.
 *
 * @param promisedBytes The size of the content by the image header. A mask may compress to a thousandth, so only this
 * can tell a decompression bomb from a mask; up to 1 MiB more is accepted.
 * @param name The file, for the message.
 * @throws InputError when the file is cut short, damaged, followed by other data, holds more than it promised or than
 * {@link contentLimits} allow, or has implausibly many members.
 */
export function gunzip(bytes: Uint8Array, promisedBytes: number, name: string): Uint8Array<ArrayBuffer> {
  const { totalBytes } = contentLimits;
  if (promisedBytes > totalBytes)
    throw tooLarge(name, `${gibibytes(promisedBytes)} by its header`, totalBytes);
  const stream = new Gunzip();
  const chunks: Uint8Array[] = [];
  let members = 0;
  let unpacked = 0;
  let firstChunk = 0;
  stream.onmember = (offset) => {
    for (let n = firstChunk; n < chunks.length; n++) unpacked += chunks[n].length;
    if (hasTooManyMembers(++members, unpacked)) throw new RangeError("too many members");
    if (endOfTrailer(chunks.slice(firstChunk), bytes, offset, offset) === null)
      throw new RangeError("checksum");
    firstChunk = chunks.length;
  };
  const failure = unpack(stream, chunks, bytes, Math.min(totalBytes, promisedBytes + 2 ** 20), name);
  if (hasTooManyMembers(members, unpacked)) {
    throw new InputError(
      `${name} is packed in more than ${members} nearly empty parts, and one part was expected; do not trust this file, or pack it again.`,
    );
  }
  // Trailing zeros make the decoder fail too; the last member's checksum and length tell whether it is complete.
  const zeros = startOfZeros(bytes);
  const end = endOfTrailer(chunks.slice(firstChunk), bytes, zeros, Math.min(zeros + 16, bytes.length));
  if (end === null) throw damaged(name, failure);
  return concatenated(chunks);
}

/**
 * The first bytes of a gzip file's content, to read a header from: at least `length`, unless the content is shorter.
 * No checksum is verified.
 *
 * @param name The file, for the message.
 * @throws InputError when nothing can be decompressed.
 */
export function gunzipStart(bytes: Uint8Array, length: number, name: string): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let unpacked = 0;
  let members = 0;
  const stream = new Gunzip((chunk) => {
    unpacked += chunk.length;
    if (chunk.length > 0) chunks.push(chunk);
  });
  stream.onmember = () => {
    if (hasTooManyMembers(++members, unpacked)) throw new RangeError("too many members");
  };
  let failure: unknown;
  try {
    for (let start = 0; start < bytes.length && unpacked < length; start += 1024) {
      stream.push(bytes.subarray(start, start + 1024));
    }
  } catch (cause) {
    failure = cause;
  }
  // The bytes before a failure are enough for a header; the whole file is checked when it is decompressed.
  if (unpacked === 0) throw damaged(name, failure);
  return concatenated(chunks);
}

/**
 * The content of a bare deflate stream (RFC 1951), which has neither a length nor a checksum. Bytes after its end are
 * ignored.
 *
 * @param name The file, for the message.
 * @throws InputError when the stream is cut short or damaged, or holds more than `limitBytes`.
 */
export function inflate(bytes: Uint8Array, limitBytes: number, name: string): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  const failure = unpack(new Inflate(), chunks, bytes, limitBytes, name);
  if (failure !== null) throw damaged(name, failure);
  return concatenated(chunks);
}

/**
 * A gzip file holding `bytes`, without time or file name, so that equal input gives equal output.
 * @param level 1 (fast) to 9 (small).
 */
export function gzip(bytes: Uint8Array, level: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9): Uint8Array<ArrayBuffer> {
  // Not as a stream: fflate's streams (0.8) write wrong distances where content begins with zeros.
  return Uint8Array.from(gzipSync(bytes, { level, mtime: 0 }));
}

/**
 * The content of a zlib stream (RFC 1950). Trailing zeros are ignored.
 * @param length The known size of the content in bytes; a shorter stream gives fewer.
 * @param name The file, for the message.
 * @throws InputError when the stream is cut short, damaged, longer than `length`, or followed by other data.
 */
export function unzlib(bytes: Uint8Array, length: number, name: string): Uint8Array {
  if (length > maxExpansion * bytes.length) throw damaged(name);
  let content: Uint8Array;
  try {
    content = unzlibSync(bytes, { out: new Uint8Array(length) });
  } catch (cause) {
    throw damaged(name, cause);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checksum = adler32(content);
  const zeros = startOfZeros(bytes);
  for (let end = Math.max(zeros, 4); end <= Math.min(zeros + 4, bytes.length); end++) {
    if (view.getUint32(end - 4) === checksum) return content;
  }
  throw damaged(name);
}

/**
 * A zlib stream of `bytes`.
 * @param level 1 (fast) to 9 (small).
 */
export function zlib(bytes: Uint8Array, level: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9): Uint8Array {
  return zlibSync(bytes, { level });
}

/** Small, so that at most {@link maxExpansion} times this is decompressed beyond a limit. */
const pieceBytes = 1 << 16;

/** The most that deflate (RFC 1951) makes of a byte: 258 bytes of two bits. */
const maxExpansion = 1032;

/** bgzip makes the most members, of 64 KiB each. A member takes 0.1 ms, so a megabyte of empty members would take 5 s. */
function hasTooManyMembers(members: number, unpackedBytes: number): boolean {
  return members > 1000 + unpackedBytes / 2 ** 14;
}

/** Decompresses piece by piece into `chunks`, up to the end or the limit. Returns the error that stopped it, or null. */
function unpack(
  stream: Gunzip | Inflate,
  chunks: Uint8Array[],
  bytes: Uint8Array,
  limitBytes: number,
  name: string,
): unknown {
  let unpacked = 0;
  stream.ondata = (chunk) => {
    unpacked += chunk.length;
    if (chunk.length > 0) chunks.push(chunk);
  };
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    const end = Math.min(start + pieceBytes, bytes.length);
    try {
      stream.push(bytes.subarray(start, end), end === bytes.length);
    } catch (cause) {
      return cause;
    }
    if (unpacked > limitBytes) throw tooLarge(name, "more", limitBytes);
  }
  return null;
}

function tooLarge(name: string, found: string, limitBytes: number): InputError {
  return new InputError(
    `${name} would unpack to ${found}, and at most ${gibibytes(limitBytes)} was expected; do not trust this file, or save it again uncompressed.`,
  );
}

function gibibytes(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function damaged(name: string, cause?: unknown): InputError {
  return new InputError(
    `${name} is compressed data that is cut short or damaged, and a complete file was expected; copy or download it again.`,
    { cause },
  );
}

/**
 * The offset of the end of a member's trailer (CRC-32 and length), searched from `first` to `last`; null where no
 * trailer matches the content.
 */
function endOfTrailer(
  content: readonly Uint8Array[],
  bytes: Uint8Array,
  first: number,
  last: number,
): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checksum = crc32(content);
  const length = sumOfLengths(content) >>> 0;
  for (let end = Math.max(first, 8); end <= last; end++) {
    if (view.getUint32(end - 4, true) === length && view.getUint32(end - 8, true) === checksum) return end;
  }
  return null;
}

/** The offset after the last byte that is not zero. */
function startOfZeros(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

function sumOfLengths(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

/** CRC-32 of ISO 3309 (reflected polynomial 0xEDB88320), as gzip uses it. */
export function crc32(chunks: readonly Uint8Array[]): number {
  let state = -1;
  for (const chunk of chunks) {
    for (let i = 0; i < chunk.length; i++) state = crcTable[(state ^ chunk[i]) & 255] ^ (state >>> 8);
  }
  return ~state >>> 0;
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Adler-32 of RFC 1950. */
function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  // 5552 is the longest run after which the sums still fit in 32 bits.
  for (let start = 0; start < bytes.length; start += 5552) {
    const end = Math.min(start + 5552, bytes.length);
    for (let n = start; n < end; n++) {
      low += bytes[n];
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return ((high << 16) | low) >>> 0;
}
