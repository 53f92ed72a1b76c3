// NIfTI: reads versions 1 and 2 in one file (.nii, .nii.gz), writes version 1, gzip-compressed.
import { isNIFTI, NIFTI1, type NIFTI2, readHeader } from "nifti-reader-js";
import { InputError } from "../errors.js";
import type { Geometry, Matrix3, Vector3, Volume, VoxelArray } from "../volume/volume.js";
import { voxelCount } from "../volume/volume.js";
import { gunzip, gzip, isGzip } from "./gzip.js";

/**
 * The volume in a NIfTI-1 or NIfTI-2 file, compressed with gzip or not, of either byte order.
 *
 * Voxels keep their array type (int64 and uint64 become Int32Array and Uint32Array where they fit), unless the header
 * scales them: then they are slope · stored + intercept as Float32Array. The place comes from the sform where its code
 * is positive, else from the qform where its code is positive, else, as nibabel does, from pixdim alone: i towards the
 * patient's left, j towards anterior, k towards superior, the grid centred on (0, 0, 0). Metres and micrometres become
 * millimetres; an unknown unit is taken as millimetres.
 *
 * Source of the formulas: nifti1.h of the NIfTI data format working group (methods 1 to 3, quaternion to matrix).
 *
 * @param name The file, for messages.
 * @throws InputError when the file is no NIfTI, cut short or damaged, not three-dimensional, complex or colour, placed
 * by a shear or a spacing that is not positive, or holds NaN or infinite voxels.
 */
export function readNifti(bytes: Uint8Array, name: string): Volume {
  const plain = isGzip(bytes) ? gunzip(bytes, name) : bytes;
  const header = headerOf(plain, name);
  const geometry = { size: sizeOf(header, name), ...placeOf(header, plain, name) };
  const stored = storedVoxels(header, plain, voxelCount(geometry), name);
  const data = scaled(stored, header, name);
  refuseNonFinite(data, name);
  return { ...geometry, data };
}

/**
 * A gzip-compressed NIfTI-1 file of a volume: sform and qform both set (codes 1, scanner), units mm, the data type of
 * the array, no scaling. Voxels are exact; the geometry is rounded to float32, as the format stores it. The same
 * volume always gives the same bytes.
 * @param options.description At most 79 ASCII characters for the header's `descrip`.
 * @throws InputError when an axis is longer than NIfTI-1 can state (32767 voxels).
 */
export function writeNifti(volume: Volume, options: { description?: string } = {}): Uint8Array {
  const tooLong = volume.size.find((n) => n > 32767);
  if (tooLong !== undefined) {
    throw new InputError(
      `A volume has ${tooLong} voxels along an axis; NIfTI-1 holds at most 32767, so crop it first.`,
    );
  }
  const type = datatypeOf(volume.data);
  const file = new Uint8Array(firstVoxelByte + volume.data.byteLength);
  const view = new DataView(file.buffer);
  const float = (offset: number, values: readonly number[]) => {
    values.forEach((value, n) => {
      view.setFloat32(offset + 4 * n, value, true);
    });
  };
  const { direction: m, spacingMm: s, originMm: o } = volume;
  // RAS is LPS with x and y negated.
  const rows = [0, 1, 2].map((row) => {
    const sign = row < 2 ? -1 : 1;
    return [m[3 * row] * s[0], m[3 * row + 1] * s[1], m[3 * row + 2] * s[2], o[row]].map((v) => sign * v);
  });
  const ras: Matrix3 = [-m[0], -m[1], -m[2], -m[3], -m[4], -m[5], m[6], m[7], m[8]];
  const handedness = determinant(ras) < 0 ? -1 : 1;

  view.setInt32(0, 348, true);
  [3, ...volume.size, 1, 1, 1, 1].forEach((n, position) => {
    view.setInt16(40 + 2 * position, n, true);
  });
  view.setInt16(70, type.code, true);
  view.setInt16(72, 8 * volume.data.BYTES_PER_ELEMENT, true);
  float(76, [handedness, ...s, 0, 0, 0, 0]);
  float(108, [firstVoxelByte, 1, 0]);
  view.setUint8(123, NIFTI1.UNITS_MM);
  const description = (options.description ?? "").slice(0, 79);
  for (let n = 0; n < description.length; n++) view.setUint8(148 + n, description.charCodeAt(n) & 127);
  view.setInt16(252, 1, true);
  view.setInt16(254, 1, true);
  float(256, [...quaternionOf(properRotation(ras, handedness)), ...rows.map((row) => row[3])]);
  float(280, rows.flat());
  file.set([0x6e, 0x2b, 0x31, 0], 344);
  file.set(
    new Uint8Array(volume.data.buffer, volume.data.byteOffset, volume.data.byteLength),
    firstVoxelByte,
  );
  // Higher levels take up to twice the time for a few hundredths of the size.
  return gzip(file, 2);
}

