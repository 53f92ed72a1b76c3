// npm run check -- gradients: every gradient of LNSNet, as the training step computes it, against PyTorch's.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  buildNetwork,
  buildTrainingStep,
  InputError,
  type NetworkSpecification,
  networkPresets,
  type Session,
  type TrainingStep,
} from "@lnsnet/core";
import { readSafetensors, type StoredTensor, writeSafetensors } from "@lnsnet/core/formats";
import { sizeOf } from "@lnsnet/core/graph";
import { nodeRuntime } from "@lnsnet/core/node";
import { textTable } from "@lnsnet/core/reports";
import { type BuildNetwork, forwardModel, namedWeights } from "@lnsnet/core/training";
import { findPython } from "./python.js";

interface Row {
  readonly name: string;
  /** max|ours − truth| / max|truth|; truth is PyTorch in double precision. Null where shapes differ or it is not finite. */
  readonly error: number | null;
  readonly pytorch_float32_error: number;
}

/** What check_gradients.py --json prints. */
interface Report {
  readonly passed: boolean;
  readonly tolerance: number;
  readonly compared: number;
  readonly worst: Row;
  readonly failed: readonly string[];
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly zero_gradient: readonly Row[];
  readonly tensors: readonly Row[];
}

type Tensors = ReadonlyMap<string, StoredTensor>;

const help = `npm run check -- gradients [options]

Logits, loss and every gradient of an LNSNet, as the training step computes them, beside PyTorch's in double precision.
Needs a Python with torch. Exit code 1 where one of them differs.

  --network NAME   lnsnet, lnsnet-half or lnsnet-small (lnsnet)
  --size D,H,W     input in voxels (32,24,24)
  --seed NUMBER    seed of weights and input (2)
  --json           print JSON
  --help           print this`;

