// lnsnet implant: real CT with implanted lymph nodes as a data set.
import { counted } from "@lnsnet/core/text";
import { writeImplantedCohort } from "@lnsnet/node/making";
import { defineCommand } from "citty";
import { threadCount, threadsArgument, threeNumbers, wholeNumber } from "../arguments.js";
import { printJson, printProblems, printText, terminalJob } from "../terminal/terminal.js";

export const implantCommand = defineCommand({
  meta: {
    name: "implant",
    description:
      "Implant synthetic lymph nodes into real CT scans without labels, and write them as a data set in nnU-Net's layout. The same command again continues where it stopped",
  },
  args: {
    hosts: {
      type: "positional",
      description:
        "folder of CT scans, or data set in nnU-Net's layout; masks in targetsTr (where nodes may lie) and organsTr (where they may not) beside imagesTr are used",
      required: true,
    },
    output: {
      type: "string",
      description: "folder to write to: new, empty, or with the same cohort begun",
      valueHint: "FOLDER",
      required: true,
    },
    repeats: {
      type: "string",
      description: "cases made of each host, each with other nodes; a host's cases count as one patient",
      valueHint: "NUMBER",
      default: "1",
    },
    spacing: {
      type: "string",
      description:
        "coarsest spacing in mm: hosts are interpolated to it along the axes where they are coarser",
      valueHint: "X,Y,Z",
      default: "1.5,1.5,1.5",
    },
    seed: {
      type: "string",
      description: "seed of all random numbers; another seed gives other nodes",
      valueHint: "NUMBER",
      default: "1",
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
    const repeats = wholeNumber(args.repeats, "--repeats", 1, 999);
    const spacingMm = threeNumbers(args.spacing, "--spacing", 0.3, 5);
    const threads = threadCount(args.threads);
    const start = performance.now();
    const { cases, leftOut, kept } = await writeImplantedCohort(
      args.hosts,
      args.output,
      { seed, repeats, spacingMm },
      { threads, force: args.force === true },
      terminalJob(),
    );
    const reasons = [...new Set(leftOut.map(({ reason }) => reason))];
    printProblems(reasons);
    const nodes = cases.reduce((sum, scan) => sum + scan.nodes.length, 0);
    const [training, test] = ["Tr", "Ts"].map(
      (subset) => cases.filter((scan) => scan.case.subset === subset).length,
    );
    const seconds = Math.round(performance.now() - start) / 1000;
    if (args.json === true)
      printJson({
        output: args.output,
        origin: "implanted",
        seed,
        repeats,
        spacing_mm: spacingMm,
        training,
        test,
        nodes,
        left_out: leftOut.map((scan) => ({ case: scan.case.id, reason: scan.reason })),
        kept,
        seconds,
      });
    else
      printText(
        `${args.output}: ${counted(training, "scan")} to train on, ${test} to test on, with ${counted(nodes, "implanted lymph node")}${reasons.length === 0 ? "" : `; ${counted(reasons.length, "host")} left out`}${kept === 0 ? "" : `; ${kept} of the cases stood there already`}. Research use only.`,
      );
  },
});
