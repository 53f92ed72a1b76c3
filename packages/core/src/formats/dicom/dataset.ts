// Reads DICOM attributes by their keywords as text, numbers or items, however the file stores them.
import dicomParser from "dicom-parser";
import { InputError } from "../../errors.js";
import { shown } from "../../text.js";
import { type TextDecoding, textDecodingOf } from "./character-sets.js";
import { type Attribute, dictionary } from "./dictionary.js";
import { type Content, parseElements, readUnknownItems, shownTag, unpadded } from "./elements.js";

/** A DICOM file, or an item of a sequence in one. Read it with the functions of this file. */
export interface DicomDataset {
  /** The file, for messages. */
  readonly name: string;
  readonly transferSyntaxUid: string;
  readonly content: Content;
  /** Decodes the text values, by the file's Specific Character Set. */
  readonly decodeText: TextDecoding;
}

/**
 * The attributes of a DICOM file: implicit or explicit VR, either byte order, deflated; a Part 10 file, with or without
 * its preamble, or a bare dataset. Values are views of `bytes`, decoded on demand.
 *
 * @param name The file, for messages.
 * @throws InputError where the bytes are not DICOM, cut short or damaged
 */
export function parseDataset(bytes: Uint8Array, name: string): DicomDataset {
  const { dataset, damage } = parseReadablePart(bytes, name);
  if (damage !== null) throw damage;
  return dataset;
}

/**
 * As {@link parseDataset}, but returns the elements before the damage of a damaged file, so that the caller can tell
 * which series it belongs to. Every returned element lies within the bytes.
 *
 * @throws InputError where the bytes are not DICOM at all
 */
export function parseReadablePart(
  bytes: Uint8Array,
  name: string,
): { dataset: DicomDataset; damage: InputError | null } {
  // The slice() of Node's Buffer does not copy; that of a plain Uint8Array on the same bytes does.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { content, reason, transferSyntaxUid } = parseElements(plain, name);
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

/** Whether the attribute is present and has a value or items. */
export function has(dataset: DicomDataset, attribute: Attribute): boolean {
  return (elementOf(dataset, attribute)?.length ?? 0) !== 0;
}

/** The text of an attribute: all values, separated by backslashes; empty where it is missing. */
export function textOf(dataset: DicomDataset, attribute: Attribute): string {
  const element = elementOf(dataset, attribute);
  if (element === undefined || element.length === 0) return "";
  const bytes = unpadded(dataset.content.byteArray, element.dataOffset, element.dataOffset + element.length);
  return dataset.decodeText(bytes, dictionary[attribute][1] === "PN");
}

/** The values of a text attribute; an empty list where it is missing or empty. */
export function textsOf(dataset: DicomDataset, attribute: Attribute): string[] {
  const text = textOf(dataset, attribute);
  return text === "" ? [] : text.split("\\").map((value) => value.trim());
}

/**
 * The values of a numeric attribute (DS, IS, US, SS, UL, SL, FL, FD, OV); an empty list where it is missing or empty.
 *
 * @throws InputError where a value is not a finite number
 */
export function numbersOf(dataset: DicomDataset, attribute: Attribute): number[] {
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
 * @throws InputError where a value is not a finite number
 */
export function numberOf(dataset: DicomDataset, attribute: Attribute): number | undefined {
  return numbersOf(dataset, attribute)[0];
}

/** The first value of an optional numeric attribute; null where it is missing or not a number. */
export function usableNumberOf(dataset: DicomDataset, attribute: Attribute): number | null {
  try {
    return numberOf(dataset, attribute) ?? null;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** The items of a sequence; an empty list where it is missing or empty. */
export function itemsOf(dataset: DicomDataset, attribute: Attribute): DicomDataset[] {
  const element = elementOf(dataset, attribute);
  if (element === undefined) return [];
  if (element.items === undefined && element.length > 0) readUnknownSequence(dataset, element);
  return (element.items ?? []).flatMap((item) =>
    item.dataSet === undefined ? [] : [{ ...dataset, content: item.dataSet }],
  );
}

/** The element itself with its position in the bytes, for pixel data. */
export function elementOf(dataset: DicomDataset, attribute: Attribute): dicomParser.Element | undefined {
  return dataset.content.elements[dictionary[attribute][0]];
}

/** A sequence that its writer did not recognise is stored as UN, implicit VR little endian (PS3.5, 6.2.2). */
function readUnknownSequence({ name, content }: DicomDataset, element: dicomParser.Element): void {
  const reason = readUnknownItems(content.byteArray, element);
  if (reason === null) return;
  throw new InputError(
    `${name} has a sequence ${shownTag(element.tag)} that cannot be read (${reason}); export it again.`,
  );
}

type BinaryReader = (view: DataView, offset: number, littleEndian: boolean) => number;

/** How binary value representations are read: bytes per value, and a function that reads the value at an offset. */
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

function binaryNumbersOf(dataset: DicomDataset, element: dicomParser.Element, vr: string): number[] {
  const [width, read] = binaryNumbers[vr];
  const { byteArray, byteArrayParser } = dataset.content;
  const view = new DataView(byteArray.buffer, byteArray.byteOffset + element.dataOffset, element.length);
  const isLittle = byteArrayParser !== dicomParser.bigEndianByteArrayParser;
  return Array.from({ length: Math.floor(element.length / width) }, (_, n) =>
    read(view, n * width, isLittle),
  );
}

function decimalsOf(dataset: DicomDataset, attribute: Attribute): number[] {
  const values = textsOf(dataset, attribute);
  // A trailing backslash adds an empty value.
  const stated = values.at(-1) === "" ? values.slice(0, -1) : values;
  return stated.map((value) => (decimal.test(value) ? Number(value) : Number.NaN));
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
