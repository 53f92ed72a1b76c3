// stdout and stderr: handles streams that are full or closed, and waits at the end until everything is printed.

/** The two streams of a run of the command. */
export interface StandardStreams {
  /** Waits until everything printed is handed over. A pipe takes 64 KiB at a time, and the rest is lost when the process ends. */
  readonly flushed: () => Promise<void>;
  /** Why stdout could not be written, a sentence; null where it was, or where nobody reads it any more. */
  readonly lostOutput: () => string | null;
}

/**
 * Keeps a failing stream from ending the process: work goes on, and files are still written. Nobody reads a closed stream
 * (`lnsnet … | head`), and there is no place to report that stderr is full.
 */
export function watchStreams(): StandardStreams {
  let lost: string | null = null;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (closedCodes.has(error.code ?? "")) return;
    lost ??= `The printed result is lost, because standard output cannot be written (${error.code ?? error.message}); free space, or send it elsewhere.`;
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
    // The callback comes after everything written before, also where the stream has failed.
    stream.write("", () => resolve());
  });
}
