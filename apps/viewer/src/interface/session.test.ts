// Several things that take long, beside each other.
import { beforeEach, expect, test } from "vitest";
import { doWork, isUnderWay, notice, stopWork, works } from "./session.js";

beforeEach(() => {
  for (const { stop } of works.value) stop();
  notice.value = null;
});

/** Work that ends when it is told to, or is stopped. */
function begun(text: string, kind?: Parameters<typeof doWork>[2]) {
  let end = (_: string) => {};
  let tell = (_: number) => {};
  const result = doWork(
    text,
    (signal, onProgress) =>
      new Promise<string>((resolve, reject) => {
        end = resolve;
        tell = (done) => onProgress({ done, total: 4 });
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
    kind,
  );
  return { result, end, tell };
}

const shown = () => works.value.map(({ text, done }) => [text, done]);

test("saving goes on beside a search, and neither stops the other", async () => {
  const search = begun("searching", "searching");
  const saving = begun("saving");
  search.tell(1);
  expect(shown()).toEqual([
    ["searching", 0.25],
    ["saving", null],
  ]);
  saving.end("saved");
  expect(await saving.result).toBe("saved");
  search.tell(3);
  expect(shown()).toEqual([["searching", 0.75]]);
  search.end("found");
  expect(await search.result).toBe("found");
  expect(shown()).toEqual([]);
});

test("the same kind is there once: the later one goes on, and the earlier one says nothing", async () => {
  const first = begun("first", "opening");
  const other = begun("other", "learning");
  const second = begun("second", "opening");
  expect(await first.result).toBeNull();
  expect(shown().map(([text]) => text)).toEqual(["other", "second"]);
  expect(notice.value).toBeNull();
  first.tell(1);
  expect(shown()).toEqual([
    ["other", null],
    ["second", null],
  ]);
  second.end("");
  other.end("");
  await Promise.all([second.result, other.result]);
});

test("kinds are stopped by name, and what has no kind stays", async () => {
  const search = begun("searching", "searching");
  const outline = begun("outlining", "outlining");
  const saving = begun("saving");
  stopWork("searching", "outlining", "learning");
  expect(await Promise.all([search.result, outline.result])).toEqual([null, null]);
  expect(isUnderWay("searching")).toBe(false);
  expect(shown()).toEqual([["saving", null]]);
  saving.end("saved");
  expect(await saving.result).toBe("saved");
});
