// lnsnet convert: images and labels from any format that is read to any that is written.
import { randomUUID } from "node:crypto";
import {
  counted,
  InputError,
  readMarkups,
  volumeFormats,
  writeFcsv,
  writeMarkupsJson,
  writeVolume,
} from "@lnsnet/core";
import { roiPattern } from "@lnsnet/core/formats";
import {
  asInstances,
  type ReadImage,
  readBytes,
  readImage,
  readLabels,
  requireFreeFile,
  requirePath,
  type SegmentationFormat,
  segmentationBytes,
  segmentationKind,
  writeAtomically,
} from "@lnsnet/node";
import { defineCommand } from "citty";
import { forceArgument } from "../arguments.js";
import { printProblems, printText } from "../terminal/terminal.js";

export const convertCommand = defineCommand({
  meta: {
    name: "convert",
    description:
      "Convert a scan or labels: DICOM, NIfTI, NRRD, MetaImage in; NIfTI, NRRD, MetaImage, DICOM SEG, RTSTRUCT out",
  },
  args: {
    input: {
      type: "positional",
      description:
        "a file, a folder of DICOM, or a zip archive; labels, a SEG, an RTSTRUCT or Slicer's points too",
      required: true,
    },
    output: {
      type: "string",
      description: "file to write; its extension decides the format",
      valueHint: "FILE",
      required: true,
    },
    series: {
      type: "string",
      description: "which series, if there are several: its number, UID or part of its description",
      valueHint: "SERIES",
    },
    reference: {
      type: "string",
      description: "the scan that labels were drawn on; they are put on its grid",
      valueHint: "PATH",
    },
    roi: {
      type: "string",
      description:
        "which segments of a SEG or ROIs of an RTSTRUCT to take, by name, such as '/LN|node|GTVn/i'",
      valueHint: "PATTERN",
    },
    format: { type: "enum", description: "DICOM object to write labels as", options: ["seg", "rtstruct"] },
    anonymize: {
      type: "boolean",
      description: "remove the patient's identity from a SEG or RTSTRUCT: new UIDs, no dates, no names",
    },
    salt: {
      type: "string",
      description: "secret for the UIDs of --anonymize; the same secret gives the same UIDs",
      valueHint: "TEXT",
    },
    force: forceArgument,
  },
  async run({ args }) {
    await requirePath(args.input);
    const inputs = [args.input, ...(args.reference === undefined ? [] : [args.reference])];
    await requireFreeFile(args.output, { inputs, force: args.force === true });
    const { format, roi } = args;
    if ((args.anonymize === true || args.salt !== undefined) && format === undefined)
      throw new InputError("--anonymize is for DICOM objects; give --format seg or rtstruct too.");
    if (args.salt !== undefined && args.anonymize !== true)
      throw new InputError("--salt is for --anonymize; give both.");
    if (isMarkups(args.input)) {
      await convertMarkups(args.input, args.output);
      return printText(args.output);
    }
    const isObject = (await segmentationKind(args.input)) !== null;
    if (format !== undefined) {
      requireEnding(args.output, [".dcm"], `--format ${format}`);
      const reference = await referenceSeries(args.reference, args.series, format);
      const { volume, names, problems } = await readLabels(args.input, {
        reference,
        pattern: patternOf(roi),
      });
      printProblems([...reference.problems, ...problems]);
      const salt = args.anonymize === true ? (args.salt ?? randomUUID()) : null;
      const bytes = segmentationBytes(
        names.length > 0 ? volume : asInstances(volume),
        names,
        reference.source,
        { format, anonymizeSalt: salt },
      );
      await writeAtomically(args.output, bytes);
      return printText(args.output);
    }
    requireEnding(
      args.output,
      volumeFormats.flatMap(({ writtenEndings }) => writtenEndings),
      "a volume",
    );
    if (isObject || args.reference !== undefined || roi !== undefined) {
      const reference = args.reference === undefined ? null : await readImage(args.reference, args.series);
      const { volume, names, problems } = await readLabels(args.input, {
        reference,
        pattern: patternOf(roi),
      });
      printProblems([...(reference?.problems ?? []), ...problems]);
      await writeAtomically(args.output, writeVolume(volume, args.output));
      return printText(
        [
          `${args.output}: ${counted(names.length, "body", "bodies")}`,
          ...names.map(({ label, name }) => `${label}  ${name}`),
        ].join("\n"),
      );
    }
    const { volume, problems } = await readImage(args.input, args.series);
    printProblems(problems);
    await writeAtomically(args.output, writeVolume(volume, args.output));
    printText(args.output);
  },
});

/** The pattern of --roi; null where it is not given. @throws InputError where it is no regular expression */
export function patternOf(roi: string | undefined): RegExp | null {
  return roi === undefined ? null : roiPattern(roi);
}

const isMarkups = (path: string) => /\.(mrk\.json|fcsv)$/i.test(path);

/** Points of 3D Slicer, from one of its two formats to the other. */
async function convertMarkups(input: string, output: string): Promise<void> {
  requireEnding(output, [".mrk.json", ".fcsv"], "a list of points");
  const points = readMarkups(new TextDecoder().decode(await readBytes(input)), input);
  await writeAtomically(
    output,
    output.toLowerCase().endsWith(".fcsv") ? writeFcsv(points) : writeMarkupsJson(points),
  );
}

function requireEnding(output: string, endings: readonly string[], what: string): void {
  if (endings.some((ending) => output.toLowerCase().endsWith(ending))) return;
  const hint = output.toLowerCase().endsWith(".dcm") ? ", or give --format seg or rtstruct" : "";
  throw new InputError(
    `--output is ${output}, and ${what} is written to a file that ends in ${endings.join(", ")}; name it so${hint}.`,
  );
}

async function referenceSeries(
  path: string | undefined,
  series: string | undefined,
  format: SegmentationFormat,
): Promise<ReadImage & { readonly source: NonNullable<ReadImage["source"]> }> {
  if (path === undefined)
    throw new InputError(`--format ${format} needs --reference, the DICOM series that the labels belong to.`);
  const reference = await readImage(path, series);
  if (reference.source === null)
    throw new InputError(
      `${path} is a volume file, and a ${format === "seg" ? "SEG" : "RTSTRUCT"} refers to a DICOM series; name the folder of the series with --reference.`,
    );
  return { ...reference, source: reference.source };
}
