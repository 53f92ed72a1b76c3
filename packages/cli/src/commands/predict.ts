// lnsnet predict: a scan, or a folder of scans, in; masks, pictures and node measurements out.
import { join, resolve } from "node:path";
import { type NodeJson, nodeJson, nodesText, overlayPng, writeNifti } from "@lnsnet/core";
import { defineCommand } from "citty";
import { realNumber, wholeNumber } from "../arguments.js";
import { caseId } from "../dataset.js";
import { ensureWritableFolder, isFolder, requirePath, writeAtomically } from "../files.js";
import { findImages, type ReadImage, readChosen, readImage } from "../imaging.js";
import { interruptSignal } from "../interrupt.js";
import { asInstances } from "../labels.js";
import { loadModel } from "../model.js";
import { printJson, printText } from "../output.js";
import { createSegmenter, shippedModelPath } from "../prediction.js";
import { createProgress } from "../progress.js";
import { segmentationBytes, segmentationFormats } from "../writing.js";

export const predictCommand = defineCommand({
  meta: { name: "predict", description: "Segment the lymph nodes of a scan, or of every scan of a folder" },
  args: {
    scan: {
      type: "positional",
      description: "a CT: a volume file, a DICOM series in a folder or zip archive; or a folder of several",
      required: true,
    },
    series: {
      type: "string",
      description: "of several DICOM series, the one: its number, UID or a part of its description",
      valueHint: "SERIES",
    },
    dicom: {
      type: "enum",
      description: "for DICOM series, write the nodes as a DICOM object too",
      options: ["seg", "rtstruct"],
    },
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
    const scans = await scansOf(args.scan, args.series);
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
      for (const { id, read } of scans) {
        const start = performance.now();
        const progress = createProgress(id, "patch");
        const { volume: scan, source, problems } = await read();
        for (const problem of problems) progress.note(`lnsnet: ${problem}`);
        const found = await segmenter.segment(scan, (done, total) => progress.update({ done, total }));
        const mask = join(args.output, `${id}.nii.gz`);
        await writeAtomically(mask, writeNifti(found.mask, { description: "lnsnet, research use only" }));
        const format = segmentationFormats.find((one) => one === args.dicom);
        if (format !== undefined && source !== null && found.nodes.length > 0) {
          const options = { format, anonymizeSalt: null };
          const bytes = segmentationBytes(asInstances(found.mask), [], source, options);
          await writeAtomically(join(args.output, `${id}.${format}.dcm`), bytes);
        }
        if (args.pictures) {
          const caption = `${id} - model trained on ${model.plan.dataLabel} - research use only`;
          await writeAtomically(
            join(args.output, `${id}.png`),
            overlayPng(scan, null, found.mask, { caption }),
          );
        }
        progress.finish();
        results.push({
          mask,
          nodes: found.nodes.map((node) => nodeJson(node)),
          seconds: (performance.now() - start) / 1000,
          model: description,
        });
      }
    } finally {
      await segmenter.release();
    }
    if (args.json === true) printJson(scans.length > 1 || holdsFiles(scans) ? results : results[0]);
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
  return `${mask}: ${nodes.length} ${nodes.length === 1 ? "body" : "bodies"} of ${foreground} in ${seconds.toFixed(1)} s, by a model trained on ${model.trained_on}\n${nodes.length > 0 ? nodesText(nodes) : ""}`;
}

interface NamedScan {
  readonly id: string;
  /** Whether it is a volume file of a folder, which is answered as a list however many there are. */
  readonly isOfFolder: boolean;
  readonly read: () => Promise<ReadImage>;
}

const holdsFiles = (scans: readonly NamedScan[]) => scans.some(({ isOfFolder }) => isOfFolder);

/**
 * The scans of a path: the file itself, or of a folder every volume file and every CT series that can be read.
 *
 * @throws InputError where the path is missing, or a folder holds no scan
 */
async function scansOf(path: string, wanted: string | undefined): Promise<NamedScan[]> {
  await requirePath(path);
  const one: NamedScan = {
    id: caseId(resolve(path)),
    isOfFolder: false,
    read: () => readImage(path, wanted),
  };
  if (wanted !== undefined || !(await isFolder(path))) return [one];
  const { series, volumes } = await findImages(path);
  const readable = series.filter(({ problems }) => !problems.some(({ isRefused }) => isRefused));
  // Reading the path as one scan says why, where nothing can be read.
  if (readable.length + volumes.length === 0) return [one];
  return [
    ...volumes.map(({ name, read }) => ({ id: caseId(name), isOfFolder: true, read })),
    ...readable.map((choice, n) => ({
      id: readable.length === 1 ? one.id : `${one.id}_${n + 1}`,
      isOfFolder: false,
      read: () => readChosen(choice),
    })),
  ];
}
