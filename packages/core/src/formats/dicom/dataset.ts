// DICOM attributes out of bytes: any transfer syntax, with or without preamble, through dicom-parser.
import dicomParser from "dicom-parser";
import { InputError } from "../../errors.js";
import { shown } from "../../text.js";
import { concatenated } from "../bytes.js";
import { greatestContent, inflate } from "../gzip.js";
import { latin1, type TextDecoding, textDecodingOf } from "./character-sets.js";
import { type Attribute, dictionary, representationOf } from "./dictionary.js";

/** A DICOM file, or an item of a sequence in one. Read it with the functions of this file. */
export interface Dataset {
  /** The file, for messages. */
  readonly name: string;
  readonly transferSyntaxUid: string;
  readonly content: Content;
  /** Decodes the text values, by the file's Specific Character Set. */
  readonly decodeText: TextDecoding;
}

type Content = Pick<dicomParser.DataSet, "byteArray" | "byteArrayParser" | "elements" | "warnings">;

/**
 * The attributes of a DICOM file: implicit or explicit VR, either byte order, deflated; a Part 10 file, one that lacks
 * its preamble, or a bare dataset. Values are views of `bytes`, decoded when they are asked for.
 *
 * @param name The file, for messages.
 * @throws InputError where the bytes are no DICOM, cut short or damaged
 */
export function parseDataset(bytes: Uint8Array, name: string): Dataset {
  const { dataset, damage } = parseReadablePart(bytes, name);
  if (damage !== null) throw damage;
  return dataset;
}

/**
 * As {@link parseDataset}, but of a damaged file what stands before the damage, so that the caller can tell which series
 * it belongs to. Every element that is given lies within the bytes.
 *
 * @throws InputError where the bytes are no DICOM at all
 */
export function parseReadablePart(
  bytes: Uint8Array,
  name: string,
): { dataset: Dataset; damage: InputError | null } {
  // Node's Buffer is a Uint8Array whose slice() does not copy; a plain view of the same bytes does.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { content, reason, transferSyntaxUid } = parsed(plain, startOf(plain, name), name);
  const header = { name, content, decodeText: textDecodingOf([]), transferSyntaxUid };
  return {
    dataset: { ...header, decodeText: textDecodingOf(textsOf(header, "SpecificCharacterSet")) },
    damage:
      reason === null
        ? null
        : new InputError(
            `${name} is a DICOM file that is cut short or damaged (${reason}); copy or download it again.`,
          ),
  };
}

/** Whether the attribute is there with a value, or with items. */
export function has(dataset: Dataset, attribute: Attribute): boolean {
  return (elementOf(dataset, attribute)?.length ?? 0) !== 0;
}

/** The text of an attribute, all values with their backslashes; empty where it is missing. */
export function textOf(dataset: Dataset, attribute: Attribute): string {
  const element = elementOf(dataset, attribute);
  if (element === undefined || element.length === 0) return "";
  const bytes = unpadded(dataset.content.byteArray, element.dataOffset, element.dataOffset + element.length);
  return dataset.decodeText(bytes, dictionary[attribute][1] === "PN");
}

/** Values are padded to even length: text by spaces, UIDs by NUL. Some writers pad by more. */
function unpadded(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const isPadding = (byte: number) => byte === 0x20 || byte === 0;
  let [first, last] = [start, end];
  while (first < last && isPadding(bytes[first])) first++;
  while (last > first && isPadding(bytes[last - 1])) last--;
  return bytes.subarray(first, last);
}

/** The values of a text attribute; none where it is missing or empty. */
export function textsOf(dataset: Dataset, attribute: Attribute): string[] {
  const text = textOf(dataset, attribute);
  return text === "" ? [] : text.split("\\").map((value) => value.trim());
}

/**
 * The values of a numeric attribute (DS, IS, US, SS, UL, SL, FL, FD, OV); none where it is missing or empty.
 *
 * @throws InputError where a value is no finite number
 */
export function numbersOf(dataset: Dataset, attribute: Attribute): number[] {
  const element = elementOf(dataset, attribute);
  if (element === undefined || element.length === 0) return [];
  const [tag, usualVr] = dictionary[attribute];
  const vr = element.vr === undefined || element.vr === "UN" ? usualVr : element.vr;
  const values = vr in binaryNumbers ? binaryNumbersOf(dataset, element, vr) : decimalsOf(dataset, attribute);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new InputError(
      `${dataset.name} has the ${attribute} ${shownTag(tag)} "${shown(textOf(dataset, attribute))}", and numbers were expected; correct its header.`,
    );
  }
  return values;
}

