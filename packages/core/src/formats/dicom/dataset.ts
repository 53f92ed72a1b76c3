// DICOM attributes out of bytes: any transfer syntax, with or without preamble, through dicom-parser.
import dicomParser from "dicom-parser";
import { InputError } from "../../errors.js";
import { concatenated } from "../bytes.js";
import { greatestContent, inflate } from "../gzip.js";
import { type Attribute, dictionary, representationOf } from "./dictionary.js";

/** A DICOM file, or an item of a sequence in one. Read it with the functions of this file. */
export interface Dataset {
  /** The file, for messages. */
  readonly name: string;
  readonly transferSyntaxUid: string;
  readonly content: dicomParser.DataSet;
  /** Decodes the text values, by the file's Specific Character Set. */
  readonly decodeText: (bytes: Uint8Array) => string;
}

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
 * it belongs to.
 *
 * @throws InputError where the bytes are no DICOM at all
 */
export function parseReadablePart(
  bytes: Uint8Array,
  name: string,
): { dataset: Dataset; damage: InputError | null } {
  // Node's Buffer is a Uint8Array whose slice() does not copy; a plain view of the same bytes does.
  const start = startOf(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), name);
  let content: dicomParser.DataSet;
  let damage: InputError | null = null;
  try {
    content = dicomParser.parseDicom(start.bytes, {
      vrCallback: knownRepresentation,
      inflater: (all: Uint8Array, headerBytes: number) => inflated(all, headerBytes, name),
      ...(start.transferSyntaxUid === null ? {} : { TransferSyntaxUID: start.transferSyntaxUid }),
    });
  } catch (error) {
    if (error instanceof InputError) throw error;
    damage = new InputError(
      `${name} is a DICOM file that is cut short or damaged (${reasonOf(error)}); copy or download it again.`,
      { cause: error },
    );
    const readable = readablePartOf(error);
    if (readable === null) throw damage;
    content = readable;
    if (start.transferSyntaxUid === null) {
      Object.assign(content.elements, dicomParser.readPart10Header(start.bytes).elements);
    }
  }
  const header = { name, content, decodeText: latin1, transferSyntaxUid: start.transferSyntaxUid ?? "" };
  const transferSyntaxUid = start.transferSyntaxUid ?? textOf(header, "TransferSyntaxUID");
  const characterSets = textsOf(header, "SpecificCharacterSet");
  return { dataset: { ...header, transferSyntaxUid, decodeText: textDecoderOf(characterSets) }, damage };
}

/** Whether the attribute is there with a value, or with items. */
export function has(dataset: Dataset, attribute: Attribute): boolean {
  return (elementOf(dataset, attribute)?.length ?? 0) !== 0;
}

/** The text of an attribute, all values with their backslashes; empty where it is missing. */
export function textOf(dataset: Dataset, attribute: Attribute): string {
  const element = elementOf(dataset, attribute);
  if (element === undefined || element.length === 0) return "";
  const { byteArray } = dataset.content;
  const bytes = byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
  // Values are padded to even length: text by spaces, UIDs by NUL. Some writers pad by more.
  return dataset.decodeText(bytes).replace(padding, "");
}

const padding = /^[ \0]+|[ \0]+$/g;

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
      `${dataset.name} has the ${attribute} (${tag.slice(1, 5)},${tag.slice(5)}) "${textOf(dataset, attribute)}", and numbers were expected; correct its header.`,
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
  const stream = new dicomParser.ByteStream(
    dicomParser.littleEndianByteArrayParser,
    byteArray,
    element.dataOffset,
  );
  try {
    dicomParser.readSequenceItemsImplicit(stream, element, knownRepresentation);
  } catch (error) {
    throw new InputError(
      `${dataset.name} has a sequence (${element.tag.slice(1, 5)},${element.tag.slice(5)}) that cannot be read (${reasonOf(error)}); export it again.`,
      { cause: error },
    );
  }
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
  return textsOf(dataset, attribute).map((value) => (value === "" ? Number.NaN : Number(value)));
}

