// Labels on unevenly spaced and tilted series, through the files as they are read and written: the volume stays.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ReadImage, type SourceSeries, writeRtstruct } from "@lnsnet/core/formats";
import {
  type Geometry,
  type IntegerVoxelArray,
  type PlanarContour,
  type Vector3,
  type Volume,
  voxelCount,
} from "@lnsnet/core/volume";
import { measureNodes } from "@lnsnet/core/voxels";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CtSeries, ctFiles, segFile } from "../dicom.test-helper.js";
import { readImage } from "./imaging.js";
import { readLabels } from "./labels.js";
import { segmentationBytes } from "./writing.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-uneven-"));
});
afterAll(() => rm(folder, { recursive: true }));

const pixels = 40;
const pixelMm = 0.8;

/** An ellipse that a person drew on a slice, by its pixel indices. */
interface Ellipse {
  readonly centre: readonly [number, number];
  readonly halfAxes: readonly [number, number];
}

interface Case {
  /** Of the slices along the normal, from the first. */
  readonly heightsMm: readonly number[];
  /** Of each slice against the one 1 mm below, along its columns. */
  readonly tilt: number;
  /** Of the slices that were drawn on. */
  readonly first: number;
  readonly ellipses: readonly Ellipse[];
}

/** Runs of slices at one distance, the distance another in each run, and a smooth body on some of them. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    runs: fc.array(
      fc.record({
        stepMm: fc.integer({ min: 10, max: 70 }).map((tenths) => tenths / 10),
        count: fc.integer({ min: 1, max: 5 }),
      }),
      { minLength: 3, maxLength: 5 },
    ),
    tilt: fc.constantFrom(0, 0, 0.2),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    to: fc.double({ min: 0, max: 1, noNaN: true }),
    drift: fc.tuple(
      fc.double({ min: -0.1, max: 0.1, noNaN: true }),
      fc.double({ min: -0.1, max: 0.1, noNaN: true }),
    ),
    radii: fc.tuple(fc.double({ min: 8, max: 13, noNaN: true }), fc.double({ min: 8, max: 13, noNaN: true })),
  })
  .map(({ runs, tilt, from, to, drift, radii }) => {
    const steps = runs.flatMap(({ stepMm, count }) => Array.from({ length: count }, () => stepMm));
    const heightsMm = [0];
    for (const step of steps) heightsMm.push(Math.round(10 * (heightsMm[heightsMm.length - 1] + step)) / 10);
    const last = heightsMm.length - 1;
    const [a, b] = [Math.round(from * last), Math.round(to * last)];
    // At least four slices; from the first or to the last one too.
    const first = Math.max(0, Math.min(a, b, last - 3));
    const count = Math.max(4, Math.abs(a - b) + 1);
    const ellipses = Array.from({ length: count }, (_, n): Ellipse => {
      const along = (n + 0.5) / count;
      const size = 0.7 + 0.3 * Math.sin(Math.PI * along);
      return {
        centre: [19.6 + drift[0] * n, 19.7 + drift[1] * n],
        halfAxes: [size * radii[0], size * radii[1]],
      };
    });
    return { heightsMm, tilt, first, ellipses };
  });

function seriesOf({ heightsMm, tilt }: Case): CtSeries {
  return {
    size: [pixels, pixels, heightsMm.length],
    spacingMm: [pixelMm, pixelMm, 1],
    originMm: [-10, -20, 30],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    hu: new Int16Array(pixels * pixels * heightsMm.length),
    patientId: "P1",
    seriesUid: "1.2.3.5",
    frameOfReferenceUid: "1.2.3.4",
    positionsMm: heightsMm.map(
      (height): Vector3 => [-10, Number((-20 + tilt * height).toFixed(4)), 30 + height],
    ),
  };
}

function maskOf({ centre, halfAxes }: Ellipse): Uint8Array {
  return Uint8Array.from({ length: pixels * pixels }, (_, n) =>
    Math.hypot(((n % pixels) - centre[0]) / halfAxes[0], (Math.floor(n / pixels) - centre[1]) / halfAxes[1]) <
    1
      ? 1
      : 0,
  );
}

function contourOf({ centre, halfAxes }: Ellipse, positionMm: Vector3): PlanarContour {
  const corners = 72;
  return {
    pointsMm: Array.from({ length: corners }, (_, n): Vector3 => {
      const angle = (2 * Math.PI * n) / corners;
      return [
        positionMm[0] + pixelMm * (centre[0] + halfAxes[0] * Math.cos(angle)),
        positionMm[1] + pixelMm * (centre[1] + halfAxes[1] * Math.sin(angle)),
        positionMm[2],
      ];
    }),
  };
}

/**
 * Σ area × slab. A slab ends half way to the next slice; beyond the first and the last one it reaches outwards as far as
 * inwards, but no further than the voxels of the scan.
 */
