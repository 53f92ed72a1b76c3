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

test("nodes are plain in some wide patients and enhanced in others, around the patient's own muscle", () => {
  const means = Array.from({ length: 8 }, (_, index) => {
    const { image, label } = generatePatient(6, index, { ...small, variety: "wide" });
    const inside = image.data.filter((_, n) => label.data[n] === 1);
    return inside.reduce((sum, value) => sum + value, 0) / inside.length;
  });
  // Typical patients lie within 12 HU of each other.
  expect(Math.max(...means) - Math.min(...means)).toBeGreaterThan(20);
});
