// NIfTI: reads single files of versions 1 and 2 (.nii, .nii.gz), writes version 1.
import { isNIFTI, NIFTI1, type NIFTI2, readHeader } from "nifti-reader-js";
import { InputError } from "../errors.js";
import type { Matrix3, Vector3, Volume, VoxelArray } from "../volume/volume.js";
import { voxelCount } from "../volume/volume.js";
import { gunzip, gunzipStart, gzip, isGzip } from "./gzip.js";
import {
  determinant,
  type Place,
  placeOfSteps,
  type ReportProblem,
  refuseBadSpacing,
  stepsOf,
  swapRasLps,
} from "./place.js";
import {
  bytesOfVoxels,
  bytesPerVoxel,
  refuseNonFinite,
  type StoredType,
  type VoxelLayout,
  voxelsOfBytes,
  writtenTypeOf,
} from "./stored-voxels.js";

/**
 * The volume in a NIfTI-1 or NIfTI-2 file of either byte order, with or without gzip.
 *
 * Voxels keep their array type (int64 and uint64 become Int32Array and Uint32Array where they fit), unless the header
 * scales them: then they are slope · stored + intercept as Float32Array. The affine is the sform if its code is
 * positive and it holds a grid (some programs leave zeros), else the qform if its code is positive, else, as in
 * nibabel, pixdim alone: i towards the patient's left, j towards anterior, k towards superior, the grid centred on
 * (0, 0, 0). Metres and micrometres become millimetres; an unknown unit is taken as millimetres.
 *
 * Source of the formulas: nifti1.h of the NIfTI data format working group (methods 1 to 3, quaternion to matrix).
 *
 * @param name The file, for messages.
 * @param report Called where sform and qform disagree by more than a tenth of a voxel at a corner of the grid, where
 * the header states neither, and where a shear is straightened.
 * @throws InputError when the file is not NIfTI, cut short or damaged, not three-dimensional, complex or colour, has a
 * sheared grid or a spacing that is not positive, or holds NaN or infinite voxels.
 */
export function readNifti(bytes: Uint8Array, name: string, report: ReportProblem = () => {}): Volume {
  const head = headOf(bytes, name);
  const header = headerOf(head, name);
  const size = sizeOf(header, name);
  const place = placeOf(header, head, name, report);
  const layout = layoutOf(header, voxelCount({ size, ...place }), name);
  const plain = isGzip(bytes)
    ? gunzip(bytes, layout.start + layout.count * bytesPerVoxel(layout.type), name)
    : bytes;
  const data = scaled(voxelsOfBytes(plain, layout, name), header, name);
  refuseNonFinite(data, name);
  return { size, ...place, data };
}

/** The voxels (i, j, k) that the header states; none is read. @throws InputError as {@link readNifti} does for its header */
export function niftiSize(bytes: Uint8Array, name: string): Vector3 {
  return sizeOf(headerOf(headOf(bytes, name), name), name);
}

/** The bytes from the beginning, without gzip: at least those of the header. */
const headOf = (bytes: Uint8Array, name: string): Uint8Array =>
  isGzip(bytes) ? gunzipStart(bytes, longestHeader, name) : bytes;

/**
 * A NIfTI-1 file of a volume: sform and qform both set (codes 1, scanner), units mm, the data type of
 * the array, no scaling. Voxels are exact; the geometry is rounded to float32, as the format stores it. The same
 * volume always gives the same bytes.
 * @param options.compress Whether to gzip it (.nii.gz), which is the default, or not (.nii).
 * @param options.description At most 79 ASCII characters for the header's `descrip`.
 * @throws InputError when an axis is longer than NIfTI-1 can state (32767 voxels).
 */
