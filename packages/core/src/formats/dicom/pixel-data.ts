// Reads the stored values of the frames of a DICOM image or segmentation, in any transfer syntax.

import type dicomParser from "dicom-parser";
import { InputError } from "../../errors.js";
import { counted } from "../../text.js";
import { concatenated } from "../bytes.js";
import { contentLimitBytes } from "../gzip.js";
import { type CodestreamHeader, codestreamHeader } from "./codestream-header.js";
import { type DicomDataset, elementOf, has, numberOf, numbersOf, textOf } from "./dataset.js";
import { type DecodedFrame, decodeRle, inflateFrame, loadCodec, requireRleSegments } from "./pixel-codecs.js";
import { type TransferSyntax, transferSyntaxOf } from "./transfer-syntaxes.js";

/** Stored values of one frame, `values[column + columns * row]`; bits become bytes of 0 and 1. */
export type StoredFrame = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** What the header states about the pixel data. */
export interface PixelDescription {
  readonly columns: number;
  readonly rows: number;
  readonly frameCount: number;
  readonly bitsAllocated: 1 | 8 | 16 | 32;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly isSigned: boolean;
}

/**
 * The description of a dataset's pixel data.
 *
 * @throws InputError where there is none, it is in colour, or the header contradicts itself
 */
export function pixelDescriptionOf(dataset: DicomDataset): PixelDescription {
  const { name } = dataset;
  refuseColour(dataset);
  const columns = numberOf(dataset, "Columns") ?? 0;
  const rows = numberOf(dataset, "Rows") ?? 0;
  const frameCount = frameCountOf(dataset);
  if (!(columns > 0 && rows > 0 && Number.isInteger(frameCount) && frameCount > 0)) {
    throw new InputError(
      `${name} has ${counted(columns, "column")}, ${counted(rows, "row")} and ${counted(frameCount, "frame")}, and whole numbers above 0 were expected; export it again.`,
    );
  }
  const bitsAllocated = numberOf(dataset, "BitsAllocated") ?? 0;
  const bitsStored = numberOf(dataset, "BitsStored") ?? bitsAllocated;
  const highBit = numberOf(dataset, "HighBit") ?? bitsStored - 1;
  const isKnown = bitsAllocated === 1 || bitsAllocated === 8 || bitsAllocated === 16 || bitsAllocated === 32;
  if (!isKnown || bitsStored < 1 || highBit >= bitsAllocated || highBit < bitsStored - 1) {
    throw new InputError(
      `${name} has pixels of ${bitsAllocated} bits with ${bitsStored} stored below bit ${highBit + 1}, and 1, 8, 16 or 32 bits that hold the stored bits were expected; convert it first.`,
    );
  }
  const isSigned = (numberOf(dataset, "PixelRepresentation") ?? 0) === 1;
  return { columns, rows, frameCount, bitsAllocated, bitsStored, highBit, isSigned };
}

/** The stated number of frames; 1 where it is missing or 0. */
export function frameCountOf(dataset: DicomDataset): number {
  return numberOf(dataset, "NumberOfFrames") || 1;
}

/**
 * A function that decodes a frame (numbered from 0) of the dataset's pixel data into a new array: unused bits are
 * cleared, the sign is extended, the byte order is this machine's. Nothing is rescaled; padding values stay.
 *
 * @throws InputError where the transfer syntax is not supported, the image is in colour, or the pixel data is missing or
 * too short; the function throws it where the frame is damaged
 */
export async function frameDecoder(dataset: DicomDataset): Promise<(frame: number) => StoredFrame> {
  const { description, syntax, element, frames } = storedPixels(dataset);
  if (frames === null) return nativeDecoder(dataset, element, description);
  const decode = await codedFrameDecoder(syntax, description);
  return (frame) => {
    const encoded = frames[frame];
    if (encoded === undefined) throw new RangeError(`Frame ${frame} of ${frames.length} was requested.`);
    return ofFrame(dataset, syntax, frame, () => decode(bytesOf(dataset, encoded)));
  };
}

/**
 * Checks all that can be known of a dataset's pixels without decoding them: that they are there, and that each
 * compressed frame has the size of the header.
 *
 * @throws InputError as {@link frameDecoder}
 */
export function requirePixels(dataset: DicomDataset): void {
  storedPixels(dataset);
}

