// The worker that makes the example: a synthetic neck, so that nothing of a person ships with the page.
import { generatePatient } from "@lnsnet/core/phantom";

const { image } = generatePatient(2026, 60, {
  inPlaneSpacingMm: [1, 1],
  sliceSpacingMm: [2, 2],
  obliqueShare: 0,
  reversedShare: 0,
});
self.postMessage(image, { transfer: [image.data.buffer] });