export function writeNifti(
  volume: Volume,
  options: { description?: string; compress?: boolean } = {},
): Uint8Array {
  const tooLong = volume.size.find((n) => n > 32767);
  if (tooLong !== undefined) {
    throw new InputError(
      `A volume has ${tooLong} voxels along an axis; NIfTI-1 holds at most 32767, so crop it first.`,
    );
  }
  const file = new Uint8Array(firstVoxelByte + volume.data.byteLength);
  const view = new DataView(file.buffer);
  const float = (offset: number, values: readonly number[]) => {
    values.forEach((value, n) => {
      view.setFloat32(offset + 4 * n, value, true);
    });
  };
  const columns = [...stepsOf(volume), volume.originMm].map(swapRasLps);
  const rows = [0, 1, 2].map((row) => columns.map((column) => column[row]));
  const m = volume.direction;
  const ras: Matrix3 = [-m[0], -m[1], -m[2], -m[3], -m[4], -m[5], m[6], m[7], m[8]];
  const handedness = determinant(ras) < 0 ? -1 : 1;

  view.setInt32(0, 348, true);
  [3, ...volume.size, 1, 1, 1, 1].forEach((n, position) => {
    view.setInt16(40 + 2 * position, n, true);
  });
  view.setInt16(70, codes[writtenTypeOf(volume.data)], true);
  view.setInt16(72, 8 * volume.data.BYTES_PER_ELEMENT, true);
  float(76, [handedness, ...volume.spacingMm, 0, 0, 0, 0]);
  float(108, [firstVoxelByte, 1, 0]);
  view.setUint8(123, NIFTI1.UNITS_MM);
  const description = (options.description ?? "").slice(0, 79);
  for (let n = 0; n < description.length; n++) view.setUint8(148 + n, description.charCodeAt(n) & 127);
  view.setInt16(252, 1, true);
  view.setInt16(254, 1, true);
  float(256, [...quaternionOf(properRotation(ras, handedness)), ...rows.map((row) => row[3])]);
  float(280, rows.flat());
  file.set([0x6e, 0x2b, 0x31, 0], 344);
  file.set(bytesOfVoxels(volume.data), firstVoxelByte);
  if (options.compress === false) return file;
  // Higher levels take up to twice the time for a few hundredths of the size.
  return gzip(file, 2);
}

/** Whether bytes begin as an uncompressed NIfTI file, or the header of a NIfTI pair, does. */
export function isNifti(bytes: Uint8Array): boolean {
  const head = new Uint8Array(bytes.subarray(0, longestHeader)).buffer;
  return bytes.length >= 348 && (isNIFTI(head) || isNIFTI(head, true));
}

/** Header, the four bytes of the extension flag, and nothing else. */
const firstVoxelByte = 352;

/** That of version 2. */
const longestHeader = 540;

type Header = NIFTI1 | NIFTI2;

const codes: Readonly<Record<StoredType, number>> = {
  uint8: NIFTI1.TYPE_UINT8,
  int8: NIFTI1.TYPE_INT8,
  int16: NIFTI1.TYPE_INT16,
  uint16: NIFTI1.TYPE_UINT16,
  int32: NIFTI1.TYPE_INT32,
  uint32: NIFTI1.TYPE_UINT32,
  float32: NIFTI1.TYPE_FLOAT32,
  float64: NIFTI1.TYPE_FLOAT64,
  int64: NIFTI1.TYPE_INT64,
  uint64: NIFTI1.TYPE_UINT64,
};

const refusedDatatypes: Readonly<Record<number, string>> = {
  0: "voxels of an unstated type",
  1: "voxels of one bit",
  32: "complex voxels",
  128: "colour (RGB) voxels",
  1536: "128-bit floating-point voxels",
  1792: "complex voxels",
  2048: "complex voxels",
  2304: "colour (RGBA) voxels",
};

function headerOf(bytes: Uint8Array, name: string): Header {
  const isVersion2 = bytes.length >= 4 && (bytes[0] === 28 || bytes[3] === 28);
  const length = isVersion2 ? longestHeader : 348;
  // Only the header: otherwise the library reads the extensions too, and trusts their lengths.
  const head = new Uint8Array(bytes.subarray(0, length)).buffer;
  const expected =
    "a NIfTI file (.nii or .nii.gz) was expected; check the path, or convert the scan to NIfTI";
  if (bytes.length === 0) throw new InputError(`${name} is empty, and ${expected}.`);
  if (bytes.length >= length && !isNIFTI(head) && isNIFTI(head, true)) {
    throw new InputError(
      `${name} is the header of a NIfTI pair (.hdr and .img), and a single file with header and voxels was expected; convert the pair to .nii.gz.`,
    );
  }
  if (bytes.length < length || !isNIFTI(head))
    throw new InputError(`${name} is not a NIfTI file, and ${expected}.`);
  try {
    return readHeader(head);
  } catch (cause) {
    throw new InputError(`${name} has a NIfTI header that cannot be read, and ${expected}.`, { cause });
  }
}

