import { describe, expect, test } from "vitest";
import { ctFile } from "./ct.test-helper.js";
import { instanceHeader } from "./instance-header.js";

const study = { StudyInstanceUID: "1.2" };

describe("the header of an instance", () => {
  test("says whose it is and by what it is routed, without the patient", () => {
    const bytes = ctFile({
      ...study,
      PatientName: "Doe^Jane",
      BodyPartExamined: "NECK",
      SliceThickness: "2.5",
      NumberOfSeriesRelatedInstances: "120",
    });
    const header = instanceHeader(bytes, "a.dcm");
    expect(header).toMatchObject({
      sopInstanceUid: "1.2.3.4",
      seriesInstanceUid: "1.2.3",
      studyInstanceUid: "1.2",
      instancesInSeries: 120,
    });
    expect(header.attributes).toMatchObject({
      Modality: "CT",
      BodyPartExamined: "NECK",
      SliceThickness: "2.5",
      ImageType: "ORIGINAL\\PRIMARY\\AXIAL",
    });
    expect(JSON.stringify(header)).not.toContain("Doe");
  });

  test.each([
    ["no study", {}, /a\.dcm has no StudyInstanceUID/],
    [
      "a UID that leads out of a folder",
      { ...study, SOPInstanceUID: "../../etc" },
      /"\.\.\/\.\.\/etc", and a DICOM UID/,
    ],
  ])("%s is refused", (_, attributes, sentence) => {
    expect(() => instanceHeader(ctFile(attributes), "a.dcm")).toThrow(sentence);
  });
});
