// What work costs, whatever else the machine does: tests compare processor time with limits, never the clock.

/** Seconds of processor time that this process has taken so far, on all its threads. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
