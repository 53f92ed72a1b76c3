// CT series as a scanner would send them, made of a volume, for the load run: explicit VR little endian.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pointOfIndex, type Volume } from "@lnsnet/core";
import { dicomFileHeader } from "@lnsnet/core/formats";

export interface SentSeries {
  readonly seriesUid: string;
  /** By which the rules of the load run tell urgent studies from others. */
  readonly description: string;
}

const ctStorage = "1.2.840.10008.5.1.4.1.1.2";
const explicitLittleEndian = "1.2.840.10008.1.2.1";

/** The part of a scan around the place where most of its label lies, at most so long along each axis. */
export function cropAround(image: Volume, label: Volume, longestMm: number): Volume<Int16Array> {
  const [nx, ny] = image.size;
  const indexOf = (at: number) => [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
  const size = axes.map((axis) =>
    Math.min(image.size[axis], Math.round(longestMm / image.spacingMm[axis])),
  ) as [number, number, number];
  const middle = fullest(label, indexOf);
  const from = axes.map((axis) =>
    Math.max(0, Math.min(image.size[axis] - size[axis], middle[axis] - Math.round(size[axis] / 2))),
  ) as [number, number, number];
  const data = new Int16Array(size[0] * size[1] * size[2]);
  for (const at of data.keys()) {
    const [x, y, z] = [
      at % size[0],
      Math.floor(at / size[0]) % size[1],
      Math.floor(at / (size[0] * size[1])),
    ];
    data[at] = image.data[from[0] + x + nx * (from[1] + y + ny * (from[2] + z))];
  }
  return { ...image, size, originMm: pointOfIndex(image, from), data };
}

const axes = [0, 1, 2] as const;

/** The middle of the label in the slice that holds most of it. */
function fullest({ size, data }: Volume, indexOf: (at: number) => number[]): number[] {
  const places = [...data.keys()].filter((at) => data[at] !== 0).map(indexOf);
  const inSlice = Array.from({ length: size[2] }, (_, k) => places.filter((place) => place[2] === k));
  const most = inSlice.reduce((best, slice) => (slice.length > best.length ? slice : best));
  return axes.map((axis) => most.map((place) => place[axis]).sort((a, b) => a - b)[most.length >> 1]);
}

/** Writes a file for each slice; each states how many there are. @returns how many there are */
export function writeCtSeries(folder: string, volume: Volume, series: SentSeries): number {
  mkdirSync(folder, { recursive: true });
  const slices = volume.size[2];
  for (let k = 0; k < slices; k++)
    writeFileSync(join(folder, `${String(k).padStart(3, "0")}.dcm`), sliceFile(volume, k, series));
  return slices;
}

function sliceFile(volume: Volume, k: number, { seriesUid, description }: SentSeries): Uint8Array {
  const [columns, rows, slices] = volume.size;
  const { direction: m, spacingMm, data } = volume;
  const instanceUid = `${seriesUid}.${k + 1}`;
  const pixels = new DataView(new ArrayBuffer(2 * columns * rows));
  for (let at = 0; at < columns * rows; at++)
    pixels.setUint16(2 * at, Math.round(data[at + columns * rows * k]) + 1024, true);
  return Buffer.concat([
    dicomFileHeader(ctStorage, instanceUid, explicitLittleEndian),
    element(0x0008_0016, "UI", ctStorage),
    element(0x0008_0018, "UI", instanceUid),
    element(0x0008_0020, "DA", "20260101"),
    element(0x0008_0060, "CS", "CT"),
    element(0x0008_103e, "LO", description),
    element(0x0010_0010, "PN", "Phantom"),
    element(0x0010_0020, "LO", "PHANTOM"),
    element(0x0020_000d, "UI", `${seriesUid}.0`),
    element(0x0020_000e, "UI", seriesUid),
    element(0x0020_0013, "IS", String(k + 1)),
    element(0x0020_0032, "DS", pointOfIndex(volume, [0, 0, k]).map(decimal).join("\\")),
    element(0x0020_0037, "DS", [m[0], m[3], m[6], m[1], m[4], m[7]].map(decimal).join("\\")),
    element(0x0020_0052, "UI", `${seriesUid}.999`),
    element(0x0020_1209, "IS", String(slices)),
    element(0x0028_0002, "US", 1),
    element(0x0028_0004, "CS", "MONOCHROME2"),
    element(0x0028_0010, "US", rows),
    element(0x0028_0011, "US", columns),
    element(0x0028_0030, "DS", [spacingMm[1], spacingMm[0]].map(decimal).join("\\")),
    element(0x0028_0100, "US", 16),
    element(0x0028_0101, "US", 16),
    element(0x0028_0102, "US", 15),
    element(0x0028_0103, "US", 0),
    element(0x0028_1052, "DS", "-1024"),
    element(0x0028_1053, "DS", "1"),
    element(0x7fe0_0010, "OW", new Uint8Array(pixels.buffer)),
  ]);
}

/** At most 16 characters, as DS allows. */
const decimal = (value: number): string => String(Number(value.toFixed(6)));

/** A data element (PS3.5, 7.1.2), padded to an even length. */
function element(tag: number, representation: string, value: string | number | Uint8Array): Uint8Array {
  const content =
    typeof value === "number"
      ? Uint8Array.of(value & 255, value >> 8)
      : typeof value === "string"
        ? new TextEncoder().encode(value)
        : value;
  const length = content.length + (content.length % 2);
  const header = new DataView(new ArrayBuffer(representation === "OW" ? 12 : 8));
  header.setUint16(0, tag >>> 16, true);
  header.setUint16(2, tag & 0xffff, true);
  for (const [n, letter] of [...representation].entries()) header.setUint8(4 + n, letter.charCodeAt(0));
  if (representation === "OW") header.setUint32(8, length, true);
  else header.setUint16(6, length, true);
  const padding = new Uint8Array(length - content.length).fill(representation === "UI" ? 0 : 0x20);
  return Buffer.concat([new Uint8Array(header.buffer), content, padding]);
}
