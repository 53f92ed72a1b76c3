// lnsnet profile: what a network costs, layer by layer.
import { networkPresets, predictionBytes, profileNetwork } from "@lnsnet/core/networks";
import { textTable } from "@lnsnet/core/reports";
import { trainingStepBytes } from "@lnsnet/core/training";
import { defineCommand } from "citty";
import { jsonArgument } from "../arguments.js";
import { networkSize } from "../network-size.js";
import { printJson, printText } from "../terminal/terminal.js";

export const profileCommand = defineCommand({
  meta: { name: "profile", description: "Count a network's parameters, multiply-adds and bytes" },
  args: {
    network: {
      type: "enum",
      description: "which network",
      options: Object.keys(networkPresets),
      default: "lnsnet",
    },
    size: {
      type: "string",
      description: "size of the input in voxels",
      default: "64,48,48",
      valueHint: "D,H,W",
    },
    layers: { type: "boolean", description: "each layer by itself too" },
    json: jsonArgument,
  },
  run({ args }) {
    const network = networkPresets[args.network];
    const size = networkSize(args.size, "--size", network);
    const profile = profileNetwork(network, size);
    const input = [1, network.configuration.inputs, ...size];
    const bytes = {
      prediction: predictionBytes(network, size),
      trainingStep: trainingStepBytes(network, input),
    };
    if (args.json === true) printJson(profileJson(args.network, profile, input, bytes));
    else
      printText(
        profileText(`${args.network}, input ${input.join("×")}`, profile, bytes, args.layers === true),
      );
  },
});

type Profile = ReturnType<typeof profileNetwork>;

/** What the tensors hold at once. */
interface HeldBytes {
  readonly prediction: number;
  readonly trainingStep: number;
}

function profileJson(network: string, profile: Profile, input: readonly number[], bytes: HeldBytes) {
  return {
    network,
    parameters: profile.parameters,
    multiply_adds: profile.multiplyAdds,
    multiply_adds_thop: profile.multiplyAddsThop,
    bytes_moved: profile.bytes,
    prediction_bytes: bytes.prediction,
    training_step_bytes: bytes.trainingStep,
    input,
    layers: profile.layers.map(({ layer, parameters, multiplyAdds, multiplyAddsThop, bytes, output }) => ({
      layer,
      parameters,
      multiply_adds: multiplyAdds,
      multiply_adds_thop: multiplyAddsThop,
      bytes_moved: bytes,
      output,
    })),
  };
}

function profileText(title: string, profile: Profile, held: HeldBytes, withLayers: boolean): string {
  const counted = (value: number): string => value.toLocaleString("en");
  const millions = (value: number): string => (value / 1e6).toFixed(1);
  const gigabytes = (value: number): string => `${(value / 1e9).toFixed(2)} GB`;
  const { layers, ...total } = profile;
  const whole = { layer: title, output: "", ...total };
  const table = textTable(
    [
      { key: "layer", title: "layer" },
      { key: "output", title: "result" },
      { key: "parameters", title: "parameters", format: counted },
      { key: "multiplyAdds", title: "multiply-adds", unit: "M", format: millions },
      { key: "multiplyAddsThop", title: "by thop's rule", unit: "M", format: millions },
      { key: "bytes", title: "read and written", unit: "MB", format: millions },
    ],
    withLayers ? layers.map((layer) => ({ ...layer, output: layer.output.join("×") })) : [whole],
    withLayers ? [whole] : [],
  );
  return `${table}\nTensors held at once: ${gigabytes(held.prediction)} in prediction, ${gigabytes(held.trainingStep)} in a training step. The process takes up to twice as much.`;
}
