// npm run bench -- wide: how long a planning CT from head to chest takes.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { readModel } from "@lnsnet/core";
import { textTable } from "@lnsnet/core/reports";
import { openTimed, timedColumns } from "./scan-timing.js";
import { shippedModelPath } from "./shipped-model.js";
import { wideScan } from "./wide-scan.js";

const help = `npm run bench -- wide [options]

Segments a phantom whose ends become head and chest, 512×512×186 voxels at 0.98×0.98×2 mm, as lnsnet predict does:
with the model's own working spacing. Wants a machine at rest.

  --threads COUNT    threads (2)
  --overlap SHARE    overlap of patches (0.5, lnsnet's default)
  --model FILE       model.safetensors (the shipped phantom model)
  --help             print this`;

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    overlap: { type: "string", default: "0.5" },
    model: { type: "string", default: shippedModelPath },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const scan = wideScan();
  const model = readModel(readFileSync(values.model), values.model);
  const { predictor, timeWholeScan } = await openTimed(model, Number(values.threads));
  const row = await timeWholeScan(scan, Number(values.overlap), "neck");
  await predictor.release();
  console.log(textTable(timedColumns, [row]));
}