const { values } = parseArgs({
  options: {
    network: { type: "string", default: "lnsnet" },
    size: { type: "string", default: "32,24,24" },
    seed: { type: "string", default: "2" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const network = networkOf(values.network);
const build: BuildNetwork = (image, builder) => buildNetwork(network, image, builder);
if (values.help) console.log(help);
else process.exitCode = await main();

async function main(): Promise<number> {
  const python = findPython("torch");
  if (python === null) {
    process.stderr.write(
      "No Python with torch was found, and this check compares with PyTorch; install one (Debian: python3-torch) or name it in PYTHON.\n",
    );
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "lnsnet-gradients-"));
  try {
    const [weightsPath, dataPath, oursPath] = ["weights", "data", "ours"].map((name) =>
      join(folder, `${name}.safetensors`),
    );
    const configuration = JSON.stringify(network.configuration);
    runPython(python.command, "make_case.py", [
      ...["--configuration", configuration, "--size", values.size, "--seed", values.seed],
      ...["--output-weights", weightsPath, "--output-data", dataPath],
    ]);
    const weights = readSafetensors(readFileSync(weightsPath), weightsPath).tensors;
    const data = readSafetensors(readFileSync(dataPath), dataPath).tensors;
    writeFileSync(oursPath, writeSafetensors(await ourGradients(weights, data)));
    const text = runPython(python.command, "check_gradients.py", [weightsPath, dataPath, oursPath, "--json"]);
    const report: Report = JSON.parse(text);
    process.stdout.write(values.json ? text : `${describe(report, python.version)}\n`);
    return report.passed ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @throws InputError for a name that is no preset of LNSNet */
function networkOf(name: string): NetworkSpecification {
  const specification = networkPresets[name];
  if (specification?.name === "lnsnet") return specification;
  throw new InputError(
    `--network is "${name}"; choose a preset of LNSNet: lnsnet, lnsnet-half or lnsnet-small.`,
  );
}

/** Logits, loss and `grad.<parameter>` from the models that training runs, stochastic depth dropping nothing. */
async function ourGradients(weights: Tensors, data: Tensors): Promise<Map<string, StoredTensor>> {
  const image = numbersOf(data, "x");
  const label = numbersOf(data, "label");
  // Of two batches to be accumulated, the first gives half its gradient, in the order of the flat vectors.
  const step = buildTrainingStep(build, { imageShape: image.shape, accumulation: 2 });
  if (step.accumulateModel === null) throw new Error("a step of two batches has no model for the first");
  const theta = { shape: [step.count], data: flatWeights(step, weights) };
  const { logits } = await runOnce(forwardModel(build, image.shape), { image, theta });
  const masks = step.masks.map(({ name, shape }) => [
    name,
    { shape, data: new Float32Array(sizeOf(shape)).fill(1) },
  ]);
  const { loss, next_accumulated: halved } = await runOnce(step.accumulateModel, {
    image,
    label,
    theta,
    accumulated: { shape: theta.shape, data: new Float32Array(step.count) },
    ...Object.fromEntries(masks),
  });
  const gradients = namedWeights(
    halved.data.map((half) => 2 * half),
    step.parameters,
  );
  const ours = new Map<string, StoredTensor>([
    ["logits", { dtype: "F32", ...logits }],
    ["loss", { dtype: "F32", ...loss }],
  ]);
  for (const { name, shape } of step.parameters) {
    const gradient = gradients.get(name);
    if (gradient) ours.set(`grad.${name}`, { dtype: "F32", shape, data: gradient.slice() });
  }
  return ours;
}

async function runOnce(model: Uint8Array, inputs: Parameters<Session["run"]>[0]): ReturnType<Session["run"]> {
  const session = await nodeRuntime.createSession(model);
  const outputs = await session.run(inputs);
  await session.release();
  return outputs;
}

/** The weights by name in the order of the flat vectors. */
function flatWeights({ count, parameters }: TrainingStep, weights: Tensors): Float32Array {
  const theta = new Float32Array(count);
  for (const [name, part] of namedWeights(theta, parameters)) part.set(numbersOf(weights, name).data);
  return theta;
}

function numbersOf(tensors: Tensors, name: string) {
  const tensor = tensors.get(name);
  if (tensor?.dtype !== "F32") throw new Error(`make_case.py wrote no float32 tensor ${name}`);
  return tensor;
}

/** Runs a script of the PyTorch peer and returns what it prints; 1 as its exit code is an answer too. */
function runPython(command: string, script: string, options: readonly string[]): string {
  const path = fileURLToPath(new URL(`../pytorch/${script}`, import.meta.url));
  const { status, stdout } = spawnSync(command, [path, ...options], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 28,
  });
  if (stdout === "" || (status !== 0 && status !== 1)) throw new Error(`${script} failed`);
  return stdout;
}

function describe(report: Report, torch: string): string {
  const { compared, tensors, zero_gradient: zero, tolerance } = report;
  const worstFirst = [...tensors].sort(
    (a, b) => (b.error ?? Number.POSITIVE_INFINITY) - (a.error ?? Number.POSITIVE_INFINITY),
  );
  const power = (value: number): string => value.toExponential(1);
  const table = textTable(
    [
      { key: "name", title: `worst 8 of ${compared} tensors` },
      { key: "error", title: "lnsnet", format: power },
      { key: "pytorch_float32_error", title: "PyTorch float32", format: power },
    ],
    worstFirst.slice(0, 8),
  );
  const worstZero = Math.max(...zero.map(({ error }) => error ?? Number.POSITIVE_INFINITY));
  const kinds = (["missing", "unexpected", "failed"] as const).filter((kind) => report[kind].length > 0);
  return [
    `Relative errors against PyTorch ${torch} in double precision`,
    "",
    table,
    "",
    ...(zero.length > 0
      ? [
          `${zero.length} gradients are zero but for rounding: ours within ${power(worstZero)} of the largest gradient`,
        ]
      : []),
    ...kinds.map((kind) => `${kind}: ${report[kind].join(", ")}`),
    `${report.passed ? "passed" : "FAILED"} at tolerance ${tolerance}`,
  ].join("\n");
}
