// NRRD: reads .nrrd, .nhdr with its data file, and the labels of .seg.nrrd; writes .nrrd, compressed with gzip.
import { strFromU8, strToU8 } from "fflate";
import { InputError } from "../errors.js";
import { shown } from "../text.js";
import { type Vector3, type Volume, type VoxelArray, voxelCount } from "../volume/volume.js";
import { concatenated } from "./bytes.js";
import { companionNamed, requireCompanion } from "./companion.js";
import { gunzip, gzip } from "./gzip.js";
import { type Place, placeOfAxes, placeOfSteps, type ReportProblem, stepsOf } from "./place.js";
import {
  bytesOfVoxels,
  bytesPerVoxel,
  numberOf,
  refuseNonFinite,
  type StoredType,
  voxelsOfBytes,
  voxelsOfText,
  type WrittenType,
  writtenTypeOf,
} from "./stored-voxels.js";

/**
 * The volume in an NRRD file (NRRD0001 to NRRD0005): header and voxels in one (.nrrd), or the header (.nhdr) and, as
 * `companion`, the bytes of the file that it names ({@link nrrdCompanion}).
 *
 * Origin and direction come from `space directions` and `space origin`, in a space of the patient: LPS, RAS or LAS.
 * Other spaces, such as scanner-xyz, are refused, because they do not say where the patient's left is. A file that
 * states spacings but no space is read as ITK reads it, with i, j, k to the left, posterior and superior from 0, 0, 0,
 * and this is reported.
 *
 * Source: teem.sourceforge.net/nrrd/format.html and what ITK reads (fixtures/volumes).
 *
 * @param name The file, for messages.
 * @param report Called where the header states no orientation or no origin, where the space is LAS (which older
 * programs misread), and where a shear is straightened.
 * @throws InputError where the file is not NRRD, is cut short or damaged, does not have three spatial axes or has a
 * further axis longer than 1 (colour, vectors, time, layers of segments), is compressed with bzip2, has a sheared grid,
 * a spacing that is not positive, a malformed origin or a space that is not the patient's, holds NaN or infinite
 * voxels, or needs a data file that is not given
 */
export function readNrrd(
  bytes: Uint8Array,
  name: string,
  companion?: Uint8Array,
  report: ReportProblem = () => {},
): Volume {
  const header = headerOf(bytes, name);
  const axes = spatialAxesOf(header, name);
  const size = sizeOf(header, axes);
  const place = placeOf(header, axes, name, report);
  const data = voxelsOf(header, bytes, companion, voxelCount({ size }), name);
  refuseNonFinite(data, name);
  return { size, ...place, data };
}

/** The voxels (i, j, k) that the header states; none is read. @throws InputError as {@link readNrrd} does for its header */
export function nrrdSize(bytes: Uint8Array, name: string): Vector3 {
  const header = headerOf(bytes, name);
  return sizeOf(header, spatialAxesOf(header, name));
}

const sizeOf = ({ sizes }: Header, axes: readonly [number, number, number]): Vector3 => [
  sizes[axes[0]],
  sizes[axes[1]],
  sizes[axes[2]],
];

/**
 * The name of the data file of a .nhdr; null where the voxels follow the header.
 *
 * @throws InputError where the file is not NRRD, or names a list of files or a file in another folder
 */
export function nrrdCompanion(bytes: Uint8Array, name: string): string | null {
  return companionOf(headerOf(bytes, name), name);
}

/** A segment of 3D Slicer's .seg.nrrd: the name of a label value. */
export interface NamedSegment {
  readonly label: number;
  readonly name: string;
}

/**
 * The segments that a .seg.nrrd names, by label value; none in any other NRRD. Source: Slicer's developer guide,
 * "Segmentation labelmap file format".
 *
 * @throws InputError where the file is not NRRD
 */
