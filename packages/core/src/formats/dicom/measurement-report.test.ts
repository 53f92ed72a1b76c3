import dcmjs from "dcmjs";
import { describe, expect, test } from "vitest";
import type { Geometry, Volume } from "../../volume/volume.js";
import { anonymousSource } from "./anonymise.js";
import { itemsOf, parseDataset, textOf } from "./dataset.js";
import { type ReportedNode, writeMeasurementReport } from "./measurement-report.js";
import { writeSeg } from "./seg.js";
import { fixedContext, sourceOn } from "./source-series.test-helper.js";

const grid: Geometry = {
  size: [4, 3, 2],
  spacingMm: [1, 2, 3],
  originMm: [10, 20, 30],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
// Labels with a gap between: segments are numbered 1 and 2.
const labels: Volume = {
  ...grid,
  data: Uint8Array.from({ length: 24 }, (_, n) => ({ 0: 3, 23: 7 })[n] ?? 0),
};
const names = [{ label: 7, name: "LN IIa left" }];
const left: ReportedNode = {
  volumeMl: 1.25,
  shortAxisMm: 8.5,
  longAxisMm: 12.3,
  huMean: 61.5,
  huSd: 9,
  side: "left",
};
const middle: ReportedNode = { ...left, volumeMl: 0.5, huMean: null, huSd: null, side: "midline" };

/** An item of the report as dcmjs reads it. */
interface Content {
  readonly ConceptNameCodeSequence?: readonly { readonly CodeMeaning: string }[];
  readonly ContentSequence?: readonly Content[];
  readonly [keyword: string]: unknown;
}

function read(bytes: Uint8Array): Content {
  const { buffer, byteOffset, byteLength } = bytes;
  const file = dcmjs.data.DicomMessage.readFile(buffer.slice(byteOffset, byteOffset + byteLength));
  return dcmjs.data.DicomMetaDictionary.naturalizeDataset(file.dict);
}

/** The items below, of one name. */
function named(content: Content | undefined, name: string): readonly Content[] {
  const items = [content?.ContentSequence ?? []].flat();
  return items.filter((item) => item.ConceptNameCodeSequence?.[0]?.CodeMeaning === name);
}

const segmentation = writeSeg(labels, names, sourceOn(grid), fixedContext());
const bytes = writeMeasurementReport([middle, left], segmentation, sourceOn(grid), fixedContext());
const groups = named(named(read(bytes), "Imaging Measurements")[0], "Measurement Group");

describe("a measurement report, as dcmjs reads it", () => {
  test("is an unverified report of an algorithm, for research", () => {
    const report = read(bytes);
    expect(report).toMatchObject({
      Modality: "SR",
      CompletionFlag: "COMPLETE",
      VerificationFlag: "UNVERIFIED",
      PreliminaryFlag: "PRELIMINARY",
      SeriesDescription: "Lymph nodes (SR), RESEARCH USE ONLY",
      ContentTemplateSequence: [{ MappingResource: "DCMR", TemplateIdentifier: "1500" }],
    });
    expect(named(report, "Device Observer Name")[0]).toMatchObject({
      TextValue: "lnsnet, RESEARCH USE ONLY",
    });
  });

  test("has a group a node, whose numbers are those given", () => {
    const numbersIn = (group: Content) =>
      ["Volume", "Short Axis", "Long Axis", "Attenuation Coefficient"].map((name) =>
        named(group, name).map(
          (item) => (item.MeasuredValueSequence as { NumericValue: number }[])[0].NumericValue,
        ),
      );
    expect(groups.map(numbersIn)).toEqual([
      [[0.5], [8.5], [12.3], []],
      [[1.25], [8.5], [12.3], [61.5, 9]],
    ]);
    const [volume] = named(groups[0], "Volume");
    expect(volume).toMatchObject({
      MeasuredValueSequence: [{ MeasurementUnitsCodeSequence: [{ CodeValue: "cm3" }] }],
    });
  });

  test("tells mean from standard deviation, and left from midline", () => {
    const derivations = named(groups[1], "Attenuation Coefficient").map(
      (item) => named(item, "Derivation")[0],
    );
    expect(derivations).toMatchObject([
      { ConceptCodeSequence: [{ CodeMeaning: "Mean" }] },
      { ConceptCodeSequence: [{ CodeMeaning: "Standard Deviation" }] },
    ]);
    const sides = groups.map((group) => named(named(group, "Finding Site")[0], "Laterality"));
    expect(sides).toMatchObject([
      [],
      [{ ConceptCodeSequence: [{ CodeValue: "7771000", CodeMeaning: "Left" }] }],
    ]);
  });

  test("names the segments of the segmentation by number and tracking UID", () => {
    const seg = parseDataset(segmentation, "seg.dcm");
    itemsOf(seg, "SegmentSequence").forEach((segment, n) => {
      expect(named(groups[n], "Referenced Segment")[0].ReferencedSOPSequence).toMatchObject([
        { ReferencedSOPInstanceUID: textOf(seg, "SOPInstanceUID"), ReferencedSegmentNumber: n + 1 },
      ]);
      expect(named(groups[n], "Tracking Unique Identifier")[0].UID).toBe(textOf(segment, "TrackingUID"));
      expect(named(groups[n], "Tracking Identifier")[0].TextValue).toBe(["Lymph node 3", "LN IIa left"][n]);
    });
    expect(named(groups[0], "Source series for segmentation")[0].UID).toBe("1.2.3.5");
  });

  test("lists every object that it refers to as evidence", () => {
    const [{ ReferencedSeriesSequence: series }] = read(bytes).CurrentRequestedProcedureEvidenceSequence as {
      ReferencedSeriesSequence: { ReferencedSOPSequence: { ReferencedSOPInstanceUID: string }[] }[];
    }[];
    expect(
      series.map(({ ReferencedSOPSequence }) =>
        ReferencedSOPSequence.map((reference) => reference.ReferencedSOPInstanceUID),
      ),
    ).toEqual([
      ["1.2.3.100.1", "1.2.3.100.2"],
      [textOf(parseDataset(segmentation, "seg.dcm"), "SOPInstanceUID")],
    ]);
  });
});

test("an anonymous source leaves no name or UID of the study in the report", () => {
  const source = anonymousSource(sourceOn(grid), (uid) => `9.9.${uid.replaceAll(".", "")}`);
  const seg = writeSeg(labels, names, source, fixedContext());
  const text = new TextDecoder("latin1").decode(
    writeMeasurementReport([middle, left], seg, source, fixedContext()),
  );
  expect(text).toContain("Anonymous");
  for (const secret of ["nne", "P1", "20260101", "1.2.3.5", "1.2.3.1\0"])
    expect(text, secret).not.toContain(secret);
});

test("nodes that do not fit the segments are refused", () => {
  const write = () => writeMeasurementReport([left], segmentation, sourceOn(grid), fixedContext());
  expect(write).toThrow(/1 nodes, but its segmentation has 2 segments/);
});