function volumeOf({ heightsMm, first }: Case, areasMm2: readonly number[], scan: Geometry): number {
  const half = scan.spacingMm[2] / 2;
  const last = heightsMm.length - 1;
  return areasMm2.reduce((sum, area, n) => {
    const k = first + n;
    const below =
      k > 0 ? (heightsMm[k] - heightsMm[k - 1]) / 2 : Math.min(half, (heightsMm[1] - heightsMm[0]) / 2);
    const above =
      k < last
        ? (heightsMm[k + 1] - heightsMm[k]) / 2
        : Math.min(half, (heightsMm[last] - heightsMm[last - 1]) / 2);
    return sum + area * (below + above);
  }, 0);
}

async function scanOf(drawn: Case): Promise<ReadImage & { source: SourceSeries }> {
  const path = join(folder, "ct");
  await rm(path, { recursive: true, force: true });
  await mkdir(path);
  await Promise.all(ctFiles(seriesOf(drawn)).map(({ name, bytes }) => writeFile(join(path, name), bytes)));
  const { source, ...image } = await readImage(path);
  if (source === null) throw new Error("The series was not read as DICOM.");
  return { ...image, source };
}

async function readBack(bytes: Uint8Array, reference: ReadImage): Promise<Volume<IntegerVoxelArray>> {
  const path = join(folder, "labels.dcm");
  await writeFile(path, bytes);
  return (await readLabels(path, { reference, pattern: null })).volume;
}

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

function volumeMm3(labels: Volume): number {
  return sum(labels.data) * labels.spacingMm.reduce((product, spacing) => product * spacing, 1);
}

function expectWhole(labels: Volume<IntegerVoxelArray>, volume: number): void {
  expect(Math.abs(volumeMm3(labels) / volume - 1)).toBeLessThan(0.02);
  expect(measureNodes(labels, null, "components")).toHaveLength(1);
}

const context = {
  newUid: () => "1.2.3.900",
  now: new Date(2026, 1, 3),
  algorithm: { name: "peer", version: "1" },
  models: [],
};

test("what others drew on the slices keeps the volume of its slabs within 2 %, in one piece", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (drawn) => {
      const scan = await scanOf(drawn);
      const series = seriesOf(drawn);
      const masks = drawn.ellipses.map(maskOf);
      const frames = masks.map((mask, n) => ({ k: drawn.first + n, mask }));
      const seg = await readBack(segFile(series, frames, 3), scan);
      const pixelAreas = masks.map((mask) => sum(mask) * pixelMm ** 2);
      expectWhole(seg, volumeOf(drawn, pixelAreas, scan.volume));

      const contours = drawn.ellipses.map((ellipse, n) =>
        contourOf(ellipse, series.positionsMm?.[drawn.first + n] ?? [0, 0, 0]),
      );
      const onSlices = { ...scan.source, slices: scan.source.instances };
      const rtstruct = writeRtstruct([{ name: "LN", contours }], onSlices, context);
      // The grid's pixels lie where the first slice's do, and the contour between them where the slices are tilted.
      const areas = drawn.ellipses.map(({ centre: [i, j], halfAxes }, n) => {
        const shift = (drawn.tilt * drawn.heightsMm[drawn.first + n]) / pixelMm;
        return sum(maskOf({ centre: [i, j + shift - Math.floor(shift)], halfAxes })) * pixelMm ** 2;
      });
      expectWhole(await readBack(rtstruct, scan), volumeOf(drawn, areas, scan.volume));
    }),
    { numRuns: 25 },
  );
});

test("what was drawn on the grid that a series is read on comes back: a SEG the same, an RTSTRUCT within 2 %", async () => {
  const bodies = fc.tuple(cases, fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 5 }));
  await fc.assert(
    fc.asyncProperty(bodies, async ([drawn, from, planes]) => {
      const { volume, source, problems } = await scanOf(drawn);
      const [nx, ny, nz] = volume.size;
      const count = Math.min(planes, nz);
      const first = Math.round(from * (nz - count));
      const data = new Uint8Array(voxelCount(volume));
      for (let k = first; k < first + count; k++)
        for (let j = 0; j < ny; j++)
          for (let i = 0; i < nx; i++)
            if (Math.hypot(i - 19.6, j - ny / 2) < 8 + 0.4 * (k - first)) data[i + nx * (j + ny * k)] = 1;
      const labels = { ...volume, data };
      const write = (format: "seg" | "rtstruct") =>
        segmentationBytes(labels, [], source, { format, anonymizeSalt: null });
      const reference = { volume, source, problems };
      const back = await readBack(write("seg"), reference);
      expect(back.data.every((value, n) => value === data[n])).toBe(true);
      expectWhole(await readBack(write("rtstruct"), reference), volumeMm3(labels));
    }),
    { numRuns: 25 },
  );
});
