// A SEG, an RTSTRUCT or an SR that ends early, even between two elements where nothing is broken, never counts as whole.
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import type { Geometry } from "../../volume/volume.js";
import { traceContours } from "../../voxels/contours.js";
import { parseElements } from "./elements.js";
import { writeMeasurementReport } from "./measurement-report.js";
import { objectSummary } from "./object-summary.js";
import { writeRtstruct } from "./rtstruct.js";
import { writeSeg } from "./seg.js";
import { fixedContext, sourceOn } from "./source-series.test-helper.js";

const folder = new URL("../../../../../fixtures/dicom-seg/", import.meta.url);
const deflated = /_deflate\.dcm/;
const fixtures = readdirSync(folder)
  .filter((name) => /\.dcm(\.gz)?$/.test(name) && !deflated.test(name))
  .map((name): [string, Uint8Array] => {
    const bytes = readFileSync(new URL(name, folder));
    return [name, new Uint8Array(name.endsWith(".gz") ? gunzipSync(bytes) : bytes)];
  });

const grid: Geometry = {
  size: [4, 3, 2],
  spacingMm: [1, 2, 3],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
const labels = { ...grid, data: new Uint8Array(24).fill(1, 2, 20) };
const source = sourceOn(grid);
const seg = writeSeg(labels, [], source, fixedContext());
const contours = traceContours(labels.data, labels);
const node = { volumeMl: 1, shortAxisMm: 5, longAxisMm: 6, huMean: 40, huSd: 9, side: "left" } as const;
const ours: [string, Uint8Array][] = [
  ["our SEG", seg],
  ["our RTSTRUCT", writeRtstruct([{ name: "LN", contours }], source, fixedContext())],
  ["our SR", writeMeasurementReport([node], seg, source, fixedContext())],
];

/** Where the dataset's elements begin. */
function borders(bytes: Uint8Array): number[] {
  const { content, transferSyntaxUid } = parseElements(bytes, "whole.dcm");
  const isLong = (vr: string) =>
    ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UC", "UN", "UR", "UT"].includes(vr);
  return Object.values(content.elements).map(({ dataOffset, vr, tag }) => {
    const isImplicit = transferSyntaxUid === "1.2.840.10008.1.2" && !tag.startsWith("x0002");
    return dataOffset - (isImplicit || !isLong(vr ?? "UN") ? 8 : 12);
  });
}

const countsOf = async (bytes: Uint8Array) =>
  (await objectSummary(bytes, "object.dcm"))?.regions.map(({ voxels, contours, measurements }) => ({
    voxels,
    contours,
    measurements,
  }));

describe("cut before any of its elements, an object is refused or whole", () => {
  test.each([...fixtures, ...ours])("%s", async (_, bytes) => {
    const whole = await countsOf(bytes);
    expect(whole?.length).toBeGreaterThan(0);
    let refused = 0;
    for (const border of borders(bytes)) {
      try {
        // Null is of a file that ends before it says what it is.
        expect((await countsOf(bytes.slice(0, border))) ?? whole).toEqual(whole);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(3);
  });
});

test("a structure set that ends before its observations says that its end may be missing", async () => {
  const bytes = new Uint8Array(readFileSync(new URL("rtstruct_pydicom.dcm", folder)));
  const summary = await objectSummary(bytes.slice(0, 1534), "rs.dcm");
  expect(summary?.problems).toContainEqual(expect.stringContaining("its end may be missing"));
  await expect(objectSummary(bytes.slice(0, 846), "rs.dcm")).rejects.toThrow(
    "rs.dcm names 4 ROIs and ends before their contours (ROI Contour Sequence); copy or export it again.",
  );
});
