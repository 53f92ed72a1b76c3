// CT series as a scanner writes them and SEGs as other programs draw on them, for tests: explicit VR little endian,
// nothing that is not needed.
import { type Geometry, pointOfIndex, type Vector3 } from "@lnsnet/core/volume";

export interface CtSeries extends Geometry {
  /** HU, whole numbers. i fastest. */
  readonly hu: ArrayLike<number>;
  readonly patientId: string;
  readonly seriesUid: string;
  readonly frameOfReferenceUid: string;
  readonly description?: string;
  readonly modality?: string;
  readonly accessionNumber?: string;
  /** YYYYMMDD. */
  readonly studyDate?: string;
  /** Where the first pixel of each slice lies; on the grid where left out. */
  readonly positionsMm?: readonly Vector3[];
}

/** The files of a series, the last slice first: readers must not trust names or order. */
export function ctFiles(series: CtSeries): { name: string; bytes: Uint8Array }[] {
  const [nx, ny, nz] = series.size;
  return Array.from({ length: nz }, (_, n) => {
    const k = nz - 1 - n;
    const slice = Array.from({ length: nx * ny }, (_, at) => series.hu[at + nx * ny * k]);
    return { name: `${n}.dcm`, bytes: ctFile(series, k, slice) };
  });
}

function positionOf(series: CtSeries, k: number): Vector3 {
  return series.positionsMm?.[k] ?? pointOfIndex(series, [0, 0, k]);
}

/**
 * A binary segmentation of one segment with a frame on each of these slices of a series, at the slice's own place.
 *
 * @param frames - the mask of each slice that was drawn on, 1 inside, i fastest
 */
export function segFile(
  series: CtSeries,
  frames: readonly { readonly k: number; readonly mask: Uint8Array }[],
  sliceThicknessMm: number,
): Uint8Array {
  const { direction: m, spacingMm: s, size } = series;
  const code = (value: string) => [
    element(0x0008, 0x0100, "SH", value),
    element(0x0008, 0x0102, "SH", "SCT"),
    element(0x0008, 0x0104, "LO", value),
  ];
  const bits = frames.flatMap(({ mask }) => [...mask]);
  const packed = new Uint8Array(Math.ceil(bits.length / 8));
  for (const [n, bit] of bits.entries()) packed[n >> 3] |= bit << (n & 7);
  return file(segStorage, `${series.seriesUid}.77`, [
    element(0x0008, 0x0060, "CS", "SEG"),
    sequence(0x0008, 0x1115, [[element(0x0020, 0x000e, "UI", series.seriesUid)]]),
    element(0x0010, 0x0010, "PN", `Doe^${series.patientId}`),
    element(0x0010, 0x0020, "LO", series.patientId),
    element(0x0020, 0x000d, "UI", `${series.seriesUid}.99`),
    element(0x0020, 0x000e, "UI", `${series.seriesUid}.78`),
    element(0x0020, 0x0052, "UI", series.frameOfReferenceUid),
    element(0x0028, 0x0002, "US", 1),
    element(0x0028, 0x0004, "CS", "MONOCHROME2"),
    element(0x0028, 0x0008, "IS", String(frames.length)),
    element(0x0028, 0x0010, "US", size[1]),
    element(0x0028, 0x0011, "US", size[0]),
    element(0x0028, 0x0100, "US", 1),
    element(0x0028, 0x0101, "US", 1),
    element(0x0028, 0x0102, "US", 0),
    element(0x0028, 0x0103, "US", 0),
    element(0x0062, 0x0001, "CS", "BINARY"),
    sequence(0x0062, 0x0002, [
      [
        sequence(0x0062, 0x0003, [code("91723000")]),
        element(0x0062, 0x0004, "US", 1),
        element(0x0062, 0x0005, "LO", "LN"),
        element(0x0062, 0x0008, "CS", "MANUAL"),
        sequence(0x0062, 0x000f, [code("59441001")]),
      ],
    ]),
    sequence(0x5200, 0x9229, [
      [
        sequence(0x0020, 0x9116, [
          [element(0x0020, 0x0037, "DS", [m[0], m[3], m[6], m[1], m[4], m[7]].join("\\"))],
        ]),
        sequence(0x0028, 0x9110, [
          [
            element(0x0018, 0x0050, "DS", String(sliceThicknessMm)),
            element(0x0028, 0x0030, "DS", `${s[1]}\\${s[0]}`),
          ],
        ]),
      ],
    ]),
    sequence(
      0x5200,
      0x9230,
      frames.map(({ k }) => [
        sequence(0x0020, 0x9113, [[element(0x0020, 0x0032, "DS", positionOf(series, k).join("\\"))]]),
        sequence(0x0062, 0x000a, [[element(0x0062, 0x000b, "US", 1)]]),
      ]),
    ),
    element(0x7fe0, 0x0010, "OW", packed),
  ]);
}

