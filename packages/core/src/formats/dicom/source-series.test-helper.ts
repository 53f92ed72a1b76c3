// A made-up source series for tests that write segmentations, without files.
import type { Geometry } from "../../volume/volume.js";
import type { SourceSeries, WritingContext } from "./source-series.js";

/** A CT series of single slices on a grid. */
export function sourceOn(geometry: Geometry): SourceSeries {
  const instances = Array.from({ length: geometry.size[2] }, (_, k) => ({
    sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    sopInstanceUid: `1.2.3.100.${k + 1}`,
    frame: null,
  }));
  return {
    study: {
      patientName: "Müller^Änne",
      patientId: "P1",
      patientBirthDate: "19600102",
      patientSex: "F",
      studyInstanceUid: "1.2.3.1",
      studyDate: "20260101",
      studyTime: "101112",
      studyId: "S1",
      accessionNumber: "A1",
    },
    seriesInstanceUid: "1.2.3.5",
    frameOfReferenceUid: "1.2.3.4",
    modality: "CT",
    geometry,
    slices: instances,
    instances,
    distancesMm: instances.map((_, k) => k * geometry.spacingMm[2]),
  };
}

/** Consecutive UIDs, and a fixed time. */
export function fixedContext(): WritingContext {
  let count = 0;
  return {
    newUid: () => `1.2.3.900.${++count}`,
    now: new Date(2026, 1, 3, 4, 5, 6),
    algorithm: { name: "lnsnet", version: "0.1.0" },
    models: [],
  };
}
