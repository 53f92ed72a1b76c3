// A process that measures when it is its turn and is idle otherwise, so that several can be compared on one machine.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";

/** One run, as the process measured it. */
export interface Turn {
  readonly seconds: number;
  /** Largest resident set of the process so far, in 10⁶ bytes. */
  readonly peakMb: number;
}

/**
 * A process with one line of JSON for each line it is given: `{"ready": true}` at first, then `{"seconds", "peak_mb"}`
 * for each word that it knows; `quit` ends it.
 */
export class Player {
  /** Processor time spent outside its turns, all turns together; null where the system does not tell. */
  idleCpuSeconds: number | null = null;
  private cpuAtRest: number | null = null;

  private constructor(
    private readonly name: string,
    private readonly child: ChildProcessByStdio<Writable, Readable, null>,
    private readonly lines: AsyncIterator<string>,
  ) {}

  /** Starts a process and waits until it is ready. Rejects where it ends instead. */
  static async start(name: string, command: string, options: readonly string[]): Promise<Player> {
    const child = spawn(command, options, { stdio: ["pipe", "pipe", "inherit"] });
    // A command that does not exist ends its output too, and that is what `answer` reports.
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const player = new Player(name, child, lines);
    await player.answer();
    await player.rest();
    return player;
  }

  async turn(word: string): Promise<Turn> {
    const cpu = cpuSecondsOf(this.child.pid);
    if (cpu !== null && this.cpuAtRest !== null)
      this.idleCpuSeconds = (this.idleCpuSeconds ?? 0) + cpu - this.cpuAtRest;
    this.child.stdin.write(`${word}\n`);
    const { seconds, peak_mb: peakMb } = await this.answer();
    if (typeof seconds !== "number" || typeof peakMb !== "number")
      throw new Error(`${this.name} did not measure "${word}"`);
    await this.rest();
    return { seconds, peakMb };
  }

  quit(): void {
    this.child.stdin.end("quit\n");
  }

  /** Threads of both runtimes wait in loops for a few milliseconds after their work; the next turn is not to pay for it. */
  private async rest(): Promise<void> {
    await setTimeout(50);
    this.cpuAtRest = cpuSecondsOf(this.child.pid);
  }

  private async answer(): Promise<Record<string, unknown>> {
    const { done, value } = await this.lines.next();
    if (done) throw new Error(`${this.name} ended before it answered`);
    const message: unknown = JSON.parse(value);
    if (typeof message !== "object" || message === null) throw new Error(`${this.name} answered ${value}`);
    return { ...message };
  }
}

/** Processor time a process has used so far, in steps of 10 ms; null where the system does not tell. */
function cpuSecondsOf(pid: number | undefined): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // proc(5): the name in brackets may hold spaces; utime and stime are the 12th and 13th field behind it, in 1/100 s.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return null;
  }
}