function sizeOf(header: Header, name: string): Vector3 {
  const [count, nx, ny, nz, ...further] = header.dims;
  const lengths = header.dims.slice(1, 1 + Math.max(count, 0));
  const isSpatial = count >= 3 && count <= 7 && [nx, ny, nz].every((n) => n >= 1);
  if (!isSpatial || further.slice(0, count - 3).some((n) => n > 1)) {
    throw new InputError(
      `${name} has the dimensions ${lengths.join(" × ") || "none"}, and one 3D volume was expected; extract a single volume from it.`,
    );
  }
  return [nx, ny, nz];
}

function layoutOf(header: Header, count: number, name: string): VoxelLayout {
  const code = header.datatypeCode;
  const type = (Object.keys(codes) as StoredType[]).find((candidate) => codes[candidate] === code);
  if (type === undefined) {
    const found = refusedDatatypes[code] ?? `voxels of the unknown data type ${code}`;
    throw new InputError(
      `${name} has ${found}, and integers or floating-point numbers of up to 64 bits were expected; convert it to one of them.`,
    );
  }
  // As in the format's own library: an offset smaller than the header's length means "right after the header".
  const start = Math.max(Math.round(header.vox_offset) || 0, header instanceof NIFTI1 ? firstVoxelByte : 544);
  return { type, count, littleEndian: header.littleEndian, start };
}

function scaled(stored: VoxelArray, header: Header, name: string): VoxelArray {
  const { scl_slope: slope, scl_inter: intercept } = header;
  // nifti1.h: a slope of zero means "no scaling"; writers also leave NaN.
  if (slope === 0 || Number.isNaN(slope)) return stored;
  if (!Number.isFinite(slope) || !Number.isFinite(intercept)) {
    throw new InputError(
      `${name} scales its voxels by ${slope} and ${intercept} (scl_slope, scl_inter), and finite numbers were expected; correct its header.`,
    );
  }
  if (slope === 1 && intercept === 0) return stored;
  const data = new Float32Array(stored.length);
  for (let n = 0; n < data.length; n++) data[n] = slope * stored[n] + intercept;
  return data;
}

/** Spacing, origin and direction by the sform if its code is positive and it holds a grid, else by the qform, else by pixdim alone. */
function placeOf(header: Header, bytes: Uint8Array, name: string, report: ReportProblem): Place {
  const unitMm = millimetresPerUnit(header.xyzt_units);
  const placed = (affine: Rows) => placeOfAffine(affine, unitMm, name, report);
  const spacing: Vector3 = [header.pixDims[1], header.pixDims[2], header.pixDims[3]];
  const sform = header.sform_code > 0 ? sformOf(header, bytes) : null;
  if (sform !== null && !isEmpty(sform)) {
    const place = placed(sform);
    if (header.qform_code > 0) {
      reportDisagreement(sform, qformOf(header, spacing), header, place.spacingMm, unitMm, report);
    }
    return place;
  }
  if (sform !== null) {
    if (header.qform_code <= 0) {
      throw new InputError(
        `${name} has an sform of zeros and no qform, and an orientation was expected; correct its header.`,
      );
    }
    report("The sform is all zeros although its code is positive; the qform is used.");
  }
  refuseBadSpacing(spacing, name);
  if (header.qform_code > 0) {
    if (![header.quatern_b, header.quatern_c, header.quatern_d].every(Number.isFinite)) {
      throw new InputError(`${name} has a qform whose rotation is not a number; correct its header.`);
    }
    return placed(qformOf(header, spacing));
  }
  report(
    "The header states no orientation (no sform, no qform): i is taken to run to the left, j to anterior, k to superior, with the grid's middle at 0.",
  );
  const origin = spacing.map((s, axis) => (-s * (header.dims[axis + 1] - 1)) / 2);
  return placed([
    [-spacing[0], 0, 0, -origin[0]],
    [0, spacing[1], 0, origin[1]],
    [0, 0, spacing[2], origin[2]],
  ]);
}

/** Three rows of four numbers: the affine from an index (i, j, k, 1) to RAS, in the file's own unit. */
type Rows = readonly (readonly number[])[];

/** Whether every step from voxel to voxel is zero. */
function isEmpty(affine: Rows): boolean {
  return affine.every((row) => row.slice(0, 3).every((value) => value === 0));
}

function placeOfAffine(affine: Rows, unitMm: number, name: string, report: ReportProblem): Place {
  const column = (c: number) =>
    swapRasLps([affine[0][c] * unitMm, affine[1][c] * unitMm, affine[2][c] * unitMm]);
  return placeOfSteps([column(0), column(1), column(2)], column(3), name, report);
}

