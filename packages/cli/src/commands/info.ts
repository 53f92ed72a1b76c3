// lnsnet info: what images are at a path, where they lie, and everything that is wrong with them.
import { counted, shown } from "@lnsnet/core/text";
import { describeGeometry, type Geometry, orientationCode } from "@lnsnet/core/volume";
import { type InspectedObject, type InspectedVolume, type Inspection, inspectPath } from "@lnsnet/node/files";
import { defineCommand } from "citty";
import { jsonArgument } from "../arguments.js";
import { printJson, printText } from "../terminal/terminal.js";

export const infoCommand = defineCommand({
  meta: {
    name: "info",
    description: "List the images, segmentations, reports and points at a path, with every problem",
  },
  args: {
    path: { type: "positional", description: "a file, a folder or a zip archive", required: true },
    json: jsonArgument,
  },
  async run({ args }) {
    const inspection = await inspectPath(args.path);
    if (args.json === true) printJson(inspectionJson(args.path, inspection));
    else printText(inspectionText(inspection));
  },
});

function inspectionJson(path: string, { series, volumes, objects, markups, others }: Inspection) {
  return {
    path,
    series: series.map(({ series: item, problems }, n) => ({
      number: n + 1,
      series_number: item.number,
      uid: item.seriesInstanceUid,
      description: item.description,
      modality: item.modality,
      slices: item.sliceCount,
      transfer_syntax: item.transferSyntax,
      frame_of_reference_uid: item.frameOfReferenceUid,
      geometry: item.geometry === null ? null : geometryJson(item.geometry),
      problems: problems.map(({ kind, message, isRefused }) => ({ kind, message, refused: isRefused })),
    })),
    volumes: volumes.map(volumeJson),
    objects: objects.map(objectJson),
    markups,
    others,
  };
}

function inspectionText({ series, volumes, objects, markups, others }: Inspection): string {
  const seriesText = series.map(({ series: item, problems }, n) =>
    paragraph(
      `series ${n + 1}: ${item.modality} "${shown(item.description)}", ${counted(item.sliceCount, "slice")}, ${item.transferSyntax}`,
      item.geometry,
      problems.map(
        ({ kind, message, isRefused }) => `${isRefused ? "refused" : "note"}: ${kind}: ${message}`,
      ),
    ),
  );
  const notes = (problems: readonly string[]): string[] => problems.map((problem) => `note: ${problem}`);
  const volumeText = volumes.map(({ name, type, grid, problems }) =>
    paragraph(`volume: ${name}, ${type ?? "unreadable"}`, grid, notes(problems)),
  );
  const markupsText = markups.map(({ name, points, problems }) =>
    paragraph(
      `points: ${name}, ${points === null ? "unreadable" : counted(points, "point")}`,
      null,
      notes(problems),
    ),
  );
  const othersText = others.map(
    ({ name, reason }) => `no image: ${reason.includes(name) ? reason : `${name}: ${reason}`}`,
  );
  return [...seriesText, ...volumeText, ...objects.map(objectText), ...markupsText, ...othersText].join("\n");
}

function objectJson({ name, modality, title, regions, references, problems }: InspectedObject) {
  return {
    name,
    modality,
    title,
    regions: regions.map(({ label, type, voxels, volumeMl, contours, measurements }) => ({
      label,
      type,
      voxels,
      volume_ml: volumeMl,
      contours,
      measurements,
    })),
    references: references.map(({ seriesInstanceUid, instances }) => ({
      series_uid: seriesInstanceUid,
      instances,
    })),
    problems,
  };
}

function objectText({ name, modality, title, regions, references, problems }: InspectedObject): string {
  const regionLines = regions.map(({ label, type, voxels, volumeMl, contours, measurements }) =>
    [
      `"${shown(label)}"`,
      ...(type === "" ? [] : [shown(type)]),
      ...(voxels === null ? [] : [counted(voxels, "voxel")]),
      ...(volumeMl === null ? [] : [`${volumeMl.toFixed(2)} mL`]),
      ...(contours === null ? [] : [counted(contours, "contour")]),
      ...measurements.map(
        (measurement) =>
          `${shown(measurement.name)} ${Number(measurement.value.toPrecision(4))} ${shown(measurement.unit)}`,
      ),
    ].join(", "),
  );
  const referenceLines = references.map(
    ({ seriesInstanceUid, instances }) =>
      `refers to ${instances === 0 ? "" : `${counted(instances, "image or object", "images or objects")} of `}the series ${shown(seriesInstanceUid)}`,
  );
  const notes = problems.map((problem) => `note: ${problem}`);
  return paragraph(`${modality}: ${name}, "${shown(title)}"`, null, [
    ...regionLines,
    ...referenceLines,
    ...notes,
  ]);
}

function volumeJson({ name, type, grid, problems }: InspectedVolume) {
  return { name, type, geometry: grid === null ? null : geometryJson(grid), problems, grid };
}

function geometryJson(geometry: Geometry) {
  return {
    size: geometry.size,
    spacing_mm: geometry.spacingMm,
    origin_lps_mm: geometry.originMm,
    direction_lps: geometry.direction,
    orientation: orientationCode(geometry),
  };
}

function paragraph(title: string, geometry: Geometry | null, notes: readonly string[]): string {
  const place =
    geometry === null ? [] : [`${describeGeometry(geometry)}, stored ${orientationCode(geometry)}`];
  return [title, ...[...place, ...notes].map((line) => `  ${line}`)].join("\n");
}
