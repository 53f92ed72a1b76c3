// Encodes DICOM attributes as the bytes of a file: the counterpart of dataset.ts.
import { concatenated } from "../bytes.js";
import { type Attribute, dictionary } from "./dictionary.js";

/** Attributes by keyword; a sequence is an array of items, and numbers stored as text (DS, IS) are given as text. */
export type Item = { readonly [keyword in Attribute]?: Value };

type Value = string | number | Uint8Array | readonly string[] | readonly number[] | readonly Item[];

export const implicitLittleEndian = "1.2.840.10008.1.2";
export const explicitLittleEndian = "1.2.840.10008.1.2.1";

/**
 * A DICOM file (PS3.10): preamble, meta header, dataset. Text is UTF-8, so the dataset should state the character set
 * ISO_IR 192. The same dataset always gives the same bytes.
 *
 * @param dataset - with SOPClassUID and SOPInstanceUID
 * @throws RangeError where a value is too long for its length field, which in explicit VR allows 65,534 bytes
 */
export function encodeFile(
  dataset: Item & { readonly SOPClassUID: string; readonly SOPInstanceUID: string },
  transferSyntaxUid: typeof implicitLittleEndian | typeof explicitLittleEndian,
): Uint8Array {
  const header = dicomFileHeader(dataset.SOPClassUID, dataset.SOPInstanceUID, transferSyntaxUid);
  const body = encodeItem(dataset, transferSyntaxUid === explicitLittleEndian);
  return concatenated([header, body]);
}

/** What stands in a file before its data set (PS3.10, 7.1): preamble and meta header. A data set from a network has neither. */
export function dicomFileHeader(
  sopClassUid: string,
  sopInstanceUid: string,
  transferSyntaxUid: string,
): Uint8Array {
  const meta = encodeItem(
    {
      FileMetaInformationVersion: Uint8Array.of(0, 1),
      MediaStorageSOPClassUID: sopClassUid,
      MediaStorageSOPInstanceUID: sopInstanceUid,
      TransferSyntaxUID: transferSyntaxUid,
      ImplementationClassUID: implementationClassUid,
      ImplementationVersionName: "LNSNET",
    },
    true,
  );
  const preamble = new Uint8Array(132);
  preamble.set([0x44, 0x49, 0x43, 0x4d], 128);
  const groupLength = encodeItem({ FileMetaInformationGroupLength: meta.length }, true);
  return concatenated([preamble, groupLength, meta]);
}

/**
 * A number as a decimal string of at most 16 characters (PS3.5, 6.2: DS), as precise as that allows.
 *
 * @throws RangeError where it is not finite
 */
export function decimalString(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} cannot be written as a decimal string.`);
  for (let digits = 17; digits > 0; digits--) {
    const text = String(Number(value.toPrecision(digits)));
    if (text.length <= 16) return text === "-0" ? "0" : text;
  }
  return "0";
}

/** Identifies this writer in its files; made once from a random UUID. */
const implementationClassUid = "2.25.153858252261820937924625723526028735998";

/** Representations whose explicit length field has four bytes (PS3.5, 7.1.2). */
const longRepresentations: ReadonlySet<string> = new Set(["OB", "OV", "OW", "SQ", "UT", "UN"]);

/** The encoder of the Encoding Standard: every JavaScript host has it, but it is not part of the language. */
declare class TextEncoder {
  encode(text: string): Uint8Array;
}

function encodeItem(item: Item, isExplicit: boolean): Uint8Array {
  const elements = (Object.entries(item) as [Attribute, Value][])
    .map(([keyword, value]) => ({ tag: tagOf(keyword), vr: dictionary[keyword][1], value, keyword }))
    .sort((a, b) => a.tag - b.tag);
  return concatenated(
    elements.flatMap(({ tag, vr, value, keyword }) => {
      const bytes = encodeValue(value, vr, isExplicit);
      return [elementHeader(tag, vr, bytes.length, keyword, isExplicit), bytes];
    }),
  );
}

function tagOf(keyword: Attribute): number {
  return Number.parseInt(dictionary[keyword][0].slice(1), 16);
}

function elementHeader(
  tag: number,
  vr: string,
  length: number,
  keyword: string,
  isExplicit: boolean,
): Uint8Array {
  const isLong = longRepresentations.has(vr);
  if (isExplicit && !isLong && length > 0xfffe) {
    throw new RangeError(`${keyword} has ${length} bytes, and explicit VR allows 65,534; write implicit VR.`);
  }
  const header = new Uint8Array(isExplicit && isLong ? 12 : 8);
  const view = new DataView(header.buffer);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  if (isExplicit) {
    view.setUint8(4, vr.charCodeAt(0));
    view.setUint8(5, vr.charCodeAt(1));
  }
  if (isExplicit && !isLong) view.setUint16(6, length, true);
  else view.setUint32(header.length - 4, length, true);
  return header;
}

function encodeValue(value: Value, vr: string, isExplicit: boolean): Uint8Array {
  if (value instanceof Uint8Array) return padded(value, 0);
  if (vr === "SQ")
    return concatenated((value as readonly Item[]).map((item) => encodeSequenceItem(item, isExplicit)));
  const values: readonly (string | number | Item)[] =
    typeof value === "string" || typeof value === "number" ? [value] : value;
  if (vr === "US") return numbers(values, 2, (view, at, number) => view.setUint16(at, number, true));
  if (vr === "UL") return numbers(values, 4, (view, at, number) => view.setUint32(at, number, true));
  if (vr === "AT") {
    const tags = values.map((keyword) => tagOf(keyword as Attribute));
    return numbers(
      tags.flatMap((tag) => [tag >>> 16, tag & 0xffff]),
      2,
      (view, at, number) => view.setUint16(at, number, true),
    );
  }
  return padded(new TextEncoder().encode(values.join("\\")), vr === "UI" ? 0 : 0x20);
}

function encodeSequenceItem(item: Item, isExplicit: boolean): Uint8Array {
  const content = encodeItem(item, isExplicit);
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint16(0, 0xfffe, true);
  view.setUint16(2, 0xe000, true);
  view.setUint32(4, content.length, true);
  return concatenated([header, content]);
}

function numbers(
  values: readonly unknown[],
  width: number,
  set: (view: DataView, at: number, number: number) => void,
): Uint8Array {
  const bytes = new Uint8Array(values.length * width);
  const view = new DataView(bytes.buffer);
  values.forEach((value, n) => {
    set(view, n * width, Number(value));
  });
  return bytes;
}

function padded(bytes: Uint8Array, filler: number): Uint8Array {
  return bytes.length % 2 === 0 ? bytes : concatenated([bytes, Uint8Array.of(filler)]);
}
