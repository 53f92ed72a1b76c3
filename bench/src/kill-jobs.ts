// Commands that are killed and started again, and what of their outputs must be the same as of a run that never was.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { crop, readNifti, type Vector3, writeNifti } from "@lnsnet/core";
import { readSafetensors } from "@lnsnet/core/formats";
import { type CommandRun, runLnsnet, startLnsnet } from "./command.js";

/** A command with an output, called `out` in the folder that it runs in. The data lie beside that folder. */
export interface KillJob {
  readonly name: string;
  readonly words: readonly string[];
  /** What is added where the output was begun. */
  readonly again?: readonly string[];
}

const network = [
  "--network",
  "lnsnet-small",
  "--patch",
  "16,16,16",
  "--spacing",
  "1.5,1.5,2",
  "--threads",
  "1",
];

/** From folders `hosts`, `data` and `model.safetensors` beside the one that the command runs in. */
export const killJobs: readonly KillJob[] = [
  { name: "phantom", words: ["phantom", "--output", "out", "--training", "2", "--test", "1"] },
  { name: "implant", words: ["implant", "../hosts", "--output", "out", "--spacing", "2,2,2"] },
  { name: "import", words: ["dataset", "import", "../data", "--output", "out"] },
  { name: "preprocess", words: ["preprocess", "../data", "--output", "out", "--spacing", "1.5,1.5,2"] },
  {
    name: "train",
    words: [
      ...["train", "../data", "--output", "out", ...network, "--steps", "60"],
      ...["--validation-cases", "1", "--validate-every", "20"],
    ],
    again: ["--resume"],
  },
  {
    name: "predict",
    words: [
      ...["predict", "../data/imagesTr", "--output", "out", "--model", "../model.safetensors"],
      ...["--search", "everything", "--threads", "1"],
    ],
  },
  {
    name: "crossvalidate",
    words: [
      ...["crossvalidate", "../data", "--output", "out", "--folds", "2", ...network],
      ...["--steps", "15", "--validation-cases", "1", "--validate-every", "10"],
    ],
  },
];

/** Writes the commands' inputs into a folder: a small cohort, its scans cut to the first node, and a model. */
export async function makeInputs(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await runLnsnet(folder, ["phantom", "--output", "phantom", "--training", "4", "--test", "2"]);
  for (const subset of ["Tr", "Ts"]) {
    for (const name of readdirSync(join(folder, `phantom/labels${subset}`))) {
      const id = name.replace(".nii.gz", "");
      const label = readNifti(readFileSync(join(folder, `phantom/labels${subset}`, name)), name);
      const [nx, ny] = label.size;
      const first = label.data.indexOf(1);
      const start = [first % nx, Math.floor(first / nx) % ny, Math.floor(first / (nx * ny))].map(
        (index) => index - 16,
      );
      for (const file of [
        `images${subset}/${id}_0000`,
        `labels${subset}/${id}`,
        `instances${subset}/${id}`,
      ]) {
        const path = `${file}.nii.gz`;
        const volume = readNifti(readFileSync(join(folder, "phantom", path)), path);
        mkdirSync(dirname(join(folder, "data", path)), { recursive: true });
        const small = crop(volume, start as unknown as Vector3, [48, 48, 32], 0);
        writeFileSync(join(folder, "data", path), writeNifti(small));
      }
    }
  }
  // Of a cohort's own scans nothing is implanted, so hosts are the scans without its record.
  for (const name of ["imagesTr", "imagesTs", "dataset.json"])
    cpSync(join(folder, "phantom", name), join(folder, "hosts", name), { recursive: true });
  writeFileSync(join(folder, "data/dataset.json"), readFileSync(join(folder, "phantom/dataset.json")));
  await runLnsnet(folder, [
    "train",
    "data",
    "--output",
    "run",
    ...network,
    "--steps",
    "30",
    "--validate-every",
    "0",
  ]);
  writeFileSync(join(folder, "model.safetensors"), readFileSync(join(folder, "run/model.safetensors")));
}

/**
 * Runs a command in a folder, and sends a signal after some seconds where it still runs.
 *
 * @returns whether the output is finished
 * @throws Error where the command ends by itself with a failure
 */
export async function sitting(
  folder: string,
  job: KillJob,
  stop: { readonly signal: "SIGKILL" | "SIGTERM"; readonly afterSeconds: number } | null,
): Promise<{ readonly isFinished: boolean; readonly run: CommandRun }> {
  mkdirSync(folder, { recursive: true });
  const isBegun = existsSync(join(folder, "out/data.json"));
  const command = startLnsnet(folder, [...job.words, ...(isBegun ? (job.again ?? []) : [])]);
  if (stop !== null) {
    await Promise.race([command.ended, setTimeout(stop.afterSeconds * 1000, null, { ref: false })]);
    command.child.kill(stop.signal);
  }
  const run = await command.ended;
  const isStopped =
    stop?.signal === "SIGKILL" ? run.signal === "SIGKILL" : run.code === 143 || run.signal === "SIGTERM";
  if (run.code !== 0 && !(stop !== null && isStopped))
    throw new Error(
      `lnsnet ${job.words.join(" ")} ended with code ${run.code}, ${run.signal}:\n${run.stderr}`,
    );
  return { isFinished: run.code === 0, run };
}

/** Files of two outputs that are not the same but for times; empty where all are. */
export function differences(one: string, other: string): string[] {
  const [first, second] = [one, other].map(filesOf);
  const names = [...new Set([...first, ...second])].sort();
  return names.filter((name) => {
    if (!first.includes(name) || !second.includes(name)) return true;
    const [a, b] = [one, other].map((folder) => contentOf(join(folder, name)));
    return a !== b;
  });
}

/** Files that hold nothing but times, places, and what a secret of each import makes. */
const untold = /^(environment\.json|times\.json|\.import-salt|events\.out\.tfevents\..*)$/;

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() && !untold.test(entry.name)
      ? join(entry.parentPath, entry.name).slice(folder.length + 1)
      : [],
  );
}

/** What a file holds, without times: bytes as text, so that two can be compared. */
function contentOf(path: string): string {
  const bytes = readFileSync(path);
  const name = basename(path);
  if (name === "state.safetensors") {
    const { tensors, metadata } = readSafetensors(bytes, path);
    const arrays = [...tensors].map(([key, { data }]) => [
      key,
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
    ]);
    return JSON.stringify([arrays, untimed(JSON.parse(metadata.history)), metadata.step, metadata.run]);
  }
  if (name.endsWith(".json")) return JSON.stringify(untimed(JSON.parse(bytes.toString())));
  if (name.endsWith(".jsonl"))
    return bytes
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.stringify(untimed(JSON.parse(line))))
      .join("\n");
  return bytes.toString("latin1");
}

const timedKeys = new Set(["seconds", "waitedSeconds", "started", "patient_hash", "source_hash"]);

function untimed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untimed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (timedKeys.has(key) ? [] : [[key, untimed(inner)]])),
  );
}
