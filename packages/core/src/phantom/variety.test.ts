// The wide phantoms: other scans of the same nodes, and the typical ones as they always were.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { generatePatient } from "./patient.js";

const small = { maximumVoxels: 60_000 };
const hash = (data: Int16Array) =>
  createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");

test("a typical patient is the one that it was before there were others", () => {
  // Written by the version of 2026-11-27.
  expect(hash(generatePatient(3, 1, { maximumVoxels: 700_000 }).image.data).slice(0, 12)).toBe(
    "679949f31305",
  );
});

test("variety changes the scan and not the nodes", () => {
  for (const index of [0, 1, 2]) {
    const typical = generatePatient(5, index, small);
    const wide = generatePatient(5, index, { ...small, variety: "wide" });
    expect(wide.instances.data).toEqual(typical.instances.data);
    expect(wide.nodes).toEqual(typical.nodes);
    expect(hash(wide.image.data)).not.toBe(hash(typical.image.data));
    expect(hash(generatePatient(5, index, { ...small, variety: "wide" }).image.data)).toBe(
      hash(wide.image.data),
    );
  }
});

test("without contrast medium, vessels and nodes are darker, bone and air as they were, and all of it lies where it lay", () => {
  const options = { ...small, obliqueShare: 0, noiseHu: [0, 0] } as const;
  const { image, plain, label, nodes } = generatePatient(5, 0, { ...options, plain: true });
  const alone = generatePatient(5, 0, options);
  expect(hash(alone.image.data)).toBe(hash(image.data));
  expect(alone.plain).toBeNull();
  expect(alone.nodes).toEqual(nodes);
  if (plain === null) throw new Error("no plain scan");
  const { data, ...grid } = plain;
  expect(grid).toEqual({ ...image, data: undefined, ...grid });
  const meanWhere = (values: Int16Array, isMeant: (at: number) => boolean) => {
    const meant = values.filter((_, at) => isMeant(at));
    return meant.reduce((sum, value) => sum + value, 0) / meant.length;
  };
  const isVessel = (at: number) => label.data[at] === 0 && image.data[at] > 140 && image.data[at] < 175;
  const isNode = (at: number) => label.data[at] === 1;
  expect(meanWhere(data, isVessel)).toBeLessThan(meanWhere(image.data, isVessel) - 30);
  expect(meanWhere(data, isNode)).toBeLessThan(meanWhere(image.data, isNode) - 8);
  for (const isMeant of [
    (at: number) => image.data[at] > 700,
    (at: number) => image.data[at] < -900,
    (at: number) => image.data[at] < -80 && image.data[at] > -120,
  ])
    expect(Math.abs(meanWhere(data, isMeant) - meanWhere(image.data, isMeant))).toBeLessThan(3);
});

test("organs lie where their tissue lies, in no node, and change nothing else", () => {
  const options = { ...small, obliqueShare: 0, reversedShare: 0, noiseHu: [0, 0], variety: "wide" } as const;
  for (const index of [0, 3]) {
    const { image, instances, organs } = generatePatient(5, index, { ...options, organs: true });
    const alone = generatePatient(5, index, options);
    expect(alone.organs).toBeNull();
    expect(hash(alone.image.data)).toBe(hash(image.data));
    if (organs === null) throw new Error("no organs");
    const { data, ...grid } = organs;
    expect(image).toMatchObject(grid);
    const voxels = new Map<number, number>();
    for (let at = 0; at < data.length; at++) {
      if (data[at] === 0) continue;
      voxels.set(data[at], (voxels.get(data[at]) ?? 0) + 1);
      if (instances.data[at] !== 0) expect.fail(`voxel ${at} is organ and node`);
    }
    // Spinal canal, four glands, thyroid, six arteries and two veins, as far as the scan reaches.
    expect(voxels.size).toBeGreaterThan(11);
    expect(Math.max(...voxels.keys())).toBeLessThanOrEqual(114);
    const ml = (number: number) =>
      ((voxels.get(number) ?? 0) * image.spacingMm.reduce((product, mm) => product * mm, 1)) / 1000;
    // The canal of ellipses of 10×7 mm, over the scan's height.
    const heightMm = image.size[2] * image.spacingMm[2];
    expect(ml(101) / ((Math.PI * 10 * 6.9 * heightMm) / 1000)).toBeGreaterThan(0.7);
    expect(ml(101) / ((Math.PI * 10 * 6.9 * heightMm) / 1000)).toBeLessThan(1.3);
    // Soft tissue: no organ holds air or bone.
    const means = new Float64Array(256);
    for (let at = 0; at < data.length; at++) means[data[at]] += image.data[at] / (voxels.get(data[at]) ?? 1);
    for (const number of voxels.keys()) expect(Math.abs(means[number] - 100)).toBeLessThan(200);
  }
});

test("nodes are plain in some wide patients and enhanced in others, around the patient's own muscle", () => {
  const means = Array.from({ length: 8 }, (_, index) => {
    const { image, label } = generatePatient(6, index, { ...small, variety: "wide" });
    const inside = image.data.filter((_, n) => label.data[n] === 1);
    return inside.reduce((sum, value) => sum + value, 0) / inside.length;
  });
  // Typical patients lie within 12 HU of each other.
  expect(Math.max(...means) - Math.min(...means)).toBeGreaterThan(20);
});
