// npm run check -- cohort: a cohort of the paper's size generated, fingerprinted and evaluated, within ten minutes and 3 GB.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readNifti, writeNifti } from "@lnsnet/core";
import { textTable } from "@lnsnet/core/reports";
import { labelValues } from "@lnsnet/core/voxels";
import { runLnsnet } from "./command.js";
import { perturbedNodes } from "./perturbed-nodes.js";

const help = `npm run check -- cohort [options]

Generates 123 phantom patients with 678 nodes, as many as the paper has, takes their fingerprint, and evaluates perturbed
masks against the true ones: every metric, and the matching of nodes. Prints the time and the peak memory of each stage.
Exit code 1 where all take more than 10 minutes, one needs more than 3 GB, or a stage counts other nodes.

  --output FOLDER    a new or empty folder (cohort-check)
  --patients COUNT   patients (123)
  --seed NUMBER      of the cohort (35, whose first 123 patients have 678 nodes)
  --threads COUNT    worker threads of generation and fingerprint (2)
  --json             print JSON
  --help             print this`;

const longestSeconds = 600;
const largestGb = 3;

const { values } = parseArgs({
  options: {
    output: { type: "string", default: "cohort-check" },
    patients: { type: "string", default: "123" },
    seed: { type: "string", default: "35" },
    threads: { type: "string", default: "2" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const columns = [
  { key: "stage", title: "stage" },
  { key: "seconds", title: "time", unit: "s", format: (seconds: number) => seconds.toFixed(1) },
  { key: "peak_gb", title: "peak memory", unit: "GB", format: (peak: number) => peak.toFixed(2) },
  { key: "nodes", title: "nodes" },
];

if (values.help) console.log(help);
else process.exitCode = await main(values.output);

async function main(folder: string): Promise<number> {
  const { patients, seed, threads } = values;
  mkdirSync(folder, { recursive: true });
  const run = async <Printed>(...words: string[]) => {
    const { stdout, seconds, peakBytes } = await runLnsnet(folder, [...words, "--json"]);
    const printed: Printed = JSON.parse(stdout);
    return { printed, seconds, peakBytes };
  };
  const generation = await run<{ nodes: number }>(
    ...["phantom", "--output", "phantom", "--training", patients, "--test", "0"],
    ...["--seed", seed, "--threads", threads],
  );
  const fingerprint = await run<{ nodes: { total: number } }>(
    ...["dataset", "fingerprint", "phantom", "--threads", threads],
  );
  const perturbation = perturbAll(join(folder, "phantom/instancesTr"), join(folder, "predictions"));
  const evaluation = await run<Evaluation>("evaluate", "phantom/instancesTr", "predictions", "--nodes");

  const { mean, detection } = evaluation.printed;
  const stages = [
    stageOf("generate", generation, generation.printed.nodes),
    stageOf("fingerprint", fingerprint, fingerprint.printed.nodes.total),
    stageOf("perturb", perturbation, perturbation.nodes),
    stageOf("evaluate", evaluation, detection.true_nodes),
  ];
  const total = {
    stage: "all",
    seconds: stages.reduce((sum, { seconds }) => sum + seconds, 0),
    peak_gb: Math.max(...stages.map(({ peak_gb }) => peak_gb)),
    nodes: detection.true_nodes,
  };
  const problems = [
    ...(total.seconds > longestSeconds ? [`it takes more than ${longestSeconds} s`] : []),
    ...(total.peak_gb > largestGb ? [`a stage needs more than ${largestGb} GB`] : []),
    ...(stages.some(({ nodes }) => nodes !== total.nodes) ? ["the stages count different nodes"] : []),
  ];
  if (values.json) console.log(JSON.stringify({ stages, total, mean, detection, problems }, null, 2));
  else {
    console.log(textTable(columns, stages, [total]));
    console.log(
      `Mean DSC of the perturbed masks ${mean.dsc.toFixed(3)}, sensitivity ${detection.sensitivity.toFixed(3)}. ${problems.join("; ") || "Within the limits."}`,
    );
  }
  return problems.length === 0 ? 0 : 1;
}

/** What is read of `lnsnet evaluate --nodes --json`. */
interface Evaluation {
  readonly mean: { readonly dsc: number };
  readonly detection: { readonly true_nodes: number; readonly sensitivity: number };
}

interface Measured {
  readonly seconds: number;
  readonly peakBytes: number | null;
}

function stageOf(stage: string, { seconds, peakBytes }: Measured, nodes: number) {
  return { stage, seconds, peak_gb: (peakBytes ?? Number.NaN) / 1e9, nodes };
}

/** Writes the perturbed nodes of every scan, in this process. */
function perturbAll(truth: string, output: string): Measured & { readonly nodes: number } {
  const start = performance.now();
  mkdirSync(output);
  let nodes = 0;
  for (const name of readdirSync(truth).sort()) {
    const { data, ...grid } = readNifti(readFileSync(join(truth, name)), name);
    const instances = { ...grid, data: Uint8Array.from(data) };
    writeFileSync(join(output, name), writeNifti(perturbedNodes(instances, nodes)));
    nodes += labelValues(instances.data).filter((value) => value !== 0).length;
  }
  const seconds = (performance.now() - start) / 1000;
  return { seconds, peakBytes: process.resourceUsage().maxRSS * 1024, nodes };
}
