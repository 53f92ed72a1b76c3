// npm run check:settings: how far the masks of a scan lie apart that differ in threads, in the part searched, or in the overlap.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  countOverlap,
  dice,
  nodeMask,
  openPredictor,
  readModel,
  readNifti,
  type SegmentOptions,
  segment,
  summarise,
  textTable,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";

const help = `npm run check:settings -- DATASET [options]

Segments each scan of DATASET's imagesTs as lnsnet does by default (overlap 0.5, the neck, a thread a core), and again with
other settings, and prints the DSC between the two masks.

  --model FILE       model.safetensors (the shipped phantom model)
  --cases COUNT      scans, the first ones (4)
  --help             print this`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: {
      type: "string",
      default: new URL("../../packages/cli/models/phantom.safetensors", import.meta.url).pathname,
    },
    cases: { type: "string", default: "4" },
    help: { type: "boolean", default: false },
  },
});

interface Setting extends SegmentOptions {
  readonly name: string;
  readonly threads?: number;
}

const settings: readonly Setting[] = [
  { name: "the same again" },
  { name: "one thread", threads: 1 },
  { name: "three threads", threads: 3 },
  { name: "everything searched", searched: "everything" },
  { name: "overlap 0.25", overlap: 0.25 },
  { name: "overlap 0.75", overlap: 0.75 },
];

if (values.help || positionals.length !== 1) console.log(help);
else await main(positionals[0]);

async function main(dataset: string): Promise<void> {
  const model = readModel(readFileSync(values.model), values.model);
  const folder = join(dataset, "imagesTs");
  const names = readdirSync(folder).sort().slice(0, Number(values.cases));
  const maskOf = async (name: string, { name: _, threads = 0, ...options }: Setting) => {
    const scan = readNifti(readFileSync(join(folder, name)), name);
    const predictor = await openPredictor([model], nodeRuntime, { threads });
    const { instances } = await segment(scan, predictor, options);
    await predictor.release();
    return nodeMask(instances).data;
  };
  const scores = new Map(settings.map(({ name }) => [name, [] as number[]]));
  for (const name of names) {
    const usual = await maskOf(name, { name: "usual" });
    for (const setting of settings)
      scores.get(setting.name)?.push(dice(countOverlap(usual, await maskOf(name, setting))));
    process.stderr.write(`${name}\n`);
  }
  const rows = [...scores].map(([setting, list]) => {
    return { setting, mean: summarise(list).mean, least: Math.min(...list) };
  });
  console.log(`DSC with the mask by the usual settings, ${names.length} scans, ${model.plan.dataLabel}:`);
  console.log(textTable(columns(), rows));
}

function columns() {
  const format = (value: number) => value.toFixed(6);
  return [
    { key: "setting" as const, title: "setting" },
    { key: "mean" as const, title: "mean", format },
    { key: "least" as const, title: "least", format },
  ];
}
