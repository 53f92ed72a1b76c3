// A threshold that moves: logits rise by the same everywhere, for the network as it is run.
import { expect, test } from "vitest";
import { InputError } from "../errors.js";
import { type NetworkSpecification, networkPresets, partsOf } from "../networks/catalogue.js";
import { inferenceModel } from "../networks/inference-model.js";
import { lnsnetDefaults } from "../networks/lnsnet.js";
import { indexedStream, uniform } from "../random.js";
import { nodeRuntime } from "../runtime/node.js";
import { oneClass } from "../transforms/label-scheme.js";
import type { Model } from "./model-file.js";
import { withThreshold } from "./threshold.js";

const patchSize = [16, 16, 16] as const;

function modelOf(network: NetworkSpecification, labels?: Model["plan"]["labels"]): Model {
  const random = indexedStream(1, 0);
  const weights = new Map(
    partsOf(network, patchSize).parameters.map(({ name, shape }) => {
      const length = shape.reduce((product, edge) => product * edge, 1);
      return [name, Float32Array.from({ length }, () => uniform(random, -0.2, 0.2))];
    }),
  );
  const plan = {
    ...{ network, patchSize, spacingMm: [1, 1, 1] as const, window: { lowHu: -200, highHu: 300 } },
    ...{ foreground: "node", dataLabel: "phantom" },
    calibration: { slope: 1, intercept: 0, scans: 1, nodes: 1 },
    ...(labels ? { labels } : {}),
  };
  return { plan, steps: 3, weights };
}

async function logitsOf({ plan, weights }: Model): Promise<Float32Array> {
  const shape = [1, 1, ...patchSize];
  const session = await nodeRuntime.createSession(inferenceModel(plan.network, shape, weights), {
    threads: 1,
  });
  const random = indexedStream(2, 0);
  const data = Float32Array.from({ length: 16 ** 3 }, () => uniform(random, -1, 1));
  const { logits } = await session.run({ image: { shape, data } });
  await session.release();
  return Float32Array.from(logits.data as Float32Array);
}

const small = { ...lnsnetDefaults, stages: [4, 8], depths: [1, 1], decoderDepth: 1 };

test.each([
  ["with a boundary module", small],
  ["without one", { ...small, boundaryModule: false }],
  ["with a stem of half size", { ...small, stem: "half" as const }],
  [
    "with one, and no channels at full resolution",
    { ...small, stem: "half" as const, headChannels: 0, boundaryModule: false },
  ],
])("all logits rise by the same: LNSNet %s", async (_, configuration) => {
  const model = modelOf({ name: "lnsnet", configuration });
  const moved = withThreshold(model, 0.2);
  const [before, after] = [await logitsOf(model), await logitsOf(moved)];
  const rises = after.map((value, at) => value - before[at]);
  expect(Math.min(...rises)).toBeCloseTo(Math.log(4), 4);
  expect(Math.max(...rises)).toBeCloseTo(Math.log(4), 4);
  // What belonged to other probabilities is gone, and the model that was given is as it was.
  expect(moved.plan.calibration).toBeUndefined();
  expect(moved.steps).toBe(3);
  expect(await logitsOf(model)).toEqual(before);
});

test("other networks and exclusive classes are refused", () => {
  expect(() => withThreshold(modelOf(networkPresets["basic-unet"]), 0.3)).toThrow(InputError);
  const classes = [...oneClass("a").classes, ...oneClass("b").classes];
  const exclusive = { ...oneClass("a"), classes, kind: "exclusive" as const };
  const network = { name: "lnsnet", configuration: { ...small, classes: 3 } } as const;
  expect(() => withThreshold(modelOf(network, exclusive), 0.3)).toThrow(/exclude each other/);
});
