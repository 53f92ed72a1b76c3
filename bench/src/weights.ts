// npm run check -- weights: LNSNet's weights load by name into its twin in PyTorch, and the twin's into ours.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { InputError, inferenceModel, type Model, readModel } from "@lnsnet/core";
import { readSafetensors } from "@lnsnet/core/formats";
import { nodeRuntime } from "@lnsnet/core/node";
import { importWeights } from "@lnsnet/node";
import { pythonWith } from "./python.js";
import { phantomModelPath } from "./shipped-models.js";

/** Largest difference of logits, as a share of the largest logit. */
const TOLERANCE = 1e-4;

const help = `npm run check -- weights

Loads LNSNet's weights by name into its twin in PyTorch, and the twin's into ours, and compares the logits. Needs a Python
with torch. Exit code 1 where they differ.`;

const { values } = parseArgs({
  options: { help: { type: "boolean", default: false } },
});
if (values.help) console.log(help);
else process.exitCode = await main();

async function main(): Promise<number> {
  const python = pythonWith("numpy, torch");
  if (python === null)
    throw new InputError(
      "No Python with torch was found, and this check compares with PyTorch; install it, or name one in $PYTHON.",
    );
  const folder = mkdtempSync(join(tmpdir(), "lnsnet-weights-"));
  try {
    const script = fileURLToPath(new URL("../pytorch/exchange_weights.py", import.meta.url));
    const { status } = spawnSync(python, [script, phantomModelPath, folder], { stdio: "inherit" });
    if (status !== 0) throw new Error(`exchange_weights.py ended with ${status}`);
    const path = join(folder, "logits.safetensors");
    const { tensors } = readSafetensors(readFileSync(path), path);
    const numbers = (name: string) => tensors.get(name)?.data as Float32Array;
    const imported = await importWeights(join(folder, "twin.pth"), {
      modelPath: phantomModelPath,
      namesPath: join(folder, "names.json"),
      output: join(folder, "imported.safetensors"),
    });
    const shipped = readModel(readFileSync(phantomModelPath), phantomModelPath);
    const differences = [
      ["ours in PyTorch", await difference(shipped, numbers("x"), numbers("ours"))],
      ["PyTorch's in ours", await difference(imported, numbers("x"), numbers("theirs"))],
    ] as const;
    for (const [name, share] of differences)
      process.stdout.write(`${name}: logits differ by ${share.toExponential(1)} of the largest\n`);
    return differences.every(([, share]) => share <= TOLERANCE) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How far our logits of a patch are from PyTorch's. */
async function difference(
  { plan, weights }: Model,
  data: Float32Array,
  theirs: Float32Array,
): Promise<number> {
  const shape = [1, plan.network.configuration.inputs, ...plan.patchSize];
  const session = await nodeRuntime.createSession(
    (target) => inferenceModel(plan.network, shape, weights, { target }),
    { device: "cpu" },
  );
  const { logits } = await session.run({ image: { shape, data } });
  await session.release();
  let [greatest, largest] = [0, 0];
  for (let n = 0; n < theirs.length; n++) {
    greatest = Math.max(greatest, Math.abs(logits.data[n] - theirs[n]));
    largest = Math.max(largest, Math.abs(theirs[n]));
  }
  return greatest / largest;
}
