// What the worker does: reads files, opens models, segments. Scans, models and probabilities stay here by number, so that
// they need not cross to the page and back.
import {
  counted,
  type DeviceChoice,
  type DicomSeries,
  defaultCleanUp,
  InputError,
  type Model,
  openPredictor,
  type Predictor,
  type Runtime,
  type SegmentedNode,
  type SourceSeries,
  safeFileName,
  segmentNode,
  type Vector3,
  type Volume,
  writeModel,
} from "@lnsnet/core";
import {
  imagesAmong,
  lookupAmong,
  middleSlice,
  type NamedFile,
  type ReadImage,
  readChosen,
  readVolumeFile,
  volumeSize,
} from "@lnsnet/core/formats";
import {
  type ClassPrediction,
  DEFAULT_OVERLAP,
  earlyNodes,
  measureClickedNode,
  type NodeAtClick,
  nodesOfPredictions,
  type OutlinedNode,
  type PredictionPlan,
  probabilityOfScan,
} from "@lnsnet/core/inference";
import { type DatedNode, type FollowUp, followUp } from "@lnsnet/core/metrics";
import { segmentationKind } from "@lnsnet/core/results";
import { waitingRuntime } from "@lnsnet/core/runtime";
import {
  type Alignment,
  alignByBone,
  crop,
  type Geometry,
  gridWithSpacing,
  inverted,
  movedGeometry,
  type NoAlignment,
  type RigidTransform,
  reorientToLps,
  resampleLabels,
  transformed,
} from "@lnsnet/core/volume";
import { requireCt, type SideOfPoint, sideByBody } from "@lnsnet/core/voxels";
import type {
  ChosenFile,
  ClickAnswer,
  Computed,
  EngineJob,
  FoundDrawing,
  FoundScan,
  Listing,
  NodeAnswer,
  OpenedModel,
  OpenedScan,
  SearchAnswer,
  Thumbnail,
} from "./answers.js";
import { unpacked } from "./chosen-files.js";
import { type DrawnNodes, type DrawnOn, nodesOfObject, nodesOfVolume } from "./drawn-nodes.js";
import { type ExportRequest, exportedFile, type SavedFile, summaryPage } from "./exporting.js";
import { type Learned, type LearningRequest, learn } from "./learning.js";
import { calledTogether, type IdentifiedModel, modelOfBytes, modelOfFiles } from "./opened-model.js";
import { Rest } from "./rest.js";
import { thumbnailOf } from "./thumbnail.js";

/** What a workbench needs of the place that it stands in. */
export interface WorkbenchHost {
  readonly runtime: Runtime;
  /** On how many threads models compute on the CPU. */
  readonly threads: number;
  /** The version of the viewer, which saved objects state. */
  readonly version: string;
  /** The bytes of a model that ships with the viewer. */
  shippedModel(name: ShippedModel, signal: AbortSignal | undefined): Promise<Uint8Array>;
}

/** A model that ships with the viewer: one that finds nodes by itself, one that outlines what is clicked. */
export type ShippedModel = "finder" | "clicker";

/** A scan, and a model that works on it. */
export interface Pairing {
  readonly scan: number;
  readonly model: number;
}

/** The nodes of a date. */
interface DatedNodes {
  /** Each node's voxels hold its number. */
  readonly labels: Volume<Uint8Array>;
  readonly nodes: readonly DatedNode[];
}

/** Two dates, and the motion between them. */
export interface Comparison {
  readonly first: DatedNodes;
  readonly second: DatedNodes;
  readonly toSecond: RigidTransform;
}

/** A model that learned, and by how much it got better. */
export interface LearnedModel extends OpenedModel {
  readonly figures: Omit<Learned, "model">;
}

/** What a list holds. */
interface Listed {
  readonly name: string;
  readonly read: () => Promise<ReadImage>;
  /** The nodes that it holds of a scan; null where it is a scan of its own. */
  readonly drawnOn: (scan: DrawnOn) => Promise<DrawnNodes | null>;
}

