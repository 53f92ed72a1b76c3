// Fill, interpolation, growing and shrinking; and of all edits together: undo and redo are exact, locked and hidden nodes stay.
import { InputError } from "@lnsnet/core";
import { pointOfIndex, type Vector3 } from "@lnsnet/core/volume";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fillHolesOf, fillRegion, growNode, interpolateNode, shrinkNode } from "./edits.js";
import { beginStroke } from "./stroke.js";
import { createStudy, type Study } from "./study.js";
import { block, evenScan, oblique, voxelsOf } from "./study.test-helper.js";
import { vector } from "./voxel-box.js";

const axial: Vector3 = [0, 0, 1];

describe("filling", () => {
  const ring = () => {
    const study = createStudy(evenScan([10, 10, 3]));
    study.addNode(block([2, 2, 1], [6, 6, 1]));
    study.erase("erase", 1, block([3, 3, 1], [5, 5, 1]));
    return study;
  };

  test("closes the holes of a node in slices, but takes no other node", () => {
    const study = ring();
    study.addNode(block([4, 4, 1], [4, 4, 1]));
    fillHolesOf(study, 1, axial);
    expect(voxelsOf(study, 1)).toHaveLength(24);
    expect(voxelsOf(study, 2)).toEqual(["4,4,1"]);
    expect(study.nextUndo).toBe("fill");
    expect(() => fillHolesOf(study, 1, axial)).toThrow("has no hole");
  });

  test("a point inside an outline fills it; outside, or where the outline is open, it says so", () => {
    const study = ring();
    fillRegion(study, 1, [3.2, 4, 1], axial);
    expect(voxelsOf(study, 1)).toHaveLength(25);
    study.undo();
    for (const point of [
      [0, 0, 1],
      [4, 2, 1],
      [4, 4, 9],
    ] as const)
      expect(() => fillRegion(study, 1, point, axial)).toThrow("No closed outline");
    study.erase("erase", 1, block([4, 2, 1], [4, 2, 1]));
    expect(() => fillRegion(study, 1, [4, 4, 1], axial)).toThrow("No closed outline");
    // In the coronal slice the region reaches the border of the scan.
    expect(() => fillRegion(ring(), 1, [4, 4, 1], [0, 1, 0])).toThrow("No closed outline");
  });
});

describe("interpolation", () => {
  test("between two equal squares draws the same square", () => {
    const study = createStudy(evenScan([12, 12, 9]));
    study.addNode(block([2, 3, 1], [6, 8, 1]));
    study.paint("brush", 1, block([2, 3, 5], [6, 8, 5]));
    interpolateNode(study, 1);
    expect(voxelsOf(study, 1)).toEqual(voxelsOf(withNode(block([2, 3, 1], [6, 8, 5]), [12, 12, 9]), 1));
    study.undo();
    expect(voxelsOf(study, 1)).toHaveLength(60);
    study.redo();
    expect(() => interpolateNode(study, 1)).toThrow("no empty slice");
  });

  test("follows a slanting node whose outlines do not overlap", () => {
    const study = createStudy(evenScan([24, 6, 5]));
    study.addNode(block([1, 1, 0], [4, 4, 0]));
    study.paint("brush", 1, block([17, 1, 4], [20, 4, 4]));
    interpolateNode(study, 1);
    for (const k of [1, 2, 3])
      expect(voxelsOf(study, 1).filter((voxel) => voxel.endsWith(`,${k}`))).toEqual(
        voxelsOf(withNode(block([1 + 4 * k, 1, k], [4 + 4 * k, 4, k]), [24, 6, 5]), 1),
      );
  });

  test("of three slices of a sphere is nearly the sphere, across any axis and spacing", () => {
    const scan = evenScan([30, 30, 30], { spacingMm: [0.8, 1, 1.2], direction: oblique });
    const centre = pointOfIndex(scan, [15, 15, 15]);
    for (const axis of [0, 1, 2]) {
      const whole = createStudy(scan);
      beginStroke(whole, { ...brushOf(8), number: null, isErasing: false }, centre).end();
      const mask = whole.maskOf(1) ?? block([0, 0, 0], [0, 0, 0]);
      const study = createStudy(scan);
      study.addNode(null);
      for (let n = 0; n < mask.size[axis]; n += 3) {
        const slab = block(
          vector((other) => (other === axis ? mask.start[axis] + n : 0)),
          vector((other) => (other === axis ? mask.start[axis] + n : 29)),
        );
        const inside = slab.data.map((_, at) => whole.labels.data[offsetIn(scan.size, slab, at)]);
        study.paint("brush", 1, { ...slab, data: inside });
      }
      interpolateNode(study, 1);
      const [drawn, expected] = [new Set(voxelsOf(study, 1)), new Set(voxelsOf(whole, 1))];
      const shared = [...drawn].filter((voxel) => expected.has(voxel)).length;
      expect((2 * shared) / (drawn.size + expected.size)).toBeGreaterThan(0.95);
    }
  });
});