interface StoredPixels {
  readonly description: PixelDescription;
  readonly syntax: TransferSyntax;
  readonly element: dicomParser.Element;
  /** The fragments of each frame; null where the pixels are not compressed. */
  readonly frames: readonly (readonly Fragment[])[] | null;
}

function storedPixels(dataset: DicomDataset): StoredPixels {
  const { name } = dataset;
  const description = pixelDescriptionOf(dataset);
  const element = elementOf(dataset, "PixelData");
  if (element === undefined) {
    throw new InputError(`${name} has no pixel data, and an image was expected; export it again.`);
  }
  const syntax = transferSyntaxOf(dataset.transferSyntaxUid);
  const { encoding } = syntax;
  if (encoding === null) {
    throw new InputError(
      `${name} is compressed by ${syntax.name}, which cannot be decoded here; convert it to an uncompressed or losslessly compressed one first.`,
    );
  }
  if (encoding === "native") {
    if (element.hadUndefinedLength === true) {
      throw new InputError(
        `${name} has compressed pixel data, and its transfer syntax is ${syntax.name}, which is uncompressed; export it again.`,
      );
    }
    requireLength(dataset, element, description);
    return { description, syntax, element, frames: null };
  }
  const frames = encodedFrames(dataset, element, description.frameCount);
  // Before a decoder takes memory for what a frame says of itself.
  for (const [frame, fragments] of frames.entries())
    ofFrame(dataset, syntax, frame, () =>
      refuseOtherHeader(encoding, bytesOf(dataset, fragments), description),
    );
  return { description, syntax, element, frames };
}

/** What `work` gives of a frame (from 0). @throws InputError with the frame and the reason where it fails */
function ofFrame<T>({ name }: DicomDataset, syntax: TransferSyntax, frame: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new InputError(
      `${name} has a frame ${frame + 1} that cannot be decoded as ${syntax.name} (${error instanceof Error ? error.message : "the decoder gives no reason"}); convert it to an uncompressed file first, or export it again.`,
      { cause: error },
    );
  }
}

/** What a compressed frame says of itself must be what the header says. */
function refuseOtherHeader(
  encoding: Exclude<TransferSyntax["encoding"], "native" | null>,
  encoded: Uint8Array,
  description: PixelDescription,
): void {
  refuseDecompressionBomb(encoded, description);
  if (encoding === "rle") requireRleSegments(encoded, bytesPerCell(description));
  else if (encoding !== "deflated-frame") refuseOtherSize(codestreamHeader(encoding, encoded), description);
}

const bytesPerCell = ({ bitsAllocated }: PixelDescription): number => Math.max(1, bitsAllocated / 8);

function refuseColour(dataset: DicomDataset): void {
  const samples = numberOf(dataset, "SamplesPerPixel") ?? 1;
  const interpretation = textOf(dataset, "PhotometricInterpretation");
  // The palette of a labelmap only colours the segments; the stored values are their numbers.
  const isLabelmap = textOf(dataset, "SegmentationType") === "LABELMAP";
  if (samples === 1 && (interpretation !== "PALETTE COLOR" || isLabelmap)) return;
  throw new InputError(
    `${dataset.name} is a colour image (${interpretation || `${samples} samples per pixel`}), and one grey value per pixel was expected; leave it out.`,
  );
}

function nativeDecoder(
  dataset: DicomDataset,
  element: dicomParser.Element,
  description: PixelDescription,
): (frame: number) => StoredFrame {
  const { columns, rows, bitsAllocated } = description;
  const pixelCount = columns * rows;
  const { byteArray } = dataset.content;
  const stored = byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
  const isBigEndian = dataset.transferSyntaxUid === "1.2.840.10008.1.2.2";
  if (bitsAllocated === 1) {
    const bits = isBigEndian && element.vr === "OW" ? swapped(stored.slice(), 2) : stored;
    return (frame) => unpackedBits(bits, frame * pixelCount, pixelCount);
  }
  const frameBytes = (pixelCount * bitsAllocated) / 8;
  return (frame) => {
    const cells = stored.slice(frame * frameBytes, (frame + 1) * frameBytes);
    // Bytes written as OW words are swapped in pairs in big endian (PS3.5, annex A.3).
    const swap = bitsAllocated > 8 ? bitsAllocated / 8 : element.vr === "OW" ? 2 : 1;
    return cellValues(isBigEndian ? swapped(cells, swap) : cells, description);
  };
}

