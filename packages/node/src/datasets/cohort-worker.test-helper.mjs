// Worker thread of a generator for tests: small boxes.
// Not by the package's entry point, which takes long to load.
import { writeCohortCase } from "../../dist/datasets/cohort-case.js";

const grid = {
  size: [4, 4, 4],
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};

export async function run({ folder, case: of, options }) {
  const values = Uint8Array.from({ length: 64 }, (_, n) => (n < options.voxels ? 1 : 0));
  const volume = { ...grid, data: values };
  const nodes = [{ node: 1, voxels: options.voxels, weight: of.weight }];
  await writeCohortCase(
    folder,
    of,
    {
      ...{ images: Array(of.channels ?? 1).fill(volume), label: volume, instances: volume, nodes },
      organs: of.organs ? volume : null,
    },
    "boxes",
  );
  return { value: null };
}
