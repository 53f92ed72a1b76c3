// lnsnet info: what images are at a path, where they lie, and everything that is wrong with them.
import { counted, type Geometry, InputError, shown } from "@lnsnet/core";
import {
  type NamedFile,
  type ObjectSummary,
  objectSummary,
  problemsOfReading,
  readMarkups,
} from "@lnsnet/core/formats";
import { orientationCode } from "@lnsnet/core/volume";
import {
  describeGeometry,
  type FoundImages,
  findImages,
  isFile,
  readBytes,
  type VolumeFile,
} from "@lnsnet/node";
import { defineCommand } from "citty";
import { printJson, printText } from "../terminal/terminal.js";

export const infoCommand = defineCommand({
  meta: {
    name: "info",
    description: "List the images, segmentations, reports and points at a path, with every problem",
  },
  args: {
    path: { type: "positional", description: "a file, a folder or a zip archive", required: true },
    json: { type: "boolean", description: "print JSON" },
  },
  async run({ args }) {
    const found = await findImages(args.path);
    const volumes = [];
    for (const file of found.volumes) volumes.push(await describeVolume(file));
    const markups = await Promise.all(found.markups.map(describeMarkups));
    const { objects, others } = await describeObjects(
      found.others.filter((one) => !found.markups.some(({ name }) => name === one.name)),
    );
    const [firstOther] = others;
    if (found.series.length + volumes.length + objects.length + markups.length === 0)
      throw new InputError(
        `${args.path} holds no image${firstOther === undefined ? "" : ` (${firstOther.reason.replace(/\.$/, "")})`}, and a volume file or DICOM series is expected; name another path.`,
      );
    // Where nothing can be read, the reason is the answer.
    const unreadable = volumes.find(({ type }) => type === null);
    if (
      found.series.length + objects.length + markups.length === 0 &&
      unreadable !== undefined &&
      volumes.every(({ type }) => type === null)
    )
      throw new InputError(unreadable.problems[0]);
    const problemsOf = await Promise.all(found.series.map(problemsOfReading));
    const series = found.series.map((one, n) => ({
      number: n + 1,
      series_number: one.number,
      uid: one.seriesInstanceUid,
      description: one.description,
      modality: one.modality,
      slices: one.sliceCount,
      transfer_syntax: one.transferSyntax,
      frame_of_reference_uid: one.frameOfReferenceUid,
      geometry: one.geometry === null ? null : geometryJson(one.geometry),
      problems: problemsOf[n].map(({ kind, message, isRefused }) => ({ kind, message, refused: isRefused })),
    }));
    if (args.json === true)
      return printJson({
        path: args.path,
        series,
        volumes,
        objects: objects.map(objectJson),
        markups,
        others,
      });
    const seriesText = found.series.map((one, n) =>
      paragraph(
        `series ${n + 1}: ${one.modality} "${shown(one.description)}", ${counted(one.sliceCount, "slice")}, ${one.transferSyntax}`,
        one.geometry,
        problemsOf[n].map(
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

interface DescribedObject extends ObjectSummary {
  readonly name: string;
}

/** The SEG, RTSTRUCT and SR files among those that are no images; one that cannot be read keeps its reason. */
async function describeObjects(
  files: FoundImages["others"],
): Promise<{ objects: DescribedObject[]; others: { name: string; reason: string }[] }> {
  const objects: DescribedObject[] = [];
  const others: { name: string; reason: string }[] = [];
  for (const { name, reason } of files) {
    try {
      // Files of an archive are not on the disk.
      const summary = (await isFile(name)) ? await objectSummary(await readBytes(name), name) : null;
      if (summary === null) others.push({ name, reason });
      else objects.push({ name, ...summary });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      others.push({ name, reason: reason.includes("not an image") ? error.message : reason });
    }
  }
  return { objects, others };
}

function objectJson({ name, modality, title, regions, references, problems }: DescribedObject) {
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

function objectText({ name, modality, title, regions, references, problems }: DescribedObject): string {
  const regionLines = regions.map(({ label, type, voxels, volumeMl, contours, measurements }) =>
    [
      `"${shown(label)}"`,
      ...(type === "" ? [] : [shown(type)]),
      ...(voxels === null ? [] : [counted(voxels, "voxel")]),
      ...(volumeMl === null ? [] : [`${volumeMl.toFixed(2)} mL`]),
      ...(contours === null ? [] : [counted(contours, "contour")]),
      ...measurements.map(
        (one) => `${shown(one.name)} ${Number(one.value.toPrecision(4))} ${shown(one.unit)}`,
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

/** A file of points: how many are placed; null with the reason where it cannot be read. */
async function describeMarkups({ name, read }: NamedFile) {
  try {
    const points = readMarkups(new TextDecoder().decode(await read()), name).length;
    return { name, points, problems: [] };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { name, points: null, problems: [error.message] };
  }
}

interface DescribedVolume {
  readonly name: string;
  /** Array type of the voxels; null where the file cannot be read. */
  readonly type: string | null;
  readonly geometry: ReturnType<typeof geometryJson> | null;
  readonly problems: readonly string[];
}

/** A volume file; one that cannot be read is listed with the reason, as a series is. */
async function describeVolume({
  name,
  read,
}: VolumeFile): Promise<DescribedVolume & { grid: Geometry | null }> {
  try {
    const { volume, problems } = await read();
    const type = volume.data.constructor.name.replace("Array", "").toLowerCase();
    const { size, spacingMm, originMm, direction } = volume;
    const grid = { size, spacingMm, originMm, direction };
    return { name, type, geometry: geometryJson(grid), problems, grid };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { name, type: null, geometry: null, problems: [error.message], grid: null };
  }
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
