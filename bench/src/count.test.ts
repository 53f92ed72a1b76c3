// Counts that a person can make on paper.

import { type NetworkSpecification, networkPresets, profileNetwork } from "@lnsnet/core";
import { lnsnetNetwork } from "@lnsnet/core/networks";
import { expect, test } from "vitest";
import { forwardWork, stepWork, totalWork } from "./count.js";

const small: NetworkSpecification<"lnsnet"> = {
  name: "lnsnet",
  configuration: { ...lnsnetNetwork.presets["lnsnet-small"], stages: [8], depths: [0], dropPath: 0 },
};
const image = [1, 1, 4, 4, 4];

test("a forward pass counts each convolution by its output and kernel", () => {
  const configuration = {
    ...small.configuration,
    depthwiseSeparable: "none" as const,
    boundaryModule: false,
  };
  const work = forwardWork({ ...small, configuration }, image);
  // Stem 1 → 8 at 1³ and logits 8 → 1 at 3³ on 64 voxels; the second reads what the first wrote.
  const multiplyAdds = 64 * 8 + 64 * 8 * 27;
  const elements = 64 + (8 + 8) + 64 * 8 + (64 * 8 + (8 * 27 + 1) + 64);
  expect(work).toEqual(new Map([["convolution", { nodes: 2, multiplyAdds, bytes: 4 * elements }]]));
});

test("a forward pass has the multiply-adds that the profile states", () => {
  expect(totalWork(forwardWork(small, image)).multiplyAdds).toBe(
    profileNetwork(small, image.slice(2)).multiplyAdds,
  );
});

test("a training step has about three times the multiply-adds of a forward pass, and more than three times the bytes", () => {
  const network = networkPresets["lnsnet-small"];
  const forward = totalWork(forwardWork(network, [1, 1, 16, 16, 16]));
  const step = totalWork(stepWork(network, [1, 1, 16, 16, 16]));
  expect(step.multiplyAdds / forward.multiplyAdds).toBeGreaterThan(2.8);
  expect(step.multiplyAdds / forward.multiplyAdds).toBeLessThan(3.2);
  expect(step.bytes).toBeGreaterThan(3 * forward.bytes);
});