/**
 * The first value of a numeric attribute; undefined where it is missing or empty.
 *
 * @throws InputError where a value is no finite number
 */
export function numberOf(dataset: Dataset, attribute: Attribute): number | undefined {
  return numbersOf(dataset, attribute)[0];
}

/** The first value of a numeric attribute that nothing depends on; null where it is missing or no number. */
export function usableNumberOf(dataset: Dataset, attribute: Attribute): number | null {
  try {
    return numberOf(dataset, attribute) ?? null;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** The items of a sequence; none where it is missing or empty. */
export function itemsOf(dataset: Dataset, attribute: Attribute): Dataset[] {
  const element = elementOf(dataset, attribute);
  if (element === undefined) return [];
  if (element.items === undefined && element.length > 0) readUnknownSequence(dataset, element);
  return (element.items ?? []).flatMap((item) =>
    item.dataSet === undefined ? [] : [{ ...dataset, content: item.dataSet }],
  );
}

/** The element itself with its place in the bytes, for pixel data. */
export function elementOf(dataset: Dataset, attribute: Attribute): dicomParser.Element | undefined {
  return dataset.content.elements[dictionary[attribute][0]];
}

/** A sequence that its writer did not know is stored as UN, implicit VR little endian (PS3.5, 6.2.2). */
function readUnknownSequence(dataset: Dataset, element: dicomParser.Element): void {
  const { byteArray } = dataset.content;
  const end = element.dataOffset + element.length;
  let reason: string | null = null;
  try {
    const stream = streamOf(
      dicomParser.littleEndianByteArrayParser,
      byteArray.subarray(0, end),
      element.dataOffset,
    );
    dicomParser.readSequenceItemsImplicit(stream, element, knownRepresentation);
    reason = lengthProblem({ [element.tag]: element }, end);
  } catch (error) {
    reason = reasonOf(error);
  }
  if (reason === null) return;
  throw new InputError(
    `${dataset.name} has a sequence ${shownTag(element.tag)} that cannot be read (${reason}); export it again.`,
  );
}

// Of an attribute that is not in the dictionary dicom-parser wants undefined, which its types leave out.
const knownRepresentation = representationOf as (tag: string) => string;

type BinaryReader = (view: DataView, offset: number, littleEndian: boolean) => number;

/** How the binary representations are read: bytes a value, and the value at an offset. */
const binaryNumbers: Readonly<Record<string, readonly [bytes: number, read: BinaryReader]>> = {
  US: [2, (view, offset, little) => view.getUint16(offset, little)],
  SS: [2, (view, offset, little) => view.getInt16(offset, little)],
  UL: [4, (view, offset, little) => view.getUint32(offset, little)],
  SL: [4, (view, offset, little) => view.getInt32(offset, little)],
  FL: [4, (view, offset, little) => view.getFloat32(offset, little)],
  FD: [8, (view, offset, little) => view.getFloat64(offset, little)],
  OV: [8, (view, offset, little) => Number(view.getBigUint64(offset, little))],
  UV: [8, (view, offset, little) => Number(view.getBigUint64(offset, little))],
};

function binaryNumbersOf(dataset: Dataset, element: dicomParser.Element, vr: string): number[] {
  const [width, read] = binaryNumbers[vr];
  const { byteArray, byteArrayParser } = dataset.content;
  const view = new DataView(byteArray.buffer, byteArray.byteOffset + element.dataOffset, element.length);
  const isLittle = byteArrayParser !== dicomParser.bigEndianByteArrayParser;
  return Array.from({ length: Math.floor(element.length / width) }, (_, n) =>
    read(view, n * width, isLittle),
  );
}

function decimalsOf(dataset: Dataset, attribute: Attribute): number[] {
  return textsOf(dataset, attribute).map((value) => (decimal.test(value) ? Number(value) : Number.NaN));
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

const implicitLittleEndian = "1.2.840.10008.1.2";
const explicitLittleEndian = "1.2.840.10008.1.2.1";
const deflatedLittleEndian = "1.2.840.10008.1.2.1.99";
const explicitBigEndian = "1.2.840.10008.1.2.2";

/** Where the meta header or, in old exports without one, the dataset begins. */
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

interface Parsed {
  readonly content: Content;
  readonly transferSyntaxUid: string;
  /** Why not all of the file could be read; null where all is there. */
  readonly reason: string | null;
}

/** The elements of meta header and dataset. Of a damaged file those that lie within it before the damage. */
function parsed(bytes: Uint8Array, start: number, name: string): Parsed {
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
    // The meta header is in explicit VR little endian, whatever the dataset is in.
    while (isInMetaHeader(metaStream)) {
      const element = dicomParser.readDicomElementExplicit(metaStream, []);
      elements[element.tag] = element;
    }
    const { position } = metaStream;
    reason = lengthProblem(elements, bytes.length);
    if (reason === null && position >= bytes.length) reason = "it ends behind its meta header";
    if (reason !== null) return { content, transferSyntaxUid, reason };
    transferSyntaxUid = textOf({ name, content, transferSyntaxUid, decodeText: latin1 }, "TransferSyntaxUID");

    if (transferSyntaxUid === deflatedLittleEndian) {
      content = { ...content, byteArray: inflated(bytes, position, name) };
    } else if (transferSyntaxUid === explicitBigEndian) {
      content = { ...content, byteArrayParser: dicomParser.bigEndianByteArrayParser };
    }
    const isExplicit = hasRepresentation(content.byteArray, position);
    transferSyntaxUid ||= isExplicit ? explicitLittleEndian : implicitLittleEndian;
    const stream = streamOf(content.byteArrayParser, content.byteArray, position);
    content = { ...content, warnings: stream.warnings };
    // dicom-parser asks for its own class and takes no more of it than this.
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

function isInMetaHeader({ byteArray, position }: dicomParser.ByteStream): boolean {
  return byteArray[position] === 2 && byteArray[position + 1] === 0;
}

/**
 * Whether an element states its value representation. Not every file is what its transfer syntax says, private ones are
 * not known, and some files state none; as an implicit length two letters would be 16 KB, which no first element has.
 */
function hasRepresentation(bytes: Uint8Array, at: number): boolean {
  return /^[A-Z]{2}$/.test(latin1(bytes.subarray(at + 4, at + 6)));
}

const undefinedLength = 0xffff_ffff;
/** What dicom-parser warns of where a sequence or item of undefined length runs to the end of the file. */
const openSequence = /^eof encountered .* of undefined length$/;

/** Representations with a length of four bytes that dicom-parser 1.8 does not know; the dictionary knows what they are. */
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
    if (++count > greatestElementCount) throw `it has more than ${greatestElementCount} elements`;
  };
  // Each element states its representation or a length of four bytes, and each item such a length.
  stream.readFixedString = (length) => {
    counted();
    const representation = readFixedString.call(stream, length);
    return longRepresentations.has(representation) ? "UN" : representation;
  };
  stream.readUint32 = () => {
    counted();
    return readUint32.call(stream);
  };
  // Only behind a delimiter an undefined length is skipped by, and a delimiter has no content.
  stream.seek = (offset) => seek.call(stream, offset === undefinedLength ? 0 : offset);
  return stream;
}

/** A thousand frames of CT, or ten thousand of a mask, state a tenth of it; each takes memory and time. */
const greatestElementCount = 1_000_000;

/**
 * Removes the elements that do not lie within the first `end` bytes, and says of the first what is wrong: dicom-parser
 * takes most lengths as they are stated.
 */
function lengthProblem(elements: dicomParser.DataSet["elements"], end: number): string | null {
  let problem: string | null = null;
  for (const element of Object.values(elements)) {
    const { tag, dataOffset, length, items = [], fragments = [] } = element;
    // Compressed pixel data may lack its delimiter at the end of the file.
    const ownEnd = fragments.length > 0 && length === undefinedLength ? end : dataOffset + length;
    const parts = [
      ...items.map((item) => item.dataOffset + item.length),
      ...fragments.map((fragment) => fragment.position + fragment.length),
    ];
    let own: string | null = null;
    if (ownEnd > end)
      own = `${shownTag(tag)} has ${length} bytes, of which ${Math.max(0, end - dataOffset)} are there`;
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
function shownTag(tag: string): string {
  return `(${tag.slice(1, 5)},${tag.slice(5)})`.toUpperCase();
}

/** The header as it is, and the inflated dataset behind it. */
function inflated(bytes: Uint8Array, headerBytes: number, name: string): Uint8Array {
  const body = bytes.subarray(headerBytes);
  return concatenated([bytes.subarray(0, headerBytes), inflate(body, greatestContent(body.length), name)]);
}

/** dicom-parser throws texts; any other error is of something that it does not look for. */
function reasonOf(error: unknown): string {
  if (error instanceof InputError) return "its deflated content cannot be inflated";
  const isSaid = typeof error === "string" && error.length < 200;
  return isSaid ? error.replace(/^dicomParser[.:]\w+: /, "") : "its structure cannot be followed";
}
