import { describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import { type Geometry, indexOfPoint, pointOfIndex, type Vector3, voxelVolumeMm3 } from "../volume/volume.js";
import { generatePatient, type PhantomPatient, phantomNodes } from "./patient.js";

const coarse = { inPlaneSpacingMm: [1.3, 1.3], sliceSpacingMm: [2.5, 2.5] } as const;
const patients = [0, 1, 2, 3].map((index) => generatePatient(7, index, coarse));

describe("generatePatient", () => {
  it("gives the same bits for the same seed and index, and others for others", () => {
    const again = generatePatient(7, 2, coarse);
    expect(Buffer.compare(bytes(again.image.data), bytes(patients[2].image.data))).toBe(0);
    expect(Buffer.compare(bytes(again.instances.data), bytes(patients[2].instances.data))).toBe(0);
    expect(again.nodes).toEqual(patients[2].nodes);
    expect(generatePatient(8, 2, coarse).nodes).not.toEqual(again.nodes);
    expect(patients[1].nodes).not.toEqual(again.nodes);
  });

  it("draws spacing in the promised ranges and never more voxels than allowed", () => {
    for (const index of [0, 1]) {
      const { size, spacingMm } = generatePatient(3, index, { maximumVoxels: 400_000 }).image;
      expect(spacingMm[0]).toBe(spacingMm[1]);
      expect(spacingMm[0]).toBeGreaterThanOrEqual(0.45);
      expect(spacingMm[2]).toBeLessThanOrEqual(3);
      // Rounding of the field to whole voxels may add a little.
      expect(size[0] * size[1] * size[2]).toBeLessThan(400_000 * 1.05);
    }
  });

  it.each(patients.map((patient) => [patient.id, patient] as const))(
    "%s: label is where instances are",
    (_, patient) => {
      const numbers = new Set<number>();
      for (let n = 0; n < patient.label.data.length; n++) {
        if (patient.label.data[n] !== (patient.instances.data[n] > 0 ? 1 : 0)) expect.fail(`voxel ${n}`);
        numbers.add(patient.instances.data[n]);
      }
      expect([...numbers].sort()).toEqual([0, ...patient.nodes.map((node) => node.id)]);
    },
  );

  it.each(patients.map((patient) => [patient.id, patient] as const))(
    "%s: nodes lie in tissue, away from the border",
    (_, patient) => {
      const [nx, ny, nz] = patient.image.size;
      patient.label.data.forEach((label, n) => {
        if (label === 0) return;
        // Fat of a hilum is about −60; air would be −1000.
        expect(patient.image.data[n]).toBeGreaterThan(-250);
        const [i, j, k] = [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))];
        expect(Math.min(i, j, k, nx - 1 - i, ny - 1 - j, nz - 1 - k)).toBeGreaterThan(0);
      });
    },
  );

  it.each(patients.map((patient) => [patient.id, patient] as const))(
    "%s: stated centroid and volume are the label's",
    (_, patient) => {
      for (const node of patient.nodes) {
        const { centroid, volumeMl } = measured(patient, node.id);
        const truth = indexOfPoint(patient.image, node.centroidLpsMm);
        for (let axis = 0; axis < 3; axis++) {
          const found = indexOfPoint(patient.image, centroid)[axis];
          expect(Math.abs(found - truth[axis]), `node ${node.id} axis ${axis}`).toBeLessThan(0.6);
        }
        if (node.shortAxisMm > 7) expect(Math.abs(volumeMl / node.volumeMl - 1)).toBeLessThan(0.13);
      }
    },
  );

  it("stores some grids obliquely and some with reversed axes, all orthonormal", () => {
    const tiny = { inPlaneSpacingMm: [4, 4], sliceSpacingMm: [6, 6] } as const;
    const grids = Array.from({ length: 16 }, (_, index) => generatePatient(5, index, tiny).image);
    for (const grid of grids) expectOrthonormal(grid);
    const oblique = grids.filter((grid) => Math.abs(grid.direction[0]) < 0.99999);
    const reversed = grids.filter((grid) => [0, 4, 8].some((n) => grid.direction[n] < 0));
    expect(oblique.length).toBeGreaterThan(1);
    expect(oblique.length).toBeLessThan(15);
    expect(reversed.length).toBeGreaterThan(1);
    expect(reversed.length).toBeLessThan(15);
    for (const grid of grids)
      for (const n of [0, 4, 8])
        expect(Math.abs(grid.direction[n])).toBeGreaterThan(Math.cos((17 * Math.PI) / 180));
  });

  it("keeps noise in muscle-free fat near the drawn deviation", () => {
    const quiet = generatePatient(7, 0, { ...coarse, noiseHu: [0, 0], obliqueShare: 0 });
    const noisy = generatePatient(7, 0, { ...coarse, noiseHu: [12, 12], obliqueShare: 0 });
    // Middle third of the slices: no shoulders, no teeth. The difference is the noise alone.
    const [nx, ny, nz] = quiet.image.size;
    const differences: number[] = [];
    for (let n = nx * ny * Math.floor(nz * 0.4); n < nx * ny * Math.floor(nz * 0.6); n++) {
      if (quiet.image.data[n] > -900) differences.push(noisy.image.data[n] - quiet.image.data[n]);
    }
    const deviation = Math.sqrt(
      differences.reduce((sum, value) => sum + value * value, 0) / differences.length,
    );
    expect(deviation).toBeGreaterThan(11);
    expect(deviation).toBeLessThan(13);
  });

  it.each([
    { inPlaneSpacingMm: [1, 0.5] as const },
    { sliceSpacingMm: [0, 1] as const },
    { obliqueShare: 2 },
    { fieldMm: [20, 100, 100] as const },
    { maximumVoxels: Number.NaN },
  ])("refuses %j", (options) => {
    expect(() => generatePatient(1, 0, options)).toThrow(InputError);
  });
});

