// What comes out of compressed bytes is bounded before it fills the memory.
import { gunzipSync } from "node:zlib";
import { deflateSync, gzipSync, zlibSync } from "fflate";
import { expect, test } from "vitest";
import { InputError } from "../errors.js";
import { contentLimitBytes, gunzip, gunzipStart, gzip, inflate, unzlib } from "./gzip.js";

const zeros = new Uint8Array(3 * 2 ** 20);

test.each([
  ["a small file may hold 256 MiB", 1000, 256 * 2 ** 20],
  ["a larger one 200 times its size", 2 * 2 ** 20, 400 * 2 ** 20],
  ["no file more than 4 GiB", 2 ** 30, 4 * 2 ** 30],
])("%s", (_, packedBytes, expected) => {
  expect(contentLimitBytes(packedBytes)).toBe(expected);
});

test("gzip holds what it promised, and up to a MiB more", () => {
  const file = gzipSync(zeros);
  for (const promised of [3, 2]) expect(gunzip(file, promised * 2 ** 20, "a.gz").length).toBe(zeros.length);
  expect(() => gunzip(file, 2 * 2 ** 20 - 1, "a.gz")).toThrow(InputError);
  expect(() => gunzip(file, 2 * 2 ** 20 - 1, "a.gz")).toThrow(
    /^a\.gz would unpack to more, and at most 3\.0 MiB/,
  );
  expect(() => gunzip(file, 2 ** 33, "a.gz")).toThrow(/to 8\.0 GiB by its header, and at most 4\.0 GiB/);
});

const joined = (...parts: Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));
const text = new TextEncoder().encode("some text, ".repeat(50));

// Contents whose checksums and lengths end in zeros, which must not be taken for padding.
test.each([
  ["text", text],
  ["nothing", new Uint8Array(0)],
  ["zeros", new Uint8Array(4096)],
])("zeros behind the last member are left out: %s", (_, content) => {
  for (const count of [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 512, 70_000]) {
    const padding = new Uint8Array(count);
    expect(gunzip(joined(gzipSync(content), padding), content.length, "a.gz")).toEqual(content);
    expect(gunzip(joined(gzipSync(text), gzipSync(content), padding), 2 ** 20, "a.gz")).toEqual(
      joined(text, content),
    );
    const padded = joined(zlibSync(content), padding);
    expect(unzlib(padded, content.length, "a.gz")).toEqual(content);
    if (count > 0) {
      padded[padded.length - 1] = 7;
      expect(() => unzlib(padded, content.length, "a.gz")).toThrow(/cut short or damaged/);
      const other = joined(gzipSync(content), padding.with(count - 1, 7));
      expect(() => gunzip(other, content.length, "a.gz")).toThrow(/cut short or damaged/);
    }
  }
});

test("a member cut short or damaged is no padding", () => {
  const file = joined(gzipSync(text), gzipSync(zeros));
  for (const cut of [1, 3, 8, 9, 20]) {
    expect(() => gunzip(file.subarray(0, -cut), 2 ** 22, "a.gz")).toThrow(/cut short or damaged/);
    // The last two bytes are zeros themselves.
    const padded = joined(file.subarray(0, -cut), new Uint8Array(600));
    if (cut > 2) expect(() => gunzip(padded, 2 ** 22, "a.gz")).toThrow(/cut short or damaged/);
  }
  for (const at of [14, 30]) {
    const damaged = file.with(at, file[at] ^ 1);
    expect(() => gunzip(damaged, 2 ** 22, "a.gz")).toThrow(/cut short or damaged/);
  }
});

test("hundreds of thousands of empty members end quickly", () => {
  const member = gzipSync(new Uint8Array(0));
  const file = new Uint8Array(400_000 * member.length);
  for (let n = 0; n < 400_000; n++) file.set(member, n * member.length);
  expect(() => gunzip(file, 2 ** 20, "a.gz")).toThrow(/packed in more than 1001 nearly empty parts/);
  expect(() => gunzipStart(file, 600, "a.gz")).toThrow(/cut short or damaged/);
});

test("a deflate stream ends at its limit", () => {
  const stream = deflateSync(zeros);
  expect(inflate(stream, zeros.length, "a.dcm").length).toBe(zeros.length);
  expect(() => inflate(stream, zeros.length - 1, "a.dcm")).toThrow(/^a\.dcm would unpack to more/);
  expect(() => inflate(stream.subarray(0, -9), zeros.length, "a.dcm")).toThrow(/cut short or damaged/);
});

test("a header is read without the rest", () => {
  const content = Uint8Array.from({ length: 1e5 }, (_, n) => (n * n * 7919) >> 8);
  const file = gzipSync(content);
  const start = gunzipStart(file.subarray(0, file.length / 2), 600, "a.gz");
  expect(start.length).toBeGreaterThanOrEqual(600);
  expect(start.length).toBeLessThan(1e4);
  expect(start).toEqual(content.subarray(0, start.length));
  expect(() => gunzipStart(file.subarray(0, 10), 600, "a.gz")).toThrow(/cut short or damaged/);
});

/** A mask, and within it what deflates badly. */
const patched = (length: number) =>
  Uint8Array.from({ length }, (_, n) => (n % 40_000 > 39_500 ? (n * n * 7919) >> 8 : 0));

test.each([
  ["nothing", new Uint8Array(0)],
  ["a byte", Uint8Array.of(7)],
  ["four floats, a zero first", new Uint8Array(Float32Array.of(0, -3, 0, 0).buffer)],
  ["sixteen million voxels", patched(2 ** 24 + 12_345)],
])("%s: what is packed zlib unpacks", (_, content) => {
  const file = gzip(content, 2);
  expect(Buffer.compare(gunzipSync(file), content)).toBe(0);
  expect(file.length).toBeLessThan(64 + content.length / 20);
});