interface OpenScan {
  readonly name: string;
  readonly volume: Volume;
  readonly source: SourceSeries | null;
  /** The side of the neck by the scan's body; found when it is first needed. */
  side?: SideOfPoint;
}

interface OpenModel extends IdentifiedModel {
  readonly predictor: Predictor;
  /** Calls that compute with it. */
  readonly uses: Set<Promise<unknown>>;
}

/** What a model said of a scan. It stands when the model is closed. */
interface Said {
  readonly scan: number;
  readonly plan: PredictionPlan;
}

interface KeptAnswer extends Said {
  readonly found: NodeAtClick;
}

interface KeptSearch extends Said {
  readonly computed: Computed;
  readonly predictions: readonly ClassPrediction[];
  readonly reasons: readonly string[];
}

/**
 * The worker's side of the engine. Every call takes its input and a job, so that the client can call any of them in one
 * way. Numbers that name a scan, model or answer are never used again.
 */
export class Workbench {
  private numbers = 0;
  private readonly listed = new Map<number, Listed>();
  private readonly scans = new Map<number, OpenScan>();
  private readonly models = new Map<number, OpenModel>();
  private readonly answers = new Map<number, KeptAnswer>();
  private readonly searches = new Map<number, KeptSearch>();
  private readonly pause = new Rest();
  /** For what takes long. */
  private readonly unhurried: Runtime;

  constructor(private readonly host: WorkbenchHost) {
    this.unhurried = waitingRuntime(host.runtime, () => this.pause.over());
  }

  /**
   * What files hold that can be opened. The list stands until the next call.
   *
   * @throws InputError where an archive is damaged; the signal's reason
   */
  async list({ files }: { readonly files: readonly ChosenFile[] }, job: EngineJob): Promise<Listing> {
    this.listed.clear();
    const named = await unpacked(files, job);
    let done = 0;
    const counting = named.map((file) => ({
      name: file.name,
      read: () => {
        done = Math.min(done + 1, named.length);
        job.onProgress?.({ stage: "list", unit: "file", done, total: named.length });
        return file.read();
      },
    }));
    const found = await imagesAmong(counting);
    const scans: FoundScan[] = [];
    for (const series of found.series) {
      job.signal?.throwIfAborted();
      scans.push(await this.listedSeries(series));
    }
    const fileOf = (name: string) => named.find((file) => file.name === name);
    for (const { name } of found.volumes) scans.push(this.listedVolume(name, named));
    const drawings: FoundDrawing[] = [];
    for (const { name } of found.others) {
      const file = fileOf(name);
      const bytes = await file?.read().catch(() => undefined);
      if (file === undefined || bytes === undefined || segmentationKind(bytes, name) === null) continue;
      drawings.push(this.listedDrawing(file));
    }
    return { scans, drawings, others: found.others };
  }

  /**
   * Reads a scan of the list.
   *
   * @throws InputError where it cannot be read or is no CT; the signal's reason
   */
  async read({ id }: { readonly id: number }, job: EngineJob): Promise<OpenedScan> {
    const { name, read } = this.ofList(id);
    const { volume, source, problems } = await read();
    job.signal?.throwIfAborted();
    requireCt(volume, name);
    return { ...this.opened(name, volume, source), problems };
  }

  /**
   * Reads what a list holds while a scan is open: nodes that were drawn on this scan, or a scan of its own.
   *
   * @throws InputError as {@link read}, or where nodes were drawn on another scan; the signal's reason
   */
  async readBeside(
    { id, scan }: { readonly id: number; readonly scan: number },
    job: EngineJob,
  ): Promise<OpenedScan | DrawnNodes> {
    const drawn = await this.ofList(id).drawnOn(this.scan(scan));
    job.signal?.throwIfAborted();
    return drawn ?? this.read({ id }, job);
  }

