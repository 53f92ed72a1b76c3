// Segments a scan and writes the result; an existing result is kept, extended or replaced.

import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { InputError } from "@lnsnet/core/errors";
import {
  type Predictor,
  type Segmentation,
  type SegmentOptions,
  type StandingNodes,
  segment,
} from "@lnsnet/core/inference";
import { counted } from "@lnsnet/core/text";
import { ctChannelOf, labelSchemeOf } from "@lnsnet/core/transforms";
import type { Vector3, Volume } from "@lnsnet/core/volume";
import type { StoredModel } from "../files/model-file.js";
import type { Job } from "../work/job.js";
import {
  type ClickRecord,
  type Form,
  hashOfInputs,
  hashOfScan,
  isWhole,
  type Manifest,
  type ModelRecord,
  manifestName,
  maskName,
  type ResultInputs,
  readManifest,
  requireReplaceable,
  resultInputs,
  type WholeScanRecord,
} from "./manifest.js";
import { requireMemory } from "./memory.js";
import { clickedNodes, nodesOf, type Result, writeResult } from "./results.js";
import type { NamedScan, ReadAttempt } from "./scans.js";

/** A click into a node or beside it. */
export interface PlacedClick {
  readonly pointMm: Vector3;
  /** Whether the point lies in the node. */
  readonly isPositive: boolean;
  /** For a promptable model: clicks of one name are of one node. Other models take each click as a node of its own. */
  readonly node: string;
}

/** The clicks in a scan. */
export type ClicksOf = (scan: Volume) => readonly PlacedClick[];

/** What a call does with each of its scans. */
export interface Segmenting {
  readonly predictor: Predictor;
  /** The coarse network that says where in a whole scan the others look; null for everywhere. */
  readonly proposer: { readonly predictor: Predictor; readonly record: ModelRecord } | null;
  readonly models: readonly StoredModel[];
  readonly records: readonly ModelRecord[];
  readonly options: SegmentOptions;
  readonly form: Form;
  /** Null for all nodes of the scan. */
  readonly clicksOf: ClicksOf | null;
  /** The class of the clicked nodes; by default, at each point the most probable one. */
  readonly clickedClass?: string | undefined;
  /** By which results tell nothing of the patient; null where they may. */
  readonly salt: string | null;
  readonly folder: string;
}

export interface Segmented {
  /** Path of the mask. */
  readonly mask: string;
  readonly manifest: Manifest;
  readonly seconds: number;
  /** Clicks without a node, and what is odd about clicked nodes, a sentence each. */
  readonly remarks: readonly string[];
}

/**
 * Segments a scan, or clicked nodes of it, and writes the result. A result that stands there and holds what is asked for
 * is left as it is; clicks add to it or refine it; a whole scan anew keeps the clicked nodes. One that a killed command
 * left unfinished is computed again with all its clicks.
 *
 * @throws InputError where the scan cannot be read or segmented, no click has a node, or what stands there is not ours; the signal's reason
 */
export async function segmentScan(
  { scan, image }: ReadAttempt,
  call: Segmenting,
  job: Job = {},
): Promise<Segmented> {
  const { folder, clicksOf } = call;
  const read = image();
  const { channels, problems } = read;
  const { plan } = call.models[0];
  const scheme = labelSchemeOf(plan);
  for (const problem of problems) job.log?.(problem);
  const clicks = clicksOf?.(channels[0]) ?? null;
  const scanHash = hashOfScan(channels);
  const before = await readManifest(folder, scan.id);
  const stands = before !== null && (await isWhole(folder, before));
  if (before !== null) {
    if (stands && holds(before, scan, scanHash, clicks, call)) {
      job.log?.(`${scan.id} is finished already and left as it is.`);
      return segmented(before, scan, call, []);
    }
    await requireReplaceable(folder, scan.id, before, { ...scan, sha256: scanHash }, scheme, clicks !== null);
  }
  requireMemory(scan.path, channels[0], call.models);
  const isOfThisScan = before?.scan.sha256 === scanHash;
  const standing = isOfThisScan && stands ? before : null;
  const unfinished = isOfThisScan && !stands ? before : null;
  if (unfinished !== null) requireSameModels(unfinished, clicks === null, scan.id, call);
  const work = { channels, scan, call, job };
  let state: State = {
    found: standing && (await nodesOf(folder, scan.id, standing)),
    wholeScan: standing?.whole_scan ?? null,
    clicks: standing?.clicks ?? [],
  };
  if (clicks === null || unfinished?.whole_scan) state = await withWholeScan(state, work);
  const remarks: string[] = [];
  for (const group of groupsOfClicks(unfinished?.clicks ?? [], clicks ?? [], call)) {
    const added = await withClicks(state, group, work);
    state = added.state;
    remarks.push(...added.remarks);
  }
  const form = standing === null ? call.form : together(call.form, standing.form);
  const manifest = await writeResult(
    folder,
    {
      scan,
      scanHash,
      image: read,
      form,
      ...measured(state),
      className: plan.foreground,
      scheme,
      ct: ctChannelOf(plan),
    },
    before,
    call.salt,
  );
  return segmented(manifest, scan, call, remarks);
}