export function nrrdSegments(bytes: Uint8Array, name: string): NamedSegment[] {
  const { keys } = headerOf(bytes, name);
  const segments: NamedSegment[] = [];
  for (const [key, value] of keys) {
    const segment = /^Segment(\d+)_LabelValue$/.exec(key)?.[1];
    const label = Number(value);
    if (segment === undefined || !Number.isInteger(label)) continue;
    segments.push({ label, name: keys.get(`Segment${segment}_Name`) ?? `Segment ${label}` });
  }
  return segments.sort((a, b) => a.label - b.label);
}

/**
 * A .nrrd file of a volume in LPS, compressed with gzip. Voxels are exact. The format stores spacing times direction,
 * written with all digits, so both come back within the last bits of a double. The same volume always gives the same
 * bytes.
 */
export function writeNrrd(volume: Volume): Uint8Array {
  const vector = (v: Vector3) => `(${v.join(",")})`;
  const header = [
    "NRRD0004",
    "# Complete NRRD file format specification at:",
    "# http://teem.sourceforge.net/nrrd/format.html",
    `type: ${writtenNames[writtenTypeOf(volume.data)]}`,
    "dimension: 3",
    "space: left-posterior-superior",
    `sizes: ${volume.size.join(" ")}`,
    `space directions: ${stepsOf(volume).map(vector).join(" ")}`,
    "kinds: domain domain domain",
    "endian: little",
    "encoding: gzip",
    `space origin: ${vector(volume.originMm)}`,
  ];
  return concatenated([strToU8(`${header.join("\n")}\n\n`), gzip(bytesOfVoxels(volume.data), 2)]);
}

const writtenNames: Readonly<Record<WrittenType, string>> = {
  uint8: "unsigned char",
  int8: "signed char",
  int16: "short",
  uint16: "unsigned short",
  int32: "int",
  uint32: "unsigned int",
  float32: "float",
  float64: "double",
};

/** Every name that the format's definition lists for a type. */
const namesOfTypes: Readonly<Record<StoredType, readonly string[]>> = {
  int8: ["signed char", "int8", "int8_t"],
  uint8: ["uchar", "unsigned char", "uint8", "uint8_t"],
  int16: ["short", "short int", "signed short", "signed short int", "int16", "int16_t"],
  uint16: ["ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"],
  int32: ["int", "signed int", "int32", "int32_t"],
  uint32: ["uint", "unsigned int", "uint32", "uint32_t"],
  int64: [
    "longlong",
    "long long",
    "long long int",
    "signed long long",
    "signed long long int",
    "int64",
    "int64_t",
  ],
  uint64: ["ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"],
  float32: ["float"],
  float64: ["double"],
};

interface Header {
  /** Fields ("name: value") by name, in lower case and without spaces. */
  readonly fields: ReadonlyMap<string, string>;
  /** Key/value pairs ("key:=value"). */
  readonly keys: ReadonlyMap<string, string>;
  readonly sizes: readonly number[];
  /** Byte offset of the end of the header. */
  readonly end: number;
}

/** Longer than any header (a .seg.nrrd of a hundred segments has 60 KB), and short enough to search quickly. */
const longestHeader = 1 << 20;

