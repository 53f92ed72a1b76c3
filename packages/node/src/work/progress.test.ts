import { describe, expect, test } from "vitest";
import { createProgress, duration } from "./progress.js";

/** A stream that keeps what is written, and a clock that is set by hand. */
function stage(isTTY: boolean, columns = 200, unit = "step") {
  const written: string[] = [];
  const clock = { seconds: 0 };
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  return { written, clock, progress: createProgress("train", unit, stream, () => clock.seconds) };
}

describe("createProgress", () => {
  test("on a terminal rewrites one line with bar, rate, figures and time left", () => {
    const { written, clock, progress } = stage(true);
    progress.update({ done: 0, total: 100 });
    clock.seconds = 10;
    progress.update({ done: 25, total: 100, text: "loss 0.41" });
    expect(written[1]).toBe(
      "\r\u001b[2Ktrain █████░░░░░░░░░░░░░░░ 25/100 · 2.5 steps/s · loss 0.41 · 0:30 left",
    );
    clock.seconds = 10.05;
    progress.update({ done: 26, total: 100 });
    expect(written).toHaveLength(2);
    progress.finish();
    progress.finish();
    expect(written).toHaveLength(3);
    expect(written[2]).toMatch(/26\/100 .* took 0:10\n$/);
  });

  test("in a pipe prints a plain line at most every ten seconds, and the last", () => {
    const { written, clock, progress } = stage(false);
    for (let second = 0; second <= 25; second++) {
      clock.seconds = second;
      progress.update({ done: second, total: 25, rate: 0.25 });
    }
    progress.finish();
    expect(written).toEqual([
      "train 0/25 · 4.0 s a step · 1:40 left\n",
      "train 10/25 · 4.0 s a step · 1:00 left\n",
      "train 20/25 · 4.0 s a step · 0:20 left\n",
      "train 25/25 · 4.0 s a step · took 0:25\n",
    ]);
  });

  test("counts patches as patches", () => {
    const { written, clock, progress } = stage(false, 200, "patch");
    progress.update({ done: 0, total: 80 });
    clock.seconds = 10;
    progress.update({ done: 40, total: 80 });
    expect(written[1]).toBe("train 40/80 · 4.0 patches/s · 0:10 left\n");
  });

  test("never is wider than the terminal, and lets notes pass", () => {
    const { written, progress } = stage(true, 20);
    progress.update({ done: 1, total: 2, text: "a long text that does not fit" });
    expect([...written[0].slice("\r\u001b[2K".length)]).toHaveLength(19);
    progress.note("saved");
    expect(written[1]).toBe("\r\u001b[2Ksaved\n");
    expect(written[2]).toBe(written[0]);
  });
});

test.each([
  [7.4, "0:07"],
  [754, "12:34"],
  [3723, "1:02:03"],
])("%d s is %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
