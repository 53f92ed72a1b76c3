// The worker: reads a scan and segments it beside the page, which stays responsive.

import modelUrl from "@lnsnet/models/finder.safetensors?url";
import {
  chooseSeries,
  fetchModel,
  InputError,
  listSeries,
  nodeJson,
  nodesHtml,
  openPredictor,
  readSeries,
  readVolume,
  segment,
  segmentationPreviewPng,
  type Volume,
  volumeFormatOf,
  writeNifti,
} from "@lnsnet/web";
import type { News, Order } from "./messages.js";

let stop = new AbortController();

self.addEventListener("message", ({ data }: MessageEvent<Order>) => {
  if (data === "stop") return stop.abort(new InputError("Stopped."));
  stop = new AbortController();
  segmentFiles(data.files, stop.signal).catch((error: unknown) => {
    if (!(error instanceof InputError)) console.error(error);
    tell({ kind: "failed", text: error instanceof Error ? error.message : String(error) });
  });
});

const tell = (news: News) => self.postMessage(news);

async function segmentFiles(files: readonly File[], signal: AbortSignal): Promise<void> {
  const scan = await scanOf(files);
  const model = await fetchModel(modelUrl, signal);
  const predictor = await openPredictor([model], { device: "auto" });
  tell({ kind: "status", text: predictor.deviceNote });
  try {
    const found = await segment(scan, predictor, {
      signal,
      onProgress: (done, total) => tell({ kind: "patch", done, total }),
    });
    const preview = {
      title: files[0].name,
      caption: `model trained on ${model.plan.dataLabel}`,
      className: model.plan.foreground,
    };
    tell({
      kind: "done",
      tableHtml: nodesHtml(found.nodes.map((node) => nodeJson(node, node))),
      picturePng: Uint8Array.from(segmentationPreviewPng(scan, found.instances, found.nodes, preview)),
      maskNifti: Uint8Array.from(writeNifti(found.instances)),
    });
  } finally {
    await predictor.release();
  }
}

async function scanOf(files: readonly File[]): Promise<Volume> {
  const named = files.map((file) => ({
    name: file.name,
    read: async () => new Uint8Array(await file.arrayBuffer()),
  }));
  if (named.length === 1 && volumeFormatOf(named[0].name) !== null)
    return readVolume(await named[0].read(), named[0].name);
  return (await readSeries(chooseSeries(await listSeries(named), undefined))).volume;
}
