// Worker thread: brings one case to the working grid, or takes it from the cache, in memory that all threads share.
import { InputError } from "@lnsnet/core/errors";
import { numberStructures, type PreparedCase, prepareCase } from "@lnsnet/core/sampling";
import { prepareChannels, prepareLabel, scalingsOf, workingGrid } from "@lnsnet/core/transforms";
import {
  type Geometry,
  type IntegerVoxelArray,
  reorientToLps,
  resampleLabels,
  type Volume,
} from "@lnsnet/core/volume";
import { type CacheSettings, cacheKey, readCached, sourcesOf, writeCached } from "../datasets/cache.js";
import { type Case, loadCase } from "../datasets/dataset.js";
import type { DatasetLabels } from "../datasets/foreground.js";
import { drawnLayers, type LeftOutStructures } from "../datasets/structures.js";
import { readLabelVolume } from "../files/imaging.js";
import { type Outcome, outcomeOf } from "../work/outcome.js";
import { stationTargets } from "./stations.js";

export interface PrepareTask extends CacheSettings {
  readonly case: Case;
  readonly labels: DatasetLabels;
  /** Where prepared cases are kept; null prepares anew. */
  readonly cacheFolder: string | null;
  /** Names of the stations that the label tells apart; none leaves it as it is. */
  readonly stations: readonly string[];
}

export function run(task: PrepareTask): Promise<Outcome<PreparedCase>> {
  return outcomeOf(async () => {
    const prepared =
      task.cacheFolder === null ? await prepare(task) : await fromCache(task, task.cacheFolder);
    return {
      ...prepared,
      hu: sharedChannel(prepared.hu),
      ...(prepared.further ? { further: prepared.further.map(sharedChannel) } : {}),
      label: shared(prepared.label, new Uint8Array(new SharedArrayBuffer(prepared.label.byteLength))),
      foreground: shared(
        prepared.foreground,
        new Int32Array(new SharedArrayBuffer(prepared.foreground.byteLength)),
      ),
      componentOffsets: shared(
        prepared.componentOffsets,
        new Int32Array(new SharedArrayBuffer(prepared.componentOffsets.byteLength)),
      ),
    };
  });
}

/** What {@link keep} did with a case. */
export interface KeptCase {
  readonly id: string;
  readonly written: boolean;
}

/** Sees to it that the cache holds the case as its files are now; the arrays stay in the thread. */
export function keep(task: PrepareTask & { readonly cacheFolder: string }): Promise<Outcome<KeptCase>> {
  return outcomeOf(async () => {
    const { id } = task.case;
    const key = cacheKey(task, task.labels);
    const cached = await readCached(task.cacheFolder, task.case, key, task);
    if (cached.state === "fresh") return { id, written: false };
    // Before the scan is read, so that one which changes meanwhile is noticed the next time.
    const sources = await sourcesOf(task.case, task);
    await writeCached(task.cacheFolder, await prepare(task), key, sources);
    return { id, written: true };
  });
}

async function prepare(task: PrepareTask): Promise<PreparedCase> {
  const { case: scan, labels, leftOut, stations, ...settings } = task;
  if (leftOut !== undefined) return prepareStructures(task, leftOut);
  const { id, channels, label } = await loadCase(scan, labels);
  const grid = workingGrid(channels[0], settings.spacingMm);
  const prepared = prepareChannels(channels, grid, scalingsOf(settings));
  if (label === null) return prepareCase(id, prepared, new Uint8Array(prepared.hu.length));
  const targets = stations.length === 0 ? label : await stationTargets(scan, label, stations);
  const { lookAlikesPath } = scan;
  const lookAlikes =
    lookAlikesPath === undefined ? null : onGrid(await readLabelVolume(lookAlikesPath), grid);
  return prepareCase(id, prepared, prepareLabel(targets, prepared), lookAlikes);
}

/** A case whose label numbers its structures. */
async function prepareStructures(
  { case: scan, labels, ...settings }: PrepareTask,
  leftOut: LeftOutStructures,
): Promise<PreparedCase> {
  const { channels, layers } = await drawnLayers(scan, labels, leftOut);
  const grid = workingGrid(channels[0], settings.spacingMm);
  const prepared = prepareChannels(channels, grid, scalingsOf(settings));
  const numbered = layers.map(({ volume, byValue }) => ({ data: onGrid(volume, grid), byValue }));
  return prepareCase(scan.id, prepared, numberStructures(numbered, prepared.size));
}

const onGrid = (drawn: Volume<IntegerVoxelArray>, grid: Geometry) =>
  resampleLabels(reorientToLps(drawn), grid).data;

async function fromCache(task: PrepareTask, folder: string): Promise<PreparedCase> {
  const { id } = task.case;
  const cached = await readCached(folder, task.case, cacheKey(task, task.labels), task);
  if (cached.state === "fresh") return cached.prepared;
  const found = cached.state === "absent" ? `does not hold the case ${id}` : `holds another state of ${id}`;
  throw new InputError(
    `${folder} ${found}, and a cache made from these scans with these settings is expected; run lnsnet preprocess with this cache again.`,
  );
}

const sharedChannel = (channel: Int16Array): Int16Array =>
  shared(channel, new Int16Array(new SharedArrayBuffer(channel.byteLength)));

function shared<T extends Int16Array | Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