  /** A picture of a volume file of the list; null where it cannot be read. */
  async picture({ id }: { readonly id: number }): Promise<Thumbnail | null> {
    try {
      const { data, size } = reorientToLps((await this.ofList(id).read()).volume);
      const [columns, rows, slices] = size;
      const start = columns * rows * Math.floor(slices / 2);
      return thumbnailOf({ columns, rows, hu: data.subarray(start, start + columns * rows) });
    } catch (error) {
      if (error instanceof InputError) return null;
      throw error;
    }
  }

  /** Opens a scan that the page has, such as one that it saved. */
  async adopt({
    name,
    volume,
    source,
  }: {
    readonly name: string;
    readonly volume: Volume;
    readonly source: SourceSeries | null;
  }): Promise<OpenedScan> {
    return this.opened(name, volume, source);
  }

  /** Forgets a scan and all answers for it. */
  async closeScan({ scan }: { readonly scan: number }): Promise<void> {
    this.scans.delete(scan);
    for (const kept of [this.answers, this.searches])
      for (const [number, said] of kept) if (said.scan === scan) kept.delete(number);
  }

  /**
   * Opens a model, a shipped one or a person's own.
   *
   * @param device the fastest that the browser has by default
   * @throws InputError where it cannot be fetched or is no model; the signal's reason
   */
  async openModel(
    {
      from,
      device = "auto",
    }: { readonly from: ShippedModel | readonly ChosenFile[]; readonly device?: DeviceChoice },
    job: EngineJob,
  ): Promise<OpenedModel> {
    const identified =
      typeof from === "string"
        ? await modelOfBytes(await this.host.shippedModel(from, job.signal), `${from}.safetensors`)
        : await modelOfFiles(from, job);
    job.signal?.throwIfAborted();
    return this.openedModel(identified, device, typeof from === "string");
  }

  /** Closes a model when what it computes now has ended. */
  async closeModel({ model }: { readonly model: number }): Promise<void> {
    const open = this.models.get(model);
    if (open === undefined) return;
    await Promise.allSettled(open.uses);
    await open.predictor.release();
    this.models.delete(model);
  }

  /**
   * The one node that points mean.
   *
   * @param at points in it, LPS mm; @param not points beside it. All but the first are for promptable models
   * @throws InputError as `segmentNode`; the signal's reason
   */
  async segmentAt(
    { scan, model, at, not }: Pairing & { readonly at: readonly Vector3[]; readonly not: readonly Vector3[] },
    { signal }: EngineJob,
  ): Promise<ClickAnswer> {
    const { volume } = this.scan(scan);
    return this.using(model, async (predictor) => {
      const found = await segmentNode(volume, { at, not }, predictor, signal ? { signal } : {});
      if (found.found === "none") return found;
      const answer = this.keep(this.answers, { scan, plan: predictor.plan, found });
      const { mask, start, node, isCut } = found;
      return { found: "node", answer, mask, start, node, isCut, computed: this.computed(predictor) };
    });
  }

  /** The node of an earlier answer where its voxels need another probability; null where nothing at the points has it. */
  async atThreshold({
    answer,
    threshold,
  }: {
    readonly answer: number;
    readonly threshold: number;
  }): Promise<NodeAnswer | null> {
    const { scan, plan, found } = kept(this.answers, answer);
    const outlined = found.atThreshold(threshold);
    if (outlined === null) return null;
    const open = this.scan(scan);
    open.side ??= sideByBody(open.volume);
    const { mask, start, node } = measureClickedNode(open.volume, { ...found, ...outlined }, plan, open.side);
    return { mask, start, node };
  }

  /**
   * All nodes of a scan, found as `lnsnet predict` finds them.
   *
   * @throws InputError as `probabilityOfScan`; the signal's reason
   */
  async findAll({ scan, model }: Pairing, job: EngineJob): Promise<SearchAnswer> {
    return this.using(model, (predictor) => this.searched(scan, predictor, job));
  }

