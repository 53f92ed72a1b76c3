// Reads the elements of a DICOM file with dicom-parser: any transfer syntax, with or without preamble; elements that
// exceed the file are refused.
import dicomParser from "dicom-parser";
import { InputError } from "../../errors.js";
import { concatenated } from "../bytes.js";
import { contentLimitBytes, inflate } from "../gzip.js";
import { latin1 } from "./character-sets.js";
import { dictionary, representationOf } from "./dictionary.js";

/** Elements with the bytes that contain them. */
export type Content = Pick<dicomParser.DataSet, "byteArray" | "byteArrayParser" | "elements" | "warnings">;

/** What could be read of a file. */
export interface Parsed {
  readonly content: Content;
  readonly transferSyntaxUid: string;
  /** Why the file could not be read completely; null where it could. */
  readonly reason: string | null;
}

/**
 * The elements of meta header and dataset; of a damaged file, those before the damage. Every returned element lies
 * within the bytes.
 *
 * @param name The file, for messages.
 * @throws InputError where the bytes are not DICOM at all
 */
export function parseElements(bytes: Uint8Array, name: string): Parsed {
  const start = startOf(bytes, name);
  const elements: dicomParser.DataSet["elements"] = {};
  let content: Content = {
    byteArray: bytes,
    byteArrayParser: dicomParser.littleEndianByteArrayParser,
    elements,
    warnings: [],
  };
  let transferSyntaxUid = "";
  let reason: string | null = null;
  try {
    const metaStream = streamOf(content.byteArrayParser, bytes, start);
    // The meta header is always in explicit VR little endian.
    while (isInMetaHeader(metaStream)) {
      const element = dicomParser.readDicomElementExplicit(metaStream, []);
      elements[element.tag] = element;
    }
    const { position } = metaStream;
    reason = lengthProblem(elements, bytes.length);
    if (reason === null && position >= bytes.length) reason = "it ends after its meta header";
    if (reason !== null) return { content, transferSyntaxUid, reason };
    transferSyntaxUid = textOfElement(elements[dictionary.TransferSyntaxUID[0]], bytes);

    if (transferSyntaxUid === deflatedLittleEndian) {
      content = { ...content, byteArray: inflated(bytes, position, name) };
    } else if (transferSyntaxUid === explicitBigEndian) {
      content = { ...content, byteArrayParser: dicomParser.bigEndianByteArrayParser };
    }
    const isExplicit = hasRepresentation(content.byteArray, position);
    transferSyntaxUid ||= isExplicit ? explicitLittleEndian : implicitLittleEndian;
    const stream = streamOf(content.byteArrayParser, content.byteArray, position);
    content = { ...content, warnings: stream.warnings };
    // dicom-parser asks for its own class, but uses only these fields.
    const target = content as dicomParser.DataSet;
    if (isExplicit) dicomParser.parseDicomDataSetExplicit(target, stream);
    else {
      const options = { untilTag: "", vrCallback: knownRepresentation };
      dicomParser.parseDicomDataSetImplicit(target, stream, content.byteArray.length, options);
    }
    if (content.warnings.some((warning) => openSequence.test(warning))) reason = "a sequence has no end";
  } catch (error) {
    reason = reasonOf(error);
  }
  reason = lengthProblem(elements, content.byteArray.length) ?? reason;
  return { content, transferSyntaxUid, reason };
}

/**
 * Reads the items of an element that its writer did not recognise as a sequence: they are in implicit VR little endian.
 *
 * @returns why they cannot be read; null on success
 */
export function readUnknownItems(bytes: Uint8Array, element: dicomParser.Element): string | null {
  const end = element.dataOffset + element.length;
  let reason: string | null = null;
  try {
    const { littleEndianByteArrayParser } = dicomParser;
    const stream = streamOf(littleEndianByteArrayParser, bytes.subarray(0, end), element.dataOffset);
    dicomParser.readSequenceItemsImplicit(stream, element, knownRepresentation);
    reason = lengthProblem({ [element.tag]: element }, end);
  } catch (error) {
    reason = reasonOf(error);
  }
  // If an item is missing, none is used.
  if (reason !== null) delete element.items;
  return reason;
}

/** Values are padded to even length: text with spaces, UIDs with NUL. Some writers add more padding. */
export function unpadded(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const isPadding = (byte: number) => byte === 0x20 || byte === 0;
  let [first, last] = [start, end];
  while (first < last && isPadding(bytes[first])) first++;
  while (last > first && isPadding(bytes[last - 1])) last--;
  return bytes.subarray(first, last);
}

const implicitLittleEndian = "1.2.840.10008.1.2";
const explicitLittleEndian = "1.2.840.10008.1.2.1";
const deflatedLittleEndian = "1.2.840.10008.1.2.1.99";
const explicitBigEndian = "1.2.840.10008.1.2.2";

