// Converts images, labels and points between file formats.
import { randomUUID } from "node:crypto";
import { InputError } from "@lnsnet/core/errors";
import {
  type LabelName,
  type ReadImage,
  readMarkups,
  volumeFormats,
  writeFcsv,
  writeMarkupsJson,
  writeVolume,
} from "@lnsnet/core/formats";
import { asInstances, codedBy } from "@lnsnet/core/results";
import type { Job } from "../work/job.js";
import { readBytes, requirePath, writeAtomically } from "./disk.js";
import { readImage } from "./imaging.js";
import { isSegmentationObject, readLabels } from "./labels.js";
import { classesOfMask } from "./mask-origin.js";
import { requireFreeFile } from "./outputs.js";
import { type SegmentationFormat, segmentationBytes } from "./writing.js";

export interface ConversionOptions {
  /** The file to write. Its ending decides the format, but for DICOM objects. */
  readonly output: string;
  /** Which series, where there are several: its number, UID or part of its description. */
  readonly series?: string | undefined;
  /** The scan that labels were drawn on; they are put on its grid. */
  readonly reference?: string | undefined;
  /** Which segments or ROIs are taken, by their names; null takes all. */
  readonly pattern?: RegExp | null;
  /** Writes labels as a DICOM object of the reference's series. */
  readonly format?: SegmentationFormat | undefined;
  /** Removes the patient's identity from a DICOM object. The same salt gives the same UIDs; null takes a random one. */
  readonly anonymize?: { readonly salt: string | null } | undefined;
  /** Whether to replace an existing output. */
  readonly force?: boolean;
}

/**
 * Converts a scan, labels or 3D Slicer's points. Anything unusual in the input is logged.
 *
 * @returns the names of the labels; null where no labels were read by name
 * @throws InputError where the input cannot be used, the output's ending does not fit what is written, or the output
 *   stands there already
 */
export async function convertFile(
  input: string,
  options: ConversionOptions,
  { log }: Job = {},
): Promise<readonly LabelName[] | null> {
  const { output, series, reference, pattern = null, format } = options;
  await requirePath(input);
  const inputs = [input, ...(reference === undefined ? [] : [reference])];
  await requireFreeFile(output, { inputs, force: options.force === true });
  if (/\.(mrk\.json|fcsv)$/i.test(input)) return convertMarkups(input, output);
  const isObject = await isSegmentationObject(input);
  if (format !== undefined) return convertToObject(input, format, options, log);
  requireEnding(
    output,
    volumeFormats.flatMap(({ writtenEndings }) => writtenEndings),
    "a volume",
  );
  if (isObject || reference !== undefined || pattern !== null) {
    const scan = reference === undefined ? null : await readImage(reference, series);
    const { volume, names, problems } = await readLabels(input, { reference: scan, pattern });
    for (const problem of [...(scan?.problems ?? []), ...problems]) log?.(problem);
    await writeAtomically(output, writeVolume(volume, output));
    return names;
  }
  const { volume, problems } = await readImage(input, series);
  for (const problem of problems) log?.(problem);
  await writeAtomically(output, writeVolume(volume, output));
  return null;
}

/** Labels as a SEG or an RTSTRUCT. */
async function convertToObject(
  input: string,
  format: SegmentationFormat,
  { output, series, reference, pattern = null, anonymize }: ConversionOptions,
  log: Job["log"],
): Promise<null> {
  requireEnding(output, [".dcm"], `the option format ${format}`);
  const scan = await referenceSeries(reference, series, format);
  const { volume, names, problems } = await readLabels(input, { reference: scan, pattern });
  for (const problem of [...scan.problems, ...problems]) log?.(problem);
  const anonymizeSalt = anonymize === undefined ? null : (anonymize.salt ?? randomUUID());
  const classes = await classesOfMask(input);
  const named = [...names, ...classes.map(({ name, value }) => ({ name, label: value, ...codedBy(name) }))];
  const labels = named.length > 0 ? volume : asInstances(volume);
  await writeAtomically(output, segmentationBytes(labels, named, scan.source, { format, anonymizeSalt }));
  return null;
}

/** Points of 3D Slicer, from one of its two formats to the other. */
async function convertMarkups(input: string, output: string): Promise<null> {
  requireEnding(output, [".mrk.json", ".fcsv"], "a list of points");
  const points = readMarkups(new TextDecoder().decode(await readBytes(input)), input);
  await writeAtomically(
    output,
    output.toLowerCase().endsWith(".fcsv") ? writeFcsv(points) : writeMarkupsJson(points),
  );
  return null;
}

function requireEnding(output: string, endings: readonly string[], what: string): void {
  if (endings.some((ending) => output.toLowerCase().endsWith(ending))) return;
  const hint = output.toLowerCase().endsWith(".dcm") ? ", or give the option format seg or rtstruct" : "";
  throw new InputError(
    `The option output is ${output}, and ${what} is written to a file that ends in ${endings.join(", ")}; choose such a name${hint}.`,
  );
}

async function referenceSeries(
  path: string | undefined,
  series: string | undefined,
  format: SegmentationFormat,
): Promise<ReadImage & { readonly source: NonNullable<ReadImage["source"]> }> {
  if (path === undefined)
    throw new InputError(
      `The option format ${format} needs the option reference, the DICOM series that the labels belong to.`,
    );
  const reference = await readImage(path, series);
  if (reference.source === null)
    throw new InputError(
      `${path} is a volume file, and a ${format === "seg" ? "SEG" : "RTSTRUCT"} refers to a DICOM series; choose the folder of the series with the option reference.`,
    );
  return { ...reference, source: reference.source };
}
