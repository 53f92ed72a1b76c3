// Finds the DICOM series among files, lists each with its problems, and reads a chosen series as a volume in HU.
import { InputError } from "../../errors.js";
import { counted, shown } from "../../text.js";
import type { Geometry, Volume } from "../../volume/volume.js";
import {
  type DicomDataset,
  has,
  parseDataset,
  parseReadablePart,
  textOf,
  usableNumberOf,
} from "./dataset.js";
import { frameDecoder, requirePixels, type StoredFrame } from "./pixel-data.js";
import { refusal, type SeriesProblem, warning } from "./series-problem.js";
import { type NamedFile, type Rescale, type Slice, slicesOf } from "./slices.js";
import type { SourceInstance, SourceSeries, StudyIdentity } from "./source-series.js";
import { nameOf, type Stack, stackOf } from "./stack.js";
import { resampleStack } from "./stack-resampling.js";
import { transferSyntaxOf } from "./transfer-syntaxes.js";
import { missingBeside } from "./unreadable-neighbours.js";

/** A stack of parallel slices of one DICOM series. */
export interface DicomSeries {
  readonly seriesInstanceUid: string;
  readonly number: number | null;
  readonly description: string;
  readonly modality: string;
  readonly frameOfReferenceUid: string;
  readonly sliceCount: number;
  readonly transferSyntaxUid: string;
  /** The name of the transfer syntax. */
  readonly transferSyntax: string;
  /** The grid on which the series is read; null where it is refused or has no grid. */
  readonly geometry: Geometry | null;
  readonly problems: readonly SeriesProblem[];
  readonly study: StudyIdentity;
  readonly stack: Stack;
}

