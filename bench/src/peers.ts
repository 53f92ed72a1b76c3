// npm run check -- peers: the compared networks against their authors' PyTorch modules, logits and every gradient.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildNetwork, InputError, type NetworkSpecification, networkPresets } from "@lnsnet/core";
import { type StoredTensor, writeSafetensors } from "@lnsnet/core/formats";
import { differentiate, emitOnnx, input, type Shape, sizeOf } from "@lnsnet/core/graph";
import { diceCrossEntropyLoss } from "@lnsnet/core/losses";
import { NetworkBuilder, type ParameterEntry, takesSize } from "@lnsnet/core/networks";
import { nodeRuntime } from "@lnsnet/core/node";
import { textTable } from "@lnsnet/core/reports";
import { indexedStream, uniform } from "@lnsnet/core/transforms";
import { findPython } from "./python.js";

const help = `npm run check -- peers --checkouts FOLDER [options]

Draws weights and an input for each compared network, and compares logits and every gradient of Dice + cross-entropy with
those of the authors' own PyTorch modules in double precision. FOLDER holds clones of their repositories;
bench/pytorch/peers.py names them with their commits. Exit code 1 where logits differ by more than 1e-4 of the largest, or
the gradient, as one vector, by more than 1e-3 of its norm. In single precision a voxel at the kink of a rectifier falls on
the other side now and then, and moves the gradients behind it; so up to --draws cases are drawn, until one has no such
voxel. A wrong gradient is wrong in all of them.

  --checkouts FOLDER  where MONAI, 3DUX-Net, 3D-Partial-U-Net, dynamic-network-architectures and MedNeXt are cloned
  --networks NAMES    some of them, separated by commas (all that have a public module)
  --size D,H,W        input in voxels; deeper for a network that needs it (32,32,32)
  --seed NUMBER       of weights and input (1)
  --draws COUNT       cases to draw at most (6)
  --json              print JSON
  --help              print this`;

type RandomStream = ReturnType<typeof indexedStream>;

const LOGITS_TOLERANCE = 1e-4;
const GRADIENT_TOLERANCE = 1e-3;
/** Presets with a public module that runs without CUDA. */
const PEERS =
  "partial-unet,vnet,unetr,ux-net,nnunet,nnunet-resenc-m,segresnet,segresnet-16,basic-unet,residual-unet,mednext-s,swin-unetr-24,swin-unetr";

