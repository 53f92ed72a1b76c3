// npm run bench -- costs: parameters, work, time and memory of every network, beside the authors' PyTorch modules.

import { freemem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { InputError, type NetworkSpecification, networkPresets, profileNetwork } from "@lnsnet/core";
import { sizeRule, takesSize } from "@lnsnet/core/networks";
import { decimals, textTable } from "@lnsnet/core/reports";
import { medianOf } from "@lnsnet/core/statistics";
import { trainingStepBytes } from "@lnsnet/core/training";
import { stepWork, totalWork } from "./count.js";
import { Player, type Turn } from "./player.js";
import { findPython } from "./python.js";
import type { Task } from "./task.js";

const NETWORKS =
  "lnsnet,lnsnet-half,partial-unet,lhu-net,unet3d,unet2d,basic-unet,residual-unet,segresnet,segresnet-16,vnet,nnunet,nnunet-resenc-m,mednext-s,unetr,ux-net,swin-unetr-24,swin-unetr";
/** Networks with a module of their authors in bench/pytorch/peers.py, and LNSNet, whose twin is in lnsnet.py. */
const WITHOUT_PEER = new Set(["lnsnet-half", "lhu-net", "unet3d", "unet2d"]);

const help = `npm run bench -- costs [options]

For each network: parameters, multiply-adds in both conventions, bytes read and written, seconds of a forward pass and of a
training step (medians), and the largest memory of the process; beside PyTorch where a Python with torch is found and
--checkouts names clones of the authors' repositories (bench/pytorch/peers.py). One process runs at a
time. Wants a machine at rest.

  --networks NAMES    some of them, separated by commas (all)
  --size D,H,W        input in voxels (64,48,48); a network that does not take it is left out with a note
  --threads COUNT     threads of each side (2)
  --rounds COUNT      rounds of turns, after two warm-up runs of each (3)
  --checkouts FOLDER  clones of the peers
  --json              print JSON
  --help              print this`;

interface Side {
  readonly forward_seconds: number;
  readonly step_seconds: number;
  readonly forward_peak_mb: number;
  readonly step_peak_mb: number;
}

interface Cost {
  readonly network: string;
  readonly parameters: number;
  readonly multiply_adds: number;
  readonly multiply_adds_thop: number;
  readonly forward_bytes: number;
  readonly step_bytes: number;
  readonly lnsnet: Side;
  readonly pytorch: Side | null;
}

const { values } = parseArgs({
  options: {
    networks: { type: "string", default: NETWORKS },
    size: { type: "string", default: "64,48,48" },
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    checkouts: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(`${help}\n`);
else await main();

async function main(): Promise<void> {
  const size = values.size.split(",").map(Number);
  const python = findPython("torch");
  if (python === null)
    note("No Python with torch was found (PYTHON names another one); PyTorch is left out.");
  const costs: Cost[] = [];
  for (const network of values.networks.split(",")) {
    const specification = networkPresets[network];
    if (specification === undefined)
      throw new InputError(`--networks names ${network}; known are ${NETWORKS.replaceAll(",", ", ")}.`);
    const reason = reasonToLeaveOut(specification, size);
    if (reason !== null) {
      note(`${network} is left out: ${reason}.`);
      continue;
    }
    costs.push(await costOf(network, specification, size, python?.command ?? null));
    note(JSON.stringify(costs.at(-1)));
  }
  if (values.json) process.stdout.write(`${JSON.stringify(costs, null, 2)}\n`);
  else process.stdout.write(`Input 1×1×${size.join("×")}, ${values.threads} threads\n\n${table(costs)}\n`);
}

function reasonToLeaveOut(specification: NetworkSpecification, size: readonly number[]): string | null {
  if (!takesSize(specification, size)) return sizeRule(specification);
  const bytes = 2 * trainingStepBytes(specification, [1, 1, ...size]);
  const gigabytes = (value: number) => `${(value / 1e9).toFixed(0)} GB`;
  return bytes > freemem()
    ? `its training step may take ${gigabytes(bytes)}, and ${gigabytes(freemem())} are free`
    : null;
}

async function costOf(
  network: string,
  specification: NetworkSpecification,
  size: readonly number[],
  python: string | null,
): Promise<Cost> {
  const { parameters, multiplyAdds, multiplyAddsThop, bytes } = profileNetwork(specification, size);
  const imageShape = [1, 1, ...size];
  const worker = fileURLToPath(new URL("worker.js", import.meta.url));
  const threads = Number(values.threads);
  const ours = (kind: "forward" | "step") => {
    const task: Task = { kind, network, imageShape, threads };
    return measured(`${network} ${kind}`, process.execPath, [worker, JSON.stringify(task)], [kind]);
  };
  const lnsnet = sideOf({ ...(await ours("forward")), ...(await ours("step")) });
  const peer = python === null ? null : peerArguments(network, size, threads);
  const pytorch =
    python === null || peer === null
      ? null
      : sideOf(await measured(`${network} in PyTorch`, python, peer, ["forward", "step"]));
  return {
    network,
    parameters,
    multiply_adds: multiplyAdds,
    multiply_adds_thop: multiplyAddsThop,
    forward_bytes: bytes,
    step_bytes: totalWork(stepWork(specification, imageShape)).bytes,
    lnsnet,
    pytorch,
  };
}

/** How PyTorch is started for a network; null where it has no module there. */
function peerArguments(network: string, size: readonly number[], threads: number): string[] | null {
  if (WITHOUT_PEER.has(network)) return null;
  const script = fileURLToPath(new URL("../pytorch/time_lnsnet.py", import.meta.url));
  const common = [script, "--serve", "--size", size.join(","), "--threads", String(threads)];
  if (network === "lnsnet") return [...common, "--allocator", "system"];
  if (values.checkouts === undefined) return null;
  return [...common, "--allocator", "system", "--preset", network, "--checkouts", values.checkouts];
}

/** The turns of a process by word: one after the other, for two large networks do not fit into memory together. */
async function measured(
  name: string,
  command: string,
  options: readonly string[],
  words: readonly string[],
): Promise<Record<string, Turn[]>> {
  note(`warming up ${name}`);
  const player = await Player.start(name, command, options);
  const turns: Record<string, Turn[]> = Object.fromEntries(words.map((word) => [word, []]));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const word of words) turns[word].push(await player.turn(word));
  player.quit();
  return turns;
}

function sideOf({ forward, step }: Record<string, readonly Turn[]>): Side {
  const seconds = (turns: readonly Turn[]) => medianOf(turns.map((turn) => turn.seconds));
  const peak = (turns: readonly Turn[]) => Math.max(...turns.map(({ peakMb }) => peakMb));
  return {
    forward_seconds: seconds(forward),
    step_seconds: seconds(step),
    forward_peak_mb: peak(forward),
    step_peak_mb: peak(step),
  };
}

function table(costs: readonly Cost[]): string {
  const seconds = { unit: "s", format: decimals(2) };
  const gigabytes = { unit: "GB", format: (value: number) => (value / 1e9).toFixed(2) };
  return textTable(
    [
      { key: "network", title: "network" },
      { key: "parameters", title: "parameters", format: (value: number) => value.toLocaleString("en") },
      { key: "multiply_adds", title: "multiply-adds", unit: "G", format: gigabytes.format },
      { key: "multiply_adds_thop", title: "by thop's rule", unit: "G", format: gigabytes.format },
      { key: "forward_bytes", title: "moved forward", ...gigabytes },
      { key: "step_bytes", title: "moved by a step", ...gigabytes },
      { key: "forward", title: "forward", ...seconds },
      { key: "forwardPytorch", title: "PyTorch", ...seconds },
      { key: "step", title: "step", ...seconds },
      { key: "stepPytorch", title: "PyTorch", ...seconds },
      { key: "memory", title: "memory of a step", unit: "GB", format: decimals(2) },
      { key: "memoryPytorch", title: "PyTorch", unit: "GB", format: decimals(2) },
    ],
    costs.map(({ lnsnet, pytorch, ...cost }) => ({
      ...cost,
      forward: lnsnet.forward_seconds,
      step: lnsnet.step_seconds,
      memory: lnsnet.step_peak_mb / 1000,
      forwardPytorch: pytorch?.forward_seconds ?? null,
      stepPytorch: pytorch?.step_seconds ?? null,
      memoryPytorch: pytorch === null ? null : pytorch.step_peak_mb / 1000,
    })),
  );
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