describe("growing and shrinking", () => {
  test("by mm, on a grid whose spacing differs by axis", () => {
    const study = createStudy(evenScan([11, 11, 11], { spacingMm: [1, 2, 3] }));
    study.addNode(block([5, 5, 5], [5, 5, 5]));
    growNode(study, 1, 3);
    // Along i 3 voxels each way, along j 1, along k 1; with 2 mm of j another √5 mm along i.
    expect(voxelsOf(study, 1)).toHaveLength(7 + 2 * 5 + 2);
    shrinkNode(study, 1, 1);
    expect(voxelsOf(study, 1)).not.toContain("8,5,5");
    expect(voxelsOf(study, 1)).toContain("5,5,5");
    study.undo();
    study.undo();
    expect(voxelsOf(study, 1)).toEqual(["5,5,5"]);
  });

  test("says when nothing or all of it would change", () => {
    const study = withNode(block([2, 2, 2], [4, 4, 4]), [8, 8, 8]);
    expect(() => growNode(study, 1, 0.5)).toThrow("Node 1 grows by no voxel with 0.5 mm; give more.");
    expect(() => shrinkNode(study, 1, 0.5)).toThrow("shrinks by no voxel");
    expect(() => shrinkNode(study, 1, 5)).toThrow("leaves nothing of it");
    expect(study.nextUndo).toBe("add");
  });

  test("takes no voxel of another node", () => {
    const study = withNode(block([2, 2, 2], [3, 3, 3]), [8, 8, 8]);
    study.addNode(block([4, 2, 2], [5, 3, 3]));
    const before = voxelsOf(study, 2);
    growNode(study, 1, 2);
    expect(voxelsOf(study, 2)).toEqual(before);
  });
});

