// Figures that a person can compute.
import { expect, test } from "vitest";
import { figuresOf } from "./figures.js";

const measurements = {
  lnsnet: { forwardSeconds: [0.6, 0.5, 0.4], stepSeconds: [2, 3, 1], peakMb: 1500 },
  pytorch: { forwardSeconds: [2, 2, 2], stepSeconds: [4, 4, 5], peakMb: 3000 },
  pytorchTuned: null,
  gemmGflops: 100,
  memoryGbPerSecond: 10,
  forwardWork: { nodes: 1, multiplyAdds: 10e9, bytes: 1e9 },
  stepWork: { nodes: 3, multiplyAdds: 30e9, bytes: 5e9 },
};

test("medians, ratios, and shares of the machine's rates", () => {
  const figures = figuresOf(measurements);
  expect(figures).toMatchObject({
    forward_seconds: 0.5,
    step_seconds: 2,
    step_min_seconds: 1,
    peak_mb: 1500,
  });
  expect(figures.pytorch).toMatchObject({ forward_seconds: 2, step_seconds: 4 });
  expect([figures.forward_ratio, figures.step_ratio]).toEqual([0.25, 0.5]);
  // 20 G operations at 100 G a second take 0.2 s of 0.5 s; the gigabyte takes 0.1 s more.
  expect(figures.forward.gemm_fraction).toBeCloseTo(0.4, 12);
  expect(figures.forward.floor_seconds).toBeCloseTo(0.3, 12);
  expect(figures.step.gemm_fraction).toBeCloseTo(0.3, 12);
});

test("without PyTorch its figures are null", () => {
  const figures = figuresOf({ ...measurements, pytorch: null });
  expect([figures.pytorch, figures.pytorch_tuned, figures.forward_ratio, figures.step_ratio]).toEqual(
    new Array(4).fill(null),
  );
});
