// Ctrl-C: the first lets long work save and stop, the second stops at once.

/** Thrown where work was stopped by the user; the command line ends with exit code 130. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";

  constructor(message = "stopped") {
    super(message);
  }
}

let controller: AbortController | null = null;

/**
 * The signal that the first Ctrl-C sets. From the first call on, Ctrl-C no longer ends the process by itself: whoever
 * asks for the signal must look at it between steps.
 */
export function interruptSignal(): AbortSignal {
  if (controller !== null) return controller.signal;
  const created = new AbortController();
  controller = created;
  process.on("SIGINT", () => {
    if (created.signal.aborted) process.exit(130);
    process.stderr.write(
      "\nlnsnet: stopping as soon as the work is safe; press Ctrl-C again to stop at once\n",
    );
    created.abort(new Interrupted());
  });
  return created.signal;
}

/** @throws Interrupted where the signal is set */
export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw signal.reason instanceof Interrupted ? signal.reason : new Interrupted();
}
