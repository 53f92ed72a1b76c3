// How many nodes of a cohort a model finds in whole scans, by size, at how many false positives.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Predictor, segment, summarise, type Volume } from "@lnsnet/core";
import { detectNodes, matchNodes, type NodeDetection } from "@lnsnet/core/metrics";
import { textTable } from "@lnsnet/core/reports";
import { niftiOf } from "./real-scans.js";

/** Classes of the short axis, each from a length on. */
const sizesFromMm = [0, 10, 15, 30];
/** Mean false positives of a scan that are allowed at most. */
const allowed = [1, 2, 3, 6.5, 10, 20];
/** Of a component's voxels, the share that makes it tissue of the host that looks like a node. */
const OWN_SHARE = 0.3;
const IGNORED = 2;

/** The nodes of a scan, and how sure the model is of each that it found. */
interface JudgedScan {
  readonly detection: NodeDetection;
  /** Confidence by predicted node; where the model has no calibration, mean probability. */
  readonly scores: ReadonlyMap<number, number>;
  /** Predicted nodes that are mostly voxels which nobody judged. */
  readonly unjudged: ReadonlySet<number>;
  /** Components that were left out because their HU fit no node. */
  readonly leftOutByHu: number;
  readonly seconds: number;
}

/** What is found when nodes below a score are left out. */
interface OperatingPoint {
  /** Null where the model's own nodes are all kept. */
  readonly allowed: number | null;
  readonly leastScore: number;
  readonly falsePositivesPerScan: number;
  /** Of them, those in tissue of the host that may be a node. */
  readonly unjudgedPerScan: number;
  readonly sizes: readonly { readonly fromMm: number; readonly nodes: number; readonly found: number }[];
  /** Of the found nodes. */
  readonly dsc: { readonly mean: number | null; readonly sd: number | null };
}

/** What a model finds in a cohort. */
export interface DetectionFigures {
  /** The first keeps all that the model keeps by itself. */
  readonly points: readonly OperatingPoint[];
  /** Components a scan that were left out because their HU fit no node; mean. */
  readonly leftOutByHu: number;
}

/** The fine network, a coarse one that says where it looks, and how patches are laid. */
export interface Predictors {
  readonly predictor: Predictor;
  readonly proposer: Predictor | null;
  /** Whether the mirrored scan is segmented too. */
  readonly mirrored: boolean;
  /** Of neighbouring patches, as a share of their length; by default that of `lnsnet predict`. */
  readonly overlap?: number;
}

/**
 * Segments the test set of a cohort as `lnsnet predict` does.
 *
 * @param cohort folder with imagesTs, instancesTs and labelsTs
 */
export async function detectionFigures(cohort: string, predictors: Predictors): Promise<DetectionFigures> {
  const names = readdirSync(join(cohort, "instancesTs")).filter((name) => name.endsWith(".nii.gz"));
  const scans: JudgedScan[] = [];
  for (const name of names.sort()) {
    scans.push(await judgedScan(cohort, name, predictors));
    const { detection, seconds } = scans[scans.length - 1];
    const { truth, prediction } = detection;
    process.stderr.write(
      `${name}: ${truth.filter(({ hit }) => hit).length} of ${truth.length} nodes, ${prediction.length} components, ${seconds.toFixed(0)} s\n`,
    );
  }
  const points = [pointAt(scans, 0, null), ...allowed.map((most) => pointWithin(scans, most))];
  return { points, leftOutByHu: scans.reduce((sum, scan) => sum + scan.leftOutByHu / scans.length, 0) };
}

async function judgedScan(
  cohort: string,
  name: string,
  { predictor, ...options }: Predictors,
): Promise<JudgedScan> {
  const scan = await niftiOf(join(cohort, "imagesTs", name.replace(".nii.gz", "_0000.nii.gz")));
  const start = performance.now();
  const { instances, nodes, leftOut } = await segment(scan, predictor, options);
  const seconds = (performance.now() - start) / 1000;
  const truth = await niftiOf(join(cohort, "instancesTs", name));
  const labels = await niftiOf(join(cohort, "labelsTs", name));
  const detection = detectNodes({ ...truth, data: Uint16Array.from(truth.data) }, instances, {
    truthSplit: "labels",
    predictionSplit: "labels",
  });
  const scores = new Map(
    nodes.map(({ id, confidence, meanProbability }) => [id, confidence ?? meanProbability ?? 0]),
  );
  const unjudged = mostlyIgnored(instances, labels);
  return { detection, scores, unjudged, leftOutByHu: leftOut.implausible, seconds };
}

