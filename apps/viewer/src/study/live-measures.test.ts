// Measurements are those of the command line, and follow every edit, undo and redo.
import { measureNodes } from "@lnsnet/core/voxels";
import { expect, test, vi } from "vitest";
import { LiveMeasures } from "./live-measures.js";
import { coarseScan, createMeasurer, huIn, type StudyMeasurement } from "./measures.js";
import { createStudy, type Study } from "./study.js";
import { block, evenScan } from "./study.test-helper.js";

function measured(study: Study, measurer: ReturnType<typeof createMeasurer>, number: number) {
  const mask = study.maskOf(number);
  return mask && { measured: measurer(mask, huIn(study.scan, mask)), box: mask };
}

function following(study: Study) {
  const measurer = createMeasurer(coarseScan(study.scan));
  const calls = { count: 0 };
  const measures = new LiveMeasures(study, async (number) => {
    calls.count++;
    return measured(study, measurer, number);
  });
  return { measures, calls };
}

test("are those of the command line, in the whole scan", async () => {
  const study = createStudy(evenScan([20, 20, 10], { spacingMm: [0.7, 0.8, 2.5] }));
  study.scan.data.forEach((_, at, data) => {
    data[at] = (at * 7919) % 100;
  });
  study.addNode(block([3, 4, 2], [9, 7, 5]));
  study.addNode(block([10, 4, 2], [15, 15, 3]));
  study.erase("erase", 2, block([10, 4, 2], [11, 4, 2]));
  const { measures } = following(study);
  await measures.settled();
  const expected = measureNodes(study.labels, study.scan, "labels");
  expect(expected).toHaveLength(2);
  for (const whole of expected) {
    const { edited, sizeClass, ...measured } = measures.of(whole.id) as StudyMeasurement;
    expect(JSON.parse(JSON.stringify(measured), rounded)).toEqual(JSON.parse(JSON.stringify(whole), rounded));
    expect(edited).toEqual({ long: false, short: false });
    expect(sizeClass).toBe("below 10 mm");
  }
});

test("follow every edit, undo and redo", async () => {
  const study = createStudy(evenScan([12, 10, 8]));
  const { measures, calls } = following(study);
  const voxels = async () => {
    await measures.settled();
    return measures.of(1)?.voxels ?? null;
  };
  study.addNode(block([1, 1, 1], [4, 2, 1]));
  expect(measures.isCurrent(1)).toBe(false);
  expect(await voxels()).toBe(8);
  study.erase("erase", 1, block([1, 1, 1], [1, 2, 1]));
  expect(measures.of(1)?.voxels).toBe(8);
  expect(await voxels()).toBe(6);
  study.undo();
  expect(await voxels()).toBe(8);
  study.erase("erase", 1, block([0, 0, 0], [5, 5, 5]));
  expect(await voxels()).toBeNull();
  study.undo();
  expect(await voxels()).toBe(8);
  const before = calls.count;
  study.rename(1, "another");
  for (let k = 2; k < 6; k++) study.paint("brush", 1, block([1, 1, k], [4, 2, k]));
  expect(await voxels()).toBe(40);
  expect(calls.count).toBe(before + 1);
  study.deleteNode(1);
  expect(await voxels()).toBeNull();
  expect(measures.isCurrent(1)).toBe(false);
});

test("a change while a node is measured is measured too; a failure is told to those who wait", async () => {
  const study = createStudy(evenScan([12, 10, 8]));
  const measurer = createMeasurer(coarseScan(study.scan));
  let fails = false;
  const measures = new LiveMeasures(study, async (number) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (fails) throw new Error("worker lost");
    return measured(study, measurer, number);
  });
  study.addNode(block([1, 1, 1], [4, 2, 1]));
  await new Promise((resolve) => setTimeout(resolve, 2));
  study.paint("brush", 1, block([1, 1, 2], [4, 2, 2]));
  await measures.settled();
  expect(measures.of(1)?.voxels).toBe(16);
  fails = true;
  study.undo();
  await expect(measures.settled()).rejects.toThrow("worker lost");
  fails = false;
  study.redo();
  await measures.settled();
  measures.close();
});

test("an axis that a person set stands until it is reset, and gives the size class", async () => {
  const study = createStudy(evenScan([12, 10, 8]));
  study.addNode(block([1, 1, 1], [9, 6, 1]));
  const { measures } = following(study);
  await measures.settled();
  study.setAxis(1, "short", [
    [1, 1, 1],
    [1, 15.97, 1],
  ]);
  expect(measures.of(1)).toMatchObject({
    shortAxisMm: expect.closeTo(14.97, 9),
    edited: { long: false, short: true },
    sizeClass: "15 mm and more",
  });
  study.paint("brush", 1, block([1, 1, 2], [9, 6, 2]));
  await measures.settled();
  expect(measures.of(1)).toMatchObject({ voxels: 108, edited: { short: true } });
  study.resetAxes(1);
  expect(measures.of(1)).toMatchObject({ sizeClass: "below 10 mm", edited: { short: false } });
  study.undo();
  expect(measures.of(1)?.edited.short).toBe(true);
});

const rounded = (_: string, value: unknown) =>
  typeof value === "number" ? Number(value.toPrecision(9)) : value;

test.each([
  ["takes long", 400, 2],
  ["is measured at once", 5, 6],
])("a node that %s is measured as often as that allows while a stroke goes on", async (_, tookMs, times) => {
  vi.useFakeTimers();
  try {
    const study = createStudy(evenScan([12, 10, 8]));
    const measurer = createMeasurer(coarseScan(study.scan));
    let calls = 0;
    const measures = new LiveMeasures(study, async (number) => {
      calls++;
      const read = measured(study, measurer, number);
      await new Promise((resolve) => setTimeout(resolve, tookMs));
      return read;
    });
    study.addNode(block([1, 1, 1], [1, 1, 1]));
    await vi.advanceTimersByTimeAsync(100);
    for (let n = 2; n < 7; n++) {
      study.paint("brush", 1, block([n, 1, 1], [n, 1, 1]));
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(1200);
    expect(measures.isCurrent(1)).toBe(true);
    expect(measures.of(1)?.voxels).toBe(6);
    expect(calls).toBe(times);
  } finally {
    vi.useRealTimers();
  }
});
