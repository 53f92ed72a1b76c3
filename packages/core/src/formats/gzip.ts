// Gzip, zlib and deflate in and out: content is bounded, every checksum is verified, equal input gives equal bytes.
import { Gunzip, gzipSync, Inflate, unzlibSync, zlibSync } from "fflate";
import { InputError } from "../errors.js";
import { concatenated } from "./bytes.js";

/** What compressed files may hold; more is taken for a bomb. CT deflates to a third or so, masks to a hundredth. */
export const contentLimits = {
  totalBytes: 4 * 2 ** 30,
  /** Content by file; only looked at where the content is larger than `ratioFromBytes`. */
  ratio: 200,
  ratioFromBytes: 256 * 2 ** 20,
} as const;

/** The most bytes that a compressed file of this size may hold by {@link contentLimits}. */
export function greatestContent(packedBytes: number): number {
  const { totalBytes, ratio, ratioFromBytes } = contentLimits;
  return Math.min(totalBytes, Math.max(ratioFromBytes, ratio * packedBytes));
}

/** Whether these bytes begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The content of a gzip file of one or more members (RFC 1952).
 *
 * @param promisedBytes What a header says that the content has. A mask may be a thousandth of it as a file, so that only
 * this tells a bomb; up to a MiB more is let pass.
 * @param name The file, for the message.
 * @throws InputError when the file is cut short, damaged, followed by something else, or holds more than it promised or
 * {@link contentLimits} allow.
 */
export function gunzip(bytes: Uint8Array, promisedBytes: number, name: string): Uint8Array<ArrayBuffer> {
  const { totalBytes } = contentLimits;
  if (promisedBytes > totalBytes)
    throw tooLarge(name, `${gibibytes(promisedBytes)} by its header`, totalBytes);
  const members: { firstChunk: number; endOfFile: number }[] = [];
  let firstChunk = 0;
  const stream = new Gunzip();
  const chunks: Uint8Array[] = [];
  stream.onmember = (offset) => {
    members.push({ firstChunk, endOfFile: offset });
    firstChunk = chunks.length;
  };
  unpack(stream, chunks, bytes, Math.min(totalBytes, promisedBytes + 2 ** 20), name);
  members.push({ firstChunk, endOfFile: bytes.length });
  members.forEach((member, position) => {
    const content = chunks.slice(member.firstChunk, members[position + 1]?.firstChunk);
    if (!matchesTrailer(content, bytes.subarray(member.endOfFile - 8, member.endOfFile))) throw damaged(name);
  });
  return concatenated(chunks);
}

/**
 * The first bytes of a gzip file's content, to read a header from: at least `length` of them where there are so many.
 * No checksum is verified.
 *
 * @param name The file, for the message.
 * @throws InputError when nothing can be inflated.
 */
export function gunzipStart(bytes: Uint8Array, length: number, name: string): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  const stream = new Gunzip((chunk) => chunks.push(chunk));
  try {
    for (let start = 0; start < bytes.length && sumOfLengths(chunks) < length; start += 1024) {
      stream.push(bytes.subarray(start, start + 1024));
    }
  } catch (cause) {
    throw damaged(name, cause);
  }
  if (sumOfLengths(chunks) === 0) throw damaged(name);
  return concatenated(chunks);
}

/**
 * The content of a bare deflate stream (RFC 1951), which holds neither its length nor a checksum; what follows it is left
 * out.
 *
 * @param name The file, for the message.
 * @throws InputError when the stream is cut short or damaged, or holds more than `limitBytes`.
 */
export function inflate(bytes: Uint8Array, limitBytes: number, name: string): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  unpack(new Inflate(), chunks, bytes, limitBytes, name);
  return concatenated(chunks);
}

/**
 * A gzip file holding `bytes`. It carries no time and no file name, so that equal input gives equal output.
 * @param level 1 (fast) to 9 (small).
 */
export function gzip(bytes: Uint8Array, level: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9): Uint8Array<ArrayBuffer> {
  // At once: fflate's streams (0.8) write wrong distances where content begins with zeros.
  return Uint8Array.from(gzipSync(bytes, { level, mtime: 0 }));
}

/**
 * The content of a zlib stream (RFC 1950).
 * @param length The bytes that the content is known to have; a stream that holds fewer gives fewer.
 * @param name The file, for the message.
 * @throws InputError when the stream is cut short, damaged, longer than `length`, or followed by something else.
 */
export function unzlib(bytes: Uint8Array, length: number, name: string): Uint8Array {
  if (length > greatestExpansion * bytes.length) throw damaged(name);
  let content: Uint8Array;
  try {
    content = unzlibSync(bytes, { out: new Uint8Array(length) });
  } catch (cause) {
    throw damaged(name, cause);
  }
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4);
  if (trailer.getUint32(0) !== adler32(content)) throw damaged(name);
  return content;
}

/**
 * A zlib stream of `bytes`.
 * @param level 1 (fast) to 9 (small).
 */
export function zlib(bytes: Uint8Array, level: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9): Uint8Array {
  return zlibSync(bytes, { level });
}

/** Pieces are small, so that no more than {@link greatestExpansion} of one goes beyond a limit. */
const pieceBytes = 1 << 16;

/** The most that deflate (RFC 1951) makes of a byte: 258 bytes of two bits. */
const greatestExpansion = 1032;

/** Inflates piece by piece into `chunks`, until the end or the limit. */
function unpack(
  stream: Gunzip | Inflate,
  chunks: Uint8Array[],
  bytes: Uint8Array,
  limitBytes: number,
  name: string,
): void {
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
      throw damaged(name, cause);
    }
    if (unpacked > limitBytes) throw tooLarge(name, "more", limitBytes);
  }
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
    `${name} is compressed, and cut short or damaged, where complete data were expected; copy or download it again.`,
    { cause },
  );
}

/** Whether a member's content has the CRC-32 and the length that the last eight bytes of the member state. */
function matchesTrailer(content: readonly Uint8Array[], trailer: Uint8Array): boolean {
  if (trailer.length !== 8) return false;
  const view = new DataView(trailer.buffer, trailer.byteOffset, 8);
  return (
    view.getUint32(4, true) === sumOfLengths(content) >>> 0 && view.getUint32(0, true) === crc32(content)
  );
}

function sumOfLengths(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

/** CRC-32 of ISO 3309 (reflected polynomial 0xEDB88320), as gzip uses it. */
function crc32(chunks: readonly Uint8Array[]): number {
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
