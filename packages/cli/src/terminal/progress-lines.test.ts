import { describe, expect, test } from "vitest";
import { createProgressLines } from "./progress-lines.js";

/** A stream that keeps what is written, and a clock that is set by hand. */
function terminal(isTTY: boolean, columns = 200) {
  const written: string[] = [];
  const clock = { seconds: 0 };
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  return { written, clock, lines: createProgressLines(stream, () => clock.seconds) };
}

const train = { stage: "train", unit: "step", total: 100 };

describe("progress lines", () => {
  test("on a terminal one line is rewritten, with bar, rate, figures and time left", () => {
    const { written, clock, lines } = terminal(true);
    lines.show({ ...train, done: 0 });
    clock.seconds = 10;
    lines.show({ ...train, done: 25, text: "loss 0.41" });
    expect(written[1]).toBe(
      "\r\u001b[2Ktrain █████░░░░░░░░░░░░░░░ 25/100 · 2.5 steps/s · loss 0.41 · 0:30 left",
    );
    clock.seconds = 10.05;
    lines.show({ ...train, done: 26 });
    expect(written).toHaveLength(2);
    lines.finish();
    lines.finish();
    expect(written).toHaveLength(3);
    expect(written[2]).toMatch(/26\/100 .* took 0:10\n$/);
  });

  test("in a pipe plain lines tell the beginning, the first state, one every ten seconds, and the last", () => {
    const { written, clock, lines } = terminal(false);
    for (let second = 0; second <= 25; second++) {
      clock.seconds = second;
      lines.show({ ...train, done: second, total: 25, rate: 0.25 });
    }
    lines.finish();
    expect(written).toEqual([
      "train 0/25 · 4.0 s a step · 1:40 left\n",
      "train 1/25 · 4.0 s a step · 1:36 left\n",
      "train 11/25 · 4.0 s a step · 0:56 left\n",
      "train 21/25 · 4.0 s a step · 0:16 left\n",
      "train 25/25 · 4.0 s a step · took 0:25\n",
    ]);
  });

  test("a stage that ends early is finished when the next begins", () => {
    const { written, lines } = terminal(false);
    lines.show({ ...train, done: 40, rate: 2 });
    lines.show({ stage: "predict", unit: "scan", done: 0, total: 2 });
    lines.show({ stage: "predict", unit: "scan", done: 2, total: 2, rate: 1 });
    expect(written).toEqual([
      "train 40/100 · 2.0 steps/s · 0:30 left\n",
      "train 40/100 · 2.0 steps/s · took 0:00\n",
      "predict 0/2\n",
      "predict 2/2 · 1.0 scans/s · took 0:00\n",
    ]);
  });

  test("a stage that begins again has a line of its own", () => {
    const { written, lines } = terminal(false);
    for (const done of [50, 10]) lines.show({ ...train, done, rate: 1 });
    expect(written).toEqual([
      "train 50/100 · 1.0 steps/s · 0:50 left\n",
      "train 50/100 · 1.0 steps/s · took 0:00\n",
      "train 10/100 · 1.0 steps/s · 1:30 left\n",
    ]);
  });

  test("patches are counted as patches", () => {
    const { written, clock, lines } = terminal(false);
    lines.show({ stage: "neck", unit: "patch", done: 0, total: 80 });
    clock.seconds = 10;
    lines.show({ stage: "neck", unit: "patch", done: 40, total: 80 });
    expect(written[1]).toBe("neck 40/80 · 4.0 patches/s · 0:10 left\n");
  });

  test("none is wider than the terminal, and notes do not tear it", () => {
    const { written, lines } = terminal(true, 20);
    lines.show({ ...train, done: 1, text: "a long text that does not fit" });
    expect([...written[0].slice("\r\u001b[2K".length)]).toHaveLength(19);
    lines.note("saved");
    expect(written[1]).toBe("\r\u001b[2Ksaved\n");
    expect(written[2]).toBe(written[0]);
  });
});
