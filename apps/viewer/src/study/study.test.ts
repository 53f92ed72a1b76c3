// A study: nodes, what each edit does to them and to their voxels, and that undo and redo take each of them back.
import { describe, expect, test, vi } from "vitest";
import { createStudy, Study } from "./study.js";
import { block, evenScan, voxelsOf } from "./study.test-helper.js";

const small = () => createStudy(evenScan([12, 10, 8]));

describe("adding and correcting", () => {
  test("a node is the mask's free voxels, and has a number, a name and a colour", () => {
    const study = small();
    expect(study.addNode(block([1, 1, 1], [3, 2, 1]), { probability: 0.9, origin: "clicked" })).toBe(1);
    expect(study.addNode(block([3, 1, 1], [4, 1, 1]))).toBe(2);
    expect(voxelsOf(study, 1)).toHaveLength(6);
    expect(voxelsOf(study, 2)).toEqual(["4,1,1"]);
    expect(study.nodes.map(({ name }) => name)).toEqual(["Node 1", "Node 2"]);
    expect(study.node(1)).toMatchObject({
      probability: 0.9,
      origin: "clicked",
      visible: true,
      locked: false,
    });
    expect(study.nodes[0].colour).not.toBe(study.nodes[1].colour);
    expect(() => study.addNode(block([1, 1, 1], [2, 1, 1]))).toThrow("belongs to another node");
    expect(study.nodes).toHaveLength(2);
  });

  test("a correcting click changes its own node alone", () => {
    const study = small();
    study.addNode(block([1, 1, 1], [3, 1, 1]));
    study.addNode(block([5, 1, 1], [6, 1, 1]));
    study.replaceMask(1, block([2, 1, 1], [6, 1, 2]), { probability: 0.7 });
    expect(voxelsOf(study, 1)).toEqual([
      "2,1,1",
      "3,1,1",
      "4,1,1",
      "2,1,2",
      "3,1,2",
      "4,1,2",
      "5,1,2",
      "6,1,2",
    ]);
    expect(voxelsOf(study, 2)).toEqual(["5,1,1", "6,1,1"]);
    expect(study.node(1).probability).toBe(0.7);
    study.undo();
    expect(voxelsOf(study, 1)).toEqual(["1,1,1", "2,1,1", "3,1,1"]);
    expect(study.node(1).probability).toBeNull();
    expect(() => study.replaceMask(1, block([5, 1, 1], [5, 1, 1]))).toThrow("belongs to another node");
    expect(voxelsOf(study, 1)).toHaveLength(3);
  });

  test("numbers are used again only after 255", () => {
    const study = small();
    for (let n = 1; n <= 255; n++) expect(study.addNode(null)).toBe(n);
    expect(() => study.addNode(null)).toThrow("255 nodes");
    study.deleteNode(17);
    expect(study.addNode(null)).toBe(17);
  });
});

describe("fields", () => {
  test("name, colour, hiding and locking are undone and redone one by one", () => {
    const study = small();
    study.addNode(block([0, 0, 0], [1, 1, 1]));
    study.rename(1, "  Level II left ");
    study.setColour(1, "#123456");
    study.setVisible(1, false);
    study.setLocked(1, true);
    const changed = study.node(1);
    expect(changed).toMatchObject({ name: "Level II left", colour: "#123456", visible: false, locked: true });
    expect(
      ["lock", "visibility", "colour", "rename"].map((kind) => [study.nextUndo === kind, study.undo()]),
    ).toEqual(Array.from({ length: 4 }, () => [true, true]));
    expect(study.node(1)).toMatchObject({ name: "Node 1", visible: true, locked: false });
    while (study.redo());
    expect(study.node(1)).toEqual(changed);
  });

  test("what is not allowed is a sentence and leaves no step", () => {
    const study = small();
    study.addNode(block([0, 0, 0], [1, 1, 1]));
    study.setLocked(1, true);
    for (const edit of [
      () => study.rename(1, "x"),
      () => study.deleteNode(1),
      () => study.erase("erase", 1, block([0, 0, 0], [1, 1, 1])),
      () => study.replaceMask(1, block([0, 0, 0], [0, 0, 0])),
      () =>
        study.setAxis(1, "long", [
          [0, 0, 0],
          [1, 1, 1],
        ]),
    ])
      expect(edit).toThrow("Node 1 is locked; unlock it to change it.");
    study.setLocked(1, false);
    study.setVisible(1, false);
    for (const edit of [
      () => study.paint("brush", 1, block([0, 0, 0], [3, 1, 1])),
      () => study.erase("erase", 1, block([0, 0, 0], [1, 1, 1])),
      () => study.replaceMask(1, block([0, 0, 0], [0, 0, 0])),
      () => study.resetAxes(1),
    ])
      expect(edit).toThrow("Node 1 is hidden; show it to change it.");
    study.setVisible(1, true);
    expect(() => study.rename(1, "  ")).toThrow("cannot be empty");
    expect(() => study.setColour(1, "red")).toThrow("is no colour");
    expect(() => study.rename(7, "x")).toThrow("no node 7");
    expect(study.nextUndo).toBe("visibility");
  });
});