/** Reports where the qform puts a corner of the grid more than a tenth of a voxel from where the sform puts it. */
function reportDisagreement(
  sform: Rows,
  qform: Rows,
  header: Header,
  spacingMm: Vector3,
  unitMm: number,
  report: ReportProblem,
): void {
  let farthestMm = 0;
  for (let corner = 0; corner < 8; corner++) {
    const [i, j, k] = [0, 1, 2].map((axis) => (corner & (1 << axis) ? header.dims[axis + 1] - 1 : 0));
    const index = [i, j, k, 1];
    const gap = sform.map((row, r) =>
      row.reduce((sum, value, c) => sum + (value - qform[r][c]) * index[c], 0),
    );
    farthestMm = Math.max(farthestMm, Math.hypot(...gap) * unitMm);
  }
  // Negated, so that a qform of NaN is reported too.
  if (farthestMm <= 0.1 * Math.min(...spacingMm)) return;
  const gap = Number.isFinite(farthestMm)
    ? `disagree by ${farthestMm.toPrecision(3)} mm at a corner of the grid`
    : "disagree, since the qform holds NaN or infinity";
  report(`sform and qform ${gap}; the sform is used, since its code is positive.`);
}

function millimetresPerUnit(xyztUnits: number): number {
  const unit = xyztUnits & NIFTI1.SPATIAL_UNITS_MASK;
  if (unit === NIFTI1.UNITS_METER) return 1000;
  return unit === NIFTI1.UNITS_MICRON ? 1e-3 : 1;
}

/** The sform's rows. The library's own `affine` is not used, because it is the qform where that has the higher code. */
function sformOf(header: Header, bytes: Uint8Array): Rows {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number =
    header instanceof NIFTI1
      ? (n: number) => view.getFloat32(280 + 4 * n, header.littleEndian)
      : (n: number) => view.getFloat64(400 + 8 * n, header.littleEndian);
  return [0, 4, 8].map((first) => [0, 1, 2, 3].map((column) => number(first + column)));
}

function qformOf(header: Header, spacing: Vector3): Rows {
  const rotation = rotationOf(header.quatern_b, header.quatern_c, header.quatern_d);
  const scale = [spacing[0], spacing[1], header.pixDims[0] < 0 ? -spacing[2] : spacing[2]];
  const origin = [header.qoffset_x, header.qoffset_y, header.qoffset_z];
  return [0, 1, 2].map((row) => [...scale.map((s, column) => rotation[3 * row + column] * s), origin[row]]);
}

/** The rotation of the unit quaternion whose last three components are b, c, d (nifti1.h), normalised if longer than 1. */
function rotationOf(b: number, c: number, d: number): Matrix3 {
  const squared = b * b + c * c + d * d;
  const scale = squared > 1 ? 1 / Math.sqrt(squared) : 1;
  const [x, y, z] = [b * scale, c * scale, d * scale];
  const w = Math.sqrt(Math.max(0, 1 - squared));
  return [
    w * w + x * x - y * y - z * z,
    2 * (x * y - w * z),
    2 * (x * z + w * y),
    2 * (x * y + w * z),
    w * w + y * y - x * x - z * z,
    2 * (y * z - w * x),
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    w * w + z * z - x * x - y * y,
  ];
}

/** The rotation that the quaternion states: the third axis is reversed where the grid is left-handed. */
function properRotation(m: Matrix3, handedness: number): Matrix3 {
  return [m[0], m[1], m[2] * handedness, m[3], m[4], m[5] * handedness, m[6], m[7], m[8] * handedness];
}

/** b, c, d of the unit quaternion (a ≥ 0) of a rotation, computed from its largest component, where rounding matters least. */
function quaternionOf(m: Matrix3): Vector3 {
  const fourSquares = [
    1 + m[0] + m[4] + m[8],
    1 + m[0] - m[4] - m[8],
    1 - m[0] + m[4] - m[8],
    1 - m[0] - m[4] + m[8],
  ];
  const largest = fourSquares.indexOf(Math.max(...fourSquares));
  const twice = Math.sqrt(fourSquares[largest]);
  const products = [
    [twice * twice, m[7] - m[5], m[2] - m[6], m[3] - m[1]],
    [m[7] - m[5], twice * twice, m[1] + m[3], m[2] + m[6]],
    [m[2] - m[6], m[1] + m[3], twice * twice, m[5] + m[7]],
    [m[3] - m[1], m[2] + m[6], m[5] + m[7], twice * twice],
  ][largest];
  const [a, b, c, d] = products.map((product) => product / (2 * twice));
  return a < 0 ? [-b, -c, -d] : [b, c, d];
}
