// Finds the scans at a path, names their results, and reads each scan ahead while the previous one is segmented.
import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import {
  chooseSeries,
  type DicomSeries,
  type FoundImages,
  isCtScan,
  volumeFormatOf,
} from "@lnsnet/core/formats";
import { foldedName, safeFileName } from "@lnsnet/core/text";
import { Tinypool } from "tinypool";
import { caseId } from "../datasets/dataset.js";
import { isFolder, requirePath } from "../files/disk.js";
import { findImages, leftOutOf } from "../files/imaging.js";
import { type Outcome, unwrap } from "../work/outcome.js";
import { firstChannels, furtherChannels, type ModelChannels, taken } from "./channels.js";
import { isResult } from "./manifest.js";
import type { ReadChannels, ReadTask } from "./read-worker.js";

export interface NamedScan extends ReadTask {
  /** What its results are called; no other scan of a call has it. */
  readonly id: string;
  /** Stays the same when other scans come and go, and no other scan has it: the series' UID, or the file's place. */
  readonly identity: string;
  readonly origin: ScanOrigin;
  /** Whether it is a DICOM series. */
  readonly isDicom: boolean;
}

/** Where a scan lies, for a person who looks for it. */
export interface ScanOrigin {
  /** Of a volume file, the file; of a DICOM series, the folder or archive that holds its files. An absolute path. */
  readonly path: string;
  readonly series: {
    readonly instance_uid: string;
    readonly number: number | null;
    readonly description: string;
  } | null;
}

export interface FoundScans {
  readonly scans: readonly NamedScan[];
  /** Whether the path names several, however many it holds. */
  readonly areSeveral: boolean;
  /** Sentences about everything at the path that is not a scan. */
  readonly leftOut: readonly string[];
}

/**
 * The scans of a path: the file itself, or of a folder every volume file and every CT series. A scan that cannot be
 * read fails by itself, with the reason.
 *
 * Results of a volume file have its name, in a folder with the names of its sub-folders before it. Results of a DICOM
 * series have a name made from its UID: the same however many other series come and go, and without the patient.
 *
 * For a model of several channels, a scan is the volume files NAME_0000, NAME_0001, …, or a file or series with the
 * further channels that were named.
 *
 * @param wanted which DICOM series, if there are several
 * @param salt a secret by which names and identities tell nothing of file or series; null where they may
 * @throws InputError where the path is missing, nothing can be read, a channel is missing, or two scans would have results
 *   of one name
 */
export async function scansAt(
  path: string,
  wanted: string | undefined,
  channels: ModelChannels,
  salt: string | null = null,
): Promise<FoundScans> {
  const found = await firstChannelsAt(path, wanted, channels, salt);
  const { scans } = found;
  if (channels.given !== null && scans.length > 1)
    throw new InputError(
      `${path} holds ${scans.length} scans, and the option channels names files of one scan; choose one scan, or call the files NAME_0000, NAME_0001, ….`,
    );
  const withAll = await Promise.all(
    scans.map(async (scan) => ({ ...scan, further: await furtherOf(scan, channels), ct: channels.ct })),
  );
  return { ...found, scans: withAll };
}

/** @throws InputError where the further channels of a scan cannot be found */
async function furtherOf({ path, wanted, isDicom }: FoundScan, channels: ModelChannels) {
  const isOneFile = !isDicom && wanted === undefined;
  if (isOneFile || channels.given !== null || channels.names.length === 1)
    return furtherChannels(path, channels);
  throw new InputError(
    `${path} is a DICOM series or lies in an archive, and ${taken(channels)}; name the files of the others with the option channels.`,
  );
}

/** A scan before its further channels are known. */
type FoundScan = Omit<NamedScan, "further" | "ct">;
type FileOfScan = Pick<ReadTask, "path" | "wanted">;

async function firstChannelsAt(
  path: string,
  wanted: string | undefined,
  channels: ModelChannels,
  salt: string | null,
): Promise<Omit<FoundScans, "scans"> & { readonly scans: readonly FoundScan[] }> {
  await requirePath(path);
  if (wanted === undefined && !(await isFolder(path)) && volumeFormatOf(path) !== null)
    return { scans: [await volumeScan({ path }, path, dirname(path), salt)], areSeveral: false, leftOut: [] };
  const found = await withoutResults(await findImages(path));
  if (wanted !== undefined) return { ...(await chosenScan(path, found, wanted, salt)), leftOut: [] };
  const ctScans = found.series.filter(isCtScan);
  if (ctScans.length + found.volumes.length === 0) {
    // Reading the path as one scan says why nothing can be read.
    const unreadable = { ...(await volumeScan({ path }, path, dirname(path), salt)), isDicom: true };
    return { scans: [unreadable], areSeveral: false, leftOut: [] };
  }
  const isArchive = !(await isFolder(path));
  const root = isArchive ? dirname(path) : path;
  const names = found.volumes.map(({ name }) => name);
  const ofVolumes = await Promise.all(
    (channels.given === null ? firstChannels(names, channels) : names).map((name) =>
      isArchive
        ? volumeScan({ path, wanted: name }, resolve(path, name), path, salt)
        : volumeScan({ path: name }, name, root, salt),
    ),
  );
  // The stacks of one series are one scan: reading it chooses, or says that it cannot.
  const uids = new Map(ctScans.map((series) => [series.seriesInstanceUid, series]));
  const ofSeries = await Promise.all([...uids.values()].map((series) => seriesScan(path, series, salt)));
  const scans = [...ofVolumes, ...ofSeries];
  requireDistinct(scans);
  return { scans, areSeveral: scans.length > 1 || ofVolumes.length > 0, leftOut: leftOutOf(path, found) };
}

