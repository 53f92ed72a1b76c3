// DICOM files for tests: small CT slices with given attributes, native or compressed, and folders of them.
import { readFileSync } from "node:fs";
import { encodeFile, explicitLittleEndian, type Item } from "./encode.js";
import type { NamedFile } from "./slices.js";

/** Bytes of a file of fixtures/dicom-ct. */
export function fixture(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../../../../fixtures/dicom-ct/${path}`, import.meta.url)));
}

/** Attributes of a CT slice that differ from the defaults. */
export type CtAttributes = Item & { readonly SOPClassUID?: string; readonly SOPInstanceUID?: string };

/** A CT slice of 2 × 2 pixels of int16, 1 mm, at z = 0; `attributes` replace these defaults. */
export function ctItem(
  attributes: CtAttributes = {},
): Item & { SOPClassUID: string; SOPInstanceUID: string } {
  return {
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.2",
    SOPInstanceUID: "1.2.3.4",
    ImageType: ["ORIGINAL", "PRIMARY", "AXIAL"],
    Modality: "CT",
    SeriesInstanceUID: "1.2.3",
    SeriesNumber: "7",
    SeriesDescription: "Neck",
    FrameOfReferenceUID: "1.2.9",
    ImagePositionPatient: ["0", "0", "0"],
    ImageOrientationPatient: ["1", "0", "0", "0", "1", "0"],
    PixelSpacing: ["1", "1"],
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    Rows: 2,
    Columns: 2,
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    RescaleSlope: "1",
    RescaleIntercept: "0",
    PixelData: bytesOf(Int16Array.of(0, 1, 2, 3)),
    ...attributes,
  };
}

export function ctFile(attributes: CtAttributes = {}): Uint8Array {
  return encodeFile(ctItem(attributes), explicitLittleEndian);
}

/** Slices along z, each with its own UID and number, in the order of `positionsMm`. */
export function ctSeries(
  positionsMm: readonly number[],
  attributes: (n: number) => CtAttributes = () => ({}),
): NamedFile[] {
  return positionsMm.map((z, n) =>
    named(
      ctFile({
        SOPInstanceUID: `1.2.3.${n + 1}`,
        InstanceNumber: `${n + 1}`,
        ImagePositionPatient: ["0", "0", `${z}`],
        ...attributes(n),
      }),
      `slice-${n + 1}`,
    ),
  );
}

export function named(bytes: Uint8Array, name: string): NamedFile {
  return { name, read: async () => bytes };
}

/** A file whose pixel data is encapsulated (PS3.5, A.4): the offset table and the fragments. */
export function encapsulatedFile(
  attributes: CtAttributes,
  transferSyntaxUid: string,
  fragments: readonly Uint8Array[],
  offsetTable: readonly number[] = [],
): Uint8Array {
  const { PixelData: _, ...header } = ctItem(attributes);
  const explicit = encodeFile(header, explicitLittleEndian);
  const body = explicit.slice(144 + new DataView(explicit.buffer).getUint32(140, true));
  const uid = new TextEncoder().encode(
    transferSyntaxUid.padEnd(2 * Math.ceil(transferSyntaxUid.length / 2), "\0"),
  );
  const meta = [0x02, 0x00, 0x10, 0x00, 0x55, 0x49, uid.length, 0, ...uid];
  const items = [bytesOf(Uint32Array.from(offsetTable)), ...fragments].map((content) => {
    const padded = new Uint8Array(content.length + (content.length % 2));
    padded.set(content);
    return Uint8Array.from([0xfe, 0xff, 0x00, 0xe0, ...bytesOf(Uint32Array.of(padded.length)), ...padded]);
  });
  return Uint8Array.from([
    ...explicit.slice(0, 132),
    ...meta,
    ...body,
    ...[0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff],
    ...items.flatMap((item) => [...item]),
    ...[0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0],
  ]);
}

/** The bytes of an array, little endian as every machine that tests run on. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
