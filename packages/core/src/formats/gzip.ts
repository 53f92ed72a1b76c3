// Gzip and zlib in and out: every checksum is verified, and the same input always gives the same bytes.
import { Gunzip, gzipSync, unzlibSync, zlibSync } from "fflate";
import { InputError } from "../errors.js";

const chunkBytes = 1 << 18;

/** The most that deflate (RFC 1951) makes of a byte: 258 bytes of two bits. */
const greatestExpansion = 1032;

/** Whether these bytes begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The content of a gzip file of one or more members (RFC 1952).
 * @param name The file, for the message.
 * @throws InputError when the file is cut short, damaged, or followed by something else.
 */
export function gunzip(bytes: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  const members: { firstChunk: number; endOfFile: number }[] = [];
  const stream = new Gunzip((chunk) => {
    if (chunk.length > 0) chunks.push(chunk);
  });
  let firstChunk = 0;
  stream.onmember = (offset) => {
    members.push({ firstChunk, endOfFile: offset });
    firstChunk = chunks.length;
  };
  try {
    for (let start = 0; start < bytes.length; start += chunkBytes) {
      const end = Math.min(start + chunkBytes, bytes.length);
      stream.push(bytes.subarray(start, end), end === bytes.length);
    }
  } catch (cause) {
    throw damaged(name, cause);
  }
  members.push({ firstChunk, endOfFile: bytes.length });
  members.forEach((member, position) => {
    const content = chunks.slice(member.firstChunk, members[position + 1]?.firstChunk);
    if (!matchesTrailer(content, bytes.subarray(member.endOfFile - 8, member.endOfFile))) throw damaged(name);
  });
  return concatenated(chunks);
}

/**
 * A gzip file holding `bytes`. It carries no time and no file name, so that equal input gives equal output.
 * @param level 1 (fast) to 9 (small).
 */
export function gzip(bytes: Uint8Array, level: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9): Uint8Array<ArrayBuffer> {
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
  const length = content.reduce((sum, chunk) => sum + chunk.length, 0);
  return view.getUint32(4, true) === length >>> 0 && view.getUint32(0, true) === crc32(content);
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

function concatenated(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
