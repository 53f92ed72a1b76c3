// lnsnet phantom: the synthetic cohort as a data set.

import { InputError } from "@lnsnet/core/errors";
import { counted } from "@lnsnet/core/text";
import { writePhantomCohort } from "@lnsnet/node/making";
import { defineCommand } from "citty";
import { threadCount, threadsArgument, wholeNumber } from "../arguments.js";
import { printJson, printText, terminalJob } from "../terminal/terminal.js";

export const phantomCommand = defineCommand({
  meta: {
    name: "phantom",
    description:
      "Write a synthetic cohort of head-and-neck CTs with lymph nodes, as a data set in nnU-Net's layout. The same command again continues where it stopped",
  },
  args: {
    output: {
      type: "string",
      description: "folder to write to: new, empty, or with the same cohort begun",
      valueHint: "FOLDER",
      required: true,
    },
    training: { type: "string", description: "patients to train on", valueHint: "NUMBER", default: "24" },
    test: { type: "string", description: "patients to test on", valueHint: "NUMBER", default: "6" },
    seed: {
      type: "string",
      description: "seed of all random numbers; another seed gives another cohort",
      valueHint: "NUMBER",
      default: "1",
    },
    variety: {
      type: "enum",
      description:
        "how much patients and scans differ: typical, or wide (contrast, calcium, metal, fixation, poor scans), to train for real ones",
      options: ["typical", "wide"],
      default: "typical",
    },
    plain: {
      type: "boolean",
      description:
        "scan each patient without contrast medium too, as a second channel, for networks of two channels",
    },
    organs: {
      type: "boolean",
      description:
        "write each patient's glands, thyroid, great vessels and spinal canal too, to organsTr and organsTs, for networks that are clicked",
    },
    threads: threadsArgument,
    force: {
      type: "boolean",
      description: "replace an earlier cohort in the folder; other files are kept",
    },
    json: { type: "boolean", description: "print a summary as JSON" },
  },
  async run({ args }) {
    const seed = wholeNumber(args.seed, "--seed", 0, 2 ** 31 - 1);
    const training = wholeNumber(args.training, "--training", 0, 999);
    const test = wholeNumber(args.test, "--test", 0, 999);
    const threads = threadCount(args.threads);
    if (training + test === 0)
      throw new InputError("--training and --test are both 0; ask for at least one patient.");
    const start = performance.now();
    const cohort = {
      seed,
      training,
      test,
      variety: args.variety,
      plain: args.plain === true,
      organs: args.organs === true,
    };
    const options = { threads, force: args.force === true };
    const { cases, kept } = await writePhantomCohort(args.output, cohort, options, terminalJob());
    const nodes = cases.reduce((sum, scan) => sum + scan.nodes.length, 0);
    const seconds = Math.round(performance.now() - start) / 1000;
    if (args.json === true) printJson({ output: args.output, ...cohort, kept, nodes, seconds });
    else
      printText(
        `${args.output}: ${counted(training, "patient")} to train on, ${test} to test on, ${counted(nodes, "lymph node")}${kept === 0 ? "" : `; ${kept} of the patients stood there already`}.`,
      );
  },
});
