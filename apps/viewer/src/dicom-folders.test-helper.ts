// DICOM folders that the page is to open as the library does: small ones of the project, or those of a folder of scans.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { NamedFile } from "@lnsnet/core";
import { generatePatient } from "@lnsnet/core/phantom";
import { pointOfIndex, type Volume } from "@lnsnet/core/volume";
import {
  bytesOf,
  type CtAttributes,
  ctFile,
  ctItem,
} from "../../../packages/core/src/formats/dicom/ct.test-helper.js";
import { encodeFile, explicitLittleEndian } from "../../../packages/core/src/formats/dicom/encode.js";

/** Files of one folder. */
export interface DicomFolder {
  readonly name: string;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** The same files as the library takes them. */
export const namedFiles = ({ files }: DicomFolder): NamedFile[] =>
  files.map(({ name, bytes }) => ({ name, read: async () => bytes }));

const fixtures = join(import.meta.dirname, "../../../fixtures/dicom-ct");

/**
 * A head tilted by 18.5°, four slices of a neck, the same in one multi-frame file and turned to its side, and a slice in
 * each transfer syntax (fixtures/dicom-ct has the sources).
 */
export function smallFolders(): DicomFolder[] {
  const neck = neckSlices(4);
  const syntaxes = filesBelow(join(fixtures, "syntaxes"), /\.dcm$/);
  return [
    { name: "tilted head", files: filesBelow(join(fixtures, "tilted-uneven"), /\.dcm$/) },
    { name: "four slices of a neck", files: seriesFiles(neck) },
    { name: "four slices, patient on the side", files: seriesFiles(onTheSide(neck)) },
    { name: "enhanced multi-frame", files: [{ name: "enhanced.dcm", bytes: multiFrame(neckSlices(12)) }] },
    ...syntaxes.map((file) => ({ name: `syntax ${file.name}`, files: [file] })),
  ];
}

/** The folders of DICOM CT in a collection of scans; where its files are copies of one slice, each is a folder. */
export function foldersOf(root: string): DicomFolder[] {
  const whole = [
    "ct-head-tilted-uneven",
    "rtstruct-neck-4-slices",
    "rtstruct-ibsi1-lung/dicom",
    "dicom-seg-dcmqi/ct-3slice",
  ];
  const apart = ["dicom-transfer-syntaxes", "dicom-assorted"];
  const below = (folder: string) =>
    existsSync(join(root, folder)) ? filesBelow(join(root, folder), /(\.dcm|KR)$/) : [];
  return [
    ...whole.map((name) => ({ name, files: below(name) })).filter(({ files }) => files.length > 0),
    ...apart.flatMap((name) => below(name).map((file) => ({ name: `${name}/${file.name}`, files: [file] }))),
  ];
}

function filesBelow(folder: string, pattern: RegExp): DicomFolder["files"] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ name: relative(folder, path), bytes: new Uint8Array(readFileSync(path)) }));
}

/** Slices of 3 mm from the middle of a phantom. */
export function neckSlices(count: number): Volume<Int16Array> {
  const { image } = generatePatient(2026, 60, {
    ...{ fieldMm: [120, 110, 90], inPlaneSpacingMm: [1, 1], sliceSpacingMm: [3, 3] },
    ...{ obliqueShare: 0, reversedShare: 0 },
  });
  const [width, height, depth] = image.size;
  const first = Math.floor((depth - count) / 2);
  return {
    ...image,
    size: [width, height, count],
    originMm: pointOfIndex(image, [0, 0, first]),
    data: Int16Array.from(image.data.subarray(width * height * first, width * height * (first + count))),
  };
}

/** The same voxels of a patient who lies on the left side: rows run from front to back. */
const onTheSide = (volume: Volume<Int16Array>): Volume<Int16Array> => ({
  ...volume,
  direction: [0, -1, 0, 1, 0, 0, 0, 0, 1],
});

/** A file for each slice, the last one first: readers trust neither names nor order. */
export function seriesFiles(volume: Volume<Int16Array>, attributes: CtAttributes = {}): DicomFolder["files"] {
  const slices = Array.from({ length: volume.size[2] }, (_, n) => volume.size[2] - 1 - n);
  return slices.map((k, n) => {
    const bytes = ctFile({
      ...common(volume),
      SOPInstanceUID: `${attributes.SeriesInstanceUID ?? "1.2.826.4"}.${k + 1}`,
      InstanceNumber: `${k + 1}`,
      ImagePositionPatient: pointOfIndex(volume, [0, 0, k]).map(String),
      ImageOrientationPatient: orientation(volume),
      PixelSpacing: pixelSpacing(volume),
      PixelData: bytesOf(sliceOf(volume, k)),
      ...attributes,
    });
    return { name: `IM${n}`, bytes };
  });
}

/** All slices as frames of one enhanced CT image. */
function multiFrame(volume: Volume<Int16Array>): Uint8Array {
  const { ImagePositionPatient: _1, ImageOrientationPatient: _2, PixelSpacing: _3, ...item } = ctItem();
  const { RescaleSlope: _4, RescaleIntercept: _5, ...bare } = item;
  const frames = Array.from({ length: volume.size[2] }, (_, k) => k);
  return encodeFile(
    {
      ...bare,
      ...common(volume),
      SOPClassUID: "1.2.840.10008.5.1.4.1.1.2.1",
      SOPInstanceUID: "1.2.826.5.1",
      NumberOfFrames: `${frames.length}`,
      PixelData: bytesOf(volume.data),
      SharedFunctionalGroupsSequence: [
        {
          PlaneOrientationSequence: [{ ImageOrientationPatient: orientation(volume) }],
          PixelMeasuresSequence: [
            { PixelSpacing: pixelSpacing(volume), SliceThickness: `${volume.spacingMm[2]}` },
          ],
          PixelValueTransformationSequence: [{ RescaleSlope: "1", RescaleIntercept: "0", RescaleType: "HU" }],
        },
      ],
      PerFrameFunctionalGroupsSequence: frames.map((k) => ({
        PlanePositionSequence: [{ ImagePositionPatient: pointOfIndex(volume, [0, 0, k]).map(String) }],
      })),
    },
    explicitLittleEndian,
  );
}

const common = ({ size }: Volume) => ({
  Columns: size[0],
  Rows: size[1],
  PatientID: "P1",
  StudyInstanceUID: "1.2.8",
});
const orientation = ({ direction: m }: Volume) => [m[0], m[3], m[6], m[1], m[4], m[7]].map(String);
const pixelSpacing = ({ spacingMm }: Volume) => [`${spacingMm[1]}`, `${spacingMm[0]}`];
const sliceOf = ({ data, size }: Volume<Int16Array>, k: number) =>
  data.slice(size[0] * size[1] * k, size[0] * size[1] * (k + 1));
