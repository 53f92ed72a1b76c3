// npm run check -- nnunet SCAN: whole scans by models of nnU-Net's structure, against PyTorch's probabilities.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { InputError, type Model, openPredictor, resample, type Volume } from "@lnsnet/core";
import { readSafetensors, writeSafetensors } from "@lnsnet/core/formats";
import { probabilityOfScan } from "@lnsnet/core/inference";
import { readNnunetModel } from "@lnsnet/core/models";
import { nodeRuntime } from "@lnsnet/core/node";
import { textTable } from "@lnsnet/core/reports";
import { readScan } from "@lnsnet/node";
import { pythonWith } from "./python.js";

/** How far ours may be from PyTorch's, with float32 sums. */
const TOLERANCE = 1e-3;

const columns = [
  { key: "kind" as const, title: "network" },
  { key: "greatest" as const, title: "greatest difference" },
  { key: "mean" as const, title: "mean difference" },
  { key: "otherwise" as const, title: "voxels decided otherwise" },
  { key: "foreground" as const, title: "foreground voxels" },
  { key: "seconds" as const, title: "seconds" },
  { key: "secondsOfPytorch" as const, title: "PyTorch's" },
  { key: "float16" as const, title: "float16 sums: greatest, share above 0.001" },
];

const help = `npm run check -- nnunet SCAN

Segments a whole CT by models of nnU-Net's structure, and compares the probabilities with PyTorch's. Needs a Python with
torch and scipy. Exit code 1 where they differ.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", default: false } },
});
if (values.help) console.log(help);
else process.exitCode = await main(positionals[0]);

async function main(path: string | undefined): Promise<number> {
  if (path === undefined) throw new InputError("Name a CT: npm run check -- nnunet SCAN.");
  const python = pythonWith("torch, scipy");
  if (python === null)
    throw new InputError(
      "No Python with torch and scipy was found, and this check compares with PyTorch; install them, or name one in $PYTHON.",
    );
  const scan = await readScan(path);
  const folder = mkdtempSync(join(tmpdir(), "lnsnet-nnunet-"));
  try {
    process.stdout.write(`${path}: ${scan.size.join("×")} voxels of ${scan.spacingMm.join("×")} mm\n`);
    const rows = [];
    for (const kind of ["plain", "residual"]) {
      const row = await compared(python, scan, kind, folder);
      process.stdout.write(`${textTable(columns, [row])}\n`);
      rows.push(row);
    }
    return rows.every(({ greatest }) => Number(greatest) <= TOLERANCE) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** PyTorch's probabilities of the scan, and ours. */
async function compared(python: string, scan: Volume, kind: string, folder: string) {
  const [scanPath, model, expectedPath] = ["scan.safetensors", kind, `${kind}.safetensors`].map((name) =>
    join(folder, name),
  );
  const [nx, ny, nz] = scan.size;
  const data = Float32Array.from(scan.data);
  const spacing = [...scan.spacingMm].reverse().join(",");
  writeFileSync(
    scanPath,
    writeSafetensors(new Map([["scan", { dtype: "F32", shape: [nz, ny, nx], data }]]), {
      spacing_zyx_mm: spacing,
    }),
  );
  const script = fileURLToPath(new URL("../pytorch/check_nnunet.py", import.meta.url));
  const { status } = spawnSync(python, [script, scanPath, kind, model, expectedPath], { stdio: "inherit" });
  if (status !== 0) throw new Error(`check_nnunet.py ended with ${status}`);
  const { tensors, metadata } = readSafetensors(readFileSync(expectedPath), expectedPath);
  const expected = tensors.get("probabilities")?.data as Float32Array;
  const figures = JSON.parse(metadata.figures) as Record<string, number>;

  const predictor = await openPredictor(modelsOf(model), nodeRuntime, { device: "cpu" });
  const start = performance.now();
  const { predictions } = await probabilityOfScan(scan, predictor, { overlap: 0.5 });
  const seconds = (performance.now() - start) / 1000;
  await predictor.release();
  const ours = predictions.map(({ probability }) => resample(probability, scan, "nearest", 0).data);

  const voxels = nx * ny * nz;
  let [greatest, sum, otherwise, foreground] = [0, 0, 0, 0];
  for (const [at, probabilities] of ours.entries())
    for (let n = 0; n < voxels; n++) {
      const difference = Math.abs(probabilities[n] - expected[at * voxels + n]);
      greatest = Math.max(greatest, difference);
      sum += difference;
    }
  for (let n = 0; n < voxels; n++) {
    const theirs = decided(ours.map((_, at) => expected[at * voxels + n]));
    if (theirs !== 0) foreground++;
    if (theirs !== decided(ours.map((probabilities) => probabilities[n]))) otherwise++;
  }
  return {
    kind,
    greatest: greatest.toExponential(1),
    mean: (sum / (voxels * ours.length)).toExponential(1),
    otherwise: `${otherwise} of ${voxels}`,
    foreground: String(foreground),
    seconds: seconds.toFixed(1),
    secondsOfPytorch: String(figures.seconds),
    float16: `${figures.float16_greatest.toFixed(3)}, ${figures["float16_share_above_0.001"].toExponential(1)}`,
  };
}

/** The most probable class, 0 for background. */
function decided(foreground: readonly number[]): number {
  const all = [1 - foreground.reduce((sum, probability) => sum + probability, 0), ...foreground];
  return all.indexOf(Math.max(...all));
}

function modelsOf(folder: string): Model[] {
  const json = (name: string) => ({
    path: name,
    content: JSON.parse(readFileSync(join(folder, name), "utf8")) as unknown,
  });
  const shared = { plans: json("plans.json"), dataset: json("dataset.json"), mirrored: true };
  return readdirSync(folder)
    .filter((name) => name.startsWith("fold_"))
    .map((fold) => {
      const path = join(folder, fold, "checkpoint_final.pth");
      return readNnunetModel({ ...shared, checkpoint: { path, bytes: readFileSync(path) } }).model;
    });
}
