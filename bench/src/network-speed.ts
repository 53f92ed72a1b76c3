// npm run bench -- network, or npm run bench alone: how long LNSNet's forward pass and training step take, beside PyTorch and beside what this machine can do.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { InputError, networkPresets } from "@lnsnet/core";
import { sizeOf } from "@lnsnet/core/graph";
import { partsOf, sizeRule, takesSize } from "@lnsnet/core/networks";
import { forwardWork, stepWork, totalWork } from "./count.js";
import { figuresOf, figuresText, type Measured, workText } from "./figures.js";
import { Player, type Turn } from "./player.js";
import { findPython, type Python } from "./python.js";
import { PRODUCT_EDGES, SUM_BYTES, type Task } from "./task.js";

const help = `npm run bench -- network [options]

As npm run bench does without a name: times LNSNet's forward pass and training step, and the same network in PyTorch where a Python with torch is found
($PYTHON, python3 or /usr/bin/python3). Wants a machine at rest.

  --json             print JSON
  --size D,H,W       input in voxels (64,48,48)
  --threads COUNT    threads of each side (2)
  --rounds COUNT     rounds of turns, after two warm-up runs of each (7)
  --no-pytorch       leave PyTorch out
  --count            only count the work, operation by operation; run nothing
  --help             print this`;

interface Options {
  readonly json: boolean;
  readonly size: readonly number[];
  readonly threads: number;
  readonly rounds: number;
  readonly withPytorch: boolean;
}

const network = networkPresets.lnsnet;
const { inputs } = network.configuration;

await main();

async function main(): Promise<void> {
  const values = parsedArguments();
  if (values.help) return print(help);
  const options: Options = {
    json: values.json,
    size: wholeNumbers("--size", values.size, 3),
    threads: wholeNumbers("--threads", values.threads, 1)[0],
    rounds: wholeNumbers("--rounds", values.rounds, 1)[0],
    withPytorch: !values["no-pytorch"],
  };
  if (!takesSize(network, options.size))
    throw new InputError(`--size is ${values.size}, and ${sizeRule(network)}; give such sizes.`);
  if (values.count) return printCount(options);
  await measure(options);
}