/**
 * A result that is not whole is computed again by this call, so its models must be those of this call.
 *
 * @throws InputError where other models made it
 */
function requireSameModels(
  { whole_scan, clicks }: Manifest,
  isWholeScanAnew: boolean,
  id: string,
  { folder, records }: Segmenting,
): void {
  const parts = [...(isWholeScanAnew || whole_scan === null ? [] : [whole_scan]), ...clicks];
  const hashes = (models: readonly ModelRecord[]) => models.map(({ sha256 }) => sha256);
  if (parts.every(({ models }) => isDeepStrictEqual(hashes(models), hashes(records)))) return;
  throw new InputError(
    `${join(folder, manifestName(id))} is the result of another model and is not whole: a command was stopped, or a file was removed; run that command again first, or move the files of ${id} away.`,
  );
}

/** Clicks that are given to the model together: those of a class, or of any, and of a promptable model those of a node. */
interface ClickGroup {
  readonly className: string | undefined;
  readonly at: readonly Vector3[];
  readonly not: readonly Vector3[];
}

/** Clicks that a killed command had made or was to make, each with its class, and then the new ones. */
function groupsOfClicks(
  unfinished: readonly ClickRecord[],
  clicks: readonly PlacedClick[],
  { clickedClass, predictor }: Segmenting,
): ClickGroup[] {
  const isPromptable = predictor.plan.clickMaps !== undefined;
  const groups = new Map<string, ClickGroup & { readonly at: Vector3[]; readonly not: Vector3[] }>();
  const add = ({ pointMm, isPositive, node }: PlacedClick, className: string | undefined) => {
    const key = JSON.stringify([className ?? null, isPromptable ? node : null]);
    const group = groups.get(key) ?? { className, at: [], not: [] };
    groups.set(key, group);
    (isPositive ? group.at : group.not).push(pointMm);
  };
  for (const [n, click] of unfinished.entries()) {
    const { point_lps_mm: pointMm, is_positive: isPositive, node } = click;
    add({ pointMm, isPositive, node: `earlier ${node ?? `without node ${n}`}` }, classOfClick(click));
  }
  for (const click of clicks) add(click, clickedClass);
  return [...groups.values()];
}

/** The class that a click was asked for. */
const classOfClick = ({ settings: { className } }: ClickRecord): string | undefined =>
  typeof className === "string" ? className : undefined;

/** What a result rests on so far. */
interface State {
  readonly found: StandingNodes | Segmentation | null;
  readonly wholeScan: WholeScanRecord | null;
  readonly clicks: readonly ClickRecord[];
}

function measured(state: State): Pick<Result, "found" | "wholeScan" | "clicks"> {
  const { found, wholeScan, clicks } = state;
  if (found === null || !("reasons" in found))
    throw new Error("neither a whole scan nor a click was requested");
  return { found, wholeScan, clicks };
}

/** All nodes of the scan, with the clicked ones kept. */
async function withWholeScan({ found, clicks }: State, work: Work): Promise<State> {
  const { call, job } = work;
  const kept = found !== null && clicks.length > 0 ? clickedNodes(found, clicks) : null;
  const start = begin();
  const whole = await segmentNamed(work, { ...call.options, ...(kept ? { standing: kept } : {}) });
  if (kept !== null) job.log?.(`${counted(kept.nodes.length, "clicked node")} kept.`);
  const numberNow = (node: number | null) =>
    node === null ? null : (whole.numberOfStanding.get(node) ?? null);
  return {
    found: whole,
    wholeScan: {
      ...computedBy(wholeScanInputs(call), call.predictor, start),
      region: [...whole.reasons],
      components_outside_body: whole.leftOut.outsideBody,
      components_with_hu_of_no_node: whole.leftOut.implausible,
      nodes_of_little_confidence: whole.leftOut.doubtful,
    },
    clicks: clicks.map((click) => ({ ...click, node: numberNow(click.node) })),
  };
}

