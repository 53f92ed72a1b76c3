// Masks in every format that is written, for peers to read, and what they should find in them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  anonymousSource,
  chooseSeries,
  type Geometry,
  listSeries,
  pointOfIndex,
  readSeries,
  type SourceSeries,
  type Vector3,
  type Volume,
  type WritingContext,
  writeMeasurementReport,
  writeRtstruct,
  writeSeg,
  writeVolume,
} from "@lnsnet/core";
import type { ReportedNode } from "@lnsnet/core/formats";
import { type Matrix3, voxelCount } from "@lnsnet/core/volume";
import { measureNodes, traceContours } from "@lnsnet/core/voxels";
import { filesIn } from "./scan-check.js";

/**
 * Writes NAME.nii.gz, .nrrd, .mha, .seg.dcm, .rtstruct.dcm and .sr.dcm for several grids and an anonymised source, and
 * `expected.json`, which says what lies where.
 *
 * @param seriesFolder - a DICOM series, to write bodies for it too
 */
export async function writeExports(folder: string, seriesFolder: string | undefined): Promise<void> {
  const expectations = Object.entries(grids).map(([name, geometry]) =>
    write(folder, name, sourceOn(name, geometry)),
  );
  const newUids = new Map<string, string>();
  const replaced = (uid: string) => {
    const known = newUids.get(uid) ?? context.newUid();
    newUids.set(uid, known);
    return known;
  };
  expectations.push(
    write(folder, "anonymous", anonymousSource(sourceOn("anonymous", grids.axial), replaced)),
  );
  if (seriesFolder !== undefined) {
    const listing = await listSeries(filesIn(seriesFolder, /./));
    const { source } = await readSeries(chooseSeries(listing, undefined));
    expectations.push(write(folder, "series", source));
  }
  writeFileSync(join(folder, "expected.json"), JSON.stringify(expectations, null, 1));
}

const quarterTurn: Matrix3 = [0, 0, 1, 1, 0, 0, 0, -1, 0];
const oblique: Matrix3 = obliqueDirection(0.3, -0.2);
const grids: Readonly<Record<string, Geometry>> = {
  axial: gridOf([61, 53, 30], [0.977, 0.977, 3], [-120.5, -80.25, -333.3], [1, 0, 0, 0, 1, 0, 0, 0, 1]),
  "feet-first": gridOf([64, 64, 30], [0.7, 0.9, 2.5], [120.5, 80.25, 333.3], [-1, 0, 0, 0, -1, 0, 0, 0, 1]),
  "left-handed": gridOf([50, 70, 25], [1.1, 0.8, 2], [3, 4, 5], [1, 0, 0, 0, 1, 0, 0, 0, -1]),
  coronal: gridOf([48, 40, 44], [1.2, 1, 1.5], [-30, 200, 90], quarterTurn),
  oblique: gridOf([57, 49, 33], [0.9, 1.3, 2.1], [-77.7, 12.3, -950.1], oblique),
};

/** What a peer should find: voxels, their centroid and what the report says, by body. */
interface Expectation {
  readonly name: string;
  readonly geometry: Geometry;
  readonly bodies: readonly {
    readonly label: number;
    readonly name: string;
    readonly voxels: number;
    readonly centroidLpsMm: Vector3;
    readonly report: ReportedNode;
  }[];
}

let uidCount = 0;
const context: WritingContext = {
  newUid: () => `2.25.${process.hrtime.bigint()}${++uidCount}`,
  now: new Date(),
  algorithm: { name: "lnsnet", version: "check" },
  models: [{ name: "model.safetensors", trainedOn: "phantom", sha256: "0".repeat(64) }],
};