export interface SeriesListing {
  /** By series number; a series with several orientations, sizes or frames of reference is listed once for each. */
  readonly series: readonly DicomSeries[];
  /** Files that are not images of a series, and why. */
  readonly others: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * The image series among files. Each file is read once and not kept; {@link readSeries} reads it again. A file that
 * cannot be read does not stop the others: it becomes a problem of its series or, if that is unknown, of the series
 * near it.
 */
export async function listSeries(files: Iterable<NamedFile>): Promise<SeriesListing> {
  const nonImages: (NotAnImage & { readonly name: string })[] = [];
  const headers: ImageHeader[] = [];
  for (const file of files) {
    const found = await readHeader(file);
    if ("mayBeSlice" in found) nonImages.push({ name: file.name, ...found });
    else headers.push(found);
  }
  const all = groups(headers, (a, b) => a.seriesInstanceUid === b.seriesInstanceUid);
  const readable = all.filter((members) => members.some(({ slices }) => slices.length > 0));
  const known: KnownImages = {
    endings: new Set(readable.flat().map(({ name }) => endingOf(name))),
    seriesInstanceUids: new Set(readable.map(([{ seriesInstanceUid }]) => seriesInstanceUid)),
  };
  const damaged = headers.flatMap(({ name, damage, ...rest }) =>
    damage === null ? [] : [{ name, reason: damage, ...rest }],
  );
  const unreadable = [
    ...nonImages.filter(({ mayBeSlice }) => mayBeSlice(known)),
    // The series UID itself may be damaged.
    ...damaged.filter(
      (file) => !known.seriesInstanceUids.has(file.seriesInstanceUid) && mayBeCt(file.modality),
    ),
  ];
  const missing = missingBeside(
    unreadable,
    readable.map((members) => members.map(({ name }) => name)),
  );
  const series = readable
    .flatMap((members, n) => seriesOf(members, missing[n]))
    .sort((a, b) => (a.number ?? 0) - (b.number ?? 0));
  const others = [...nonImages, ...damaged].map(({ name, reason }) => ({ name, reason }));
  return { series, others };
}

/** Problems that show that a series is not a CT scan, as opposed to a damaged or incomplete CT scan. */
const nonScanProblems: ReadonlySet<SeriesProblem["kind"]> = new Set([
  "wrong-modality",
  "localizer",
  "secondary-capture",
  "colour",
]);

/** Whether a series is a CT scan, whether or not it can be read. */
export function isCtScan({ problems }: DicomSeries): boolean {
  return !problems.some(({ kind, isRefused }) => isRefused && nonScanProblems.has(kind));
}

/**
 * The series chosen by its number in the listing (from 1), its UID, or a part of its description, ignoring case. If
 * `wanted` is undefined, the only CT scan, else the only series. Damaged CT scans count, so that no other scan is chosen
 * in their place by accident.
 *
 * @throws InputError where no series or several series fit; the message lists all series
 */
export function chooseSeries(listing: SeriesListing, wanted: string | undefined): DicomSeries {
  const { series } = listing;
  if (series.length === 0) {
    const [other] = listing.others;
    throw new InputError(
      other === undefined
        ? "No DICOM images were found; choose a folder or file that holds a CT series."
        : `No DICOM images were found (${other.reason}); choose a folder or file that holds a CT series.`,
    );
  }
  const scans = series.filter(isCtScan);
  // Without any CT scan the only series is chosen, so that reading it says why it is refused.
  const candidates = scans.length === 0 ? series : scans;
  const fitting = wanted === undefined ? candidates : matching(series, wanted);
  if (fitting.length === 1) return fitting[0];
  const list = series.map((candidate, n) => `${n + 1}: ${titleOf(candidate)}`).join("; ");
  const found =
    wanted === undefined
      ? `${series.length} series were found`
      : `${fitting.length === 0 ? "No" : fitting.length} series fit "${wanted}"`;
  throw new InputError(
    `${found}, and 1 was expected; choose it by its number, its UID or a part of its description: ${list}.`,
  );
}

/**
 * The volume of a series in HU, and what a segmentation of it must state about its source. Int16Array if all values are
 * integers that fit, else Float32Array. Each slice has its own rescaling, which is applied to padding values too. A
 * stack that is not a regular grid is resampled onto `Stack.geometry`, and rounded to whole HU if its slices hold whole
 * HU.
 *
 * @throws InputError where the series is refused for one of its problems, or a file cannot be read
 */
export async function readSeries(
  series: DicomSeries,
): Promise<{ volume: Volume; source: SourceSeries; problems: readonly SeriesProblem[] }> {
  const { stack, geometry } = series;
  const refused = series.problems.find(({ isRefused }) => isRefused);
  if (refused !== undefined || geometry === null) {
    throw new InputError(`${titleOf(series)} cannot be read: ${refused?.message ?? "it has no grid."}`);
  }
  const reader = new SliceReader();
  await refuseUnequalSlices(stack, reader);
  const slices = stack.placed.map(({ slice }) => slice);
  const data = stack.isRegular
    ? await stackedHu(slices, reader)
    : await resampledHu(stack, geometry, slices, reader);
  const instances = slices.map(instanceOf);
  const source: SourceSeries = {
    study: series.study,
    seriesInstanceUid: series.seriesInstanceUid,
    frameOfReferenceUid: series.frameOfReferenceUid,
    modality: series.modality,
    geometry,
    slices: stack.isRegular ? instances : null,
    instances,
    distancesMm: stack.isRegular
      ? instances.map((_, k) => k * geometry.spacingMm[2])
      : stack.placed.map(({ distanceMm }) => distanceMm),
  };
  return { volume: { ...geometry, data }, source, problems: series.problems };
}

/** A slice of a series as it is stored, row by row. */
export interface SlicePicture {
  readonly columns: number;
  readonly rows: number;
  readonly hu: Int16Array | Float32Array;
}

/**
 * The slice in the middle of a series, to show what it holds.
 *
 * @throws InputError where it cannot be read
 */
export async function middleSlice({ stack }: DicomSeries): Promise<SlicePicture | null> {
  const middle = stack.placed.at(Math.floor(stack.placed.length / 2))?.slice;
  if (middle === undefined) return null;
  const { columns, rows } = middle;
  return { columns, rows, hu: await stackedHu([middle], new SliceReader()) };
}

/**
 * The problems of a series, and whether slices that lie at one position differ, as those of several phases do; these
 * are read for it, where there are any.
 */
export async function problemsOfReading({ stack, problems }: DicomSeries): Promise<readonly SeriesProblem[]> {
  if (problems.some(({ isRefused }) => isRefused)) return problems;
  try {
    await refuseUnequalSlices(stack, new SliceReader());
    return problems;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const others = problems.filter(({ kind }) => kind !== "duplicate-slice");
    return [...others, refusal("unequal-slices", error.message)];
  }
}

/** What the listing needs to know about a file. */
interface ImageHeader {
  readonly name: string;
  /** Empty where the file is cut short before it states its image. */
  readonly slices: readonly Slice[];
  readonly seriesInstanceUid: string;
  readonly number: number | null;
  readonly description: string;
  readonly modality: string;
  readonly transferSyntaxUid: string;
  readonly study: StudyIdentity;
  readonly isColour: boolean;
  /** Why the pixels of the file cannot be read; null where they can. */
  readonly damage: string | null;
}

/** Modalities of objects with rows and columns that are not images of a patient. */
const nonImageModalities: ReadonlySet<string> = new Set(["SEG", "RTDOSE", "RTIMAGE", "PR", "REG"]);

/** A file that is not an image of a series. */
interface NotAnImage {
  readonly reason: string;
  /** Whether it may still be a slice that an interrupted copy or a bad disk has made unreadable. */
  readonly mayBeSlice: (known: KnownImages) => boolean;
}

/** The images that were found, to recognise unreadable files that belong to them. */
interface KnownImages {
  /** The ends of their file names, such as ".dcm". */
  readonly endings: ReadonlySet<string>;
  readonly seriesInstanceUids: ReadonlySet<string>;
}

async function readHeader(file: NamedFile): Promise<ImageHeader | NotAnImage> {
  let bytes: Uint8Array | null = null;
  try {
    bytes = await file.read();
    return headerOf(bytes, file);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // An interrupted copy leaves empty files and files of zeros.
    const hasNothing = bytes === null || bytes.every((byte) => byte === 0);
    return {
      reason: error.message,
      mayBeSlice: ({ endings }) => hasNothing || endings.has(endingOf(file.name)),
    };
  }
}

/** ".dcm" of "scan/IM1.dcm"; "" of "scan/IM1". */
function endingOf(name: string): string {
  return /\.[^./\\]*$/.exec(name)?.[0].toLowerCase() ?? "";
}

/** Modalities of the other objects in a study, images or not. */
const otherModalities: ReadonlySet<string> = new Set(
  "MR PT NM US CR DX OT KO SR DOC SEG PR REG RTDOSE RTIMAGE RTPLAN RTRECORD RTSTRUCT".split(" "),
);

/** Only CT is read, and a damaged file may have lost its modality. */
function mayBeCt(modality: string): boolean {
  return !otherModalities.has(modality);
}

const mediaDirectory = "1.2.840.10008.1.3.10";
const ctStorage: ReadonlySet<string> = new Set(["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"]);

/** @throws InputError where the file is not a DICOM file */
function headerOf(bytes: Uint8Array, file: NamedFile): ImageHeader | NotAnImage {
  const { dataset, damage } = parseReadablePart(bytes, file.name);
  const modality = textOf(dataset, "Modality");
  const seriesInstanceUid = textOf(dataset, "SeriesInstanceUID");
  if (damage !== null && seriesInstanceUid === "") {
    return { reason: damage.message, mayBeSlice: () => mayBeCt(modality) };
  }
  const isImage =
    !nonImageModalities.has(modality) &&
    (has(dataset, "Rows") || ctStorage.has(textOf(dataset, "SOPClassUID")));
  // A file that is cut short early may be a slice that its series lacks.
  const isCutOff = damage !== null && !has(dataset, "Rows");
  if (!isImage && !isCutOff) {
    const reason =
      damage?.message ?? `${file.name} is a DICOM ${shown(modality, 16) || "object"}, not an image.`;
    const isDirectory = textOf(dataset, "MediaStorageSOPClassUID") === mediaDirectory;
    return {
      reason,
      mayBeSlice: ({ seriesInstanceUids }) =>
        mayBeCt(modality) &&
        (seriesInstanceUid === "" ? !isDirectory : seriesInstanceUids.has(seriesInstanceUid)),
    };
  }
  const { slices, problem } = slicesOrProblem(dataset, file);
  const isColour =
    (usableNumberOf(dataset, "SamplesPerPixel") ?? 1) > 1 ||
    textOf(dataset, "PhotometricInterpretation") === "PALETTE COLOR";
  const isDecodable = !isColour && transferSyntaxOf(dataset.transferSyntaxUid).encoding !== null;
  return {
    name: file.name,
    slices: isCutOff ? [] : slices,
    seriesInstanceUid,
    number: usableNumberOf(dataset, "SeriesNumber"),
    description: textOf(dataset, "SeriesDescription"),
    modality,
    transferSyntaxUid: dataset.transferSyntaxUid,
    study: studyOf(dataset),
    isColour,
    damage: damage?.message ?? problem ?? (isDecodable ? pixelProblem(dataset) : null),
  };
}

/** The slices of a file; none, with the reason, where it lacks attributes that are needed. */
function slicesOrProblem(
  dataset: DicomDataset,
  file: NamedFile,
): { readonly slices: readonly Slice[]; readonly problem: string | null } {
  try {
    return { slices: slicesOf(dataset, file), problem: null };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { slices: [], problem: error.message };
  }
}

/** Why the pixels cannot be decoded, as far as that shows before they are. */
function pixelProblem(dataset: DicomDataset): string | null {
  try {
    requirePixels(dataset);
    return null;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.message;
  }
}

function studyOf(dataset: DicomDataset): StudyIdentity {
  return {
    patientName: textOf(dataset, "PatientName"),
    patientId: textOf(dataset, "PatientID"),
    patientBirthDate: textOf(dataset, "PatientBirthDate"),
    patientSex: textOf(dataset, "PatientSex"),
    studyInstanceUid: textOf(dataset, "StudyInstanceUID"),
    studyDate: textOf(dataset, "StudyDate"),
    studyTime: textOf(dataset, "StudyTime"),
    studyId: textOf(dataset, "StudyID"),
    accessionNumber: textOf(dataset, "AccessionNumber"),
  };
}

/** A single series or, if its slices do not form a single stack, a series for each stack. */
function seriesOf(headers: readonly ImageHeader[], missing: SeriesProblem | null): DicomSeries[] {
  const slices = headers.flatMap((header) => header.slices);
  const stacks = groups(slices, belongTogether);
  return stacks.map((members) => {
    const files = new Set(members.map(({ file }) => file));
    const shown = headers.filter((header) => header.slices.some(({ file }) => files.has(file)));
    const own = [...shown, ...headers.filter(({ slices }) => slices.length === 0)];
    const [first] = shown;
    const stack = stackOf(members, missing !== null);
    const problems = [
      ...ownProblems(own, members),
      ...mixtureProblems(stacks, members),
      ...repeatedUids(stack),
      ...(missing === null ? [] : [missing]),
      ...stack.problems,
    ];
    return {
      seriesInstanceUid: first.seriesInstanceUid,
      number: first.number,
      description: first.description,
      modality: first.modality,
      frameOfReferenceUid: members[0].frameOfReferenceUid,
      sliceCount: members.length - stack.duplicates.length,
      transferSyntaxUid: first.transferSyntaxUid,
      transferSyntax: transferSyntaxOf(first.transferSyntaxUid).name,
      geometry: stack.geometry,
      problems,
      study: first.study,
      stack,
    };
  });
}

/** Some de-identifiers give all slices the same SOP Instance UID; they are still different slices. */
function repeatedUids({ placed }: Stack): SeriesProblem[] {
  const uids = new Set(placed.map(({ slice }) => `${slice.sopInstanceUid} ${slice.frame}`));
  if (uids.size === placed.length) return [];
  return [
    warning(
      "repeated-uid",
      `Its ${placed.length} slices share ${counted(uids.size, "SOP Instance UID")}; they are distinguished by their positions, but a segmentation cannot refer to them by UID.`,
    ),
  ];
}

/** Whether two slices belong to the same stack: localizers apart, the others by size, orientation, pixel spacing and frame of reference. */
function belongTogether(a: Slice, b: Slice): boolean {
  return (
    isLocalizer(a) === isLocalizer(b) &&
    sameSize(a, b) &&
    sameDirections(a, b) &&
    a.frameOfReferenceUid === b.frameOfReferenceUid
  );
}

function sameSize(a: Slice, b: Slice): boolean {
  const sameSpacing =
    a.spacingMm === null || b.spacingMm === null
      ? a.spacingMm === b.spacingMm
      : Math.max(Math.abs(a.spacingMm[0] - b.spacingMm[0]), Math.abs(a.spacingMm[1] - b.spacingMm[1])) < 1e-4;
  return a.columns === b.columns && a.rows === b.rows && sameSpacing;
}

function sameDirections(a: Slice, b: Slice): boolean {
  if (a.axes === null || b.axes === null) return a.axes === b.axes;
  const [p, q] = [a.axes, b.axes];
  return [0, 1].every((axis) => p[axis].every((value, n) => Math.abs(value - q[axis][n]) < 1e-3));
}

function isLocalizer({ imageType }: Slice): boolean {
  return imageType.includes("LOCALIZER");
}

/** What is told of a part of a series beside other parts. */
function mixtureProblems(stacks: readonly (readonly Slice[])[], part: readonly Slice[]): SeriesProblem[] {
  const localizers = stacks.filter(([first]) => isLocalizer(first)).flat().length;
  const firsts = stacks.map(([first]) => first).filter((slice) => !isLocalizer(slice));
  const differ = (same: (a: Slice, b: Slice) => boolean) => firsts.some((slice) => !same(slice, firsts[0]));
  const parts = `its ${stacks.length} parts (${stacks.map((stack) => stack.length).join(", ")} slices) are listed separately`;
  const problems: SeriesProblem[] = [];
  if (differ(sameDirections)) {
    problems.push(warning("mixed-orientation", `The series holds slices of several orientations; ${parts}.`));
  }
  if (differ(sameSize)) {
    problems.push(
      warning("mixed-size", `The series holds slices of several sizes or pixel spacings; ${parts}.`),
    );
  }
  if (differ((a, b) => a.frameOfReferenceUid === b.frameOfReferenceUid)) {
    problems.push(
      warning(
        "mixed-frame-of-reference",
        `The series holds slices of several frames of reference; ${parts}.`,
      ),
    );
  }
  if (localizers > 0 && !isLocalizer(part[0])) {
    problems.push(
      warning(
        "localizer",
        `${counted(localizers, "image")} of the series ${localizers === 1 ? "is a localizer" : "are localizers"} (scout view), listed apart and no part of the volume.`,
      ),
    );
  }
  return problems;
}

const secondaryCapture = "1.2.840.10008.5.1.4.1.1.7";

/** Problems of the images themselves, apart from their positions. */
function ownProblems(headers: readonly ImageHeader[], slices: readonly Slice[]): SeriesProblem[] {
  const problems: SeriesProblem[] = [];
  const [header] = headers;
  const refuse = (kind: SeriesProblem["kind"], message: string) => problems.push(refusal(kind, message));
  if (header.modality !== "CT") {
    refuse(
      "wrong-modality",
      `Its modality is ${shown(header.modality, 16) || "not stated"}, and CT is expected; choose a CT series.`,
    );
  }
  if (slices.some(isLocalizer)) {
    refuse("localizer", "It is a localizer (scout view), not a stack of slices; choose another series.");
  }
  if (slices.some(({ sopClassUid }) => sopClassUid.startsWith(secondaryCapture))) {
    refuse(
      "secondary-capture",
      "It is a secondary capture, whose values and positions are not those of a scanner; choose the original series.",
    );
  }
  if (headers.some(({ isColour }) => isColour)) {
    refuse(
      "colour",
      "It holds colour images, and one grey value per pixel is expected; choose another series.",
    );
  }
  const damaged = headers.filter(({ damage }) => damage !== null);
  if (damaged.length > 0) {
    refuse("damaged-file", `${damaged.length} of its files cannot be read: ${damaged[0].damage}`);
  }
  const unsupported = headers.find((header) => transferSyntaxOf(header.transferSyntaxUid).encoding === null);
  if (unsupported !== undefined) {
    refuse(
      "unsupported-syntax",
      `It is compressed by ${transferSyntaxOf(unsupported.transferSyntaxUid).name}, which cannot be decoded here; convert it to an uncompressed or losslessly compressed one first.`,
    );
  }
  return [...problems, ...rescaleProblems(slices)];
}

/** Problems of how stored values become HU. */
function rescaleProblems(slices: readonly Slice[]): SeriesProblem[] {
  const problems: SeriesProblem[] = [];
  const warn = (kind: SeriesProblem["kind"], message: string) => problems.push(warning(kind, message));
  const lacking = (is: (rescale: Rescale | null) => boolean, what: string, consequence: string) => {
    const { length } = slices.filter(({ rescale }) => is(rescale));
    if (length > 0)
      warn(
        "missing-rescale",
        `${length} of ${counted(slices.length, "slice")} state no Rescale ${what}; ${consequence}.`,
      );
  };
  lacking((rescale) => rescale === null, "Slope and Intercept", "their stored values are taken as HU");
  lacking((rescale) => rescale?.assumed === "slope", "Slope beside the Intercept", "it is taken as 1");
  lacking((rescale) => rescale?.assumed === "intercept", "Intercept beside the Slope", "it is taken as 0");
  const units = new Set(slices.flatMap(({ rescale }) => rescale?.unit ?? []));
  if ([...units].some((unit) => unit !== "HU")) {
    warn(
      "not-hounsfield",
      `The stated unit of its values is ${shown([...units].join(", "))}, and HU are expected; they are read as they are.`,
    );
  }
  const rescales = new Set(slices.map(({ rescale }) => `${rescale?.slope} · stored + ${rescale?.intercept}`));
  if (rescales.size > 1) {
    warn(
      "mixed-rescale",
      `Its slices have ${rescales.size} different rescalings (such as ${[...rescales].slice(0, 2).join(" and ")}); each slice is rescaled by its own.`,
    );
  }
  return problems;
}

function matching(series: readonly DicomSeries[], wanted: string): readonly DicomSeries[] {
  if (/^\d{1,6}$/.test(wanted)) return series.slice(Number(wanted) - 1, Number(wanted));
  const byUid = series.filter(({ seriesInstanceUid }) => seriesInstanceUid === wanted);
  // A localizer with the same series UID is not meant.
  const scans = byUid.filter(isCtScan);
  if (scans.length > 0) return scans;
  if (byUid.length > 0) return byUid;
  return series.filter(({ description }) => description.toLowerCase().includes(wanted.toLowerCase()));
}

/** "CT series 3 "Neck" (120 slices of 512 × 512, UID 1.2.3)" */
function titleOf({
  modality,
  number,
  description,
  sliceCount,
  seriesInstanceUid,
  stack,
  ...rest
}: DicomSeries): string {
  const size = rest.geometry === null ? "" : ` of ${rest.geometry.size[0]} × ${rest.geometry.size[1]}`;
  const name = description === "" ? "without description" : `"${shown(description)}"`;
  const slices = `${counted(sliceCount, "slice")}${size}`;
  return `${modality || "Image"} series ${number ?? "without number"} ${name} (${slices}, UID ${seriesInstanceUid})`;
}

function instanceOf({ sopClassUid, sopInstanceUid, frame }: Slice): SourceInstance {
  return { sopClassUid, sopInstanceUid, frame };
}

/** Reads slices, and keeps the last two files in memory: frames of a file are read in sequence, and duplicates are compared in pairs. */
class SliceReader {
  readonly #decoders = new Map<NamedFile, (frame: number) => StoredFrame>();