  private async searched(
    scan: number,
    predictor: Predictor,
    { signal, onProgress, onNodes }: EngineJob,
  ): Promise<SearchAnswer> {
    const { volume } = this.scan(scan);
    let before = 0;
    const { predictions, reasons } = await probabilityOfScan(volume, predictor, {
      overlap: DEFAULT_OVERLAP,
      ...(signal ? { signal } : {}),
      onPatch: (done, total) => onProgress?.({ stage: "search", unit: "patch", done, total }),
      ...(onNodes
        ? {
            onPlanes: (finished) => {
              const early = finished.flatMap((probability) => earlyNodes(probability, before, volume));
              before = finished[0].size[2];
              if (early.length > 0) onNodes(early);
            },
          }
        : {}),
    });
    // The probabilities of a whole scan are large, and nobody asks for those of an earlier search.
    this.searches.clear();
    const { plan } = predictor;
    const computed = this.computed(predictor);
    const search = this.keep(this.searches, { scan, plan, computed, predictions, reasons });
    return this.searchAnswer(search);
  }

  /** Lets searches and learning rest for so long from now. Clicks that a promptable model answers do not rest. */
  async rest({ milliseconds }: { readonly milliseconds: number }): Promise<void> {
    this.pause.prolong(milliseconds);
  }

  /** All nodes of an earlier search where their voxels need another probability. */
  async searchAtThreshold({
    search,
    threshold,
  }: {
    readonly search: number;
    readonly threshold: number;
  }): Promise<SearchAnswer> {
    return this.searchAnswer(search, threshold);
  }

  /**
   * The motion that takes points of one scan to the same tissue in a later one, by their bones.
   *
   * @throws the signal's reason
   */
  async align(
    { first, second }: { readonly first: number; readonly second: number },
    { signal, onProgress }: EngineJob,
  ): Promise<Alignment | NoAlignment> {
    return alignByBone(this.scan(first).volume, this.scan(second).volume, {
      ...(signal ? { signal } : {}),
      onProgress: (done, total) => onProgress?.({ stage: "align", unit: "step", done, total }),
    });
  }

  /** The nodes of two dates side by side. Each date's labels lie on its own scan's grid. */
  async compare({ first, second, toSecond }: Comparison): Promise<FollowUp> {
    const back = inverted(toSecond);
    const grid = comparisonGrid(first.labels);
    const inFirst = second.nodes.map((node) => ({
      ...node,
      centroidLpsMm: transformed(back, node.centroidLpsMm),
    }));
    return followUp(
      resampleLabels(first.labels, grid),
      resampleLabels(movedGeometry(second.labels, back), grid),
      first.nodes,
      inFirst,
    );
  }

  /**
   * Fine-tunes a model by the nodes of a scan, or teaches a new one. What comes out is opened beside the model that it
   * began from, which stays as it is; `closeModel` discards it.
   *
   * @throws InputError as {@link learn}; the signal's reason
   */
  async learn(
    { scan, model, ...request }: LearningRequest & { readonly scan: number; readonly model: number | null },
    job: EngineJob,
  ): Promise<LearnedModel> {
    const { volume } = this.scan(scan);
    const before = model === null ? null : this.soleModel(model);
    const { model: learned, ...figures } = await learn(volume, before, request, this.unhurried, job);
    const name = `${before === null ? "taught" : "tuned"}-${safeFileName(request.source, "scan")}.safetensors`;
    const identified = await modelOfBytes(writeModel(learned, false), name);
    return { ...(await this.openedModel(identified, "auto", false)), figures };
  }

  /** A model as a file that `lnsnet predict --model` and this page open. */
  async modelFile({ model }: { readonly model: number }): Promise<SavedFile> {
    return {
      name: calledTogether(this.model(model).members).name,
      bytes: Uint8Array.from(writeModel(this.soleModel(model), false)),
    };
  }

  /**
   * The nodes of a scan as one file to save.
   *
   * @throws InputError as {@link exportedFile}
   */
  async save({ scan, ...request }: ExportRequest & { readonly scan: number }): Promise<SavedFile> {
    return exportedFile(this.scan(scan), request, {
      newUid: () => `2.25.${BigInt(`0x${crypto.randomUUID().replaceAll("-", "")}`)}`,
      now: new Date(),
      algorithm: { name: "lnsnet", version: this.host.version },
    });
  }

