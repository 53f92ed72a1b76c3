// lnsnet convert: images and labels from any format that is read to any that is written.

import { InputError } from "@lnsnet/core/errors";
import { roiPattern } from "@lnsnet/core/formats";
import { counted } from "@lnsnet/core/text";
import { convertFile } from "@lnsnet/node/files";
import { defineCommand } from "citty";
import { forceArgument, seriesArgument } from "../arguments.js";
import { printText, terminalJob } from "../terminal/terminal.js";

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
    series: seriesArgument,
    reference: {
      type: "string",
      description: "the scan on which the labels were drawn; they are resampled to its grid",
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
    const { format, output } = args;
    if ((args.anonymize === true || args.salt !== undefined) && format === undefined)
      throw new InputError("--anonymize is for DICOM objects; give --format seg or rtstruct too.");
    if (args.salt !== undefined && args.anonymize !== true)
      throw new InputError("--salt is for --anonymize; give both.");
    const names = await convertFile(
      args.input,
      {
        output,
        series: args.series,
        reference: args.reference,
        pattern: args.roi === undefined ? null : roiPattern(args.roi),
        format,
        anonymize: args.anonymize === true ? { salt: args.salt ?? null } : undefined,
        force: args.force === true,
      },
      terminalJob(),
    );
    if (names === null) return printText(output);
    const lines = names.map(({ label, name }) => `${label}  ${name}`);
    printText([`${output}: ${counted(names.length, "label")}`, ...lines].join("\n"));
  },
});