function requireLength(
  { name }: DicomDataset,
  { length }: dicomParser.Element,
  { columns, rows, frameCount, bitsAllocated }: PixelDescription,
): void {
  const wantedBytes = Math.ceil((columns * rows * frameCount * bitsAllocated) / 8);
  if (length >= wantedBytes) return;
  throw new InputError(
    `${name} is cut short: it has ${length} bytes of pixels, and its header promises ${wantedBytes}; copy or download it again.`,
  );
}

async function codedFrameDecoder(
  { encoding }: TransferSyntax,
  description: PixelDescription,
): Promise<(encoded: Uint8Array) => StoredFrame> {
  const { columns, rows, bitsAllocated } = description;
  const cellBytes = Math.ceil((columns * rows * bitsAllocated) / 8);
  const fromCells = (cells: Uint8Array) => {
    if (cells.length < cellBytes) throw new Error(`it has ${cells.length} bytes, not ${cellBytes}`);
    return bitsAllocated === 1
      ? unpackedBits(cells, 0, columns * rows)
      : cellValues(cells.slice(0, cellBytes), description);
  };
  switch (encoding) {
    case "rle": {
      const width = bytesPerCell(description);
      return (encoded) => fromCells(decodeRle(encoded, cellBytes / width, width));
    }
    case "deflated-frame":
      return (encoded) => fromCells(inflateFrame(encoded, cellBytes));
    case "native":
    case null:
      throw new TypeError("Native pixel data is not encoded frame by frame.");
    default: {
      const codec = await loadCodec(encoding);
      return (encoded) => sampleValues(codec(encoded), description);
    }
  }
}

/** Limits memory by the compressed size: decoding takes up to eight bytes per pixel (JPEG 2000). */
function refuseDecompressionBomb({ length }: Uint8Array, { columns, rows }: PixelDescription): void {
  if (8 * columns * rows <= contentLimitBytes(length)) return;
  throw new Error(`it has ${length} bytes for ${columns} × ${rows} pixels`);
}

interface Fragment {
  readonly offset: number;
  readonly position: number;
  readonly length: number;
}

/** Assigns fragments to frames: by the offset table if there is one, else by their number or their first bytes. */
function encodedFrames(
  dataset: DicomDataset,
  element: dicomParser.Element,
  frameCount: number,
): Fragment[][] {
  const fragments: readonly Fragment[] = element.fragments ?? [];
  const starts = frameStarts(dataset, element, fragments, frameCount);
  if (starts.length !== frameCount || starts[0] !== 0) {
    throw new InputError(
      `${dataset.name} has ${counted(fragments.length, "compressed fragment")} that cannot be assigned to the ${counted(frameCount, "frame")} of its header; export it again.`,
    );
  }
  return starts.map((start, frame) => fragments.slice(start, starts[frame + 1]));
}

/** The index of the first fragment of each frame. */
function frameStarts(
  dataset: DicomDataset,
  element: dicomParser.Element,
  fragments: readonly Fragment[],
  frameCount: number,
): number[] {
  if (fragments.length === 0) return [];
  if (frameCount === 1) return [0];
  if (fragments.length === frameCount) return fragments.map((_, n) => n);
  const offsets = has(dataset, "ExtendedOffsetTable")
    ? numbersOf(dataset, "ExtendedOffsetTable")
    : (element.basicOffsetTable ?? []);
  if (offsets.length > 0) {
    const starts = offsets.map((offset) => fragments.findIndex((fragment) => fragment.offset === offset));
    return starts.every((start) => start >= 0) ? starts : [];
  }
  return fragments.flatMap((fragment, n) => (startsImage(dataset, fragment) ? [n] : []));
}

/** Whether a fragment begins with the first marker of JPEG and JPEG-LS (FFD8), or of JPEG 2000 (FF4F). */
function startsImage(dataset: DicomDataset, { position }: Fragment): boolean {
  const { byteArray } = dataset.content;
  return (
    byteArray[position] === 0xff && (byteArray[position + 1] === 0xd8 || byteArray[position + 1] === 0x4f)
  );
}

