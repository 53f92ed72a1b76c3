// The scans that a path names, and reading each while the one before is worked on.
import { resolve } from "node:path";
import { isCtScan } from "@lnsnet/core";
import { Tinypool } from "tinypool";
import { caseId } from "../dataset.js";
import { isFolder, requirePath } from "../files.js";
import { findImages, type ReadImage } from "../imaging.js";
import { type Outcome, unwrap } from "../workers/outcome.js";
import type { ReadTask } from "../workers/read-worker.js";

export interface NamedScan extends ReadTask {
  /** What its results are called. */
  readonly id: string;
}

export interface FoundScans {
  readonly scans: readonly NamedScan[];
  /** Whether the path names several, however many it holds. */
  readonly areSeveral: boolean;
}

/**
 * The scans of a path: the file itself, or of a folder every volume file and every CT series.
 *
 * @param wanted of several DICOM series, the one
 * @throws InputError where the path is missing
 */
export async function scansAt(path: string, wanted: string | undefined): Promise<FoundScans> {
  await requirePath(path);
  const id = caseId(resolve(path));
  const one = { scans: [{ id, path, ...(wanted === undefined ? {} : { wanted }) }], areSeveral: false };
  if (wanted !== undefined || !(await isFolder(path))) return one;
  const { series, volumes } = await findImages(path);
  // A scan that cannot be read fails by itself, with the reason.
  const ctScans = series.filter(isCtScan);
  // Reading the path as one scan says why, where nothing can be read.
  if (ctScans.length + volumes.length === 0) return one;
  const ofVolumes = volumes.map(({ name }) => ({ id: caseId(name), path: name }));
  const ofSeries = ctScans.map(({ seriesInstanceUid }, n) => ({
    id: ctScans.length === 1 ? id : `${id}_${n + 1}`,
    path,
    wanted: seriesInstanceUid,
  }));
  return { scans: [...ofVolumes, ...ofSeries], areSeveral: volumes.length > 0 || ctScans.length > 1 };
}

/** A scan with what reading it gave, or threw. */
export interface ReadAttempt {
  readonly scan: NamedScan;
  /** @throws InputError where the scan cannot be read or is no CT */
  readonly image: () => ReadImage;
}

/** Reads scans one ahead of whoever takes them; at most two are in memory. */
export async function* readAhead(scans: readonly NamedScan[]): AsyncGenerator<ReadAttempt> {
  const worker = new URL("../workers/read-worker.js", import.meta.url);
  const pool = new Tinypool({ filename: worker.href, name: "run", minThreads: 1, maxThreads: 1 });
  const begin = ({ path, wanted }: NamedScan): Promise<() => ReadImage> =>
    pool.run({ path, ...(wanted === undefined ? {} : { wanted }) }).then(
      (outcome: Outcome<ReadImage>) => () => unwrap(outcome),
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
