// lnsnet info: what images are at a path, where they lie, and everything that is wrong with them.
import { counted, type Geometry, shown } from "@lnsnet/core";
import { describeGeometry, orientationCode } from "@lnsnet/core/volume";
import { type InspectedObject, type InspectedVolume, inspectPath } from "@lnsnet/node";
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
    const { series: found, volumes, objects, markups, others } = await inspectPath(args.path);
    const series = found.map(({ series: item, problems }, n) => ({
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
    }));
    if (args.json === true)
      return printJson({
        path: args.path,
        series,
        volumes: volumes.map(volumeJson),
        objects: objects.map(objectJson),
        markups,
        others,
      });
    const seriesText = found.map(({ series: item, problems }, n) =>
      paragraph(
        `series ${n + 1}: ${item.modality} "${shown(item.description)}", ${counted(item.sliceCount, "slice")}, ${item.transferSyntax}`,
        item.geometry,
        problems.map(
          ({ kind, message, isRefused }) => `${isRefused ? "refused" : "note"}: ${kind}: ${message}`,
        ),
      ),
    );
    const volumeText = volumes.map(({ name, type, grid, problems }) =>
      paragraph(
        `volume: ${name}, ${type ?? "unreadable"}`,
        grid,
        problems.map((problem) => `note: ${problem}`),
      ),
    );
    const objectsText = objects.map(objectText);
    const markupsText = markups.map(({ name, points, problems }) =>
      paragraph(
        `points: ${name}, ${points === null ? "unreadable" : counted(points, "point")}`,
        null,
        problems.map((problem) => `note: ${problem}`),
      ),
    );
    const othersText = others.map(
      ({ name, reason }) => `no image: ${reason.includes(name) ? reason : `${name}: ${reason}`}`,
    );
    printText([...seriesText, ...volumeText, ...objectsText, ...markupsText, ...othersText].join("\n"));
  },
});

function objectJson({ name, modality, title, regions, references, problems }: InspectedObject) {
  return {
    name,
    modality,
    title,
    bodies: regions.map(({ label, type, voxels, volumeMl, contours, measurements }) => ({
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