function bytesOf(dataset: DicomDataset, fragments: readonly Fragment[]): Uint8Array {
  const parts = fragments.map(({ position, length }) =>
    dataset.content.byteArray.subarray(position, position + length),
  );
  return parts.length === 1 ? parts[0] : concatenated(parts);
}

/** Unpacks bits, the lowest of each byte first (PS3.5, 8.2), starting at bit `first`. */
function unpackedBits(packed: Uint8Array, first: number, count: number): Uint8Array {
  const values = new Uint8Array(count);
  for (let n = 0; n < count; n++) values[n] = (packed[(first + n) >> 3] >> ((first + n) & 7)) & 1;
  return values;
}

/** The values in little-endian cells of `bitsAllocated`. */
function cellValues(cells: Uint8Array, description: PixelDescription): StoredFrame {
  const { bitsAllocated, bitsStored, highBit, isSigned } = description;
  const values = typedCells(cells, bitsAllocated, isSigned);
  return extracted(values, bitsAllocated, bitsStored, highBit + 1 - bitsStored);
}

/** The values of a codec's samples, which fill the lowest bits. */
function sampleValues(decoded: DecodedFrame, description: PixelDescription): StoredFrame {
  const { columns, rows, bitsAllocated, bitsStored, isSigned } = description;
  refuseOtherSize(decoded, description);
  const sampleBits = decoded.bitsPerSample > 8 ? 16 : 8;
  if (decoded.bytes.length !== (columns * rows * sampleBits) / 8) {
    throw new Error(`it decodes to ${decoded.bytes.length} bytes`);
  }
  const samples = extracted(
    typedCells(decoded.bytes, sampleBits, isSigned),
    sampleBits,
    // The sign bit is that of the codec's samples, which may be below the header's High Bit.
    Math.min(Math.max(bitsStored, 1), decoded.bitsPerSample),
    0,
  );
  if (bitsAllocated <= sampleBits || sampleBits === 16) return samples;
  return isSigned ? Int16Array.from(samples) : Uint16Array.from(samples);
}

function refuseOtherSize(frame: CodestreamHeader, { columns, rows }: PixelDescription): void {
  if (frame.componentCount > 1) throw new Error(`it has ${frame.componentCount} colour components, not 1`);
  if (frame.columns !== columns || frame.rows !== rows) {
    throw new Error(`it has ${frame.columns} × ${frame.rows} pixels, not ${columns} × ${rows}`);
  }
}

function typedCells(cells: Uint8Array, bits: 1 | 8 | 16 | 32, isSigned: boolean): StoredFrame {
  if (bits > 8 && !machineIsLittleEndian) swapped(cells, bits / 8);
  // Copied only if the cells are not aligned to their width.
  const aligned = cells.byteOffset % 4 === 0 ? cells : cells.slice();
  const { buffer, byteOffset, byteLength } = aligned;
  if (bits === 32) {
    return isSigned
      ? new Int32Array(buffer, byteOffset, byteLength / 4)
      : new Uint32Array(buffer, byteOffset, byteLength / 4);
  }
  if (bits === 16) {
    return isSigned
      ? new Int16Array(buffer, byteOffset, byteLength / 2)
      : new Uint16Array(buffer, byteOffset, byteLength / 2);
  }
  return isSigned
    ? new Int8Array(buffer, byteOffset, byteLength)
    : new Uint8Array(buffer, byteOffset, byteLength);
}

const machineIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** In place: the `bitsStored` bits above the lowest `shift` bits, sign-extended where the array is signed. */
function extracted(values: StoredFrame, cellBits: number, bitsStored: number, shift: number): StoredFrame {
  if (bitsStored === cellBits) return values;
  const left = 32 - bitsStored - shift;
  const right = 32 - bitsStored;
  const isSigned =
    values instanceof Int8Array || values instanceof Int16Array || values instanceof Int32Array;
  if (isSigned) for (let n = 0; n < values.length; n++) values[n] = (values[n] << left) >> right;
  else for (let n = 0; n < values.length; n++) values[n] = (values[n] << left) >>> right;
  return values;
}

/** In place: the bytes of each group of `width` reversed. */
function swapped(bytes: Uint8Array, width: number): Uint8Array {
  if (width === 1) return bytes;
  for (let start = 0; start + width <= bytes.length; start += width) {
    bytes.subarray(start, start + width).reverse();
  }
  return bytes;
}
