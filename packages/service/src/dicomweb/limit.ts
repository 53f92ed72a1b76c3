// A signal that ends what takes too long, and what nobody wants any more.

/**
 * Not `AbortSignal.any` with `AbortSignal.timeout`: Node 20 may collect them as garbage, and they then never fire.
 *
 * @param signal stops earlier, with its own reason
 * @param end lets go of both; call it when the work is done
 */
export function limitedTo(
  seconds: number,
  signal: AbortSignal,
): { readonly signal: AbortSignal; readonly end: () => void } {
  const limit = new AbortController();
  const stop = () => limit.abort(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(
    () => limit.abort(new Error(`it took longer than the time limit of ${seconds} s`)),
    1000 * seconds,
  );
  return {
    signal: limit.signal,
    end: () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    },
  };
}
