// lnsnet serve: the service, a new token, or a trial of the rules.
import { InputError } from "@lnsnet/core/errors";
import type { Scope } from "@lnsnet/service";
import { defineCommand } from "citty";
import { wholeNumber } from "../arguments.js";
import { queueAddress } from "../queue-arguments.js";
import { loadService } from "../service-package.js";
import { interruptSignal } from "../terminal/interrupt.js";
import { printNote, printText } from "../terminal/terminal.js";

export const serveCommand = defineCommand({
  meta: {
    name: "serve",
    description:
      "Run a service that receives studies (upload, watched folder, DICOM), segments them, shows a worklist and sends the results on. Ends with Ctrl-C",
  },
  args: {
    config: {
      type: "string",
      description: "configuration file (YAML), with rules, targets and a DICOM receiver; see docs/service.md",
      valueHint: "FILE",
    },
    folder: {
      type: "string",
      description: "folder of jobs, tokens and logs; by default lnsnet-service",
      valueHint: "FOLDER",
    },
    host: {
      type: "string",
      description: "address to listen on; by default 127.0.0.1, which only this machine reaches",
      valueHint: "ADDRESS",
    },
    port: { type: "string", description: "port to listen on; by default 8080", valueHint: "NUMBER" },
    queue: {
      type: "string",
      description:
        "address of Redis, by which workers segment, or the name of a variable that holds it; by default LNSNET_QUEUE, and where it is not set this process segments",
      valueHint: "URL",
    },
    "new-token": {
      type: "enum",
      description: "make a token that may do this, print it, and end",
      options: ["view", "submit", "administer"] satisfies Scope[],
    },
    user: { type: "string", description: "whose token it is, for --new-token", valueHint: "NAME" },
    days: {
      type: "string",
      description: "days after which the new token ends; by default never",
      valueHint: "NUMBER",
    },
    "test-rule": {
      type: "string",
      description: "say what the rules would do with this DICOM file, and end",
      valueHint: "FILE",
    },
    "calling-title": {
      type: "string",
      description:
        "the AE title from which the file of --test-rule would come by C-STORE; without it, it counts as an upload",
      valueHint: "TITLE",
    },
  },
  async run({ args }) {
    const { readConfiguration, runService, testRules, tokensOf } = await loadService();
    const configuration = await readConfiguration(args.config ?? null, {
      data: args.folder,
      host: args.host,
      queue: args.queue === undefined ? process.env.LNSNET_QUEUE : queueAddress(args.queue),
      port: args.port === undefined ? undefined : wholeNumber(args.port, "--port", 0, 65_535),
    });
    if (args["test-rule"] !== undefined) {
      const lines = await testRules(configuration.rules, args["test-rule"], args["calling-title"] ?? null);
      return printText(lines.join("\n"));
    }
    if (args["new-token"] !== undefined) {
      if (args.user === undefined)
        throw new InputError("--new-token needs --user NAME, so that it can be told from others.");
      const days = args.days === undefined ? null : wholeNumber(args.days, "--days", 1, 36_500);
      const tokens = await tokensOf(configuration);
      return printText(await tokens.create(args.user, args["new-token"], days));
    }
    const signal = interruptSignal();
    await runService(configuration, {
      signal,
      log: (fields) => printText(JSON.stringify({ time: new Date().toISOString(), ...fields })),
      onListening: ({ http, dicomPort, firstToken }) => {
        printNote(
          `the worklist is at ${http}${dicomPort === null ? "" : `, DICOM at port ${dicomPort}`}. Research use only.`,
        );
        if (firstToken !== null)
          printNote(`the first token, which may administer; it is not shown again: ${firstToken}`);
      },
    });
    signal.throwIfAborted();
  },
});
