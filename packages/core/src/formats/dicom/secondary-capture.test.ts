import dcmjs from "dcmjs";
import { expect, test } from "vitest";
import { writeSecondaryCaptures } from "./secondary-capture.js";
import { fixedContext, sourceOn } from "./source-series.test-helper.js";

const source = sourceOn({
  size: [4, 3, 2],
  spacingMm: [1, 2, 3],
  originMm: [10, 20, 30],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
});
const picture = (width: number, height: number, title: string) => ({
  width,
  height,
  title,
  data: Uint8Array.from({ length: 3 * width * height }, (_, at) => (7 * at) % 256),
});

function read(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const { buffer, byteOffset, byteLength } = bytes;
  const file = dcmjs.data.DicomMessage.readFile(buffer.slice(byteOffset, byteOffset + byteLength));
  return dcmjs.data.DicomMetaDictionary.naturalizeDataset(file.dict);
}

const pictures = [picture(5, 3, "All nodes"), picture(4, 4, "Node 1")];

test("pictures are one series of the source's study, with their pixels, as dcmjs reads them", () => {
  const objects = writeSecondaryCaptures(pictures, source, fixedContext()).map(read);
  expect(new Set(objects.map(({ SeriesInstanceUID }) => SeriesInstanceUID)).size).toBe(1);
  expect(new Set(objects.map(({ SOPInstanceUID }) => SOPInstanceUID)).size).toBe(2);
  for (const [n, object] of objects.entries()) {
    const { width, height, title, data } = pictures[n];
    expect(object).toMatchObject({
      SOPClassUID: "1.2.840.10008.5.1.4.1.1.7",
      StudyInstanceUID: source.study.studyInstanceUid,
      PatientID: "P1",
      Modality: "OT",
      ConversionType: "WSD",
      BurnedInAnnotation: "YES",
      InstanceNumber: n + 1,
      DerivationDescription: title,
      Rows: height,
      Columns: width,
      PhotometricInterpretation: "RGB",
    });
    expect(object.SeriesDescription).toContain("RESEARCH USE ONLY");
    expect([object.SourceImageSequence].flat()).toHaveLength(2);
    expect(new Uint8Array((object.PixelData as [ArrayBuffer])[0]).subarray(0, data.length)).toEqual(data);
  }
});

test("a source without a frame of reference will do, since pictures state no positions", () => {
  const [first] = writeSecondaryCaptures(pictures, { ...source, frameOfReferenceUid: "" }, fixedContext());
  expect(read(first)).not.toHaveProperty("FrameOfReferenceUID");
});

test("data that does not fill its picture is refused", () => {
  expect(() => writeSecondaryCaptures([{ ...pictures[0], width: 6 }], source, fixedContext())).toThrow(
    RangeError,
  );
});
