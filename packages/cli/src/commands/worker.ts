// lnsnet worker: does what services and experiments put into a queue.
import { defineCommand } from "citty";
import { wholeNumber } from "../arguments.js";
import { queueAddress } from "../queue-arguments.js";
import { loadQueueing } from "../service-package.js";
import { interruptSignal } from "../terminal/interrupt.js";
import { printText } from "../terminal/terminal.js";

export const workerCommand = defineCommand({
  meta: {
    name: "worker",
    description:
      "Do what stands in a queue on Redis: segment the studies of a service; train, predict and evaluate for crossvalidate, compare, ablate and evaluate. Run any number, on any machines that see the same folder. Ends with Ctrl-C",
  },
  args: {
    queue: {
      type: "string",
      description:
        "address of Redis, such as redis://10.0.0.7:6379, or the name of a variable that holds it, which keeps a password off the command line",
      default: "LNSNET_QUEUE",
      valueHint: "URL",
    },
    folder: {
      type: "string",
      description:
        "the folder that all share, as this machine sees it: a service's data folder, or the one with data sets and experiments",
      default: "lnsnet-service",
      valueHint: "FOLDER",
    },
    store: {
      type: "string",
      description:
        "bucket of an S3-compatible store, for studies of a service whose folder this machine does not see; its keys stand in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
      valueHint: "URL",
    },
    jobs: {
      type: "string",
      description: "studies at a time, and as many parts of experiments beside them",
      default: "1",
      valueHint: "NUMBER",
    },
    threads: {
      type: "string",
      description: "threads for the studies' network; 0 uses every core. Experiments state their own",
      default: "0",
      valueHint: "NUMBER",
    },
  },
  async run({ args }) {
    const { openStore, runWorker } = await loadQueueing();
    const signal = interruptSignal();
    await runWorker(
      {
        queue: queueAddress(args.queue),
        folder: args.folder,
        store: args.store === undefined ? null : openStore(args.store, process.env),
        jobs: wholeNumber(args.jobs, "--jobs", 1, 64),
        threads: wholeNumber(args.threads, "--threads", 0, 256),
      },
      {
        signal,
        log: (fields) => printText(JSON.stringify({ time: new Date().toISOString(), ...fields })),
      },
    );
    signal.throwIfAborted();
  },
});