function parsedArguments() {
  return parseArgs({
    options: {
      json: { type: "boolean", default: false },
      size: { type: "string", default: "64,48,48" },
      threads: { type: "string", default: "2" },
      rounds: { type: "string", default: "7" },
      "no-pytorch": { type: "boolean", default: false },
      count: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values;
}

function wholeNumbers(name: string, text: string, count: number): number[] {
  const numbers = text.split(",").map(Number);
  if (numbers.length !== count || !numbers.every((number) => Number.isInteger(number) && number > 0))
    throw new InputError(`${name} is "${text}"; give ${count} whole number${count > 1 ? "s" : ""} above 0.`);
  return numbers;
}

function printCount({ json, size }: Options): void {
  const forward = forwardWork(network, [1, inputs, ...size]);
  const step = stepWork(network, [1, inputs, ...size]);
  if (json) {
    print(JSON.stringify({ forward: Object.fromEntries(forward), step: Object.fromEntries(step) }));
    return;
  }
  print(`Forward pass\n\n${workText(forward, totalWork(forward))}\n`);
  print(`Training step\n\n${workText(step, totalWork(step))}`);
}

async function measure(options: Options): Promise<void> {
  const imageShape = [1, inputs, ...options.size];
  const python = options.withPytorch ? findPython("torch") : null;
  if (options.withPytorch && python === null)
    note("No Python with torch was found (PYTHON names another one); PyTorch is left out.");
  const players = await startPlayers(options, python);
  const turns = await playRounds(players, options.rounds);
  const figures = figuresOf({
    lnsnet: {
      ...measuredOf(turns, "lnsnet forward", "lnsnet step"),
      peakMb: greatestPeak(turns.get("lnsnet step")),
    },
    pytorch: players.has("pytorch") ? measuredOf(turns, "pytorch forward", "pytorch step") : null,
    pytorchTuned: players.has("pytorch_tuned")
      ? measuredOf(turns, "pytorch_tuned forward", "pytorch_tuned step")
      : null,
    gemmGflops: Math.max(
      ...PRODUCT_EDGES.map(
        (edge) => (2 * edge ** 3) / leastSeconds(turns.get(`machine product${edge}`)) / 1e9,
      ),
    ),
    memoryGbPerSecond: SUM_BYTES / leastSeconds(turns.get("machine sum")) / 1e9,
    forwardWork: totalWork(forwardWork(network, imageShape)),
    stepWork: totalWork(stepWork(network, imageShape)),
  });
  const context = {
    input: imageShape,
    parameters: partsOf(network, options.size).parameters.reduce(
      (total, { shape }) => total + sizeOf(shape),
      0,
    ),
    threads: options.threads,
    rounds: options.rounds,
    idle_cpu_seconds: Object.fromEntries([...players].map(([name, player]) => [name, player.idleCpuSeconds])),
    machine: cpus()[0]?.model ?? null,
    versions: {
      node: process.versions.node,
      onnxruntime: onnxruntimeVersion(),
      torch: python?.version ?? null,
    },
  };
  if (options.json) return print(JSON.stringify({ ...figures, ...context }, null, 2));
  const { node, onnxruntime, torch } = context.versions;
  print(
    `LNSNet, ${context.parameters.toLocaleString("en")} parameters, input ${imageShape.join("×")}; ${options.threads} threads; medians of ${options.rounds} rounds`,
  );
  print(
    `Node ${node}, onnxruntime-node ${onnxruntime ?? "?"}, PyTorch ${torch ?? "not found"}; ${context.machine}\n`,
  );
  print(figuresText(figures));
}

/** One process for each thing measured, so that peaks are their own; one after another, for warming up is work too. */
async function startPlayers(options: Options, python: Python | null): Promise<Map<string, Player>> {
  const { size, threads } = options;
  const players = new Map<string, Player>();
  const worker = fileURLToPath(new URL("worker.js", import.meta.url));
  for (const [name, kind] of [
    ["machine", "machine"],
    ["lnsnet forward", "forward"],
    ["lnsnet step", "step"],
  ] as const) {
    note(`warming up ${name}`);
    const task: Task = { kind, network: "lnsnet", imageShape: [1, inputs, ...size], threads };
    players.set(name, await Player.start(name, process.execPath, [worker, JSON.stringify(task)]));
  }
  if (python === null) return players;
  const script = fileURLToPath(new URL("../pytorch/time_lnsnet.py", import.meta.url));
  for (const [name, allocator] of [
    ["pytorch", "system"],
    ["pytorch_tuned", "keep"],
  ]) {
    note(`warming up PyTorch ${python.version} (${allocator} allocator)`);
    const configuration = ["--configuration", JSON.stringify(network.configuration)];
    const setting = ["--size", size.join(","), "--threads", String(threads), "--allocator", allocator];
    try {
      players.set(
        name,
        await Player.start(name, python.command, [script, "--serve", ...configuration, ...setting]),
      );
    } catch (error) {
      note(`PyTorch is left out: ${error instanceof Error ? error.message : error}`);
    }
  }
  return players;
}

/** Turns, not blocks: whatever else the machine does then falls on all alike. By the player's name and its word. */
async function playRounds(
  players: ReadonlyMap<string, Player>,
  rounds: number,
): Promise<Map<string, Turn[]>> {
  const turns = new Map<string, Turn[]>();
  const machineWords = [...PRODUCT_EDGES.map((edge) => `product${edge}`), "sum"];
  const order: [player: string, word: string, name: string][] = [
    ...machineWords.map((word): [string, string, string] => ["machine", word, `machine ${word}`]),
    ...["forward", "step"].flatMap((word): [string, string, string][] => [
      [`lnsnet ${word}`, word, `lnsnet ${word}`],
      ["pytorch", word, `pytorch ${word}`],
      ["pytorch_tuned", word, `pytorch_tuned ${word}`],
    ]),
  ];
  for (let round = 1; round <= rounds; round++) {
    const shown: string[] = [];
    for (const [playerName, word, name] of order) {
      const turn = await players.get(playerName)?.turn(word);
      if (turn === undefined) continue;
      turns.set(name, [...(turns.get(name) ?? []), turn]);
      if (playerName !== "machine") shown.push(`${name} ${turn.seconds.toFixed(3)}`);
    }
    note(`round ${round}/${rounds}, seconds: ${shown.join(" · ")}`);
  }
  for (const player of players.values()) player.quit();
  return turns;
}

function measuredOf(turns: ReadonlyMap<string, readonly Turn[]>, forward: string, step: string): Measured {
  const secondsOf = (name: string): number[] => (turns.get(name) ?? []).map(({ seconds }) => seconds);
  return {
    forwardSeconds: secondsOf(forward),
    stepSeconds: secondsOf(step),
    peakMb: Math.max(greatestPeak(turns.get(forward)), greatestPeak(turns.get(step))),
  };
}

function greatestPeak(turns: readonly Turn[] = []): number {
  return Math.max(...turns.map(({ peakMb }) => peakMb));
}

function leastSeconds(turns: readonly Turn[] = []): number {
  return Math.min(...turns.map(({ seconds }) => seconds));
}

/** Of the package that `@lnsnet/core` runs on; null where npm put it elsewhere. */
function onnxruntimeVersion(): string | null {
  try {
    const path = createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
    return JSON.parse(readFileSync(path, "utf8")).version;
  } catch {
    return null;
  }
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
