import { expect, it } from "vitest";
import { groupThousands, linearScale, linePath } from "./plot.js";

it.each([
  { domain: [0, 1] as const, ticks: ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"] },
  { domain: [0.03, 1.47] as const, ticks: ["0.0", "0.5", "1.0", "1.5"] },
  { domain: [0, 12000] as const, ticks: ["0", "5,000", "10,000", "15,000"] },
  { domain: [-1, 3] as const, ticks: ["−1", "0", "1", "2", "3"] },
  { domain: [4, 4] as const, ticks: ["3.6", "3.8", "4.0", "4.2", "4.4"] },
])("marks round values over $domain", ({ domain, ticks }) => {
  const scale = linearScale(domain, [0, 100], { tickCount: 5, nice: true });
  expect(scale.ticks.map(scale.format)).toEqual(ticks);
  expect(scale.position(scale.ticks[0])).toBeCloseTo(0, 9);
  expect(scale.position(scale.ticks[scale.ticks.length - 1])).toBeCloseTo(100, 9);
});

it("keeps the domain as it is without nice", () => {
  const scale = linearScale([0, 470], [0, 100], { tickCount: 5, nice: false });
  expect(scale.ticks).toEqual([0, 100, 200, 300, 400]);
  expect(scale.position(470)).toBe(100);
});

it("breaks a line at null", () => {
  expect(linePath([[0, 1], [2, 3.456], null, [4, 5], [6, 7]])).toBe("M0,1L2,3.46M4,5L6,7");
});

it.each([
  ["1234567.25", "1,234,567.25"],
  ["-1000", "-1,000"],
  ["999", "999"],
  ["0.12345", "0.12345"],
])("groups %s as %s", (digits, grouped) => {
  expect(groupThousands(digits)).toBe(grouped);
});