function headerOf(bytes: Uint8Array, name: string): Header {
  const expected = "an NRRD file (.nrrd or .nhdr) was expected; check the path, or convert the scan";
  if (!/^NRRD000[1-5]\r?\n/.test(strFromU8(bytes.subarray(0, 10), true))) {
    throw new InputError(`${name} is not an NRRD file of version 1 to 5, and ${expected}.`);
  }
  const end = endOfHeader(bytes);
  const fields = new Map<string, string>();
  const keys = new Map<string, string>();
  for (const line of strFromU8(bytes.subarray(0, end)).split(/\r?\n/).slice(1)) {
    if (line.startsWith("#")) continue;
    // ":" ends the name of a field, ":=" that of a key.
    const colon = line.indexOf(":");
    const word = line.slice(0, Math.max(0, colon));
    const mark = word === "" ? undefined : line[colon + 1];
    const value = line.slice(colon + 2);
    if (mark === "=") keys.set(word, unescaped(value.trimStart()));
    else if (mark === " ") fields.set(word.toLowerCase().replace(/\s/g, ""), value.trim());
  }
  const sizes = wordsOf(fields.get("sizes")).map(Number);
  const dimension = Number(fields.get("dimension"));
  if (
    sizes.length === 0 ||
    sizes.length !== dimension ||
    !sizes.every((n) => Number.isInteger(n) && n >= 1)
  ) {
    throw new InputError(
      `${name} has an NRRD header with dimension ${fields.get("dimension") ?? "none"} and sizes ${fields.get("sizes") ?? "none"}, and ${expected}.`,
    );
  }
  return { fields, keys, sizes, end };
}

/** The offset after the empty line that ends a header; a detached header may end with the file. */
function endOfHeader(bytes: Uint8Array): number {
  const newline = 10;
  let lineStart = 0;
  for (let n = 0; n < Math.min(bytes.length, longestHeader); n++) {
    if (bytes[n] !== newline) continue;
    const length = n - lineStart;
    if (length === 0 || (length === 1 && bytes[lineStart] === 13)) return n + 1;
    lineStart = n + 1;
  }
  return Math.min(bytes.length, longestHeader);
}

function unescaped(value: string): string {
  return value.replace(/\\([\\n])/g, (_, escaped: string) => (escaped === "n" ? "\n" : "\\"));
}

/** The three spatial axes; every other axis must be of length 1. */
function spatialAxesOf({ fields, sizes }: Header, name: string): readonly [number, number, number] {
  const kinds = wordsOf(fields.get("kinds"));
  const directions = fields.has("spacedirections") ? directionsOf(fields, name) : null;
  const isSpatial = (axis: number) =>
    directions === null ? isSpatialKind(kinds[axis]) : directions[axis] !== null;
  const all = sizes.map((_, axis) => axis);
  const axes = all.filter(isSpatial);
  const further = all.filter((axis) => !isSpatial(axis) && sizes[axis] > 1);
  if (axes.length !== 3 || further.length > 0) {
    const [first] = further;
    const found =
      first === undefined
        ? `${axes.length} spatial axes`
        : `an axis of ${sizes[first]} ${kinds[first] ?? "values"} (colour, vectors, time points or layers of segments)`;
    throw new InputError(
      `${name} has the sizes ${sizes.join(" × ")} with ${found}, and one 3D volume of single values was expected; extract one from it.`,
    );
  }
  return [axes[0], axes[1], axes[2]];
}

/** The kinds that mean positions in space by the format's definition; a missing kind and "???" count as spatial. */
function isSpatialKind(kind: string | undefined): boolean {
  return kind === undefined || ["domain", "space", "???", "none"].includes(kind.toLowerCase());
}

/** For each space, the signs that convert its vectors to LPS. */
const lps: Vector3 = [1, 1, 1];
const ras: Vector3 = [-1, -1, 1];
const las: Vector3 = [1, -1, 1];
const spaces: Readonly<Record<string, Vector3>> = {
  "left-posterior-superior": lps,
  lps,
  "right-anterior-superior": ras,
  ras,
  "left-anterior-superior": las,
  las,
};

