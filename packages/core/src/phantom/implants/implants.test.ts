// Implants in a phantom as host: its own nodes are known, so what is found of them can be judged.
import { beforeAll, describe, expect, test } from "vitest";
import { medianOf } from "../../statistics/summary.js";
import { reorientToLps } from "../../volume/orientation.js";
import { indexOfPoint, pointOfIndex } from "../../volume/volume.js";
import { generatePatient, type PhantomPatient } from "../patient.js";
import { randomStream } from "../random.js";
import { type Host, prepareHost } from "./host.js";
import { type ImplantedScan, implantLabels, implantNodes } from "./implants.js";
import { drawNode, drawShortAxis } from "./shape.js";
import { measureShape } from "./shape.test-helper.js";

const small = { maximumVoxels: 150_000, obliqueShare: 0, reversedShare: 0 };
let patient: PhantomPatient;
let host: Host;
let scan: ImplantedScan;

beforeAll(() => {
  patient = generatePatient(7, 0, small);
  const prepared = prepareHost(patient.image, { targets: null, organs: null });
  if (prepared === null) throw new Error("the phantom has no place for an implant");
  host = prepared;
  scan = implantNodes(host, 1, 0);
});

describe("a host", () => {
  test("has the HU of its muscle and fat", () => {
    // As drawAnatomy draws them: muscle from 55 to 65 HU, fat from −110 to −92.
    expect(host.muscleHu).toBeGreaterThan(48);
    expect(host.muscleHu).toBeLessThan(72);
    expect(host.fatHu).toBeGreaterThan(-118);
    expect(host.fatHu).toBeLessThan(-84);
  });

  test("has voxels of at most 1.5 mm", () => {
    expect(Math.max(...host.spacingMm)).toBeLessThanOrEqual(1.5);
  });

  test("of an oblique scan has its axes along LPS, and the same tissue at a point", () => {
    const { cos, sin } = Math;
    const turn = 0.15;
    const rotation = [cos(turn), -sin(turn), 0, sin(turn), cos(turn), 0, 0, 0, 1] as const;
    const turned = { ...reorientToLps(patient.image), direction: rotation };
    const oblique = prepareHost(turned, { targets: null, organs: null }, [3, 3, 3]);
    expect(oblique?.direction).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    if (oblique === null) return;
    const differences = [];
    for (let n = 0; n < turned.data.length; n += 997) {
      if (turned.data[n] < -200) continue;
      const [nx, ny] = turned.size;
      const point = pointOfIndex(turned, [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))]);
      const [i, j, k] = indexOfPoint(oblique, point).map(Math.round);
      differences.push(
        Math.abs(oblique.hu[i + oblique.size[0] * (j + oblique.size[1] * k)] - turned.data[n]),
      );
    }
    expect(differences.length).toBeGreaterThan(50);
    // Noise, and up to half a voxel of distance; mirrored or shifted tissue differs by 80.
    expect(medianOf(differences)).toBeLessThan(30);
  });

  test("has no site in bone, air or beyond the skin", () => {
    for (const site of host.sites.filter((_, n) => n % 97 === 0)) {
      expect(host.hu[site]).toBeGreaterThan(-300);
      expect(host.clearanceMm[site]).toBeGreaterThanOrEqual(2);
    }
  });

  test("its own nodes look like nodes, and most of it does not", () => {
    const marked = host.ownNodes.reduce((sum, value) => sum + value, 0) / host.ownNodes.length;
    expect(marked).toBeGreaterThan(0);
    expect(marked).toBeLessThan(0.1);
  });

  test("without a place for an implant there is none", () => {
    const air = { ...patient.image, data: new Int16Array(patient.image.data.length).fill(-1000) };
    expect(prepareHost(air, { targets: null, organs: null })).toBeNull();
  });
});

describe("an implanted scan", () => {
  test("is the same for the same seed, and another for another", () => {
    const again = implantNodes(host, 1, 0);
    // Compared by hand: an assertion on arrays of a million voxels takes seconds.
    const isEqual = (one: ArrayLike<number>, other: ArrayLike<number>) =>
      Array.prototype.every.call(one, (value, n) => value === other[n]);
    expect(isEqual(again.image.data, scan.image.data)).toBe(true);
    expect(isEqual(again.instances.data, scan.instances.data)).toBe(true);
    expect(isEqual(implantNodes(host, 2, 0).instances.data, scan.instances.data)).toBe(false);
  });

  test("has its nodes in the label, each with the volume that is stated", () => {
    expect(scan.nodes.length).toBeGreaterThan(3);
    const [dx, dy, dz] = host.spacingMm;
    for (const { id, volumeMl } of scan.nodes) {
      const voxels = scan.instances.data.filter((value) => value === id).length;
      expect(volumeMl).toBeCloseTo((voxels * dx * dy * dz) / 1000, 9);
    }
    const isNode = (label: number) => label === implantLabels["lymph node"];
    expect(scan.label.data.every((label, n) => isNode(label) === (scan.instances.data[n] !== 0))).toBe(true);
  });

  test("has soft tissue in plain nodes, and leaves the rest of the host as it was", () => {
    for (const { id, kind, volumeMl } of scan.nodes) {
      if (kind !== "plain" || volumeMl < 0.3) continue;
      let sum = 0;
      let count = 0;
      for (let n = 0; n < scan.image.data.length; n++) {
        if (scan.instances.data[n] !== id) continue;
        sum += scan.image.data[n];
        count++;
      }
      expect(sum / count).toBeGreaterThan(host.muscleHu - 60);
      expect(sum / count).toBeLessThan(host.muscleHu + 80);
    }
    const changed = scan.image.data.filter((value, n) => value !== Math.round(host.hu[n])).length;
    expect(changed / scan.image.data.length).toBeLessThan(0.35);
  });

  test("leaves no node in bone or air", () => {
    const closed = scan.instances.data.filter((id, n) => id !== 0 && host.clearanceMm[n] === 0);
    expect(closed).toHaveLength(0);
  });
});

test("drawn nodes have the short axes, elongations and sphericities of real ones", () => {
  const random = randomStream(3, 0, "implants");
  const appearance = { muscleHu: 50, fatHu: -100, enhancementHu: 20 };
  const shapes = Array.from({ length: 70 }, () => {
    const node = drawNode(random, drawShortAxis(random), appearance);
    return { ...node, ...measureShape(node.cells[0]) };
  });
  const quantile = (values: number[], share: number) =>
    values.sort((a, b) => a - b)[Math.floor(share * values.length)];
  const median = (of: (shape: (typeof shapes)[number]) => number) => quantile(shapes.map(of), 0.5);
  expect(median((shape) => shape.shortAxisMm)).toBeGreaterThan(7.5);
  expect(median((shape) => shape.shortAxisMm)).toBeLessThan(11);
  // Drawn nodes of the NIH collections and of HN1 have medians of 1.9 to 2.5 and of 0.79 to 0.82.
  expect(median((shape) => shape.elongation)).toBeGreaterThan(1.6);
  expect(median((shape) => shape.elongation)).toBeLessThan(2.6);
  expect(median((shape) => shape.sphericity)).toBeGreaterThan(0.72);
  expect(median((shape) => shape.sphericity)).toBeLessThan(0.92);
});
