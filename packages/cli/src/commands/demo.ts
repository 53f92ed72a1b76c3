// lnsnet demo: the whole job on the embedded phantom, from patients to a report.
import { demoTable, runDemo } from "@lnsnet/node/experiments";
import { duration } from "@lnsnet/node/work";
import { defineCommand } from "citty";
import { wholeNumber } from "../arguments.js";
import { printText, terminalJob } from "../terminal/terminal.js";

export const demoCommand = defineCommand({
  meta: {
    name: "demo",
    description: "Generate phantom patients, train a small LNSNet, segment held-out patients, report",
  },
  args: {
    output: {
      type: "string",
      description: "folder for all results; an earlier demo in it is replaced, and nothing else",
      default: "lnsnet-demo",
      valueHint: "FOLDER",
    },
    training: { type: "string", description: "patients to train on", default: "24", valueHint: "NUMBER" },
    test: { type: "string", description: "patients held out", default: "6", valueHint: "NUMBER" },
    steps: { type: "string", description: "number of training steps", default: "900", valueHint: "NUMBER" },
    seed: { type: "string", description: "seed of patients and training", default: "1", valueHint: "NUMBER" },
  },
  async run({ args }) {
    const training = wholeNumber(args.training, "--training", 3, 1000);
    const test = wholeNumber(args.test, "--test", 1, 1000);
    const seed = wholeNumber(args.seed, "--seed", 0, 2 ** 31);
    const steps = wholeNumber(args.steps, "--steps", 1, 1e6);
    const demo = await runDemo(args.output, { training, test, steps, seed }, terminalJob());
    printText(
      `${demoTable(demo)}\n\nparameters ${demo.parameters.toLocaleString("en")} · time ${duration(demo.seconds)} · report ${demo.reportPath}\nThese are phantoms (synthetic scans). Research use only, not a medical device.`,
    );
  },
});