test("a deleted node comes back with its voxels, name and axes", () => {
  const study = small();
  study.addNode(block([1, 1, 1], [4, 2, 1]), { name: "mine" });
  study.setAxis(1, "short", [
    [2, 1, 1],
    [2, 2, 1],
  ]);
  const [before, labels] = [study.node(1), study.labels.data.slice()];
  study.deleteNode(1);
  expect(study.nodes).toEqual([]);
  expect(study.labels.data.every((value) => value === 0)).toBe(true);
  study.undo();
  expect(study.node(1)).toBe(before);
  expect(study.labels.data).toEqual(labels);
});

describe("merging and splitting", () => {
  test("merged nodes are one, and two again after undo", () => {
    const study = small();
    study.addNode(block([0, 0, 0], [1, 0, 0]), { probability: 0.4 });
    study.addNode(block([2, 0, 0], [5, 0, 0]));
    const labels = study.labels.data.slice();
    study.merge([2, 1]);
    expect(study.nodes.map(({ number }) => number)).toEqual([2]);
    expect(voxelsOf(study, 2)).toHaveLength(6);
    study.undo();
    expect(study.labels.data).toEqual(labels);
    expect(study.node(1).probability).toBe(0.4);
    expect(() => study.merge([1, 1])).toThrow("at least two");
  });

  test("each component becomes a node; the largest keeps the number", () => {
    const study = small();
    study.addNode(block([0, 0, 0], [0, 0, 0]));
    study.paint("brush", 1, block([4, 4, 4], [6, 4, 4]));
    study.paint("brush", 1, block([9, 9, 7], [9, 9, 7]));
    expect(study.splitComponents(1)).toEqual([2, 3]);
    expect([1, 2, 3].map((number) => voxelsOf(study, number).length)).toEqual([3, 1, 1]);
    expect(study.nodes.map(({ name }) => name)).toEqual(["Node 1", "Node 1 b", "Node 1 c"]);
    expect(() => study.splitComponents(1)).toThrow("in one piece");
    study.undo();
    expect(voxelsOf(study, 1)).toHaveLength(5);
    expect(study.nodes).toHaveLength(1);
  });

  test("a plane in LPS mm cuts a node of a turned scan", () => {
    // i runs along +y, j along −x.
    const study = createStudy(
      evenScan([12, 10, 8], { spacingMm: [2, 1, 1], direction: [0, -1, 0, 1, 0, 0, 0, 0, 1] }),
    );
    study.addNode(block([1, 1, 1], [5, 1, 1]));
    // Centres of i = 1 … 5 lie at y = 2, 4, 6, 8, 10 mm.
    expect(study.splitByPlane(1, [-1, 7, 1], [0, 3, 0])).toBe(2);
    expect(voxelsOf(study, 1)).toEqual(["1,1,1", "2,1,1", "3,1,1"]);
    expect(voxelsOf(study, 2)).toEqual(["4,1,1", "5,1,1"]);
    expect(() => study.splitByPlane(1, [0, 20, 0], [0, 1, 0])).toThrow("does not cut node 1");
    expect(study.nextUndo).toBe("split");
  });
});

describe("painting", () => {
  test("other nodes are taken only when asked for, locked and hidden ones never", () => {
    const study = small();
    study.addNode(null);
    study.addNode(block([1, 0, 0], [1, 0, 0]));
    study.addNode(block([2, 0, 0], [2, 0, 0]));
    study.addNode(block([3, 0, 0], [3, 0, 0]));
    study.setLocked(3, true);
    study.setVisible(4, false);
    const row = block([0, 0, 0], [4, 0, 0]);
    study.paint("brush", 1, row);
    expect([...study.labels.data.subarray(0, 5)]).toEqual([1, 2, 3, 4, 1]);
    study.paint("brush", 1, row, { overOthers: true });
    expect([...study.labels.data.subarray(0, 5)]).toEqual([1, 1, 3, 4, 1]);
    study.erase("erase", 1, row, { overOthers: true });
    expect([...study.labels.data.subarray(0, 5)]).toEqual([0, 0, 3, 4, 0]);
    study.undo();
    study.undo();
    expect([...study.labels.data.subarray(0, 5)]).toEqual([1, 2, 3, 4, 1]);
  });

  test("a step that stays open takes all edits, restarts, and leaves no trace when cancelled", () => {
    const study = small();
    study.addNode(null);
    const before = study.labels.data.slice();
    const step = study.begin("threshold");
    study.replaceMask(1, block([0, 0, 0], [5, 5, 5]));
    expect(study.undo()).toBe(false);
    step.restart();
    expect(study.labels.data).toEqual(before);
    study.replaceMask(1, block([0, 0, 0], [1, 0, 0]));
    study.rename(1, "b");
    step.commit();
    expect(study.nextUndo).toBe("threshold");
    study.undo();
    expect(study.node(1).name).toBe("Node 1");
    expect(study.labels.data).toEqual(before);
    study.redo();
    const cancelled = study.begin("brush");
    study.deleteNode(1);
    cancelled.cancel();
    expect(voxelsOf(study, 1)).toHaveLength(2);
    expect(study.nextUndo).toBe("threshold");
    study.begin("brush").commit();
    expect(study.nextUndo).toBe("threshold");
  });
});

