import { expect, test } from "vitest";
import { untilOffPeakMs } from "./off-peak.js";

const hourMs = 3_600_000;

test.each([
  ["before the night", { from: 20, until: 6 }, 18, 2],
  ["in the evening", { from: 20, until: 6 }, 22, 0],
  ["after midnight", { from: 20, until: 6 }, 3, 0],
  ["in the morning", { from: 20, until: 6 }, 6, 14],
  ["within a day", { from: 1, until: 5 }, 5, 20],
  ["all day", { from: 3, until: 3 }, 12, 0],
])("%s", (_, hours, hour, wait) => {
  expect(untilOffPeakMs(hours, new Date(2026, 0, 15, hour))).toBe(wait * hourMs);
});
