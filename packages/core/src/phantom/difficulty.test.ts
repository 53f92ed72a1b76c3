import { expect, it } from "vitest";
import { generatePatient } from "./patient.js";

// A cohort that a threshold can segment teaches nothing: the best window with the best clean-up, chosen with the
// truth at hand for the whole cohort, must stay below a mean DSC of 0.45.
it("cannot be segmented by an intensity window with clean-up", () => {
  const scores = new Map<string, number>();
  const options = { inPlaneSpacingMm: [1.4, 1.4], sliceSpacingMm: [2.5, 2.5] } as const;
  const patients = Array.from({ length: 6 }, (_, index) => generatePatient(11, index, options));
  for (const { image, label } of patients) {
    const voxelMl = (image.spacingMm[0] * image.spacingMm[1] * image.spacingMm[2]) / 1000;
    const truth = label.data.reduce((sum, value) => sum + value, 0);
    for (const [filter, hu] of [
      ["plain", image.data] as const,
      ["mean", meanFilter(image.data, image.size)] as const,
    ]) {
      for (const low of [65, 75, 80, 85, 92]) {
        for (const high of [105, 115, 125, 145]) {
          let mask = new Uint8Array(hu.length);
          for (let n = 0; n < hu.length; n++) if (hu[n] >= low && hu[n] <= high) mask[n] = 1;
          for (const opening of [false, true]) {
            if (opening) mask = neighbours(neighbours(mask, image.size, 7), image.size, 1);
            const components = measureComponents(mask, label.data, image.size);
            for (const leastMl of [0, 0.05, 0.15, 0.3, 0.6]) {
              for (const mostMl of [5, 20, Number.POSITIVE_INFINITY]) {
                let [size, hit] = [0, 0];
                for (const component of components) {
                  const ml = component.size * voxelMl;
                  if (ml < leastMl || ml > mostMl) continue;
                  size += component.size;
                  hit += component.hit;
                }
                const setting = [filter, low, high, opening, leastMl, mostMl].join(" ");
                scores.set(
                  setting,
                  (scores.get(setting) ?? 0) + (2 * hit) / (size + truth) / patients.length,
                );
              }
            }
          }
        }
      }
    }
  }
  const best = [...scores].reduce((a, b) => (b[1] > a[1] ? b : a));
  expect(best[1], `best setting: ${best[0]}`).toBeLessThan(0.45);
  // Nodes do differ from their surroundings: a cohort without any contrast would pass the line above.
  expect(best[1]).toBeGreaterThan(0.15);
});

type Size = readonly [number, number, number];

// 1 where at least `least` of a voxel and its six neighbours are set: 7 erodes, 1 dilates.
function neighbours(mask: Uint8Array, [nx, ny, nz]: Size, least: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(mask.length);
  const plane = nx * ny;
  for (let n = plane; n < plane * (nz - 1); n++) {
    const sum =
      mask[n] + mask[n - 1] + mask[n + 1] + mask[n - nx] + mask[n + nx] + mask[n - plane] + mask[n + plane];
    if (sum >= least) out[n] = 1;
  }
  return out;
}

function meanFilter(hu: Int16Array, [nx, ny]: Size): Float32Array {
  let current = Float32Array.from(hu);
  for (const step of [1, nx, nx * ny]) {
    const next = new Float32Array(hu.length);
    for (let n = step; n < hu.length - step; n++)
      next[n] = (current[n - step] + current[n] + current[n + step]) / 3;
    current = next;
  }
  return current;
}

function measureComponents(
  mask: Uint8Array,
  truth: Uint8Array,
  [nx, ny]: Size,
): { size: number; hit: number }[] {
  const open = Uint8Array.from(mask);
  const found: { size: number; hit: number }[] = [];
  const stack: number[] = [];
  for (let start = 0; start < open.length; start++) {
    if (open[start] === 0) continue;
    const component = { size: 0, hit: 0 };
    open[start] = 0;
    stack.push(start);
    for (let n = stack.pop(); n !== undefined; n = stack.pop()) {
      component.size++;
      component.hit += truth[n];
      for (const step of [1, -1, nx, -nx, nx * ny, -nx * ny]) {
        if (open[n + step] === 1) {
          open[n + step] = 0;
          stack.push(n + step);
        }
      }
    }
    found.push(component);
  }
  return found;
}