/** Offset of the meta header or, in old exports without it, of the dataset. */
function startOf(bytes: Uint8Array, name: string): number {
  if (bytes.length === 0) {
    throw new InputError(`${name} is empty, and a DICOM file was expected; copy or download it again.`);
  }
  if (latin1(bytes.subarray(128, 132)) === "DICM") return 132;
  const [group, element] =
    bytes.length < 8 ? [0, 0] : [bytes[0] | (bytes[1] << 8), bytes[2] | (bytes[3] << 8)];
  // The first attributes of a meta header, or of a dataset.
  if ((group === 2 && element === 0) || (group === 8 && element < 0x20)) return 0;
  throw new InputError(`${name} is not a DICOM file (no DICM mark at byte 128); check the path.`);
}

function textOfElement(element: dicomParser.Element | undefined, bytes: Uint8Array): string {
  if (element === undefined) return "";
  return latin1(unpadded(bytes, element.dataOffset, element.dataOffset + element.length));
}

// For an attribute that is not in the dictionary dicom-parser expects undefined, which its types do not allow.
const knownRepresentation = representationOf as (tag: string) => string;

function isInMetaHeader({ byteArray, position }: dicomParser.ByteStream): boolean {
  return byteArray[position] === 2 && byteArray[position + 1] === 0;
}

/**
 * Whether an element states its value representation, by its bytes: some files contradict their transfer syntax, private
 * syntaxes are unknown, and some files state none. Two letters read as an implicit length would be 16 KB, which no first
 * element has.
 */
function hasRepresentation(bytes: Uint8Array, at: number): boolean {
  return /^[A-Z]{2}$/.test(latin1(bytes.subarray(at + 4, at + 6)));
}

const undefinedLength = 0xffff_ffff;
/** The warning of dicom-parser for a sequence or item of undefined length that runs to the end of the file. */
const openSequence = /^eof encountered .* of undefined length$/;

/** Representations with a four-byte length that dicom-parser 1.8 does not know; the dictionary has them. */
const longRepresentations: ReadonlySet<string> = new Set(["OV", "SV", "UV"]);

function streamOf(
  parser: dicomParser.ByteArrayParser,
  bytes: Uint8Array,
  position: number,
): dicomParser.ByteStream {
  const stream = new dicomParser.ByteStream(parser, bytes, position);
  const { seek, readFixedString, readUint32 } = stream;
  let count = 0;
  const counted = () => {
    if (++count > maxElementCount) throw `it has more than ${maxElementCount} elements`;
  };
  // Each element reads its representation or a four-byte length, and each item such a length.
  stream.readFixedString = (length) => {
    counted();
    const representation = readFixedString.call(stream, length);
    return longRepresentations.has(representation) ? "UN" : representation;
  };
  stream.readUint32 = () => {
    counted();
    return readUint32.call(stream);
  };
  // dicom-parser only skips an undefined length after a delimiter, which has no content.
  stream.seek = (offset) => seek.call(stream, offset === undefinedLength ? 0 : offset);
  return stream;
}

/** A limit on memory and time: a thousand CT frames, or ten thousand mask frames, have a tenth of this. */
const maxElementCount = 1_000_000;

/**
 * Removes the elements that do not lie within the first `end` bytes, and returns what is wrong with the first of them:
 * dicom-parser trusts most stated lengths.
 */
function lengthProblem(elements: dicomParser.DataSet["elements"], end: number): string | null {
  let problem: string | null = null;
  for (const element of Object.values(elements)) {
    const { tag, dataOffset, length, items = [], fragments = [] } = element;
    // Compressed pixel data at the end of the file may lack its delimiter.
    const ownEnd = fragments.length > 0 && length === undefinedLength ? end : dataOffset + length;
    const parts = [
      ...items.map((item) => item.dataOffset + item.length),
      ...fragments.map((fragment) => fragment.position + fragment.length),
    ];
    let own: string | null = null;
    if (ownEnd > end)
      own = `${shownTag(tag)} states ${length} bytes, and only ${Math.max(0, end - dataOffset)} are left`;
    else if (parts.some((partEnd) => partEnd > ownEnd))
      own = `an item of ${shownTag(tag)} is longer than its sequence`;
    else {
      for (const [n, { dataSet }] of items.entries())
        own ??= dataSet === undefined ? null : lengthProblem(dataSet.elements, parts[n]);
    }
    if (own !== null) delete elements[tag];
    problem ??= own;
  }
  return problem;
}

/** "(7FE0,0010)" */
export function shownTag(tag: string): string {
  return `(${tag.slice(1, 5)},${tag.slice(5)})`.toUpperCase();
}

/** The header unchanged, followed by the decompressed dataset. */
function inflated(bytes: Uint8Array, headerBytes: number, name: string): Uint8Array {
  const body = bytes.subarray(headerBytes);
  return concatenated([bytes.subarray(0, headerBytes), inflate(body, contentLimitBytes(body.length), name)]);
}

/** dicom-parser throws strings; any other error comes from a case that it does not check. */
function reasonOf(error: unknown): string {
  if (error instanceof InputError) return "its deflated content cannot be decompressed";
  const isSaid = typeof error === "string" && error.length < 200;
  return isSaid ? error.replace(/^dicomParser[.:]\w+: /, "") : "its structure is invalid";
}
