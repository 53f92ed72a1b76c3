// MetaImage: reads .mha, and .mhd with its data file; writes .mha, compressed with zlib.
import { strFromU8, strToU8 } from "fflate";
import { InputError } from "../errors.js";
import { type Vector3, type Volume, type VoxelArray, voxelCount } from "../volume/volume.js";
import { concatenated } from "./bytes.js";
import { companionNamed, requireCompanion } from "./companion.js";
import { gunzip, isGzip, unzlib, zlib } from "./gzip.js";
import { type Place, placeOfAxes, type ReportProblem } from "./place.js";
import {
  bytesOfVoxels,
  bytesPerVoxel,
  refuseNonFinite,
  type StoredType,
  voxelsOfBytes,
  voxelsOfText,
  type WrittenType,
  writtenTypeOf,
} from "./stored-voxels.js";

/**
 * The volume in a MetaImage file: header and voxels in one (.mha), or the header (.mhd) and, as `companion`, the bytes
 * of the file that it names ({@link metaImageCompanion}).
 *
 * Origin and direction are read as ITK reads them: `Offset` is the centre of the first voxel in LPS mm, and the nine numbers of
 * `TransformMatrix` are the direction of i, then of j, then of k. `AnatomicalOrientation` is ignored, as in ITK: its
 * letters say where axes come from, not where they go to, and often do not fit the matrix.
 *
 * Source: MetaIO's documentation (itk.org/Wiki/MetaIO/Documentation) and what ITK reads (fixtures/volumes).
 *
 * @param name The file, for messages.
 * @param report Called where the header states no orientation, and where a shear is straightened.
 * @throws InputError where the file is not a MetaImage, is cut short or damaged, does not have three axes, has several
 * channels, scales its voxels, has a sheared grid or a spacing that is not positive, holds NaN or infinite voxels, or
 * needs a data file that is not given
 */
export function readMetaImage(
  bytes: Uint8Array,
  name: string,
  companion?: Uint8Array,
  report: ReportProblem = () => {},
): Volume {
  const header = headerOf(bytes, name);
  const size = sizeOf(header, name);
  const place = placeOf(header, name, report);
  const data = voxelsOf(header, bytes, companion, voxelCount({ size }), name);
  refuseNonFinite(data, name);
  return { size, ...place, data };
}

/** The voxels (i, j, k) that the header states; none is read. @throws InputError as {@link readMetaImage} does for its header */
export function metaImageSize(bytes: Uint8Array, name: string): Vector3 {
  return sizeOf(headerOf(bytes, name), name);
}

/**
 * The name of the data file of a .mhd; null where the voxels follow the header.
 *
 * @throws InputError where the file is not a MetaImage, or names a list of files or a file in another folder
 */
export function metaImageCompanion(bytes: Uint8Array, name: string): string | null {
  return companionOf(headerOf(bytes, name), name);
}

/**
 * A .mha file of a volume, compressed with zlib. Voxels are exact, and the geometry is written with all digits, so that
 * reading gives the same bits. The same volume always gives the same bytes.
 */
export function writeMetaImage(volume: Volume): Uint8Array {
  const { direction: m } = volume;
  const voxels = zlib(bytesOfVoxels(volume.data), 2);
  const header = [
    "ObjectType = Image",
    "NDims = 3",
    "BinaryData = True",
    "BinaryDataByteOrderMSB = False",
    "CompressedData = True",
    `CompressedDataSize = ${voxels.length}`,
    `TransformMatrix = ${[0, 3, 6, 1, 4, 7, 2, 5, 8].map((n) => m[n]).join(" ")}`,
    `Offset = ${volume.originMm.join(" ")}`,
    "CenterOfRotation = 0 0 0",
    `ElementSpacing = ${volume.spacingMm.join(" ")}`,
    `DimSize = ${volume.size.join(" ")}`,
    `ElementType = ${writtenNames[writtenTypeOf(volume.data)]}`,
    "ElementDataFile = LOCAL",
  ];
  return concatenated([strToU8(`${header.join("\n")}\n`), voxels]);
}