  /** The page that prints: the nodes of a scan with their picture, a whole HTML document. */
  async summary({ scan, ...request }: ExportRequest & { readonly scan: number }): Promise<string> {
    return summaryPage(this.scan(scan), request);
  }

  private async listedSeries(series: DicomSeries): Promise<FoundScan> {
    const { description, number, modality, sliceCount, geometry, problems } = series;
    const title = description === "" ? `Series ${number ?? "without number"}` : description;
    const tooLarge = geometry === null ? null : tooLargeFor(title, geometry.size);
    const refusal = problems.find(({ isRefused }) => isRefused)?.message ?? tooLarge;
    const size = geometry === null ? "" : ` of ${geometry.size[0]} × ${geometry.size[1]}`;
    const picture = await middleSlice(series).catch((error: unknown) => {
      if (error instanceof InputError) return null;
      throw error;
    });
    return {
      id: this.keep(this.listed, {
        name: title,
        read: () => readChosen(series),
        drawnOn: async () => null,
      }),
      kind: "series",
      title,
      detail: `${modality || "no modality"}, ${counted(sliceCount, "slice")}${size}`,
      geometry,
      refusal,
      remarks: problems.filter(({ isRefused }) => !isRefused).map(({ message }) => message),
      thumbnail: picture && thumbnailOf(picture),
    };
  }

  private listedVolume(name: string, files: readonly NamedFile[]): FoundScan {
    const title = baseName(name);
    const beside = lookupAmong(files);
    const fileBytes = async () => (await beside(name)?.read()) ?? new Uint8Array();
    const read = async () => {
      const bytes = await fileBytes();
      // Before its voxels are unpacked.
      requireRoom(title, volumeSize(bytes, name));
      return readVolumeFile({ name, read: async () => bytes }, beside);
    };
    const drawnOn = (scan: DrawnOn) => nodesOfVolume({ name, read }, { name, read: fileBytes }, scan);
    const id = this.keep(this.listed, { name: title, read, drawnOn });
    const nothing = { geometry: null, refusal: null, remarks: [], thumbnail: null };
    return { id, kind: "volume", title, detail: "volume file", ...nothing };
  }

  private listedDrawing(file: NamedFile): FoundDrawing {
    const name = baseName(file.name);
    const id = this.keep(this.listed, {
      name,
      read: async () => {
        throw new InputError(`${name} holds drawn nodes, not a scan; open their scan first.`);
      },
      drawnOn: (scan) => nodesOfObject(file, scan),
    });
    return { id, name };
  }

  private ofList(id: number): Listed {
    const listed = this.listed.get(id);
    if (listed === undefined)
      throw new InputError("This scan is not in the list any more; choose its files again.");
    return listed;
  }

  private opened(name: string, volume: Volume, source: SourceSeries | null): OpenedScan {
    const own = { ...volume, data: sharedVoxels(volume.data) };
    const scan = this.keep(this.scans, { name, volume: own, source });
    return { scan, name, volume: own, source, problems: [] };
  }

  private async openedModel(
    identified: IdentifiedModel,
    device: DeviceChoice,
    isShipped: boolean,
  ): Promise<OpenedModel> {
    const { members, notes } = identified;
    const { plan } = members[0].model;
    const isPromptable = plan.clickMaps !== undefined;
    const { runtime, threads } = this.host;
    const predictor = await openPredictor(
      members.map(({ model }) => model),
      isPromptable ? runtime : this.unhurried,
      { device, threads },
    );
    const model = this.keep(this.models, { ...identified, predictor, uses: new Set<Promise<unknown>>() });
    // A person waits for a click, and has not clicked yet.
    if (isPromptable) await predictor.warmUp();
    return {
      model,
      ...calledTogether(members),
      members: members.map(({ identity }) => identity),
      isShipped,
      plan,
      isPromptable,
      findsAll: !isPromptable,
      ...this.computed(predictor),
      notes,
    };
  }