  async stored({ file, frame }: Slice): Promise<StoredFrame> {
    const decode =
      this.#decoders.get(file) ?? (await frameDecoder(parseDataset(await file.read(), file.name)));
    if (!this.#decoders.has(file)) {
      const [oldest] = this.#decoders.keys();
      if (this.#decoders.size > 1) this.#decoders.delete(oldest);
      this.#decoders.set(file, decode);
    }
    return decode((frame ?? 1) - 1);
  }
}

const unscaled: Rescale = { slope: 1, intercept: 0, assumed: null, unit: "HU" };

async function refuseUnequalSlices({ duplicates }: Stack, reader: SliceReader): Promise<void> {
  for (const { slice, of } of duplicates) await refuseUnequal(reader, slice, of);
}

async function refuseUnequal(reader: SliceReader, slice: Slice, of: Slice): Promise<void> {
  const [a, b] = [await reader.stored(of), await reader.stored(slice)];
  const [p, q] = [of.rescale ?? unscaled, slice.rescale ?? unscaled];
  const isEqual = p.slope === q.slope && p.intercept === q.intercept && a.every((value, n) => value === b[n]);
  if (isEqual) return;
  const advice = slice.file === of.file ? "export only one of them" : "keep one of each pair in the folder";
  throw new InputError(
    `${nameOf(slice)} and ${nameOf(of)} lie at the same position and differ, as in a series of several phases or reconstructions; ${advice}.`,
  );
}

/** The HU of slices, one slice after another. */
async function stackedHu(slices: readonly Slice[], reader: SliceReader): Promise<Int16Array | Float32Array> {
  const pixels = slices[0].columns * slices[0].rows;
  const VoxelArray = areWhole(slices) ? Int16Array : Float32Array;
  let hu: Int16Array | Float32Array | null = null;
  for (const [k, slice] of slices.entries()) {
    const stored = await reader.stored(slice);
    // Allocated only once a slice has turned out to have the pixels that its header promises.
    hu ??= withRoom(() => new VoxelArray(pixels * slices.length), slice);
    const rescale = slice.rescale ?? unscaled;
    if (!rescaleInto(hu, k * pixels, stored, rescale)) {
      // A value does not fit in 16 bits: what was read so far is copied to floats.
      hu = Float32Array.from(hu);
      rescaleInto(hu, k * pixels, stored, rescale);
    }
  }
  return hu ?? new VoxelArray(0);
}

/** @throws InputError where the voxels of a series do not fit into memory */
function withRoom<T>(make: () => T, { file }: Slice): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new InputError(
      `The series of ${file.name} has more voxels than fit into memory; choose a smaller one.`,
      { cause },
    );
  }
}

