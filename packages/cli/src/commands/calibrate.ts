// lnsnet calibrate: a model's confidence, fitted on its predictions of held-out scans and their truth.

import { decimals, textTable } from "@lnsnet/core/reports";
import type { Reliability } from "@lnsnet/core/statistics";
import { counted } from "@lnsnet/core/text";
import { type CalibratedModel, calibrateModel } from "@lnsnet/node/experiments";
import { shippedModelPath } from "@lnsnet/node/segmenting";
import { defineCommand } from "citty";
import { forceArgument, jsonArgument, realNumber } from "../arguments.js";
import { printJson, printText, terminalJob } from "../terminal/terminal.js";

export const calibrateCommand = defineCommand({
  meta: {
    name: "calibrate",
    description:
      "Fit how sure a model may be of a node, on predictions of scans that it was not trained on, and write the model with that confidence",
  },
  args: {
    truth: {
      type: "positional",
      description: "folder of the true masks, or one of them (.nii.gz, .nrrd, .mha)",
      required: true,
    },
    prediction: {
      type: "positional",
      description: "what lnsnet predict wrote of the same scans: its folder, or one mask in it",
      required: true,
    },
    model: {
      type: "string",
      description: "model.safetensors that made the predictions; by default the shipped finder",
      valueHint: "FILE",
    },
    output: {
      type: "string",
      description: "file to write: the same model with its confidence",
      default: "calibrated.safetensors",
      valueHint: "FILE",
    },
    plot: {
      type: "string",
      description: "SVG file for a plot of the share of true nodes by probability",
      valueHint: "FILE",
    },
    "false-positives": {
      type: "string",
      description:
        "let the model leave out nodes of little confidence, so that at most this many false ones a scan remain on average; by default it keeps all",
      valueHint: "NUMBER",
    },
    force: forceArgument,
    json: jsonArgument,
  },
  async run({ args }) {
    const result = await calibrateModel(
      args.truth,
      args.prediction,
      {
        model: args.model ?? shippedModelPath("finder"),
        output: args.output,
        plot: args.plot ?? null,
        falsePositives:
          args["false-positives"] === undefined
            ? null
            : realNumber(args["false-positives"], "--false-positives", 0, 1000),
        force: args.force === true,
      },
      terminalJob(),
    );
    if (args.json === true) printJson(jsonOf(result));
    else printText(textOf(result));
  },
});

function jsonOf({ path, dataLabel, calibration, trueNodes, keptNodes, before, after }: CalibratedModel) {
  const { leastConfidence = null, ...map } = calibration;
  return {
    model: path,
    trained_on: dataLabel,
    ...map,
    true_nodes: trueNodes,
    least_confidence: leastConfidence,
    kept_nodes: keptNodes.length,
    kept_true_nodes: keptNodes.filter(({ isTrue }) => isTrue).length,
    as_predicted: reliabilityJson(before),
    calibrated: after === null ? null : reliabilityJson(after),
  };
}

const reliabilityJson = ({ expectedCalibrationError, bins }: Reliability) => ({
  expected_calibration_error: expectedCalibrationError,
  bins: bins.map(({ from, to, count, meanProbability, trueShare }) => ({
    from,
    to,
    nodes: count,
    mean_probability: meanProbability,
    true_share: trueShare,
  })),
});

function textOf({
  path,
  dataLabel,
  calibration,
  trueNodes,
  keptNodes,
  before,
  after,
}: CalibratedModel): string {
  const { slope, intercept, nodes, scans, leastConfidence } = calibration;
  const rows = before.bins
    .filter(({ count }) => count > 0)
    .map(({ from, to, count, meanProbability, trueShare }) => ({
      bin: `${from.toFixed(1)}–${to.toFixed(1)}`,
      nodes: count,
      probability: meanProbability,
      share: trueShare,
    }));
  const error = ({ expectedCalibrationError }: Reliability) => expectedCalibrationError?.toFixed(3) ?? "–";
  return [
    textTable(
      [
        { key: "bin", title: "mean probability" },
        { key: "nodes", title: "nodes", format: decimals(0) },
        { key: "probability", title: "mean", format: decimals(2) },
        { key: "share", title: "share of true nodes", format: decimals(2) },
      ],
      rows,
    ),
    `${counted(nodes, "predicted node")} in ${counted(scans, "scan")}, ${trueNodes} of them true; by a model trained on ${dataLabel}.`,
    `Expected calibration error: ${error(before)} as predicted${after === null ? "" : `, ${error(after)} where each scan is calibrated by a fit on the others`}.`,
    ...(leastConfidence === undefined ? [] : [keptInWords(keptNodes, leastConfidence, scans)]),
    `${path}: the model with confidence = logistic(${slope.toFixed(3)} · logit(probability) ${intercept < 0 ? "−" : "+"} ${Math.abs(intercept).toFixed(3)}). Research use only.`,
  ].join("\n");
}

function keptInWords(kept: CalibratedModel["keptNodes"], leastConfidence: number, scans: number): string {
  const trueNodes = kept.filter(({ isTrue }) => isTrue).length;
  const falsePerScan = (kept.length - trueNodes) / scans;
  return `Nodes of less confidence than ${leastConfidence.toFixed(3)} will be left out: of these scans ${trueNodes} true nodes remain, and ${falsePerScan.toFixed(1)} false ones a scan.`;
}