  private computed({ device, deviceNote }: Predictor): Computed {
    return { deviceNote, threads: device === "cpu" ? this.host.threads : null };
  }

  private searchAnswer(search: number, threshold?: number): SearchAnswer {
    const { scan, plan, computed, predictions, reasons } = kept(this.searches, search);
    const { volume } = this.scan(scan);
    const { instances, nodes, leftOut } = nodesOfPredictions(
      volume,
      plan,
      predictions,
      defaultCleanUp,
      threshold,
    );
    return {
      search,
      reasons,
      nodes: nodes.map((node) => ({ ...cutOut(instances, node), node })),
      leftOut: Object.values(leftOut).reduce((sum, count) => sum + count, 0),
      computed,
    };
  }

  private scan(scan: number): OpenScan {
    return kept(this.scans, scan);
  }

  private model(model: number): OpenModel {
    return kept(this.models, model);
  }

  /** Computes with a model, which stays open for so long. */
  private async using<T>(model: number, compute: (predictor: Predictor) => Promise<T>): Promise<T> {
    const { predictor, uses } = this.model(model);
    const use = compute(predictor);
    uses.add(use);
    try {
      return await use;
    } finally {
      uses.delete(use);
    }
  }

  /** @throws InputError for an ensemble */
  private soleModel(number: number): Model {
    const { members } = this.model(number);
    if (members.length > 1)
      throw new InputError(
        `${calledTogether(members).name} are an ensemble, and one model learns at a time; open one of them.`,
      );
    return members[0].model;
  }

  private keep<T>(store: Map<number, T>, value: T): number {
    const number = ++this.numbers;
    store.set(number, value);
    return number;
  }
}

/** Fine enough for the smallest node that is measured, and no larger than needed for a comparison. */
const comparisonGrid = (labels: Geometry): Geometry => gridWithSpacing(labels, [1.5, 1.5, 1.5]);

/**
 * The most voxels of a scan that is opened. A browser gives a page a few GB: two bytes a voxel for the scan, one for the
 * nodes, and while a file is unpacked twice the scan once more.
 */
const mostVoxels = 400e6;

/** Why a scan is too large for a page, a sentence; null where it is not. */
function tooLargeFor(name: string, size: Vector3): string | null {
  const voxels = size[0] * size[1] * size[2];
  if (voxels <= mostVoxels) return null;
  return `${name} has ${size.join(" × ")} voxels, ${(voxels / 1e6).toFixed(0)} million, and a browser has memory for about ${mostVoxels / 1e6} million; open the part with the neck alone, with thicker slices, or use "lnsnet predict".`;
}

/** @throws InputError where a scan is too large for a page */
function requireRoom(name: string, size: Vector3): void {
  const tooLarge = tooLargeFor(name, size);
  if (tooLarge !== null) throw new InputError(tooLarge);
}

function kept<T>(store: ReadonlyMap<number, T>, number: number): T {
  const value = store.get(number);
  if (value === undefined) throw new Error(`${number} was closed, or never opened`);
  return value;
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** A node as a mask of its own box. */
function cutOut(
  instances: Parameters<typeof crop>[0],
  { id, boundingBoxIndex: { start, size } }: SegmentedNode,
): OutlinedNode {
  const box = crop(instances, start, size);
  return { mask: { ...box, data: Uint8Array.from(box.data, (number) => (number === id ? 1 : 0)) }, start };
}

/** The voxels in memory that the page shares with the worker, where it may; else as they are. */
function sharedVoxels<T extends Volume["data"]>(data: T): T {
  if (typeof SharedArrayBuffer === "undefined" || data.buffer instanceof SharedArrayBuffer) return data;
  const Voxels = data.constructor as new (buffer: SharedArrayBuffer) => T;
  const shared = new Voxels(new SharedArrayBuffer(data.byteLength));
  shared.set(data);
  return shared;
}
