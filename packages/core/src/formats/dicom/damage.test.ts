// Files cut short or with bytes changed are read or refused with a sentence: never a crash, never a hang.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { bytesOf, ctFile, ctItem, ctSeries, fixture, named } from "./ct.test-helper.js";
import { encodeFile, implicitLittleEndian } from "./encode.js";
import { chooseSeries, listSeries, readSeries } from "./series.js";

const names = [
  "explicit",
  "implicit",
  "big-endian",
  "deflated",
  "rle",
  "jpeg-50",
  "jpeg-lossless-57",
  "jpeg-lossless-70",
  "jpeg-ls-80",
  "jpeg-2000-90",
];
const files = new Map(names.map((name) => [name, fixture(`syntaxes/${name}.dcm`)]));

const damaged = fc
  .record({
    name: fc.constantFrom(...names),
    length: fc.double({ min: 0, max: 1, noNaN: true }),
    isCut: fc.boolean(),
    changes: fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(255)), {
      maxLength: 4,
    }),
  })
  .map(({ name, length, isCut, changes }) => {
    const whole = files.get(name) ?? new Uint8Array(0);
    const bytes = whole.slice(0, isCut ? Math.floor(length * whole.length) : whole.length);
    for (const [place, value] of changes) bytes[Math.floor(place * bytes.length)] = value;
    return bytes;
  });

test("damaged files", async () => {
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      try {
        const listing = await listSeries([named(bytes, "scan.dcm")]);
        await readSeries(chooseSeries(listing, undefined));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        expect(error.message).toMatch(/^[^\n]+\.$/);
      }
    }),
    { numRuns: 400 },
  );
});

describe("a file cut short at any byte is refused", () => {
  const values = { PixelData: bytesOf(Int16Array.of(1, 2, 3, 4)) };
  test.each([
    ["explicit", ctFile(values)],
    ["implicit", encodeFile(ctItem(values), implicitLittleEndian)],
  ])("%s", async (_, whole) => {
    for (let length = 0; length < whole.length; length++) {
      const listing = await listSeries([named(whole.slice(0, length), "scan.dcm")]);
      expect(listing.others, `${length}`).toHaveLength(1);
    }
    expect((await listSeries([named(whole, "scan.dcm")])).others).toEqual([]);
  });
});

test("a series with a damaged file loses no slice without a word", async () => {
  const slices = ctSeries([0, 1, 2, 3, 4], (n) => ({ PixelData: bytesOf(Int16Array.of(n, n, n, n)) }));
  const whole = await Promise.all(slices.map((file) => file.read()));
  const damage = fc.record({
    slice: fc.nat(4),
    place: fc.double({ min: 0, max: 0.999, noNaN: true }),
    value: fc.option(fc.nat(255)),
  });
  await fc.assert(
    fc.asyncProperty(damage, async ({ slice, place, value }) => {
      const bytes = whole[slice].slice();
      const at = Math.floor(place * bytes.length);
      if (value !== null) bytes[at] = value;
      const changed = value === null ? bytes.slice(0, at) : bytes;
      const files = slices.map((file, n) => (n === slice ? named(changed, file.name) : file));
      try {
        const { volume, problems } = await readSeries(chooseSeries(await listSeries(files), undefined));
        expect(volume.size[2] === 5 || problems.length > 0).toBe(true);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