function placeOf(
  header: Header,
  axes: readonly [number, number, number],
  name: string,
  report: ReportProblem,
): Place {
  const { fields } = header;
  refuseOtherUnits(fields, name);
  const space = fields.get("space");
  if (space === undefined && !fields.has("spacedirections")) {
    return placeBySpacings(header, axes, name, report);
  }
  const signs = spaces[space?.toLowerCase() ?? ""];
  if (signs === undefined) {
    throw new InputError(
      `${name} lies in the space "${space ?? "(none stated)"}", and left-posterior-superior, right-anterior-superior or left-anterior-superior was expected, because other spaces do not say where the patient's left is; convert it with the program that wrote it.`,
    );
  }
  if (signs === las) {
    report(
      "The space is left-anterior-superior, read by its definition; programs with an ITK from before 2025 rotate such a file by 180° about z.",
    );
  }
  // Adding zero avoids −0, which a deep comparison does not count as equal to 0.
  const toLps = (v: Vector3): Vector3 => [0 + signs[0] * v[0], 0 + signs[1] * v[1], 0 + signs[2] * v[2]];
  const directions = directionsOf(fields, name);
  const step = (axis: number): Vector3 => toLps(directions[axis] ?? [Number.NaN, Number.NaN, Number.NaN]);
  const origin = originOf(fields, name);
  if (origin === null) {
    report("The header states no space origin: the first voxel is taken to lie at 0, 0, 0 mm, as ITK does.");
  }
  return placeOfSteps(
    [step(axes[0]), step(axes[1]), step(axes[2])],
    toLps(origin ?? [0, 0, 0]),
    name,
    report,
  );
}

function placeBySpacings(
  { fields }: Header,
  axes: readonly [number, number, number],
  name: string,
  report: ReportProblem,
): Place {
  const spacings = wordsOf(fields.get("spacings")).map(Number);
  const minima = wordsOf(fields.get("axismins")).map(Number);
  if (spacings.length === 0 || minima.some(Number.isFinite)) {
    const found = spacings.length === 0 ? "no spacing" : "axis mins";
    throw new InputError(
      `${name} states ${found} and no space, and space directions with a space origin were expected; convert it with the program that wrote it.`,
    );
  }
  report(
    "The header states no orientation (no space): i, j, k are taken to run to the left, posterior and superior from 0, 0, 0 mm, as ITK does.",
  );
  const spacingMm: Vector3 = [spacings[axes[0]], spacings[axes[1]], spacings[axes[2]]];
  const straight = {
    axes: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ] as const,
    originMm: [0, 0, 0] as const,
  };
  return placeOfAxes({ ...straight, spacingMm }, name, report);
}

function refuseOtherUnits(fields: Header["fields"], name: string): void {
  const text = fields.get("spaceunits") ?? fields.get("units") ?? "";
  const unit = [...text.matchAll(/"([^"]*)"/g)]
    .map((match) => match[1])
    .find((word) => !/^(mm|millimeters?|millimetres?|\?*|none|)$/i.test(word.trim()));
  if (unit === undefined) return;
  throw new InputError(`${name} states its distances in ${unit}, and mm was expected; convert it.`);
}

/** The vector of each axis; null for an axis that is not spatial. */
function directionsOf(fields: Header["fields"], name: string): readonly (Vector3 | null)[] {
  const text = fields.get("spacedirections") ?? "";
  const vectors = vectorsIn(text);
  if (vectors !== null) return vectors;
  throw new InputError(
    `${name} has the space directions ${shown(text)}, and three vectors of three numbers were expected; correct its header.`,
  );
}

/** The position of the first voxel; null where the header does not state it. */
function originOf(fields: Header["fields"], name: string): Vector3 | null {
  const text = fields.get("spaceorigin");
  if (text === undefined) return null;
  const [origin, ...further] = vectorsIn(text) ?? [];
  if (origin && further.length === 0) return origin;
  throw new InputError(
    `${name} has the space origin ${shown(text)}, and three numbers such as (1,2,3) were expected; correct its header.`,
  );
}

