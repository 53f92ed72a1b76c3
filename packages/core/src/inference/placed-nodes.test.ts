// A node put among others never loses another one, and the same node put again changes nothing.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crop } from "../volume/crop.js";
import type { Vector3 } from "../volume/volume.js";
import { placeNode } from "./placed-nodes.js";
import { row, textOf } from "./voxel-row.test-helper.js";

describe("where a new node, number 9, comes to lie", () => {
  test.each<[string, string, string, string, number, string]>([
    ["apart from all", "11......", ".....##.", "11...99.", 9, "added"],
    ["on most of a node, which it refines", ".1111...", "..#####.", "..11111.", 1, "refined"],
    ["within a node, most of which it is", "11111...", ".###....", ".111....", 1, "refined"],
    ["within a much larger node, out of which it is cut", "11111111", ".##.....", "19911111", 9, "added"],
    ["on a little of a neighbour, which keeps it", "1111....", "...####.", "1111999.", 9, "added"],
    ["on two, the larger share of which is refined", "1122222.", "########", "11222222", 2, "refined"],
    ["on parts of two that hold all of it", "1111.222", "...#.#..", "1111.222", 1, "covered"],
  ])("%s", (_, standing, drawn, expected, number, as) => {
    const instances = row(standing);
    const mask = row(drawn.replaceAll("#", "1"));
    expect(placeNode(instances, { mask, start: [0, 0, 0] }, 9)).toEqual({ number, as });
    expect(textOf(instances)).toBe(expected);
  });
});

const numbers = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 24, maxLength: 24 });
const marks = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 8, maxLength: 8 });

test("all other nodes keep their voxels, but for the one that it is cut out of; placing it again changes nothing", () => {
  fc.assert(
    fc.property(numbers, marks, fc.integer({ min: 0, max: 16 }), (standing, marked, first) => {
      fc.pre(marked.includes(1));
      const instances = row(standing.map((number) => number || ".").join(""));
      const before = [...instances.data];
      const start: Vector3 = [first, 0, 0];
      const mask = { ...crop(instances, start, [8, 1, 1]), data: Uint8Array.from(marked) };
      const { number, as } = placeNode(instances, { mask, start }, 9);
      const changed = new Set(before.filter((id, at) => id !== 0 && id !== instances.data[at]));
      expect(changed.size).toBeLessThanOrEqual(1);
      // No node is gone.
      for (const id of new Set(before)) expect([...instances.data, 0]).toContain(id);
      const once = textOf(instances);
      if (as === "covered") expect([...instances.data]).toEqual(before);
      else {
        expect(placeNode(instances, { mask, start }, 8).number).toBe(number);
        expect(textOf(instances)).toBe(once);
      }
    }),
  );
});