/** Header, the four bytes of the extension flag, and nothing else. */
const firstVoxelByte = 352;

type Header = NIFTI1 | NIFTI2;

interface Datatype {
  readonly code: number;
  readonly make: (buffer: ArrayBuffer) => VoxelArray;
  readonly bytes: number;
}

const datatypes: readonly Datatype[] = [
  { code: NIFTI1.TYPE_UINT8, bytes: 1, make: (buffer) => new Uint8Array(buffer) },
  { code: NIFTI1.TYPE_INT8, bytes: 1, make: (buffer) => new Int8Array(buffer) },
  { code: NIFTI1.TYPE_INT16, bytes: 2, make: (buffer) => new Int16Array(buffer) },
  { code: NIFTI1.TYPE_UINT16, bytes: 2, make: (buffer) => new Uint16Array(buffer) },
  { code: NIFTI1.TYPE_INT32, bytes: 4, make: (buffer) => new Int32Array(buffer) },
  { code: NIFTI1.TYPE_UINT32, bytes: 4, make: (buffer) => new Uint32Array(buffer) },
  { code: NIFTI1.TYPE_FLOAT32, bytes: 4, make: (buffer) => new Float32Array(buffer) },
  { code: NIFTI1.TYPE_FLOAT64, bytes: 8, make: (buffer) => new Float64Array(buffer) },
];

const refusedDatatypes: Readonly<Record<number, string>> = {
  0: "voxels of no stated type",
  1: "voxels of one bit",
  32: "complex voxels",
  128: "colour (RGB) voxels",
  1536: "128-bit floating-point voxels",
  1792: "complex voxels",
  2048: "complex voxels",
  2304: "colour (RGBA) voxels",
};

function datatypeOf(array: VoxelArray): Datatype {
  const type = datatypes.find(({ make }) => make(new ArrayBuffer(0)).constructor === array.constructor);
  if (type === undefined) throw new TypeError(`NIfTI has no data type for ${array.constructor.name}.`);
  return type;
}