interface Start {
  readonly bytes: Uint8Array;
  /** Stated only where the file has no meta header of its own. */
  readonly transferSyntaxUid: string | null;
}

const implicitLittleEndian = "1.2.840.10008.1.2";
const explicitLittleEndian = "1.2.840.10008.1.2.1";

/** Where the dataset begins. Old exports lack the preamble, or the meta header too. */
function startOf(bytes: Uint8Array, name: string): Start {
  if (bytes.length === 0) {
    throw new InputError(`${name} is empty, and a DICOM file was expected; copy or download it again.`);
  }
  if (latin1(bytes.subarray(128, 132)) === "DICM") return { bytes, transferSyntaxUid: null };
  const [group, element] =
    bytes.length < 8 ? [0, 0] : [bytes[0] | (bytes[1] << 8), bytes[2] | (bytes[3] << 8)];
  if (group === 2 && element === 0) {
    const preamble = new Uint8Array(132);
    preamble.set([0x44, 0x49, 0x43, 0x4d], 128);
    return { bytes: concatenated([preamble, bytes]), transferSyntaxUid: null };
  }
  // A bare dataset begins with one of the first attributes of group 8.
  if (group === 8 && element < 0x20) {
    const isExplicit = /^[A-Z]{2}$/.test(latin1(bytes.subarray(4, 6)));
    return { bytes, transferSyntaxUid: isExplicit ? explicitLittleEndian : implicitLittleEndian };
  }
  throw new InputError(`${name} is not a DICOM file (no DICM mark at byte 128); check the path.`);
}

/** The header as it is, and the inflated dataset behind it, as dicom-parser wants it. */
function inflated(bytes: Uint8Array, headerBytes: number, name: string): Uint8Array {
  const body = bytes.subarray(headerBytes);
  return concatenated([bytes.subarray(0, headerBytes), inflate(body, greatestContent(body.length), name)]);
}

function reasonOf(error: unknown): string {
  const inner = isPartial(error) ? error.exception : error;
  const text = inner instanceof Error ? inner.message : String(inner);
  return text.replace(/^dicomParser[.:]\w+: /, "");
}

/** dicom-parser throws what it read so far beside the reason. */
function readablePartOf(error: unknown): dicomParser.DataSet | null {
  return isPartial(error) ? error.dataSet : null;
}

function isPartial(error: unknown): error is { exception: unknown; dataSet: dicomParser.DataSet } {
  return typeof error === "object" && error !== null && "exception" in error && "dataSet" in error;
}

/** The encoding standard's decoder, which every JavaScript host has, though it is not of the language itself. */
declare class TextDecoder {
  constructor(label: string);
  decode(bytes: Uint8Array): string;
}

/** Labels of the encoding standard for the defined terms of Specific Character Set (PS3.3, C.12.1.1.2). */
const encodings: Readonly<Record<string, string>> = {
  "100": "latin1",
  "101": "iso-8859-2",
  "109": "iso-8859-3",
  "110": "iso-8859-4",
  "144": "iso-8859-5",
  "127": "iso-8859-6",
  "126": "iso-8859-7",
  "138": "iso-8859-8",
  "148": "iso-8859-9",
  "203": "iso-8859-15",
  "166": "windows-874",
  "13": "shift_jis",
  "87": "iso-2022-jp",
  "159": "iso-2022-jp",
  "149": "euc-kr",
  "58": "gb18030",
  "192": "utf-8",
};

/** Of several character sets the last is used: it is the one that the name's own script needs. */
function textDecoderOf(characterSets: readonly string[]): (bytes: Uint8Array) => string {
  const term = characterSets.at(-1) ?? "";
  if (/^GB(18030|K)$/.test(term)) return decoderOf("gb18030");
  const label = encodings[/^ISO(?:_| 2022 )IR (\d+)$/.exec(term)?.[1] ?? ""];
  return label === undefined ? latin1 : decoderOf(label);
}

function decoderOf(label: string): (bytes: Uint8Array) => string {
  const decoder = new TextDecoder(label);
  return (bytes) => decoder.decode(bytes);
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
