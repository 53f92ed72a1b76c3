// What drawing costs on the volume of the spike that compared Cornerstone3D with NiiVue: 512 × 512 × 300, oblique.
import { pointOfIndex, type Volume } from "@lnsnet/core/volume";
import { expect, test } from "vitest";
import { processorSeconds } from "../../../../packages/core/src/processor-time.test-helper.js";
import { paintLabels } from "./label-paint.js";
import { type PlaneView, patientPlanes, planeNames } from "./plane.js";
import { resliceGrey, resliceLabels } from "./reslice.js";
import { surfaceOf } from "./surface.js";

const size = [512, 512, 300] as const;
const [c, s] = [Math.cos(Math.PI / 18), Math.sin(Math.PI / 18)];
const [d, t] = [Math.cos(Math.PI / 9), Math.sin(Math.PI / 9)];
/** Rz(10°)·Rx(20°). */
const direction = [c, -s * d, s * t, s, c * d, -c * t, 0, t, d] as const;
const grid = { size, spacingMm: [0.6, 0.6, 1], originMm: [0, 0, 0], direction } as const;

/** Panes of a laptop's window of 1440 × 900. */
const pane = { width: 500, height: 410, mmPerPixel: 0.75 };

test("three planes with their nodes are drawn well within 100 ms", () => {
  const scan: Volume<Int16Array> = { ...grid, data: new Int16Array(size[0] * size[1] * size[2]) };
  const labels: Volume<Uint8Array> = { ...grid, data: new Uint8Array(scan.data.length) };
  for (let n = 0; n < scan.data.length; n++) {
    scan.data[n] = ((n * 7919) % 400) - 150;
    labels.data[n] = n % 4096 < 200 ? 1 : 0;
  }
  const pixels = new Uint32Array(pane.width * pane.height);
  const map = new Uint8Array(pixels.length);
  const paint = {
    colours: new Uint32Array(256).fill(0x00b0ff),
    shown: new Uint8Array(256).fill(1),
    fillOpacity: 0.25,
    outlineWidth: 1,
    selected: 1,
  };
  const times: number[] = [];
  for (let round = 0; round < 12; round++) {
    const before = processorSeconds();
    for (const plane of planeNames) {
      const centreMm = pointOfIndex(grid, [255 + round, 255, 150]);
      const view: PlaneView = { axes: patientPlanes[plane], centreMm, ...pane };
      resliceGrey(scan, view, { centreHu: 50, widthHu: 350 }, pixels);
      resliceLabels(labels, view, map);
      paintLabels(map, pane.width, paint, pixels);
    }
    times.push(1000 * (processorSeconds() - before));
  }
  times.sort((a, b) => a - b);
  process.stdout.write(
    `three planes: median ${times[6].toFixed(1)} ms, slowest ${times[11].toFixed(1)} ms\n`,
  );
  expect(times[6]).toBeLessThan(100);
});

test("the surface of a ball of 30 mm is closed, has the ball's size, and takes less than 100 ms", () => {
  const n = 41;
  const ball = new Uint8Array(n ** 3);
  for (let at = 0; at < ball.length; at++) {
    const [i, j, k] = [at % n, Math.floor(at / n) % n, Math.floor(at / n ** 2)];
    if (Math.hypot(i - 20, j - 20, k - 20) <= 15) ball[at] = 1;
  }
  const before = processorSeconds();
  const { positions, triangles } = surfaceOf(ball, [n, n, n]);
  expect(processorSeconds() - before).toBeLessThan(0.1);
  const radii: number[] = [];
  for (let at = 0; at < positions.length; at += 3)
    radii.push(Math.hypot(positions[at] - 20, positions[at + 1] - 20, positions[at + 2] - 20));
  expect(Math.min(...radii)).toBeGreaterThan(14);
  expect(Math.max(...radii)).toBeLessThan(16);
  // Seen from outside, so that the enclosed volume is positive; each edge belongs to two triangles, once each way.
  const edges = new Set<string>();
  let volume = 0;
  for (let at = 0; at < triangles.length; at += 3) {
    const corners = [0, 1, 2].map((corner) => triangles[at + corner]);
    for (const [corner, from] of corners.entries()) edges.add(`${from} ${corners[(corner + 1) % 3]}`);
    const [a, b, e] = corners.map((v) => [0, 1, 2].map((axis) => positions[3 * v + axis] - 20));
    volume +=
      (a[0] * (b[1] * e[2] - b[2] * e[1]) +
        a[1] * (b[2] * e[0] - b[0] * e[2]) +
        a[2] * (b[0] * e[1] - b[1] * e[0])) /
      6;
  }
  expect(edges.size).toBe(triangles.length);
  for (const edge of edges) expect(edges.has(edge.split(" ").reverse().join(" "))).toBe(true);
  expect(volume / ((4 / 3) * Math.PI * 15 ** 3)).toBeGreaterThan(0.9);
  expect(volume / ((4 / 3) * Math.PI * 15 ** 3)).toBeLessThan(1.1);
});
