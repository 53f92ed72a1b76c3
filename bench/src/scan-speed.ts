// npm run bench -- scan: how long a whole neck CT and a clicked node take, beside the same network in PyTorch.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  networkPresets,
  type Predictor,
  pointOfIndex,
  profileNetwork,
  readModel,
  segment,
  type Vector3,
  type Volume,
} from "@lnsnet/core";
import { textTable } from "@lnsnet/core/reports";
import { medianOf } from "@lnsnet/core/statistics";
import { indexedStream, uniform } from "@lnsnet/core/transforms";
import { neckScan } from "./neck-scan.js";
import { findPython } from "./python.js";
import { openTimed, type TimedRow, timedColumns } from "./scan-timing.js";
import { phantomModelPath } from "./shipped-models.js";

const help = `npm run bench -- scan [options]

Segments a phantom neck of 256×256×160 voxels at 1 mm with the full LNSNet at a working spacing of 1 mm, whole and at
clicks, and times the same network in PyTorch over as many voxels, cut as MONAI cuts. Wants a machine at rest.

  --threads COUNT    threads of each side (2)
  --overlap SHARE    of patches, both sides (0.25, MONAI's default); ours is timed at 0.5, lnsnet's default, too
  --clicks COUNT     clicks that are timed (10)
  --no-pytorch       leave PyTorch out
  --help             print this`;

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    overlap: { type: "string", default: "0.25" },
    clicks: { type: "string", default: "10" },
    "no-pytorch": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(help);
else await main(Number(values.threads), Number(values.overlap), Number(values.clicks));

async function main(threads: number, overlap: number, clicks: number): Promise<void> {
  const scan = neckScan();
  const model = readModel(readFileSync(phantomModelPath), phantomModelPath);
  const plan = { ...model.plan, spacingMm: scan.spacingMm };
  const { predictor, timeWholeScan } = await openTimed({ ...model, plan }, threads);
  const { instances } = await segment(scan, predictor, { at: [pointOfIndex(scan, [128, 128, 80])] });
  if (instances.data.length !== scan.data.length) throw new Error("the warm-up gave another grid");

  const rows: TimedRow[] = [];
  for (const share of new Set([overlap, 0.5]))
    for (const searched of ["neck", "everything"] as const)
      rows.push((await timeWholeScan(scan, { overlap: share, searched })).row);
  rows.push(...(await clicked(scan, predictor, clicks)));
  await predictor.release();
  const python = values["no-pytorch"] ? null : findPython("torch");
  if (python !== null)
    for (const allocator of ["keep", "system"])
      rows.push(pytorch(python.command, allocator, plan.patchSize, threads, overlap));

  console.log(textTable(timedColumns, rows));
  const { multiplyAdds } = profileNetwork(networkPresets.lnsnet, plan.patchSize);
  console.log(
    `A patch is ${(multiplyAdds / 1e9).toFixed(2)} G multiply-adds; its share of the machine's rate of matrix products: npm run bench.`,
  );
}

/** The median over clicks at random points of soft tissue: the whole answer, and the network's part of it. */
async function clicked(scan: Volume, predictor: Predictor, count: number): Promise<TimedRow[]> {
  let networkSeconds = 0;
  let passes = 0;
  const timed: Predictor = {
    ...predictor,
    probability: async (prepared, options) => {
      const start = performance.now();
      const prediction = await predictor.probability(prepared, options);
      networkSeconds += (performance.now() - start) / 1000;
      passes++;
      return prediction;
    },
  };
  const random = indexedStream(5, 0);
  const whole: number[] = [];
  const network: number[] = [];
  while (whole.length < count) {
    const index: Vector3 = [uniform(random, 60, 196), uniform(random, 60, 196), uniform(random, 20, 140)];
    const at = Math.round(index[0]) + 256 * (Math.round(index[1]) + 256 * Math.round(index[2]));
    if (scan.data[at] < -50 || scan.data[at] > 150) continue;
    [networkSeconds, passes] = [0, 0];
    const start = performance.now();
    await segment(scan, timed, { at: [pointOfIndex(scan, index)] });
    whole.push((performance.now() - start) / 1000);
    network.push(networkSeconds / passes);
  }
  return [
    { what: "lnsnet, a click, whole answer", patches: null, seconds: medianOf(whole), peak_mb: null },
    { what: "lnsnet, a click, worst", patches: null, seconds: Math.max(...whole), peak_mb: null },
    { what: "lnsnet, one pass of the network", patches: 1, seconds: medianOf(network), peak_mb: null },
  ];
}

function pytorch(
  command: string,
  allocator: string,
  patchSize: readonly number[],
  threads: number,
  overlap: number,
): TimedRow {
  const script = fileURLToPath(new URL("../pytorch/time_sliding_window.py", import.meta.url));
  const options = ["--size", patchSize.join(","), "--overlap", String(overlap), "--threads", String(threads)];
  const { status, stdout, stderr } = spawnSync(command, [script, ...options, "--allocator", allocator], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`PyTorch's sliding window failed: ${stderr}`);
  const { seconds, patches, peak_mb } = JSON.parse(stdout);
  const name = allocator === "keep" ? "keeping freed memory" : "as installed";
  return { what: `PyTorch ${name}, everything, overlap ${overlap}`, patches, seconds, peak_mb };
}