function headerOf(bytes: Uint8Array, name: string): Header {
  const isVersion2 = bytes.length >= 4 && (bytes[0] === 28 || bytes[3] === 28);
  const length = isVersion2 ? 540 : 348;
  // The header alone: the library would otherwise read the extensions too, and trust their lengths.
  const head = bytes.slice(0, length).buffer;
  const expected =
    "a NIfTI file (.nii or .nii.gz) was expected; check the path, or convert the scan to NIfTI";
  if (bytes.length === 0) throw new InputError(`${name} is empty, and ${expected}.`);
  if (bytes.length >= length && !isNIFTI(head) && isNIFTI(head, true)) {
    throw new InputError(
      `${name} is the header of a NIfTI pair (.hdr and .img), and one file with header and voxels was expected; convert the pair to .nii.gz.`,
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

/** Voxels as stored, in the byte order of this machine. */
function storedVoxels(header: Header, bytes: Uint8Array, count: number, name: string): VoxelArray {
  const { datatypeCode: code } = header;
  const is64Bit = code === NIFTI1.TYPE_INT64 || code === NIFTI1.TYPE_UINT64;
  const type = datatypes.find((candidate) => candidate.code === code);
  if (type === undefined && !is64Bit) {
    const found = refusedDatatypes[code] ?? `voxels of the unknown data type ${code}`;
    throw new InputError(
      `${name} has ${found}, and integers or floating-point numbers of up to 64 bits were expected; convert it to one of them.`,
    );
  }
  const width = type?.bytes ?? 8;
  // As the format's own library does: a smaller offset than the header's length is taken for "right after it".
  const start = Math.max(Math.round(header.vox_offset) || 0, header instanceof NIFTI1 ? firstVoxelByte : 544);
  const wanted = count * width;
  if (bytes.length < start + wanted) {
    throw new InputError(
      `${name} is cut short: it has ${Math.max(0, bytes.length - start)} bytes of voxels, and its header promises ${wanted}; copy or download it again.`,
    );
  }
  const raw = bytes.slice(start, start + wanted);
  if (header.littleEndian !== machineIsLittleEndian && width > 1) reverseEach(raw, width);
  if (type !== undefined) return type.make(raw.buffer);
  return code === NIFTI1.TYPE_INT64
    ? narrowed(new BigInt64Array(raw.buffer), new Int32Array(count), name)
    : narrowed(new BigUint64Array(raw.buffer), new Uint32Array(count), name);
}

const machineIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function reverseEach(bytes: Uint8Array, width: number): void {
  for (let start = 0; start < bytes.length; start += width) bytes.subarray(start, start + width).reverse();
}

function narrowed<T extends Int32Array | Uint32Array>(
  wide: BigInt64Array | BigUint64Array,
  narrow: T,
  name: string,
): T {
  for (let n = 0; n < narrow.length; n++) {
    const value = Number(wide[n]);
    narrow[n] = value;
    if (narrow[n] !== value) {
      throw new InputError(
        `${name} holds the 64-bit value ${wide[n]}, and values that fit in 32 bits were expected; convert it to a smaller type.`,
      );
    }
  }
  return narrow;
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

function refuseNonFinite(data: VoxelArray, name: string): void {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return;
  let count = 0;
  for (let n = 0; n < data.length; n++) if (!Number.isFinite(data[n])) count++;
  if (count > 0) {
    throw new InputError(
      `${name} holds ${count} NaN or infinite ${count === 1 ? "voxel" : "voxels"}, and finite numbers were expected; replace them first, for example by the value of air.`,
    );
  }
}

type Place = Pick<Geometry, "spacingMm" | "originMm" | "direction">;

function placeOf(header: Header, bytes: Uint8Array, name: string): Place {
  const affine = affineOf(header, bytes, name);
  const millimetres = millimetresPerUnit(header.xyzt_units);
  // LPS is RAS with x and y negated; adding to zero leaves no −0, which equals no 0 in a deep comparison.
  const entry = (row: number, column: number) =>
    row < 2 ? 0 - affine[row][column] : 0 + affine[row][column];
  const columns = [0, 1, 2].map((c): Vector3 => [entry(0, c), entry(1, c), entry(2, c)]);
  const lengths = columns.map((column) => Math.hypot(...column));
  const spacingMm: Vector3 = [lengths[0] * millimetres, lengths[1] * millimetres, lengths[2] * millimetres];
  const originMm: Vector3 = [entry(0, 3) * millimetres, entry(1, 3) * millimetres, entry(2, 3) * millimetres];
  refuseBadSpacing(spacingMm, name);
  if (!originMm.every(Number.isFinite)) {
    throw new InputError(
      `${name} places its first voxel at ${originMm} mm, and finite numbers were expected; correct its header.`,
    );
  }
  const [a, b, c] = columns.map((column, n) => column.map((value) => value / lengths[n]));
  const matrix: Matrix3 = [a[0], b[0], c[0], a[1], b[1], c[1], a[2], b[2], c[2]];
  const dot = (p: readonly number[], q: readonly number[]) => p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
  const shear = Math.max(Math.abs(dot(a, b)), Math.abs(dot(a, c)), Math.abs(dot(b, c)));
  if (shear > 1e-3) {
    throw new InputError(
      `${name} has a sheared grid (cosine ${shear.toPrecision(3)} between two of its axes), and perpendicular axes were expected; resample it onto a straight grid first.`,
    );
  }
  return { spacingMm, originMm, direction: orthonormal(matrix) };
}

function refuseBadSpacing(spacingMm: Vector3, name: string): void {
  if (spacingMm.every((s) => Number.isFinite(s) && s > 0)) return;
  throw new InputError(
    `${name} has a voxel spacing of ${spacingMm.join(" × ")} mm, and three positive numbers were expected; correct its header.`,
  );
}

function millimetresPerUnit(xyztUnits: number): number {
  const unit = xyztUnits & NIFTI1.SPATIAL_UNITS_MASK;
  if (unit === NIFTI1.UNITS_METER) return 1000;
  return unit === NIFTI1.UNITS_MICRON ? 1e-3 : 1;
}

type Rows = readonly (readonly number[])[];

/** Index to RAS in the file's own unit, by the method that the header's codes choose. */
function affineOf(header: Header, bytes: Uint8Array, name: string): Rows {
  if (header.sform_code > 0) return sformOf(header, bytes);
  const spacing: Vector3 = [header.pixDims[1], header.pixDims[2], header.pixDims[3]];
  refuseBadSpacing(spacing, name);
  if (header.qform_code > 0) return qformOf(header, spacing, name);
  const origin = spacing.map((s, axis) => (-s * (header.dims[axis + 1] - 1)) / 2);
  return [
    [-spacing[0], 0, 0, -origin[0]],
    [0, spacing[1], 0, origin[1]],
    [0, 0, spacing[2], origin[2]],
  ];
}

/** The sform's rows. The library's own `affine` is not used, since it holds the qform where that has the higher code. */
function sformOf(header: Header, bytes: Uint8Array): Rows {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number =
    header instanceof NIFTI1
      ? (n: number) => view.getFloat32(280 + 4 * n, header.littleEndian)
      : (n: number) => view.getFloat64(400 + 8 * n, header.littleEndian);
  return [0, 4, 8].map((first) => [0, 1, 2, 3].map((column) => number(first + column)));
}

function qformOf(header: Header, spacing: Vector3, name: string): Rows {
  const { quatern_b: b, quatern_c: c, quatern_d: d } = header;
  if (![b, c, d].every(Number.isFinite)) {
    throw new InputError(`${name} has a rotation (qform) that is not a number; correct its header.`);
  }
  const rotation = rotationOf(b, c, d);
  const scale = [spacing[0], spacing[1], header.pixDims[0] < 0 ? -spacing[2] : spacing[2]];
  const origin = [header.qoffset_x, header.qoffset_y, header.qoffset_z];
  return [0, 1, 2].map((row) => [...scale.map((s, column) => rotation[3 * row + column] * s), origin[row]]);
}

/** The rotation of the unit quaternion whose last three numbers are b, c, d (nifti1.h); longer ones are shortened. */
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

/** The rotation that the quaternion states: the third axis is turned round where the grid is left-handed. */
function properRotation(m: Matrix3, handedness: number): Matrix3 {
  return [m[0], m[1], m[2] * handedness, m[3], m[4], m[5] * handedness, m[6], m[7], m[8] * handedness];
}

/** b, c, d of the unit quaternion (a ≥ 0) of a rotation, from its largest component, which rounding hurts least. */
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

/** The orthonormal matrix nearest to one that nearly is: Newton's iteration for the polar factor (Higham 1986). */
function orthonormal(matrix: Matrix3): Matrix3 {
  let m = matrix;
  for (let step = 0; step < 4; step++) {
    const det = determinant(m);
    const c = cofactors(m);
    const next = (n: number) => (m[n] + c[n] / det) / 2;
    m = [next(0), next(1), next(2), next(3), next(4), next(5), next(6), next(7), next(8)];
  }
  return m;
}

/** Divided by the determinant, this is the inverse transposed. */
function cofactors(m: Matrix3): Matrix3 {
  return [
    m[4] * m[8] - m[5] * m[7],
    m[5] * m[6] - m[3] * m[8],
    m[3] * m[7] - m[4] * m[6],
    m[2] * m[7] - m[1] * m[8],
    m[0] * m[8] - m[2] * m[6],
    m[1] * m[6] - m[0] * m[7],
    m[1] * m[5] - m[2] * m[4],
    m[2] * m[3] - m[0] * m[5],
    m[0] * m[4] - m[1] * m[3],
  ];
}

function determinant(m: Matrix3): number {
  const c = cofactors(m);
  return m[0] * c[0] + m[1] * c[1] + m[2] * c[2];
}