test("listeners hear which voxels and which nodes changed", () => {
  const study = small();
  study.addNode(block([1, 1, 1], [2, 2, 2]));
  study.addNode(block([5, 5, 5], [6, 6, 6]));
  const heard = vi.fn();
  const stop = study.subscribe(heard);
  study.paint("brush", 1, block([2, 2, 2], [5, 5, 5]), { overOthers: true });
  expect(heard.mock.calls[0][0]).toEqual({
    box: { start: [2, 2, 2], size: [4, 4, 4] },
    numbers: new Set([1, 2]),
  });
  heard.mockClear();
  study.undo();
  expect(heard.mock.calls).toEqual([
    [{ box: { start: [2, 2, 2], size: [4, 4, 4] }, numbers: new Set([1, 2]) }],
  ]);
  heard.mockClear();
  study.rename(2, "b");
  expect(heard.mock.calls[0][0]).toEqual({ box: null, numbers: new Set([2]) });
  stop();
  heard.mockClear();
  study.rename(2, "c");
  expect(heard).not.toHaveBeenCalled();
});

test("what is read of a node, and what is stored, is what the labels hold after every change", () => {
  const study = small();
  const check = () => {
    for (const { number } of study.nodes) {
      const mask = study.maskOf(number);
      const whole = study.maskIn(number, { start: [0, 0, 0], size: study.scan.size });
      const count = (data: Uint8Array | undefined) => data?.reduce((sum, value) => sum + value, 0) ?? 0;
      expect(count(mask?.data)).toBe(voxelsOf(study, number).length);
      expect(count(whole)).toBe(voxelsOf(study, number).length);
      expect(mask).toEqual(study.boxOf(number) && { ...study.boxOf(number), data: mask?.data });
      const copy = createStudy(study.scan, [study.stored(number)]);
      expect(copy.labels.data).toEqual(study.labels.data.map((value) => (value === number ? number : 0)));
    }
  };
  const edits: (() => void)[] = [
    () => study.addNode(block([1, 1, 1], [4, 3, 2])),
    () => study.addNode(block([6, 1, 1], [8, 3, 2])),
    () => study.erase("erase", 1, block([2, 1, 1], [2, 3, 2])),
    () => study.paint("brush", 2, block([4, 2, 1], [6, 4, 3]), { overOthers: true }),
    () => study.erase("erase", 2, block([0, 0, 0], [11, 9, 1])),
    () => study.replaceMask(1, block([0, 6, 4], [11, 9, 7])),
    () => study.splitByPlane(1, [5.5, 0, 0], [1, 0, 0]),
    () => study.merge([2, 3]),
    () => study.deleteNode(2),
  ];
  for (const edit of edits) {
    edit();
    check();
  }
  while (study.undo()) check();
  while (study.redo()) check();
  study.restore([{ node: study.node(1), runs: Int32Array.of(0, 3) }]);
  check();
  expect(voxelsOf(study, 1)).toHaveLength(3);
});

test("stored nodes come back", () => {
  const study = small();
  study.addNode(block([1, 1, 1], [4, 2, 3]));
  study.addNode(block([10, 9, 7], [11, 9, 7]), { name: "edge" });
  study.addNode(null, { name: "empty" });
  const again = createStudy(
    study.scan,
    [3, 2, 1].map((number) => study.stored(number)),
  );
  expect(again.labels.data).toEqual(study.labels.data);
  expect(again.nodes).toEqual(study.nodes);
  expect(again.boxOf(2)).toEqual({ start: [10, 9, 7], size: [2, 1, 1] });
  expect(again.nextUndo).toBeNull();
});

test("a study that is only to be read refuses every edit with its sentence", () => {
  const study = small();
  study.addNode(block([1, 1, 1], [4, 2, 3]));
  study.setReadOnly("This study is open in another tab.");
  expect(() => study.rename(1, "b")).toThrow("open in another tab");
  expect(() => study.undo()).toThrow("open in another tab");
  study.setReadOnly(null);
  expect(study.undo()).toBe(true);
});

test("the history forgets its oldest steps, never the latest", () => {
  const study = new Study(evenScan([64, 64, 64]), 50_000);
  study.addNode(null);
  for (let k = 0; k < 64; k++) study.paint("brush", 1, block([0, 0, k], [0, 63, k]));
  let undone = 0;
  while (study.undo()) undone++;
  expect(undone).toBeGreaterThan(20);
  expect(undone).toBeLessThan(60);
  expect(voxelsOf(study, 1)).toHaveLength(64 * (64 - undone));
});
