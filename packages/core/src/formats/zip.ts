// Zip archives: lists their files, refuses decompression bombs and names that lead out of the archive, and decompresses one file at a time.
import { inflateSync, strFromU8 } from "fflate";
import { InputError } from "../errors.js";
import { contentLimitBytes, contentLimits, crc32 } from "./gzip.js";

/** A file in an archive. */
export interface ZipEntry {
  /** Path in the archive, with slashes. */
  readonly name: string;
  /** Its content, decompressed at each call. @throws InputError where it is damaged, encrypted or of an unknown method */
  readonly read: () => Uint8Array;
}

/** What an archive may hold. */
export const zipLimits = { ...contentLimits, entries: 100_000 } as const;

/** Whether these bytes begin like a zip archive. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/**
 * The files of an archive, without folders, hidden files and what macOS adds. Nothing is decompressed yet. Never use
 * the names as paths to write to.
 *
 * The directory at the archive's end is read here, once: fflate reads it again for every file, and gives no checksum.
 * Source: PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3.
 *
 * @param name The archive, for messages.
 * @throws InputError where it is damaged, larger than `zipLimits`, holds a name twice, or a name that leads out of
 *   the archive's folder (a leading slash, a drive, or "..")
 */
export function listZip(bytes: Uint8Array, name: string): ZipEntry[] {
  const files = directoryOf(bytes, name);
  refuseDecompressionBomb(files, bytes.length, name);
  const seen = new Set<string>();
  for (const file of files) {
    if (leadsOut(file.name)) {
      throw new InputError(
        `${name} holds "${file.name}", a name that leads out of the archive, and plain relative names were expected; do not trust this archive.`,
      );
    }
    if (seen.has(file.name)) {
      throw new InputError(
        `${name} holds "${file.name}" twice, and each name once was expected; make the archive again.`,
      );
    }
    seen.add(file.name);
  }
  return files
    .filter(({ name: entry }) => !entry.endsWith("/") && !isHidden(entry))
    .map((file) => ({ name: file.name, read: () => contentOf(bytes, file, name) }));
}

/** What the directory says about a file. */
interface DirectoryEntry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly checksum: number;
  readonly packedSize: number;
  readonly size: number;
  /** Byte offset of its local header, which its content follows. */
  readonly start: number;
}

const signatures = { localHeader: 0x04034b50, entry: 0x02014b50, end: 0x06054b50 } as const;
const signatures64 = { end: 0x06064b50, locator: 0x07064b50 } as const;

function directoryOf(bytes: Uint8Array, name: string): DirectoryEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const { count, start, isZip64 } = endOfDirectory(view);
    if (count > zipLimits.entries) {
      throw new InputError(
        `${name} holds more than ${zipLimits.entries} files; unpack it and choose the folder of one study.`,
      );
    }
    const entries: DirectoryEntry[] = [];
    for (let n = 0, at = start; n < count; n++) {
      const { entry, next } = entryAt(bytes, view, at, isZip64);
      entries.push(entry);
      at = next;
    }
    return entries;
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    // A DataView throws for an offset beyond the archive.
    throw new InputError(
      `${name} is a zip archive that is cut short or damaged, and a complete archive was expected; copy or download it again.`,
      { cause },
    );
  }
}

/** How many files the directory lists and where it begins. A comment of at most 65535 bytes may follow it. */
function endOfDirectory(view: DataView): { count: number; start: number; isZip64: boolean } {
  let at = view.byteLength - 22;
  const first = Math.max(0, at - 65535);
  while (at >= first && view.getUint32(at, true) !== signatures.end) at--;
  if (at < first) throw new RangeError("no end of the directory");
  const locator = at - 20;
  if (locator >= 0 && view.getUint32(locator, true) === signatures64.locator) {
    const end64 = uint64(view, locator + 8);
    requireSignature(view, end64, signatures64.end);
    return { count: uint64(view, end64 + 32), start: uint64(view, end64 + 48), isZip64: true };
  }
  return { count: view.getUint16(at + 10, true), start: view.getUint32(at + 16, true), isZip64: false };
}