/** The vectors in a text such as "(1,0,0) none (0,1,0)", with null for "none"; null if the text does not have this form. */
function vectorsIn(text: string): (Vector3 | null)[] | null {
  // Sticky: anything else ends the search, which would otherwise start again at every bracket.
  const entry = /\s*(?:none|\(([^()]*)\))/iy;
  const vectors: (Vector3 | null)[] = [];
  let end = 0;
  for (let match = entry.exec(text); match !== null; match = entry.exec(text)) {
    end = entry.lastIndex;
    const vector = match[1] === undefined ? null : match[1].split(",").map(numberOf);
    if (vector !== null && !(vector.length === 3 && vector.every(Number.isFinite))) return null;
    vectors.push(vector === null ? null : [vector[0], vector[1], vector[2]]);
  }
  return text.slice(end).trim() === "" ? vectors : null;
}

function voxelsOf(
  header: Header,
  bytes: Uint8Array,
  companion: Uint8Array | undefined,
  count: number,
  name: string,
): VoxelArray {
  const { fields, end } = header;
  const type = typeOf(fields.get("type") ?? "none", name);
  const dataFile = companionOf(header, name);
  const dataName = dataFile === null ? name : `${dataFile} (of ${name})`;
  const file = dataFile === null ? bytes.subarray(end) : requireCompanion(companion, dataFile, name);
  const stored = file.subarray(startOfLine(file, skipOf(header, "lineskip", name)));
  const byteSkip = skipOf(header, "byteskip", name);
  const encoding = (fields.get("encoding") ?? "none").toLowerCase();
  if (["ascii", "text", "txt"].includes(encoding)) {
    return voxelsOfText(strFromU8(stored.subarray(Math.max(byteSkip, 0)), true), type, count, dataName);
  }
  if (!["raw", "gzip", "gz"].includes(encoding)) {
    throw new InputError(
      `${name} has voxels in the encoding ${encoding}, and raw, gzip or ascii was expected; save it again in one of them.`,
    );
  }
  const wanted = count * bytesPerVoxel(type);
  const plain = encoding === "raw" ? stored : gunzip(stored, Math.max(byteSkip, 0) + wanted, dataName);
  // The format's definition: −1 means that the voxels are at the end of the file.
  const start = byteSkip === -1 ? plain.length - wanted : byteSkip;
  const littleEndian = isLittleEndian(fields.get("endian"), type, name);
  return voxelsOfBytes(plain, { type, count, littleEndian, start }, dataName);
}

function typeOf(word: string, name: string): StoredType {
  const types = Object.keys(namesOfTypes) as StoredType[];
  const type = types.find((candidate) => namesOfTypes[candidate].includes(word.toLowerCase()));
  if (type !== undefined) return type;
  throw new InputError(
    `${name} has voxels of the type ${word}, and an integer or floating-point type was expected (such as short); convert it.`,
  );
}

function isLittleEndian(word: string | undefined, type: StoredType, name: string): boolean {
  const order = word?.toLowerCase();
  if (order === "little" || order === "big" || bytesPerVoxel(type) === 1) return order !== "big";
  throw new InputError(
    `${name} states the byte order ${word ?? "nowhere"}, and "endian: little" or "endian: big" was expected; correct its header.`,
  );
}

/** How many lines or bytes to skip before the voxels; −1 bytes if the voxels are at the end of the file. */
function skipOf({ fields }: Header, field: "lineskip" | "byteskip", name: string): number {
  const skip = Number(fields.get(field) ?? 0);
  if (Number.isInteger(skip) && skip >= (field === "byteskip" ? -1 : 0)) return skip;
  throw new InputError(
    `${name} has "${fields.get(field)}" for ${field} in its header, and a whole number was expected; correct its header.`,
  );
}

/** The offset after a number of lines. */
function startOfLine(bytes: Uint8Array, lines: number): number {
  let start = 0;
  for (let line = 0; line < lines; line++) start = bytes.indexOf(10, start) + 1 || bytes.length;
  return start;
}

function companionOf({ fields }: Header, name: string): string | null {
  return companionNamed(fields.get("datafile") ?? "LOCAL", ".nrrd", name);
}

function wordsOf(text: string | undefined): string[] {
  return (text ?? "").split(/\s+/).filter(Boolean);
}
