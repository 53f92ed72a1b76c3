// The recipe beside an exported network is complete: whoever follows it alone finds the probabilities that lnsnet finds.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withThreshold } from "@lnsnet/core/models";
import { openPredictor, shippedModel } from "lnsnet";
import ort from "onnxruntime-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lnsnetIn } from "../packages/cli/src/command.test-helper.js";
import { probability } from "./onnx.mjs";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-onnx-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("the exported network gives the predictor's probabilities by its JSON and ONNX Runtime alone", async () => {
  // So small a scan holds nothing that the finder takes for a node; at this threshold its probabilities are not all near 0.
  const threshold = ["--threshold", "0.001"];
  const made = await lnsnetIn(folder, [
    ...["export", "--patch", "16,24,16", "--output", "network.onnx", ...threshold],
  ]);
  expect(made.code, made.stderr).toBe(0);
  const recipe = JSON.parse(await readFile(join(folder, "network.json"), "utf8"));

  // Longer than a patch along x, as long along y, shorter along z; air below, soft tissue and what is beyond the window above, and
  // a ball like a node in fat.
  const size = [28, 24, 13];
  const hu = Int16Array.from({ length: 28 * 24 * 13 }, (_, n) => {
    const fromNode = Math.hypot((n % 28) - 14, (Math.floor(n / 28) % 24) - 12, Math.floor(n / 672) - 6);
    if (fromNode < 11) return fromNode < 4.5 ? 50 : -90;
    return n < 17 * 24 * 13 ? -1000 : ((n * 7919) % 700) - 250;
  });
  const session = await ort.InferenceSession.create(join(folder, recipe.onnx));
  const found = await probability(hu, size, recipe, async (image: Float32Array) => {
    const feeds = { [recipe.input.name]: new ort.Tensor(recipe.input.type, image, recipe.input.shape) };
    return (await session.run(feeds))[recipe.output.name].data;
  });
  await session.release();

  const model = withThreshold(await shippedModel(), 0.001);
  const { lowHu, highHu } = model.plan.window;
  const plan = { ...model.plan, patchSize: recipe.patches.size_zyx };
  const predictor = await openPredictor([{ ...model, plan }]);
  const [expected] = await predictor.probability(
    {
      size: [13, 24, 28],
      spacingMm: model.plan.spacingMm,
      originMm: [0, 0, 0],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      hu: hu.map((value) => Math.min(Math.max(value, lowHu), highHu)),
    },
    { overlap: recipe.patches.overlap },
  );
  await predictor.release();
  const { data } = expected.probability;
  expect(Math.max(...data)).toBeGreaterThan(0.1);
  expect(Math.max(...data.map((value, n) => Math.abs(value - found[n])))).toBeLessThan(1e-5);
});

test("neither the ONNX file nor its recipe replaces a file that stands there", async () => {
  const again = (...tokens: string[]) => lnsnetIn(folder, ["export", "--patch", "8,8,8", ...tokens]);
  expect(await again("--output", "network.onnx")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("network.onnx exists"),
  });
  await rm(join(folder, "network.onnx"));
  expect(await again("--output", "network.onnx")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("network.json exists"),
  });
  expect((await again("--output", "network.onnx", "--force")).code).toBe(0);
});
