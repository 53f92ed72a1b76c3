import { expect, test } from "vitest";
import { duration } from "./duration.js";

test.each([
  [7.4, "0:07"],
  [754, "12:34"],
  [3723, "1:02:03"],
])("%d s is %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
