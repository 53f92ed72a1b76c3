// Ctrl-C, SIGTERM and SIGHUP: the first lets long work save and stop, the second stops at once.
import { constants } from "node:os";

/** The reason of work that was stopped from outside. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** 128 and the signal's number, as shells have it: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP. */
  readonly exitCode: number;

  constructor(signal: StopSignal) {
    super("stopped");
    this.exitCode = exitCodeOf(signal);
  }
}

/** Sent by Ctrl-C, by a scheduler or `docker stop`, and by a terminal that is closed. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type StopSignal = (typeof signals)[number];

let controller: AbortController | null = null;

/**
 * The signal that the first Ctrl-C, SIGTERM or SIGHUP sets, for an {@link Interrupted} reason. From the first call on,
 * none of them ends the process by itself: the caller must check the signal between steps. A second one ends
 * the process.
 */
export function interruptSignal(): AbortSignal {
  if (controller !== null) return controller.signal;
  const created = new AbortController();
  controller = created;
  for (const signal of signals) {
    process.on(signal, () => {
      if (created.signal.aborted) process.exit(exitCodeOf(signal));
      const again = signal === "SIGINT" ? "press Ctrl-C again" : `a second ${signal} is enough`;
      process.stderr.write(`\nlnsnet: stopping as soon as the work is safe; ${again} to stop at once\n`);
      created.abort(new Interrupted(signal));
    });
  }
  return created.signal;
}

function exitCodeOf(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}
