import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { measureNodes } from "../voxels/node-measurement.js";
import { matchNodes, type NodeOverlap, nodeInstances, overlapsOfNodes } from "./node-matching.js";
import { rowOf } from "./row.test-helper.js";

describe("nodes of a mask", () => {
  test("are connected bodies, the largest first, equal ones by place", () => {
    expect([...nodeInstances(rowOf("1.11.3.22"), "components").data].join("")).toBe("301104022");
  });

  test("are its labels, where these are requested", () => {
    expect([...nodeInstances(rowOf("1.11.3"), "labels").data].join("")).toBe("101103");
  });

  test("have the numbers that measureNodes gives them", () => {
    const rows = fc.array(fc.constantFrom(0, 0, 1), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(rows, (digits) => {
        const row = rowOf(digits.join(""));
        const voxelsOf = (nodes: ReturnType<typeof measureNodes>) =>
          nodes.map(({ id, voxels }) => [id, voxels]);
        const numbered = measureNodes(nodeInstances(row, "components"), null, "labels");
        expect(voxelsOf(numbered)).toEqual(voxelsOf(measureNodes(row)));
      }),
    );
  });
});

test("pairs that share voxels, with their IoU", () => {
  expect(overlapsOfNodes(rowOf("111.2.4"), rowOf(".3333.7"))).toEqual({
    truthIds: [1, 2, 4],
    predictionIds: [3, 7],
    overlaps: [
      { truthId: 1, predictionId: 3, iou: 2 / 5 },
      { truthId: 2, predictionId: 3, iou: 1 / 4 },
      { truthId: 4, predictionId: 7, iou: 1 },
    ],
  });
});

describe("hits", () => {
  test.each([
    { name: "an IoU of 0.3 is not enough", iou: 0.3, hits: 0 },
    { name: "a little more is", iou: 0.3001, hits: 1 },
  ])("$name", ({ iou, hits }) => {
    expect(matchNodes([{ truthId: 1, predictionId: 1, iou }])).toHaveLength(hits);
  });

  test("the best pair is kept even where two poorer ones could be had", () => {
    const { overlaps } = overlapsOfNodes(rowOf("1112"), rowOf("2111"));
    expect(overlaps).toHaveLength(3);
    expect(matchNodes(overlaps)).toEqual([{ truthId: 1, predictionId: 1, iou: 1 / 2 }]);
  });

  test("a node that is predicted in two halves is one hit", () => {
    const { overlaps } = overlapsOfNodes(rowOf("11111"), rowOf("11.22"));
    expect(matchNodes(overlaps)).toEqual([{ truthId: 1, predictionId: 1, iou: 2 / 5 }]);
  });

  test("no node has two partners, and no better pair was passed over", () => {
    const pairs = fc.uniqueArray(
      fc.record({
        truthId: fc.integer({ min: 1, max: 5 }),
        predictionId: fc.integer({ min: 1, max: 5 }),
        iou: fc.integer({ min: 1, max: 10 }).map((tenths) => tenths / 10),
      }),
      { selector: ({ truthId, predictionId }) => truthId * 10 + predictionId },
    );
    fc.assert(
      fc.property(pairs, (overlaps) => {
        const hits = matchNodes(overlaps);
        expect(new Set(hits.map(({ truthId }) => truthId)).size).toBe(hits.length);
        expect(new Set(hits.map(({ predictionId }) => predictionId)).size).toBe(hits.length);
        const meets = (a: NodeOverlap, b: NodeOverlap) =>
          a.truthId === b.truthId || a.predictionId === b.predictionId;
        for (const pair of overlaps) {
          const chosen = hits.filter((hit) => meets(hit, pair));
          expect(pair.iou <= 0.3 || chosen.some(({ iou }) => iou >= pair.iou)).toBe(true);
        }
      }),
    );
  });
});
