// Segments a CT from a program: `node examples/segment.mjs SCAN [MASK]`. Research use only.
import { writeFile } from "node:fs/promises";
import { nodeJson, nodesText, openPredictor, readScan, segment, shippedModel, writeVolume } from "lnsnet";

const [scanPath, maskPath = "nodes.nii.gz"] = process.argv.slice(2);
if (scanPath === undefined) throw new Error("Name a scan: node examples/segment.mjs SCAN [MASK]");

const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("Stopped by Ctrl-C.")));

const scan = await readScan(scanPath);
const predictor = await openPredictor([await shippedModel()], { device: "auto" });
console.error(predictor.deviceNote);
try {
  const whole = await segment(scan, predictor, {
    signal: stop.signal,
    onProgress: (done, total) => console.error(`patch ${done} of ${total}`),
  });
  console.log(nodesText(whole.nodes.map((node) => nodeJson(node, node))));
  await writeFile(maskPath, writeVolume(whole.instances, maskPath));

  // The same function segments single nodes at given points (LPS mm).
  const points = whole.nodes.slice(0, 1).map(({ centroidLpsMm }) => centroidLpsMm);
  const clicked = await segment(scan, predictor, { at: points, signal: stop.signal });
  for (const { pointMm, node, remark } of clicked.clicks) {
    const found = clicked.nodes.find(({ id }) => id === node);
    console.log(`At ${pointMm.map(Math.round).join(", ")}: ${remark ?? `${found.volumeMl.toFixed(2)} mL`}`);
  }
} finally {
  await predictor.release();
}