const writtenNames: Readonly<Record<WrittenType, string>> = {
  uint8: "MET_UCHAR",
  int8: "MET_CHAR",
  int16: "MET_SHORT",
  uint16: "MET_USHORT",
  int32: "MET_INT",
  uint32: "MET_UINT",
  float32: "MET_FLOAT",
  float64: "MET_DOUBLE",
};

/** MetaIO stores a "long" in four bytes on every machine. */
const typesByName: Readonly<Record<string, StoredType>> = {
  ...Object.fromEntries(Object.entries(writtenNames).map(([type, word]) => [word, type as WrittenType])),
  MET_LONG: "int32",
  MET_ULONG: "uint32",
  MET_LONG_LONG: "int64",
  MET_ULONG_LONG: "uint64",
};

interface Header {
  /** Values by key, in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  /** Byte offset of the end of the header. */
  readonly end: number;
}

/** Longer than any header, and short enough to search quickly in a file of another format. */
const longestHeader = 1 << 16;

function headerOf(bytes: Uint8Array, name: string): Header {
  // One character per byte, so that positions in the text are positions in the file.
  const text = strFromU8(bytes.subarray(0, longestHeader), true);
  const last = /^[ \t]*ElementDataFile[ \t]*=.*(\r?\n|$)/im.exec(text);
  if (last === null || !/^[ \t]*(ObjectType|NDims)[ \t]*=/im.test(text)) {
    throw new InputError(
      `${name} is not a MetaImage file, and a header that ends in "ElementDataFile = ..." was expected (.mha or .mhd); check the path, or convert the scan.`,
    );
  }
  const end = last.index + last[0].length;
  const fields = new Map<string, string>();
  for (const line of text.slice(0, end).split(/\r?\n/)) {
    const equals = line.indexOf("=");
    if (equals > 0) fields.set(line.slice(0, equals).trim().toLowerCase(), line.slice(equals + 1).trim());
  }
  const kind = fields.get("objecttype") ?? "Image";
  if (kind.toLowerCase() !== "image") {
    throw new InputError(
      `${name} is a MetaIO file of the kind ${kind}, and an Image was expected; choose an image file.`,
    );
  }
  return { fields, end };
}

function sizeOf({ fields }: Header, name: string): Vector3 {
  const size = numbersOf(fields.get("dimsize"));
  const axes = Number(fields.get("ndims") ?? 3);
  const [nx, ny, nz] = size;
  if (axes !== 3 || size.length !== 3 || !size.every((n) => Number.isInteger(n) && n >= 1)) {
    throw new InputError(
      `${name} has the dimensions ${fields.get("dimsize") ?? "none"} (NDims ${axes}), and one 3D volume was expected; extract a single volume from it.`,
    );
  }
  const channels = Number(fields.get("elementnumberofchannels") ?? 1);
  if (channels !== 1) {
    throw new InputError(
      `${name} has ${channels} channels per voxel, and 1 was expected (no colour, no vectors); extract a single channel from it.`,
    );
  }
  return [nx, ny, nz];
}