function write(folder: string, name: string, source: SourceSeries): Expectation {
  const labels = nodesIn(source.geometry);
  const found = [1, 2, 3].map((label) => ({ label, name: `LN ${label}` }));
  const put = (ending: string, bytes: Uint8Array) => writeFileSync(join(folder, `${name}${ending}`), bytes);
  for (const ending of [".nii.gz", ".nrrd", ".mha"]) put(ending, writeVolume(labels, ending));
  const seg = writeSeg(labels, found, source, context);
  put(".seg.dcm", seg);
  const rois = found.map((body) => ({
    name: body.name,
    contours: traceContours(labels.data, labels, body.label),
  }));
  put(".rtstruct.dcm", writeRtstruct(rois, source, context));
  // Each body is of one density, which a peer knows without the scan.
  const scan = { ...labels, data: Int16Array.from(labels.data, (label) => 30 + 10 * label) };
  const measured = measureNodes(labels, scan, "labels");
  put(".sr.dcm", writeMeasurementReport(measured, seg, source, context));
  const bodies = found.map((body, n) => ({
    ...body,
    ...sizeAndPlace(labels, body.label),
    report: reported(measured[n]),
  }));
  return { name, geometry: source.geometry, bodies };
}

function reported({ volumeMl, shortAxisMm, longAxisMm, huMean, huSd, side }: ReportedNode): ReportedNode {
  return { volumeMl, shortAxisMm, longAxisMm, huMean, huSd, side };
}

/** A plain body, one with a hole, and two parts under one label. */
function nodesIn(geometry: Geometry): Volume<Uint8Array> {
  const { size } = geometry;
  const at = (a: number, b: number, c: number) =>
    pointOfIndex(geometry, [a * size[0], b * size[1], c * size[2]]);
  const [first, second, third, fourth] = [
    at(0.3, 0.3, 0.4),
    at(0.7, 0.65, 0.5),
    at(0.25, 0.75, 0.7),
    at(0.8, 0.2, 0.2),
  ];
  const labelAt = (point: Vector3) => {
    if (distance(point, first) < 7) return 1;
    if (distance(point, second) < 9 && distance(point, second) > 3) return 2;
    return distance(point, third) < 5 || distance(point, fourth) < 4 ? 3 : 0;
  };
  const data = Uint8Array.from({ length: voxelCount(geometry) }, (_, n) =>
    labelAt(pointOfIndex(geometry, indexOf(n, size))),
  );
  return { ...geometry, data };
}

function sizeAndPlace(labels: Volume, label: number): { voxels: number; centroidLpsMm: Vector3 } {
  let voxels = 0;
  const sum: [number, number, number] = [0, 0, 0];
  for (let n = 0; n < labels.data.length; n++) {
    if (labels.data[n] !== label) continue;
    voxels++;
    const point = pointOfIndex(labels, indexOf(n, labels.size));
    for (const axis of [0, 1, 2] as const) sum[axis] += point[axis];
  }
  return { voxels, centroidLpsMm: [sum[0] / voxels, sum[1] / voxels, sum[2] / voxels] };
}

function indexOf(n: number, [nx, ny]: Vector3): Vector3 {
  return [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))];
}

function distance(p: Vector3, q: Vector3): number {
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

function gridOf(size: Vector3, spacingMm: Vector3, originMm: Vector3, direction: Matrix3): Geometry {
  return { size, spacingMm, originMm, direction };
}

/** Turned about z, then about x. */
function obliqueDirection(aboutZ: number, aboutX: number): Matrix3 {
  const [c, s, d, t] = [Math.cos(aboutZ), Math.sin(aboutZ), Math.cos(aboutX), Math.sin(aboutX)];
  return [c, -s * d, s * t, s, c * d, -c * t, 0, t, d];
}

function sourceOn(name: string, geometry: Geometry): SourceSeries {
  const study = context.newUid();
  const slices = Array.from({ length: geometry.size[2] }, () => ({
    sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    sopInstanceUid: context.newUid(),
    frame: null,
  }));
  return {
    study: {
      patientName: `Müller^${name}`,
      patientId: name,
      patientBirthDate: "",
      patientSex: "O",
      studyInstanceUid: study,
      studyDate: "20260101",
      studyTime: "120000",
      studyId: "1",
      accessionNumber: "",
    },
    seriesInstanceUid: context.newUid(),
    frameOfReferenceUid: context.newUid(),
    modality: "CT",
    geometry,
    slices,
    instances: slices,
    distancesMm: slices.map((_, k) => k * geometry.spacingMm[2]),
  };
}