const segStorage = "1.2.840.10008.5.1.4.1.1.66.4";
const ctStorage = "1.2.840.10008.5.1.4.1.1.2";

function ctFile(series: CtSeries, k: number, hu: readonly number[]): Uint8Array {
  const { direction: m, spacingMm: s, size } = series;
  const uid = `${series.seriesUid}.${k + 1}`;
  const stored = Uint8Array.from(hu.flatMap((value) => [(value + 1024) & 255, (value + 1024) >> 8]));
  return file(ctStorage, uid, [
    element(0x0008, 0x0020, "DA", series.studyDate ?? "20240102"),
    element(0x0008, 0x0050, "SH", series.accessionNumber ?? ""),
    element(0x0008, 0x0060, "CS", series.modality ?? "CT"),
    element(0x0008, 0x103e, "LO", series.description ?? "neck"),
    element(0x0010, 0x0010, "PN", `Doe^${series.patientId}`),
    element(0x0010, 0x0020, "LO", series.patientId),
    element(0x0020, 0x000d, "UI", `${series.seriesUid}.99`),
    element(0x0020, 0x000e, "UI", series.seriesUid),
    element(0x0020, 0x0013, "IS", String(k + 1)),
    element(0x0020, 0x0032, "DS", positionOf(series, k).join("\\")),
    element(0x0020, 0x0037, "DS", [m[0], m[3], m[6], m[1], m[4], m[7]].join("\\")),
    element(0x0020, 0x0052, "UI", series.frameOfReferenceUid),
    element(0x0028, 0x0002, "US", 1),
    element(0x0028, 0x0004, "CS", "MONOCHROME2"),
    element(0x0028, 0x0010, "US", size[1]),
    element(0x0028, 0x0011, "US", size[0]),
    element(0x0028, 0x0030, "DS", `${s[1]}\\${s[0]}`),
    element(0x0028, 0x0100, "US", 16),
    element(0x0028, 0x0101, "US", 16),
    element(0x0028, 0x0102, "US", 15),
    element(0x0028, 0x0103, "US", 0),
    element(0x0028, 0x1052, "DS", "-1024"),
    element(0x0028, 0x1053, "DS", "1"),
    element(0x7fe0, 0x0010, "OW", stored),
  ]);
}

/** Preamble, meta header, and the elements behind the SOP class and instance. */
function file(sopClassUid: string, sopInstanceUid: string, elements: readonly Uint8Array[]): Uint8Array {
  const meta = [
    element(0x0002, 0x0002, "UI", sopClassUid),
    element(0x0002, 0x0003, "UI", sopInstanceUid),
    element(0x0002, 0x0010, "UI", "1.2.840.10008.1.2.1"),
  ];
  const metaBytes = joined(meta);
  return joined([
    new Uint8Array(128),
    new TextEncoder().encode("DICM"),
    element(0x0002, 0x0000, "UL", metaBytes.length),
    metaBytes,
    element(0x0008, 0x0016, "UI", sopClassUid),
    element(0x0008, 0x0018, "UI", sopInstanceUid),
    ...elements,
  ]);
}

function sequence(group: number, tag: number, items: readonly (readonly Uint8Array[])[]): Uint8Array {
  const content = items.map((item) => {
    const elements = joined(item);
    const header = new DataView(new ArrayBuffer(8));
    header.setUint32(0, 0xe000fffe, true);
    header.setUint32(4, elements.length, true);
    return joined([new Uint8Array(header.buffer), elements]);
  });
  return element(group, tag, "SQ", joined(content));
}

/** A data element (PS3.5, 7.1.2), padded to an even length. */
function element(
  group: number,
  tag: number,
  representation: string,
  value: string | number | Uint8Array,
): Uint8Array {
  const content = contentOf(representation, value);
  const length = content.length + (content.length % 2);
  const isLong = representation === "OW" || representation === "SQ";
  const bytes = new Uint8Array((isLong ? 12 : 8) + length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, group, true);
  view.setUint16(2, tag, true);
  bytes.set(new TextEncoder().encode(representation), 4);
  if (isLong) view.setUint32(8, length, true);
  else view.setUint16(6, length, true);
  bytes.fill(representation === "UI" ? 0 : 0x20, bytes.length - length);
  bytes.set(content, bytes.length - length);
  return bytes;
}

function contentOf(representation: string, value: string | number | Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return new TextEncoder().encode(value);
  const number = new Uint8Array(representation === "UL" ? 4 : 2);
  const view = new DataView(number.buffer);
  if (representation === "UL") view.setUint32(0, value, true);
  else view.setUint16(0, value, true);
  return number;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
