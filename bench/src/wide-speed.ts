// npm run bench -- wide: how long a planning CT from head to chest and a neck take, also where a proposer looks alone.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { detectNodes, openPredictor, readModel, type Segmentation, summarise } from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { textTable } from "@lnsnet/core/reports";
import { neckScan } from "./neck-scan.js";
import { openTimed, type TimedRow, timedColumns } from "./scan-timing.js";
import { shippedModelPath } from "./shipped-models.js";
import { wideScan } from "./wide-scan.js";

const help = `npm run bench -- wide [options]

Segments two phantoms as lnsnet predict does: a planning CT whose ends become head and chest, 512×512×186 voxels at
0.98×0.98×2 mm, and a neck of 256×256×160 voxels at 1 mm. With a proposer, each is also segmented where that looks
alone, and it is printed how many of the nodes are found then too. Wants a machine at rest.

  --threads COUNT    threads (2)
  --overlap SHARE    overlap of patches (0.5, lnsnet's default)
  --model FILE       model.safetensors (the shipped finder)
  --proposer FILE    coarse network (none)
  --help             print this`;

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    overlap: { type: "string", default: "0.5" },
    model: { type: "string", default: shippedModelPath("finder") },
    proposer: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const threads = Number(values.threads);
  const overlap = Number(values.overlap);
  const read = (path: string) => readModel(readFileSync(path), path);
  const { predictor, timeWholeScan } = await openTimed(read(values.model), threads);
  const proposer =
    values.proposer === undefined
      ? null
      : await openPredictor([read(values.proposer)], nodeRuntime, { threads });
  const rows: TimedRow[] = [];
  const agreements: string[] = [];
  for (const [name, scan] of [
    ["planning CT", wideScan()],
    ["neck", neckScan()],
  ] as const) {
    const whole = await timeWholeScan(scan, { overlap, searched: "neck" });
    rows.push({ ...whole.row, what: `${name}: ${whole.row.what}` });
    if (proposer === null) continue;
    const proposed = await timeWholeScan(scan, { overlap, searched: "neck", proposer });
    rows.push({ ...proposed.row, what: `${name}: ${proposed.row.what}` });
    agreements.push(`${name}: ${agreement(whole.instances, proposed.instances)}`);
  }
  await predictor.release();
  await proposer?.release();
  console.log(textTable(timedColumns, rows));
  for (const sentence of agreements) console.log(sentence);
}

type Instances = Segmentation["instances"];

function agreement(whole: Instances, proposed: Instances): string {
  const { truth, prediction } = detectNodes(whole, proposed, {
    truthSplit: "labels",
    predictionSplit: "labels",
  });
  const common = truth.filter(({ hit }) => hit);
  const { mean } = summarise(common.map(({ dsc }) => dsc ?? 0));
  const others = prediction.filter(({ truthId }) => truthId === null).length;
  return `with the proposer ${common.length} of ${truth.length} nodes that are found everywhere, mean DSC ${mean?.toFixed(3) ?? "–"}, and ${others} others.`;
}