/** What check_peer.py prints of a side, as norms: |side − truth| / |truth|; of logits and loss by the largest value. */
interface Errors {
  readonly logits: number;
  readonly loss: number;
  /** Of all gradients as one vector. */
  readonly gradient: number;
  /** Of each gradient that is more than rounding. */
  readonly tensors: Readonly<Record<string, number>>;
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

interface Compared {
  readonly network: string;
  /** Which of the drawn cases this is. */
  readonly draw: number;
  readonly input: Shape;
  readonly ours: Errors;
  /** PyTorch in single precision. */
  readonly pytorch: Errors;
}

const { values } = parseArgs({
  options: {
    checkouts: { type: "string" },
    networks: { type: "string", default: PEERS },
    size: { type: "string", default: "32,32,32" },
    seed: { type: "string", default: "1" },
    draws: { type: "string", default: "6" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(`${help}\n`);
else process.exitCode = await main();

async function main(): Promise<number> {
  const { checkouts } = values;
  if (checkouts === undefined)
    throw new InputError("--checkouts is missing; name the folder that holds clones of the peers.");
  const python = findPython("torch");
  if (python === null)
    throw new InputError(
      "No Python with torch was found, and this check compares with PyTorch; install one (Debian: python3-torch) or name it in PYTHON.",
    );
  const size = values.size.split(",").map(Number);
  const rows: Compared[] = [];
  for (const network of values.networks.split(",")) {
    process.stderr.write(`${network}\n`);
    const specification = networkPresets[network];
    if (specification === undefined)
      throw new InputError(`--networks names ${network}; known are ${PEERS.replaceAll(",", ", ")}.`);
    const shape = [1, 1, ...deepEnough(specification, size)];
    const compare = (draw: number) =>
      compared(network, specification, shape, draw, python.command, checkouts);
    let row = await compare(1);
    for (let draw = 2; draw <= Number(values.draws) && !isEqual(row); draw++) row = await compare(draw);
    rows.push(row);
  }
  const text = `Relative errors against the authors' modules on PyTorch ${python.version} in double precision\n\n${table(rows)}`;
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : `${text}\n`);
  return rows.every(isEqual) ? 0 : 1;
}

/** Twice as deep where the network's coarsest stage had a single voxel, which an instance norm makes 0. */
function deepEnough(specification: NetworkSpecification, size: readonly number[]): readonly number[] {
  const half = size.map((length) => length / 2);
  return takesSize(specification, half) ? size : [2 * size[0], ...size.slice(1)];
}

async function compared(
  network: string,
  specification: NetworkSpecification,
  shape: Shape,
  draw: number,
  python: string,
  checkouts: string,
): Promise<Compared> {
  const folder = mkdtempSync(join(tmpdir(), "lnsnet-peers-"));
  try {
    const [casePath, oursPath] = ["case", "ours"].map((name) => join(folder, `${name}.safetensors`));
    const builder = new NetworkBuilder(true);
    const image = input("x", shape);
    const { logits } = buildNetwork(specification, image, builder);
    const tensors = drawnCase(builder.parameters, shape, indexedStream(Number(values.seed), draw));
    writeFileSync(casePath, writeSafetensors(tensors));
    writeFileSync(oursPath, writeSafetensors(await ourAnswer(builder, image, logits, tensors)));
    const script = fileURLToPath(new URL("../pytorch/check_peer.py", import.meta.url));
    const { status, stdout } = spawnSync(
      python,
      [script, network, casePath, oursPath, "--checkouts", checkouts],
      { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 2 ** 28 },
    );
    if (status !== 0) throw new Error(`check_peer.py failed for ${network}`);
    // Modules of peers print notes of their own first.
    const { ours, pytorch } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    for (const name of [...ours.missing, ...ours.unexpected])
      process.stderr.write(`${network}: ${name} is on one side alone\n`);
    return { network, draw, input: shape, ours, pytorch };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Weights of a size that keeps signals in range, everything away from 0 and 1, so that no part is without effect. */
function drawnCase(
  parameters: readonly ParameterEntry[],
  shape: Shape,
  random: RandomStream,
): Map<string, StoredTensor> {
  const drawn = (of: Shape, middle: number, reach: number): StoredTensor => ({
    dtype: "F32",
    shape: of,
    data: Float32Array.from({ length: sizeOf(of) }, () => uniform(random, middle - reach, middle + reach)),
  });
  const tensors = new Map<string, StoredTensor>([["x", drawn(shape, 0, 1.7)]]);
  const label = drawn(shape, 0, 1);
  label.data.forEach((value, index) => {
    label.data[index] = Number(value) > 0.6 ? 1 : 0;
  });
  tensors.set("label", label);
  for (const { name, shape: of } of parameters) {
    const isGain = of.length === 1 && /(weight|gamma|N\.weight)$/.test(name);
    const fan = of.length > 1 ? sizeOf(of.slice(1)) : 1;
    tensors.set(
      `p.${name}`,
      isGain ? drawn(of, 1, 0.3) : drawn(of, 0, of.length > 1 ? Math.sqrt(3 / fan) : 0.2),
    );
  }
  return tensors;
}

/** Logits, loss and gradients on ONNX Runtime, in training mode with nothing dropped. */
async function ourAnswer(
  builder: NetworkBuilder,
  image: ReturnType<typeof input>,
  logits: ReturnType<typeof input>,
  tensors: ReadonlyMap<string, StoredTensor>,
): Promise<Map<string, StoredTensor>> {
  const label = input("label", logits.shape);
  const loss = diceCrossEntropyLoss(logits, label);
  const gradients = differentiate(
    loss,
    builder.parameters.map(({ value }) => value),
  );
  const masks = builder.masks.map(({ value }) => value);
  const floats = (name: string) => tensors.get(name)?.data as Float32Array;
  const model = emitOnnx({
    inputs: [image, label, ...masks],
    outputs: {
      logits,
      loss,
      ...Object.fromEntries(builder.parameters.map(({ name }, index) => [`grad.${name}`, gradients[index]])),
    },
    weights: new Map(builder.parameters.map(({ name }) => [name, floats(`p.${name}`)])),
  });
  const session = await nodeRuntime.createSession(model);
  const kept = builder.masks.map(({ name, shape }) => [
    name,
    { shape, data: new Float32Array(sizeOf(shape)).fill(1) },
  ]);
  const results = await session.run({
    x: { shape: image.shape, data: floats("x") },
    label: { shape: label.shape, data: floats("label") },
    ...Object.fromEntries(kept),
  });
  await session.release();
  const isUsed = ([name, { data }]: [string, { data: Float32Array }]) =>
    !name.startsWith("grad.") || data.some((value) => value !== 0);
  return new Map(
    Object.entries(results)
      .filter(isUsed)
      .map(([name, { shape, data }]) => [name, { dtype: "F32", shape, data }]),
  );
}

function isEqual({ ours: { logits, gradient, missing, unexpected } }: Compared): boolean {
  return (
    logits <= LOGITS_TOLERANCE && gradient <= GRADIENT_TOLERANCE && missing.length + unexpected.length === 0
  );
}

function table(rows: readonly Compared[]): string {
  const power = (value: number): string => value.toExponential(1);
  const errors = { format: power };
  return textTable(
    [
      { key: "network", title: "network" },
      { key: "input", title: "input" },
      { key: "draw", title: "draw" },
      { key: "logits", title: "logits", ...errors },
      { key: "logitsPytorch", title: "PyTorch float32", ...errors },
      { key: "gradient", title: "gradient", ...errors },
      { key: "gradientPytorch", title: "PyTorch float32", ...errors },
      { key: "tensors", title: "tensors" },
      { key: "within", title: "within 1e-3" },
      { key: "withinPytorch", title: "PyTorch float32" },
      { key: "answer", title: "" },
    ],
    rows.map((row) => {
      const { network, draw, ours, pytorch } = row;
      const within = ({ tensors }: Errors) =>
        Object.values(tensors).filter((error) => error <= GRADIENT_TOLERANCE).length;
      return {
        ...{ network, draw, input: row.input.slice(2).join("×") },
        ...{ logits: ours.logits, logitsPytorch: pytorch.logits },
        ...{ gradient: ours.gradient, gradientPytorch: pytorch.gradient },
        tensors: Object.keys(ours.tensors).length,
        ...{ within: within(ours), withinPytorch: within(pytorch) },
        answer: isEqual(row) ? "equal" : "DIFFERS",
      };
    }),
  );
}