describe("all edits, in any order", () => {
  const size: Vector3 = [9, 8, 7];
  const index = fc.tuple(fc.nat(8), fc.nat(7), fc.nat(6));
  const box = fc.tuple(index, index).map(([a, b]) =>
    block(
      vector((axis) => Math.min(a[axis], b[axis])),
      vector((axis) => Math.max(a[axis], b[axis])),
    ),
  );
  const number = fc.integer({ min: 1, max: 4 });
  const flag = fc.boolean();
  const edit: fc.Arbitrary<(study: Study) => unknown> = fc.oneof(
    box.map((mask) => (study: Study) => study.addNode(mask)),
    fc.tuple(number, box).map(
      ([n, mask]) =>
        (study: Study) =>
          study.replaceMask(n, mask, { probability: 0.5 }),
    ),
    fc
      .tuple(number, flag, flag, flag, index, index, fc.integer({ min: 1, max: 5 }))
      .map(([n, isErasing, overOthers, isRound, from, to, radiusMm]) => (study: Study) => {
        const brush = { radiusMm, planeNormal: isRound ? null : axial, limits: null };
        const stroke = beginStroke(study, { number: n, isErasing, overOthers, brush }, from);
        stroke.to(to);
        stroke.end();
      }),
    number.map((n) => (study: Study) => fillHolesOf(study, n, axial)),
    fc.tuple(number, index).map(
      ([n, at]) =>
        (study: Study) =>
          fillRegion(study, n, at, [1, 0, 0]),
    ),
    number.map((n) => (study: Study) => interpolateNode(study, n)),
    fc.tuple(number, fc.integer({ min: 1, max: 3 })).map(
      ([n, mm]) =>
        (study: Study) =>
          growNode(study, n, mm),
    ),
    fc.tuple(number, fc.integer({ min: 1, max: 3 })).map(
      ([n, mm]) =>
        (study: Study) =>
          shrinkNode(study, n, mm),
    ),
    fc.tuple(number, fc.string({ maxLength: 3 })).map(
      ([n, name]) =>
        (study: Study) =>
          study.rename(n, name),
    ),
    fc.tuple(number, flag).map(
      ([n, visible]) =>
        (study: Study) =>
          study.setVisible(n, visible),
    ),
    number.map((n) => (study: Study) => study.deleteNode(n)),
    fc.tuple(number, number).map((numbers) => (study: Study) => study.merge(numbers)),
    number.map((n) => (study: Study) => study.splitComponents(n)),
    fc.tuple(number, index).map(
      ([n, at]) =>
        (study: Study) =>
          study.splitByPlane(n, at, [1, 1, 0]),
    ),
    fc.tuple(number, index, index).map(
      ([n, ...ends]) =>
        (study: Study) =>
          study.setAxis(n, "long", ends),
    ),
  );
  const edits = fc.array(edit, { minLength: 1, maxLength: 25 });

  /** What a person sees of a study. */
  const seen = (study: Study) => ({ nodes: study.nodes, labels: study.labels.data.slice() });

  test("undo gives the first state back, redo the last, at any place between them", () => {
    fc.assert(
      fc.property(edits, fc.nat(25), (all, back) => {
        const study = withNode(block([1, 1, 1], [4, 4, 4]), size);
        study.addNode(block([5, 5, 5], [7, 7, 6]));
        const states = [seen(study)];
        for (const one of all) {
          const before = study.nextUndo;
          attempt(() => one(study));
          const after = seen(study);
          const hasChanged =
            study.nodes !== states[states.length - 1].nodes || !equal(after, states[states.length - 1]);
          if (hasChanged) states.push(after);
          else expect(study.nextUndo).toBe(before);
        }
        for (let at = states.length - 2; at >= 0; at--) {
          study.undo();
          expect(equal(seen(study), states[at])).toBe(true);
        }
        for (let at = 1; at < states.length; at++) {
          study.redo();
          expect(equal(seen(study), states[at])).toBe(true);
        }
        expect(study.redo()).toBe(false);
        for (let n = 0; n < Math.min(back, states.length - 1); n++) study.undo();
        for (let n = 0; n < Math.min(back, states.length - 1); n++) study.redo();
        expect(equal(seen(study), states[states.length - 1])).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test("a locked node keeps its voxels and fields, a hidden one its voxels, and every node's box holds its voxels", () => {
    fc.assert(
      fc.property(edits, (all) => {
        const study = withNode(block([1, 1, 1], [4, 4, 4]), size);
        study.addNode(block([5, 5, 5], [7, 7, 6]));
        study.setLocked(1, true);
        const voxels = voxelsOf(study, 1);
        for (const one of all) {
          const hidden = study.nodes.filter(({ visible }) => !visible);
          const before = hidden.map(({ number }) => voxelsOf(study, number));
          attempt(() => one(study));
          hidden.forEach(({ number }, at) => {
            if (study.nodes.some((node) => node.number === number))
              expect(voxelsOf(study, number)).toEqual(before[at]);
          });
        }
        expect(voxelsOf(study, 1)).toEqual(voxels);
        expect({ ...study.node(1), visible: true }).toMatchObject({
          name: "Node 1",
          locked: true,
          probability: null,
        });
        for (const node of study.nodes) {
          const held = study.maskOf(node.number)?.data.reduce((sum, value) => sum + value, 0) ?? 0;
          expect(held).toBe(voxelsOf(study, node.number).length);
        }
      }),
      { numRuns: 150 },
    );
  });

  /** Edits that are not allowed are refused with a sentence; any other error fails the test. */
  function attempt(work: () => unknown): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }

  function equal(a: ReturnType<typeof seen>, b: ReturnType<typeof seen>): boolean {
    return (
      Buffer.from(a.labels.buffer).equals(Buffer.from(b.labels.buffer)) &&
      a.nodes.length === b.nodes.length &&
      a.nodes.every((node, at) => node === b.nodes[at])
    );
  }
});

const brushOf = (radiusMm: number) => ({ brush: { radiusMm, planeNormal: null, limits: null } });

function withNode(mask: ReturnType<typeof block>, size: Vector3): Study {
  const study = createStudy(evenScan(size));
  study.addNode(mask);
  return study;
}

/** The offset in the grid of a voxel of a box. */
function offsetIn(grid: Vector3, { start, size }: ReturnType<typeof block>, at: number): number {
  const [i, j, k] = [at % size[0], Math.floor(at / size[0]) % size[1], Math.floor(at / (size[0] * size[1]))];
  return start[0] + i + grid[0] * (start[1] + j + grid[1] * (start[2] + k));
}
