// stdout and stderr: what happens where they are full or closed, and that nothing printed is lost at the end.

/** The two streams of a run of the command. */
export interface StandardStreams {
  /** Waits until all that was printed is handed over. Pipes take 64 KiB at once, and the end of the process loses the rest. */
  readonly flushed: () => Promise<void>;
  /** Why stdout could not be written, a sentence; null where it was, or where nobody reads it any more. */
  readonly lostOutput: () => string | null;
}

/**
 * Keeps a stream that fails from ending the process: work goes on, and files are still written. Nobody reads a closed one
 * (`lnsnet … | head`), and what goes to a full stderr cannot be told anywhere.
 */
export function watchStreams(): StandardStreams {
  let lost: string | null = null;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (closedCodes.has(error.code ?? "")) return;
    lost ??= `What was to be printed is lost, since standard output cannot be written (${error.code ?? error.message}); free space, or send it elsewhere.`;
  });
  process.stderr.on("error", () => undefined);
  return {
    flushed: async () => {
      await Promise.all([process.stdout, process.stderr].map(drained));
    },
    lostOutput: () => lost,
  };
}

const closedCodes = new Set(["EPIPE", "EIO", "ECONNRESET", "ERR_STREAM_DESTROYED"]);

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    // The answer comes behind all that was written before, and with an error where the stream has failed.
    stream.write("", () => resolve());
  });
}
