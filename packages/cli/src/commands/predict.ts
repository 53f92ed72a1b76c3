// lnsnet predict: a scan, or a folder of scans, in; masks, pictures and node measurements out.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError, overlayPng, textTable, writeNifti } from "@lnsnet/core";
import { defineCommand } from "citty";
import { realNumber, wholeNumber } from "../arguments.js";
import { caseId } from "../dataset.js";
import { ensureWritableFolder, fileError, isFolder, requirePath, writeAtomically } from "../files.js";
import { readScan } from "../imaging.js";
import { interruptSignal } from "../interrupt.js";
import { loadModel } from "../model.js";
import { type NodeJson, nodeJson } from "../node-json.js";
import { printJson, printText } from "../output.js";
import { createSegmenter, shippedModelPath } from "../prediction.js";
import { createProgress } from "../progress.js";

export const predictCommand = defineCommand({
  meta: { name: "predict", description: "Segment the lymph nodes of a scan, or of every scan of a folder" },
  args: {
    scan: { type: "positional", description: "a CT (.nii, .nii.gz), or a folder of them", required: true },
    output: { type: "string", description: "folder for the masks and pictures", default: "predictions" },
    model: {
      type: "string",
      description: "model.safetensors of a training; by default the shipped phantom model",
      valueHint: "FILE",
    },
    overlap: {
      type: "string",
      description: "share of a patch that the next one covers again",
      default: "0.5",
      valueHint: "SHARE",
    },
    "minimum-volume": {
      type: "string",
      description: "bodies below this volume in mL are left out",
      default: "0",
      valueHint: "ML",
    },
    pictures: {
      type: "boolean",
      description: "write a picture of each scan",
      default: true,
      negativeDescription: "masks only",
    },
    threads: {
      type: "string",
      description: "threads of the network; 0 for one a core",
      default: "0",
      valueHint: "NUMBER",
    },
    json: { type: "boolean", description: "print JSON" },
  },
  async run({ args }) {
    const paths = await scansOf(args.scan);
    const model = await loadModel(args.model ?? shippedModelPath);
    if (args.model === undefined)
      process.stderr.write(
        "lnsnet: no --model is named, so the shipped model is used; it was trained on the phantom (synthetic scans) alone. Research use only.\n",
      );
    await ensureWritableFolder(args.output);
    const segmenter = await createSegmenter(model, {
      threads: wholeNumber(args.threads, "--threads", 0, 256),
      overlap: realNumber(args.overlap, "--overlap", 0, 0.9),
      minimumVolumeMl: realNumber(args["minimum-volume"], "--minimum-volume", 0, 1000),
      signal: interruptSignal(),
    });
    const description = {
      trained_on: model.plan.dataLabel,
      network: model.plan.network.name,
      steps: model.steps,
      path: model.path,
    };
    const results: PredictedScan[] = [];
    try {
      for (const path of paths) {
        const start = performance.now();
        const progress = createProgress(caseId(path), "patch");
        const scan = await readScan(path);
        const found = await segmenter.segment(scan, (done, total) => progress.update({ done, total }));
        const mask = join(args.output, `${caseId(path)}.nii.gz`);
        await writeAtomically(mask, writeNifti(found.mask, { description: "lnsnet, research use only" }));
        if (args.pictures) {
          const caption = `${caseId(path)} - model trained on ${model.plan.dataLabel} - research use only`;
          await writeAtomically(
            join(args.output, `${caseId(path)}.png`),
            overlayPng(scan, null, found.mask, { caption }),
          );
        }
        progress.finish();
        results.push({
          mask,
          nodes: found.nodes.map(nodeJson),
          seconds: (performance.now() - start) / 1000,
          model: description,
        });
      }
    } finally {
      await segmenter.release();
    }
    if (args.json === true) printJson((await isFolder(args.scan)) ? results : results[0]);
    else for (const result of results) printText(resultText(result, model.plan.foreground));
  },
});

/** What `predict --json` prints of one scan. */
interface PredictedScan {
  readonly mask: string;
  readonly nodes: readonly NodeJson[];
  readonly seconds: number;
  readonly model: {
    readonly trained_on: string;
    readonly network: string;
    readonly steps: number;
    readonly path: string;
  };
}

function resultText({ mask, nodes, seconds, model }: PredictedScan, foreground: string): string {
  const rows = nodes.map(
    ({ id, volume_ml, short_axis_mm, long_axis_mm, side, centroid_lps_mm: [x, y, z] }) => ({
      id,
      volume_ml,
      short_axis_mm,
      long_axis_mm,
      side,
      x,
      y,
      z,
    }),
  );
  const digits = (count: number) => (value: number) => value.toFixed(count);
  const table = textTable(
    [
      { key: "id", title: "body" },
      { key: "volume_ml", title: "volume", unit: "mL", format: digits(2) },
      { key: "short_axis_mm", title: "short axis", unit: "mm", format: digits(1) },
      { key: "long_axis_mm", title: "long axis", unit: "mm", format: digits(1) },
      { key: "side", title: "side" },
      { key: "x", title: "L", unit: "mm", format: digits(1) },
      { key: "y", title: "P", unit: "mm", format: digits(1) },
      { key: "z", title: "S", unit: "mm", format: digits(1) },
    ],
    rows,
  );
  return `${mask}: ${nodes.length} ${nodes.length === 1 ? "body" : "bodies"} of ${foreground} in ${seconds.toFixed(1)} s, by a model trained on ${model.trained_on}\n${nodes.length > 0 ? table : ""}`;
}

/** @throws InputError where the path is missing, or a folder holds no scan. */
async function scansOf(path: string): Promise<string[]> {
  await requirePath(path);
  if (!(await isFolder(path))) return [path];
  const names = await readdir(path).catch((error: unknown) => {
    throw fileError(error, path, "read");
  });
  const scans = names.filter((name) => !name.startsWith(".") && /\.nii(\.gz)?$/i.test(name)).sort();
  if (scans.length === 0)
    throw new InputError(
      `${path} holds no scan, and files that end in .nii.gz or .nii are expected; name another folder.`,
    );
  return scans.map((name) => join(path, name));
}