function placeOf({ fields }: Header, name: string, report: ReportProblem): Place {
  const numbersOfFirst = (keys: readonly string[], length: number): readonly number[] | null => {
    const key = keys.find((candidate) => fields.has(candidate));
    if (key === undefined) return null;
    const numbers = numbersOf(fields.get(key));
    if (numbers.length === length && numbers.every(Number.isFinite)) return numbers;
    throw new InputError(
      `${name} has "${fields.get(key)}" for ${key} in its header, and ${length} numbers were expected; correct its header.`,
    );
  };
  const unit = fields.get("distanceunits") ?? "mm";
  if (!/^(mm|\?)$/i.test(unit)) {
    throw new InputError(
      `${name} states its distances in ${unit}, and mm was expected; convert its spacing and offset.`,
    );
  }
  const spacing = numbersOfFirst(["elementspacing", "elementsize"], 3);
  if (spacing === null) {
    throw new InputError(
      `${name} states no ElementSpacing, and three numbers were expected; add them to its header.`,
    );
  }
  const origin = numbersOfFirst(["offset", "position", "origin"], 3);
  const matrix = numbersOfFirst(["transformmatrix", "rotation", "orientation"], 9);
  if (origin === null) {
    report("The header states no Offset: the first voxel is taken to lie at 0, 0, 0 mm, as ITK does.");
  }
  if (matrix === null) {
    report(
      "The header states no TransformMatrix: i, j, k are taken to run to the left, posterior and superior, as ITK does.",
    );
  }
  const [a, b, c, d, e, f, g, h, i] = matrix ?? [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const [x, y, z] = origin ?? [0, 0, 0];
  return placeOfAxes(
    {
      axes: [
        [a, b, c],
        [d, e, f],
        [g, h, i],
      ],
      spacingMm: [spacing[0], spacing[1], spacing[2]],
      originMm: [x, y, z],
    },
    name,
    report,
  );
}

function voxelsOf(
  header: Header,
  bytes: Uint8Array,
  companion: Uint8Array | undefined,
  count: number,
  name: string,
): VoxelArray {
  const { fields, end } = header;
  const typeName = fields.get("elementtype") ?? "none";
  const type = typesByName[typeName.toUpperCase()];
  if (type === undefined) {
    throw new InputError(
      `${name} has voxels of the type ${typeName}, and an integer or floating-point type was expected (such as MET_SHORT); convert it.`,
    );
  }
  const slope = Number(fields.get("elementtointensityfunctionslope") ?? 1);
  const offset = Number(fields.get("elementtointensityfunctionoffset") ?? 0);
  if (slope !== 1 || offset !== 0) {
    throw new InputError(
      `${name} scales its voxels (slope ${slope}, offset ${offset}), and voxels in HU were expected; apply the scale first.`,
    );
  }
  const dataFile = companionOf(header, name);
  const source = dataFile === null ? bytes : requireCompanion(companion, dataFile, name);
  const dataName = dataFile === null ? name : `${dataFile} (of ${name})`;
  const wanted = count * bytesPerVoxel(type);
  // MetaIO: a positive HeaderSize counts from the start of the file that holds the voxels; −1 means "at its end".
  const headerSize = Number(fields.get("headersize") ?? 0);
  const first = headerSize > 0 ? headerSize : dataFile === null ? end : 0;
  if (isFalse(fields.get("binarydata") ?? "True")) {
    return voxelsOfText(strFromU8(source.subarray(first), true), type, count, dataName);
  }
  const littleEndian = isFalse(
    fields.get("binarydatabyteordermsb") ?? fields.get("elementbyteordermsb") ?? "False",
  );
  if (isFalse(fields.get("compresseddata") ?? "False")) {
    const start = headerSize === -1 ? source.length - wanted : first;
    return voxelsOfBytes(source, { type, count, littleEndian, start }, dataName);
  }
  const stated = Number(fields.get("compresseddatasize") ?? 0);
  const compressed = source.subarray(first, stated > 0 ? first + stated : source.length);
  const plain = isGzip(compressed)
    ? gunzip(compressed, wanted, dataName)
    : unzlib(compressed, wanted, dataName);
  return voxelsOfBytes(plain, { type, count, littleEndian, start: 0 }, dataName);
}

function companionOf({ fields }: Header, name: string): string | null {
  return companionNamed(fields.get("elementdatafile") ?? "", ".mha", name);
}

function numbersOf(text: string | undefined): readonly number[] {
  return (text ?? "").split(/\s+/).filter(Boolean).map(Number);
}

function isFalse(word: string): boolean {
  return /^(false|f|0|no)$/i.test(word);
}