/** What is found at the points, added to what there is. @throws InputError where there is no node at any point */
async function withClicks(
  { found, wholeScan, clicks }: State,
  { className, at, not }: ClickGroup,
  work: Work,
): Promise<{ state: State; remarks: string[] }> {
  const { call, scan } = work;
  const start = begin();
  const { mirrored = false } = call.options;
  const points = [...at, ...not];
  const isGiven = (place: Vector3) => points.some((point) => isSame(point, place));
  const added = await segmentNamed(work, {
    mirrored,
    className,
    at,
    ...(not.length > 0 ? { not } : {}),
    ...(found ? { standing: { ...found, clicks: clicks.map(earlierClick) } } : {}),
  });
  const outcomes = added.clicks.filter(({ pointMm }) => isGiven(pointMm));
  const remarks = [...new Set(outcomes.flatMap(({ remark }) => remark ?? []))];
  if (outcomes.every(({ node }) => node === null)) throw new InputError(`${scan.path}: ${remarks.join(" ")}`);
  const computed = computedBy(clickInputs(call, className), call.predictor, start);
  const records = outcomes.map(
    ({ pointMm: [x, y, z], isPositive, node, remark }): ClickRecord => ({
      point_lps_mm: [x, y, z],
      is_positive: isPositive,
      node,
      remark,
      ...computed,
    }),
  );
  const earlier = clicks.filter((click) => !isGiven(click.point_lps_mm));
  return { state: { found: added, wholeScan, clicks: [...earlier, ...records] }, remarks };
}

const earlierClick = ({ point_lps_mm: pointMm, is_positive: isPositive, node }: ClickRecord) => ({
  pointMm,
  isPositive,
  node,
});

interface Work {
  readonly channels: readonly Volume[];
  readonly scan: NamedScan;
  readonly call: Segmenting;
  readonly job: Job;
}

/** Segments a scan; an error names it. */
async function segmentNamed(
  { channels, scan, call, job }: Work,
  options: SegmentOptions,
): Promise<Segmentation> {
  const stage = { stage: scan.id, unit: options.at === undefined ? "patch" : "click" };
  return segment(channels, call.predictor, {
    ...options,
    proposer: call.proposer?.predictor ?? null,
    ...(job.signal ? { signal: job.signal } : {}),
    onProgress: (done, total) => job.onProgress?.({ ...stage, done, total }),
  }).catch((error: unknown) => {
    throw error instanceof InputError ? new InputError(`${scan.path}: ${error.message}`) : error;
  });
}

function segmented(
  manifest: Manifest,
  scan: NamedScan,
  { folder }: Segmenting,
  remarks: readonly string[],
): Segmented {
  const { whole_scan, clicks, form } = manifest;
  const seconds = (clicks.at(-1) ?? whole_scan)?.seconds ?? 0;
  return { mask: join(folder, maskName(form, scan.id)), manifest, seconds, remarks };
}

/** Whether a result that stands there holds all that is asked for. */
function holds(
  { scan: { identity, sha256 }, form, whole_scan, clicks }: Manifest,
  scan: NamedScan,
  scanHash: string,
  asked: readonly PlacedClick[] | null,
  call: Segmenting,
): boolean {
  const { format, numbered, pictures, dicom } = call.form;
  const hasFiles =
    form.format === format &&
    form.numbered === numbered &&
    (form.pictures || !pictures) &&
    dicom.every((object) => form.dicom.includes(object));
  if (identity !== scan.identity || sha256 !== scanHash || !hasFiles) return false;
  if (asked === null) return whole_scan?.recipe === hashOfInputs(wholeScanInputs(call));
  const recipe = hashOfInputs(clickInputs(call, call.clickedClass));
  return asked.every(({ pointMm, isPositive }) =>
    clicks.some(
      (click) =>
        click.recipe === recipe && click.is_positive === isPositive && isSame(pointMm, click.point_lps_mm),
    ),
  );
}

const isSame = (first: Vector3, other: Vector3): boolean => first.every((at, axis) => at === other[axis]);

/** What stood there is brought up to date, and what is asked for comes to it. */
const together = (wanted: Form, standing: Form): Form => ({
  ...wanted,
  pictures: wanted.pictures || standing.pictures,
  dicom: [...new Set([...standing.dicom, ...wanted.dicom])],
});

const wholeScanInputs = ({ records, options, predictor, proposer }: Segmenting): ResultInputs =>
  resultInputs(records, {
    ...options,
    device: predictor.deviceNote,
    ...(proposer === null ? {} : { proposer: proposer.record }),
  });

const clickInputs = (
  { records, options, predictor }: Segmenting,
  className: string | undefined,
): ResultInputs =>
  resultInputs(records, {
    mirrored: options.mirrored,
    device: predictor.deviceNote,
    ...(className === undefined ? {} : { className }),
  });

interface Start {
  readonly started: string;
  readonly milliseconds: number;
}

const begin = (): Start => ({ started: new Date().toISOString(), milliseconds: performance.now() });

function computedBy(
  recipe: ResultInputs,
  { deviceNote }: Predictor,
  { started, milliseconds }: Start,
): Omit<ClickRecord, "point_lps_mm" | "is_positive" | "node" | "remark"> {
  return {
    recipe: hashOfInputs(recipe),
    version: recipe.version,
    models: [...recipe.models],
    settings: { ...recipe.settings },
    device: deviceNote,
    node_version: process.versions.node,
    started,
    seconds: (performance.now() - milliseconds) / 1000,
  };
}