function mostlyIgnored(instances: Volume, labels: Volume): Set<number> {
  const voxels = new Map<number, { all: number; ignored: number }>();
  instances.data.forEach((id, at) => {
    if (id === 0) return;
    const counts = voxels.get(id) ?? { all: 0, ignored: 0 };
    voxels.set(id, counts);
    counts.all++;
    if (labels.data[at] === IGNORED) counts.ignored++;
  });
  return new Set([...voxels].filter(([, { all, ignored }]) => ignored > OWN_SHARE * all).map(([id]) => id));
}

/** The point of the lowest score at which there are so many false positives at most. */
function pointWithin(scans: readonly JudgedScan[], most: number): OperatingPoint {
  const scores = scans.flatMap((scan) => [...scan.scores.values()]).sort((a, b) => a - b);
  let [low, high] = [0, scores.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (pointAt(scans, scores[middle], most).falsePositivesPerScan <= most) high = middle;
    else low = middle + 1;
  }
  return pointAt(scans, scores[low] ?? Number.POSITIVE_INFINITY, most);
}

function pointAt(scans: readonly JudgedScan[], leastScore: number, most: number | null): OperatingPoint {
  const sizes = sizesFromMm.map((fromMm) => ({ fromMm, nodes: 0, found: 0 }));
  const dscs: number[] = [];
  let [falsePositives, unjudged] = [0, 0];
  for (const scan of scans) {
    const isKept = (id: number) => (scan.scores.get(id) ?? 0) >= leastScore;
    const { truth, prediction, overlaps } = scan.detection;
    const matches = matchNodes(overlaps.filter(({ predictionId }) => isKept(predictionId)));
    const matched = new Set(matches.map(({ predictionId }) => predictionId));
    const found = new Set(matches.map(({ truthId }) => truthId));
    for (const { id } of prediction) {
      if (!isKept(id) || matched.has(id)) continue;
      falsePositives++;
      if (scan.unjudged.has(id)) unjudged++;
    }
    for (const { id, shortAxisMm } of truth)
      for (const size of sizes) {
        if (shortAxisMm < size.fromMm) continue;
        size.nodes++;
        if (found.has(id)) size.found++;
      }
    for (const { iou } of matches) dscs.push((2 * iou) / (1 + iou));
  }
  const { mean, sd } = summarise(dscs);
  return {
    allowed: most,
    leastScore,
    falsePositivesPerScan: falsePositives / scans.length,
    unjudgedPerScan: unjudged / scans.length,
    sizes,
    dsc: { mean, sd },
  };
}

/** A row for each point. */
export function detectionTable(points: readonly OperatingPoint[]): string {
  const share = ({ nodes, found }: { readonly nodes: number; readonly found: number }) =>
    nodes === 0 ? "–" : `${(found / nodes).toFixed(2)} (${found} of ${nodes})`;
  return textTable(
    [
      { key: "allowed", title: "false positives allowed" },
      { key: "score", title: "least score" },
      { key: "falsePositives", title: "false positives a scan" },
      { key: "unjudged", title: "of them own tissue" },
      ...sizesFromMm.map((fromMm) => ({
        key: `from${fromMm}`,
        title: fromMm === 0 ? "all nodes" : `from ${fromMm} mm`,
      })),
      { key: "dsc", title: "DSC of found" },
    ],
    points.map(({ allowed: most, leastScore, falsePositivesPerScan, unjudgedPerScan, sizes, dsc }) => ({
      allowed: most === null ? "any" : String(most),
      score: leastScore.toFixed(3),
      falsePositives: falsePositivesPerScan.toFixed(1),
      unjudged: unjudgedPerScan.toFixed(1),
      ...Object.fromEntries(sizes.map((size) => [`from${size.fromMm}`, share(size)])),
      dsc: dsc.mean === null ? "–" : `${dsc.mean.toFixed(3)} ± ${dsc.sd?.toFixed(3) ?? "–"}`,
    })),
  );
}
