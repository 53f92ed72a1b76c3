// What comes out of compressed bytes is bounded before it fills the memory.
import { gunzipSync } from "node:zlib";
import { deflateSync, gzipSync } from "fflate";
import { expect, test } from "vitest";
import { InputError } from "../errors.js";
import { greatestContent, gunzip, gunzipStart, gzip, inflate } from "./gzip.js";

const zeros = new Uint8Array(3 * 2 ** 20);

test.each([
  ["a small file may hold 256 MiB", 1000, 256 * 2 ** 20],
  ["a larger one 200 times its size", 2 * 2 ** 20, 400 * 2 ** 20],
  ["no file more than 4 GiB", 2 ** 30, 4 * 2 ** 30],
])("%s", (_, packedBytes, expected) => {
  expect(greatestContent(packedBytes)).toBe(expected);
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