/** Whether the rescaling of every slice gives whole HU. */
function areWhole(slices: readonly Slice[]): boolean {
  return slices.every(({ rescale }) => {
    const { slope, intercept } = rescale ?? unscaled;
    return Number.isInteger(slope) && Number.isInteger(intercept);
  });
}

/** Writes rescaled values into `hu` from `start` on; returns whether every value fitted its type. */
function rescaleInto(
  hu: Int16Array | Float32Array,
  start: number,
  stored: StoredFrame,
  { slope, intercept }: Rescale,
): boolean {
  if (hu instanceof Float32Array) {
    for (let n = 0; n < stored.length; n++) hu[start + n] = slope * stored[n] + intercept;
    return true;
  }
  for (let n = 0; n < stored.length; n++) {
    const value = slope * stored[n] + intercept;
    hu[start + n] = value;
    if (hu[start + n] !== value) return false;
  }
  return true;
}

async function resampledHu(
  stack: Stack,
  geometry: Geometry,
  slices: readonly Slice[],
  reader: SliceReader,
): Promise<Int16Array | Float32Array> {
  const hu = await resampleStack(stack, geometry, async (n) => stackedHu([slices[n]], reader));
  return (areWhole(slices) ? rounded(hu) : null) ?? hu;
}

/** Rounded to whole HU; null where a value does not fit in 16 bits. */
function rounded(hu: Float32Array): Int16Array | null {
  const whole = new Int16Array(hu.length);
  for (let n = 0; n < hu.length; n++) {
    const value = Math.round(hu[n]);
    whole[n] = value;
    if (whole[n] !== value) return null;
  }
  return whole;
}

/** Groups items by comparing each with the first of every group; the order is kept. */
function groups<T>(items: readonly T[], isSameGroup: (a: T, b: T) => boolean): T[][] {
  const found: T[][] = [];
  for (const item of items) {
    const group = found.find(([first]) => isSameGroup(first, item));
    if (group === undefined) found.push([item]);
    else group.push(item);
  }
  return found;
}