function entryAt(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  isZip64: boolean,
): { entry: DirectoryEntry; next: number } {
  requireSignature(view, at, signatures.entry);
  const flags = view.getUint16(at + 8, true);
  const nameEnd = at + 46 + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > bytes.length) throw new RangeError("the directory goes beyond the archive");
  const isUtf8 = (flags & 0x800) !== 0;
  const stated = [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ];
  const [size, packedSize, start] = isZip64 ? wideNumbers(view, nameEnd, extraEnd, stated) : stated;
  const entry = {
    name: strFromU8(bytes.subarray(at + 46, nameEnd), !isUtf8),
    flags,
    method: view.getUint16(at + 10, true),
    checksum: view.getUint32(at + 16, true),
    packedSize,
    size,
    start,
  };
  return { entry, next };
}

/** The numbers, with each 0xffffffff replaced by the next 64-bit number of the extra field 1, which holds them in this order. */
function wideNumbers(
  view: DataView,
  extraStart: number,
  extraEnd: number,
  stated: readonly number[],
): number[] {
  const isWide = (value: number) => value === 0xffffffff;
  if (!stated.some(isWide)) return [...stated];
  for (let field = extraStart; field + 4 <= extraEnd; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    let at = field + 4;
    return stated.map((value) => {
      if (!isWide(value)) return value;
      at += 8;
      return uint64(view, at - 8);
    });
  }
  throw new RangeError("no 64-bit sizes");
}

function requireSignature(view: DataView, at: number, signature: number): void {
  if (view.getUint32(at, true) !== signature) throw new RangeError("not what the directory says");
}

/** @throws RangeError where the number is not a safe integer, and so larger than any file */
function uint64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw new RangeError("a size beyond any file");
  return value;
}

function refuseDecompressionBomb(files: readonly DirectoryEntry[], archiveBytes: number, name: string): void {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  if (total <= contentLimitBytes(archiveBytes)) return;
  throw new InputError(
    `${name} would unpack to ${(total / 2 ** 30).toFixed(1)} GiB, ${(total / archiveBytes).toFixed(0)} times its size, and at most ${zipLimits.totalBytes / 2 ** 30} GiB and ${zipLimits.ratio} times were expected; unpack it yourself if you trust it, and choose the folder.`,
  );
}

function leadsOut(entry: string): boolean {
  const parts = entry.split(/[/\\]/);
  return parts.includes("..") || parts[0] === "" || /^[a-z]:/i.test(entry) || entry.includes("\0");
}

function isHidden(entry: string): boolean {
  return entry.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");
}

function contentOf(bytes: Uint8Array, entry: DirectoryEntry, name: string): Uint8Array {
  if ((entry.flags & 1) !== 0) throw unreadable(name, entry, "which is encrypted");
  if (entry.method !== 0 && entry.method !== 8)
    throw unreadable(name, entry, `which is compressed by the unknown method ${entry.method}`);
  let content: Uint8Array;
  try {
    content = unpacked(bytes, entry);
  } catch (cause) {
    throw unreadable(name, entry, "which is damaged", cause);
  }
  if (content.length !== entry.size || crc32([content]) !== entry.checksum)
    throw unreadable(name, entry, "which is damaged (its checksum or length does not match)");
  return content;
}

/** The content, of at most the size that the directory states, so that no more memory is used than was checked. */
function unpacked(bytes: Uint8Array, { start, method, packedSize, size }: DirectoryEntry): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  requireSignature(view, start, signatures.localHeader);
  const first = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
  if (first + packedSize > bytes.length) throw new RangeError("beyond the archive");
  const packed = bytes.subarray(first, first + packedSize);
  if (method === 0) return packed.slice();
  return inflateSync(packed, { out: new Uint8Array(size) });
}

function unreadable(name: string, entry: DirectoryEntry, why: string, cause?: unknown): InputError {
  return new InputError(
    `${name} holds "${entry.name}", ${why}; unpack the archive yourself and choose the folder.`,
    { cause },
  );
}
