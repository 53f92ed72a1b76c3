// The surface that the 3D view draws.
import { expect, test } from "vitest";
import { surfaceOf } from "./surface.js";

test("the surface of a ball of 30 mm is closed, and has the ball's size", () => {
  const n = 41;
  const ball = new Uint8Array(n ** 3);
  for (let at = 0; at < ball.length; at++) {
    const [i, j, k] = [at % n, Math.floor(at / n) % n, Math.floor(at / n ** 2)];
    if (Math.hypot(i - 20, j - 20, k - 20) <= 15) ball[at] = 1;
  }
  const { positions, triangles } = surfaceOf(ball, [n, n, n]);
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