describe("phantomNodes", () => {
  const cohort = Array.from({ length: 40 }, (_, index) => phantomNodes(1, index));
  const nodes = cohort.flat();

  it("gives the nodes that rendering gives", () => {
    expect(phantomNodes(7, 3, coarse)).toEqual(patients[3].nodes);
  });

  it("draws 3 to 9 nodes a patient, 5.5 on average", () => {
    const counts = cohort.map((patient) => patient.length);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(3);
    expect(Math.max(...counts)).toBeLessThanOrEqual(9);
    // Standard error over 40 patients is 1.2 / √40 = 0.19.
    expect(Math.abs(nodes.length / cohort.length - 5.5)).toBeLessThan(0.6);
  });

  it("draws sizes as node cohorts have them", () => {
    const sizes = nodes.map((node) => node.shortAxisMm).sort((a, b) => a - b);
    expect(sizes[0]).toBeGreaterThanOrEqual(3);
    expect(sizes[sizes.length - 1]).toBeLessThanOrEqual(25);
    const median = sizes[Math.floor(sizes.length / 2)];
    expect(median).toBeGreaterThan(7.5);
    expect(median).toBeLessThan(10);
    expect(sizes.filter((size) => size < 4).length / sizes.length).toBeLessThan(0.1);
    expect(sizes.filter((size) => size > 15).length / sizes.length).toBeGreaterThan(0.03);
    for (const node of nodes) expect(node.longAxisMm).toBeGreaterThan(node.shortAxisMm);
  });

  it("has hila, necrosis, and nodes against vessels and muscles", () => {
    const share = (test: (node: (typeof nodes)[number]) => boolean): number =>
      nodes.filter(test).length / nodes.length;
    expect(share((node) => node.kind === "fatty hilum")).toBeGreaterThan(0.07);
    expect(share((node) => node.kind === "fatty hilum")).toBeLessThan(0.25);
    expect(share((node) => node.kind === "necrotic")).toBeGreaterThan(0.07);
    expect(share((node) => node.kind === "necrotic")).toBeLessThan(0.25);
    expect(share((node) => node.touches.includes("jugular vein"))).toBeGreaterThan(0.2);
    expect(share((node) => node.touches.includes("muscle"))).toBeGreaterThan(0.4);
    expect(share((node) => node.touches.includes("airway"))).toBe(0);
  });
});

function bytes(data: Int16Array | Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function measured(patient: PhantomPatient, id: number): { centroid: Vector3; volumeMl: number } {
  const [nx, ny] = patient.image.size;
  const sum: [number, number, number] = [0, 0, 0];
  let count = 0;
  patient.instances.data.forEach((node, n) => {
    if (node !== id) return;
    const point = pointOfIndex(patient.image, [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))]);
    for (let axis = 0; axis < 3; axis++) sum[axis] += point[axis];
    count++;
  });
  const volumeMl = (count * voxelVolumeMm3(patient.image)) / 1000;
  return { centroid: [sum[0] / count, sum[1] / count, sum[2] / count], volumeMl };
}

function expectOrthonormal({ direction: m }: Geometry): void {
  for (let a = 0; a < 3; a++) {
    for (let b = 0; b < 3; b++) {
      const product = m[a] * m[b] + m[3 + a] * m[3 + b] + m[6 + a] * m[6 + b];
      expect(product).toBeCloseTo(a === b ? 1 : 0, 12);
    }
  }
}
