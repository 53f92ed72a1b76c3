// Files cut short or with bytes changed are read or refused with a sentence: never a crash, never a hang.
import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { fixture, named } from "./ct.test-helper.js";
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
