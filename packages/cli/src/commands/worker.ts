// lnsnet worker: segments what a service puts into a queue.
import { runWorker } from "@lnsnet/service";
import { defineCommand } from "citty";
import { wholeNumber } from "../arguments.js";
import { interruptSignal } from "../terminal/interrupt.js";
import { printText } from "../terminal/terminal.js";

export const workerCommand = defineCommand({
  meta: {
    name: "worker",
    description:
      "Segment the studies that a service puts into a queue on Redis. Run any number, on any machines that see the service's folder. Ends with Ctrl-C",
  },
  args: {
    queue: {
      type: "string",
      description:
        "address of Redis, such as redis://10.0.0.7:6379; by default the variable LNSNET_QUEUE, which keeps a password off the command line",
      valueHint: "URL",
    },
    folder: {
      type: "string",
      description: "the service's data folder, as this machine sees it; by default lnsnet-service",
      valueHint: "FOLDER",
    },
    jobs: { type: "string", description: "studies at a time", default: "1", valueHint: "NUMBER" },
    threads: {
      type: "string",
      description: "threads for the network; 0 uses every core",
      default: "0",
      valueHint: "NUMBER",
    },
  },
  async run({ args }) {
    const queue = args.queue ?? process.env.LNSNET_QUEUE ?? "";
    const signal = interruptSignal();
    await runWorker(
      {
        queue,
        folder: args.folder ?? "lnsnet-service",
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
