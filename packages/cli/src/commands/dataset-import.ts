// lnsnet dataset import: a collection of scans and labels in, a data set without identifiers out.
import { counted } from "@lnsnet/core/text";
import { defaultRoi, importCollection, layouts } from "@lnsnet/node/making";
import { defineCommand } from "citty";
import { jsonArgument, realNumber } from "../arguments.js";
import { printJson, printText, terminalJob } from "../terminal/terminal.js";

export const datasetImportCommand = defineCommand({
  meta: {
    name: "dataset import",
    description:
      "Bring DICOM studies with RTSTRUCT or SEG, HECKTOR, LNQ, TCIA CT Lymph Nodes or an nnU-Net data set into one layout",
  },
  args: {
    source: { type: "positional", description: "folder of the collection", required: true },
    output: {
      type: "string",
      description: "folder for the data set; an interrupted import in it is continued",
      valueHint: "FOLDER",
      required: true,
    },
    layout: {
      type: "enum",
      description: "how the collection is laid out",
      options: [...layouts],
      default: "auto",
    },
    roi: {
      type: "string",
      description: `which ROIs and segments are nodes, by name; by default ${defaultRoi} for DICOM, all for other layouts`,
      valueHint: "PATTERN",
    },
    name: {
      type: "string",
      description: "name of the data set; by default the output folder's",
      valueHint: "NAME",
    },
    "test-share": {
      type: "string",
      description: "probability that a patient goes to the test set",
      valueHint: "SHARE",
      default: "0",
    },
    "keep-mapping": {
      type: "string",
      description: "CSV file that lists the patient of each case; it identifies patients, so keep it safe",
      valueHint: "FILE",
    },
    force: { type: "boolean", description: "replace an existing file of --keep-mapping" },
    json: jsonArgument,
  },
  async run({ args }) {
    const testShare = realNumber(args["test-share"], "--test-share", 0, 1);
    const { imported, kept, failed } = await importCollection(
      args.source,
      {
        output: args.output,
        layout: args.layout,
        roi: args.roi,
        name: args.name,
        testShare,
        mappingPath: args["keep-mapping"],
        force: args.force === true,
      },
      terminalJob(),
    );
    if (args.json === true)
      printJson({
        output: args.output,
        imported: imported.map(({ case: id, patient, subset, components, rois }) => ({
          case: id,
          patient,
          subset,
          components,
          rois,
        })),
        kept,
        failed,
      });
    else
      printText(
        [
          `${args.output}: ${counted(imported.length, "case")} imported, ${kept} kept from before, ${failed.length} that could not be used.`,
          ...failed.map(({ origin, reason }) => `  ${origin}: ${reason}`),
        ].join("\n"),
      );
    if (failed.length > 0) process.exitCode = 2;
  },
});
