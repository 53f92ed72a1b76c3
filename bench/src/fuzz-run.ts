// The fuzz check itself: damaged inputs one after the other, and what about any of them is a fault.
import { gzipSync } from "node:zlib";
import { indexedStream, type RandomGenerator, uniformWhole } from "@lnsnet/core/transforms";
import { mutated } from "./fuzz-mutations.js";
import { type FuzzOutcome, type FuzzPool, type FuzzTask, fuzzLimits } from "./fuzz-pool.js";
import type { Seed } from "./fuzz-seeds.js";

/** What is a fault of ours, whatever the input. */
export type Fault = "exception" | "time" | "memory" | "lost" | "text";

export interface Finding {
  readonly fault: Fault;
  readonly seed: Seed;
  /** Such as "mutation 17" or "cut at 1200". */
  readonly input: string;
  readonly task: FuzzTask;
  /** What was printed, or what it took. */
  readonly detail: string;
}

/** Inputs of a format that were tried, and how many were read as if nothing were wrong. */
interface FormatCount {
  mutations: number;
  cuts: number;
  accepted: number;
  findings: number;
}

export interface FuzzReport {
  readonly counts: ReadonlyMap<string, FormatCount>;
  readonly findings: readonly Finding[];
}

export interface FuzzPlan {
  readonly seeds: readonly Seed[];
  readonly randomSeed: number;
  /** Mutated inputs, spread evenly over the formats. */
  readonly mutations: number;
  /** Cuts of each file of {@link Seed.everyCut} that are tried, spread evenly over its length; Infinity tries all. */
  readonly cutsOfAFile: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Runs all of it; every input that seems a fault of time or memory is tried again alone before it counts. */
export async function runFuzz(plan: FuzzPlan, pool: FuzzPool, processes: number): Promise<FuzzReport> {
  const counts = new Map<string, FormatCount>();
  for (const { format } of plan.seeds)
    counts.set(format, { mutations: 0, cuts: 0, accepted: 0, findings: 0 });
  const findings: Finding[] = [];
  const sound = await soundOutcomes(plan.seeds, pool);
  const inputs = [...cutsOf(plan), ...mutationsOf(plan)];
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < inputs.length) {
      const input = inputs[next++];
      const { seed } = input;
      const task = input.task();
      let outcome = await pool.run(task);
      if (needsProof(outcome)) outcome = await pool.run(task, true);
      const whole = input.isCut ? sound.get(seed) : undefined;
      const found = faultOf(outcome, whole);
      const count = counts.get(seed.format);
      if (count !== undefined) {
        if (input.isCut) count.cuts++;
        else count.mutations++;
        if (!("killed" in outcome) && outcome.code === 0) count.accepted++;
        if (found !== null) count.findings++;
      }
      if (found !== null) findings.push({ ...found, seed, input: input.name, task });
      plan.onProgress?.(++done, inputs.length);
    }
  };
  await Promise.all(Array.from({ length: processes }, work));
  return { counts, findings };
}

/** A seed's first command on its files as they are. */
export function soundTask(seed: Seed): FuzzTask {
  return taskOf(seed, seed.files, seed.commands[0]);
}

interface Input {
  readonly seed: Seed;
  readonly name: string;
  readonly isCut: boolean;
  readonly task: () => FuzzTask;
}

/** What the sound files give, to compare cut ones with. */
async function soundOutcomes(seeds: readonly Seed[], pool: FuzzPool): Promise<Map<Seed, string>> {
  const outcomes = new Map<Seed, string>();
  for (const seed of seeds) {
    if (seed.whole === null || !seed.everyCut) continue;
    const outcome = await pool.run(taskOf(seed, seed.files, seed.whole));
    if (!("killed" in outcome) && outcome.code === 0 && outcome.written !== null)
      outcomes.set(seed, outcome.written);
  }
  return outcomes;
}

function* cutsOf({ seeds, cutsOfAFile }: FuzzPlan): Generator<Input> {
  for (const seed of seeds) {
    if (!seed.everyCut || seed.whole === null) continue;
    const command = seed.whole;
    for (const path of seed.damaged) {
      const bytes = seed.files.get(path) as Uint8Array;
      const step = Math.max(1, bytes.length / cutsOfAFile);
      for (let at = 0; at < bytes.length; at += step) {
        const length = Math.floor(at);
        yield {
          seed,
          name: `${path} cut at ${length}`,
          isCut: true,
          task: () => taskOf(seed, new Map(seed.files).set(path, bytes.subarray(0, length)), command),
        };
      }
    }
  }
}

function* mutationsOf({ seeds, randomSeed, mutations }: FuzzPlan): Generator<Input> {
  const formats = [...new Set(seeds.map(({ format }) => format))];
  const ofFormat = formats.map((format) => seeds.filter((seed) => seed.format === format));
  for (let n = 0; n < mutations; n++) {
    const among = ofFormat[n % formats.length];
    const seed = among[Math.floor(n / formats.length) % among.length];
    yield {
      seed,
      name: `mutation ${n}`,
      isCut: false,
      task: () => mutatedTask(seed, indexedStream(randomSeed, n)),
    };
  }
}

function mutatedTask(seed: Seed, random: RandomGenerator): FuzzTask {
  const path = seed.damaged[uniformWhole(random, seed.damaged.length)];
  const changed = mutated(seed.files.get(path) as Uint8Array, random);
  const command = seed.commands[uniformWhole(random, seed.commands.length)];
  return taskOf(seed, new Map(seed.files).set(path, changed), command);
}

function taskOf(seed: Seed, files: ReadonlyMap<string, Uint8Array>, command: readonly string[]): FuzzTask {
  const packed = (path: string, bytes: Uint8Array) =>
    seed.packed && path === seed.damaged[0] ? new Uint8Array(gzipSync(bytes)) : bytes;
  return {
    files: [...files].map(([path, bytes]) => [path, packed(path, bytes)] as const),
    tokens: command.map((token) => token.replace("OUT", "out")),
    output: command.find((token) => token.startsWith("OUT"))?.replace("OUT", "out") ?? null,
  };
}

/** Whether time or memory may be those of what the process did before, or of other work on the machine. */
function needsProof(outcome: FuzzOutcome): boolean {
  return "killed" in outcome || outcome.seconds > fuzzLimits.seconds || outcome.peakBytes > fuzzLimits.bytes;
}

/** What about an outcome is a fault; `whole` is what the sound file gives, for one cut short. */
export function faultOf(
  outcome: FuzzOutcome,
  whole: string | undefined,
): { fault: Fault; detail: string } | null {
  if ("killed" in outcome) {
    const fault = outcome.killed === "crash" ? "memory" : outcome.killed;
    return { fault, detail: `the process was ended (${outcome.killed})` };
  }
  const { code, text, seconds, peakBytes, written } = outcome;
  if (code !== 0 && code !== 2) return { fault: "exception", detail: text };
  if (seconds > fuzzLimits.seconds) return { fault: "time", detail: `${seconds.toFixed(1)} s` };
  if (peakBytes > fuzzLimits.bytes)
    return { fault: "memory", detail: `${(peakBytes / 2 ** 30).toFixed(1)} GiB` };
  if (unsafe.test(text)) return { fault: "text", detail: text };
  if (code === 0 && whole !== undefined && written !== whole) return { fault: "lost", detail: text };
  return null;
}

/** What would drive a terminal or turn the direction of reading. */
const unsafe = /(?!\n)[\p{Cc}\p{Bidi_Control}]/u;
