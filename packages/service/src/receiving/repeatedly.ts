// Work that is done again and again, until the service stops.

/**
 * Does something at once, and again so long after each end.
 *
 * @param work its signal is aborted when the service stops
 * @param failed told when it throws; the next turn comes all the same
 * @returns what ends it, and waits for the turn that is running
 */
export function repeatedly(
  everySeconds: number,
  work: (signal: AbortSignal) => Promise<void>,
  failed: (error: unknown) => void,
): () => Promise<void> {
  const stop = new AbortController();
  const turns = (async () => {
    while (!stop.signal.aborted) {
      try {
        await work(stop.signal);
      } catch (error) {
        if (!stop.signal.aborted) failed(error);
      }
      await pause(1000 * everySeconds, stop.signal);
    }
  })();
  return async () => {
    stop.abort(new Error("The service stops."));
    await turns;
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