/** The images without masks that an earlier call wrote among them. */
async function withoutResults(found: FoundImages): Promise<FoundImages> {
  const isScan = await Promise.all(found.volumes.map(async ({ name }) => !(await isResult(name))));
  return { ...found, volumes: found.volumes.filter((_, at) => isScan[at]) };
}

/** The one scan of a path that is asked for; where the choice is not clear, reading says so. */
async function chosenScan(
  path: string,
  found: FoundImages,
  wanted: string,
  salt: string | null,
): Promise<{ readonly scans: readonly FoundScan[]; readonly areSeveral: boolean }> {
  const isVolume = found.series.length === 0 || found.volumes.some(({ name }) => name === wanted);
  const scan = isVolume
    ? await volumeScan({ path, wanted }, path, dirname(path), salt)
    : await seriesScan(path, chooseSeries(found, wanted), salt);
  return { scans: [scan], areSeveral: false };
}

async function volumeScan(
  task: FileOfScan,
  file: string,
  root: string,
  salt: string | null,
): Promise<FoundScan> {
  const below = relative(resolve(root), resolve(file)).split(sep);
  const place = await realpath(file).catch(() => resolve(file));
  const identity = hashed(salt, `file ${place}`);
  const id = salt === null ? safeFileName(caseId(below.join("_"))) : `scan-${identity.slice(0, idLength)}`;
  return { ...task, id, identity, origin: { path: place, series: null }, isDicom: false };
}

async function seriesScan(path: string, series: DicomSeries, salt: string | null): Promise<FoundScan> {
  const { seriesInstanceUid: uid, number, description } = series;
  const [file] = series.stack.placed.map(({ slice }) => dirname(resolve(slice.file.name)));
  const folder = await realpath((await isFolder(path)) && file !== undefined ? file : path);
  // Without a UID, which every series must have, the place alone tells it from others.
  const identity = hashed(salt, uid === "" ? `folder ${folder}` : `series ${uid}`);
  const origin = { path: folder, series: { instance_uid: uid, number, description } };
  const id = `series-${identity.slice(0, idLength)}`;
  return { path, ...(uid === "" ? {} : { wanted: uid }), id, identity, origin, isDicom: true };
}

/** Hexadecimal digits of a name: two of ten thousand series have one name with a chance of 2 in 10 million. */
const idLength = 12;

const hashed = (salt: string | null, text: string): string =>
  createHash("sha256")
    .update(salt === null ? text : `${salt} ${text}`)
    .digest("hex");

function requireDistinct(scans: readonly FoundScan[]): void {
  const known = new Map<string, FoundScan>();
  for (const scan of scans) {
    const key = foldedName(scan.id);
    const other = known.get(key);
    if (other !== undefined)
      throw new InputError(
        `The results of ${other.origin.path} and of ${scan.origin.path} would both be called ${scan.id}; rename one of the two, or segment them into folders of their own.`,
      );
    known.set(key, scan);
  }
}

/** A scan with what reading it gave, or threw. */
export interface ReadAttempt {
  readonly scan: NamedScan;
  /** @throws InputError where the scan cannot be read or is no CT */
  readonly image: () => ReadChannels;
}

/** Reads scans one ahead of whoever takes them; at most two are in memory. */
export async function* readAhead(scans: readonly NamedScan[]): AsyncGenerator<ReadAttempt> {
  const worker = new URL("./read-worker.js", import.meta.url);
  const pool = new Tinypool({ filename: worker.href, name: "run", minThreads: 1, maxThreads: 1 });
  const begin = ({ path, wanted, further, ct }: NamedScan): Promise<() => ReadChannels> =>
    pool.run({ path, further, ct, ...(wanted === undefined ? {} : { wanted }) }).then(
      (outcome: Outcome<ReadChannels>) => () => unwrap(outcome),
      (error: unknown) => () => {
        throw error;
      },
    );
  try {
    let next = scans.length > 0 ? begin(scans[0]) : null;
    for (const [index, scan] of scans.entries()) {
      const image = await next;
      next = index + 1 < scans.length ? begin(scans[index + 1]) : null;
      if (image !== null) yield { scan, image };
    }
  } finally {
    await pool.destroy();
  }
}
