// The log of a training run: JSON lines for scripts, and the same values as an event file for TensorBoard.
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileVersionRecord, restartRecord, scalarsRecord } from "@lnsnet/core/formats";
import type { LogEntry } from "@lnsnet/core/training";
import { fileError, isFile, writeAtomically } from "../files/disk.js";

export interface RunLog {
  write(entry: LogEntry): Promise<void>;
}

/** What TensorBoard shows, and its name there. */
const tags = {
  loss: "training/loss",
  norm: "training/gradient_norm",
  learningRate: "training/learning_rate",
  validationDsc: "validation/dsc",
} as const;

/**
 * Opens the log of a run that goes on after `step` (0 for a new one). What was logged of later steps, by a sitting that
 * ended before it could save, is taken out: those steps come again.
 *
 * @throws InputError where the folder cannot be written to
 */
export async function openRunLog(folder: string, step: number): Promise<RunLog> {
  const linesPath = join(folder, "log.jsonl");
  await keepUntil(linesPath, step);
  const now = Date.now() / 1000;
  const eventsPath = join(folder, `events.out.tfevents.${Math.floor(now)}.${process.pid}`);
  await append(eventsPath, fileVersionRecord(now));
  await append(eventsPath, restartRecord({ wallTimeSeconds: now, step: step + 1 }));
  return {
    async write(entry) {
      await append(linesPath, `${JSON.stringify(entry)}\n`);
      const scalars: Record<string, number> = {};
      for (const [name, tag] of Object.entries(tags)) {
        const value = entry[name as keyof typeof tags];
        if (value !== undefined) scalars[tag] = value;
      }
      const moment = { wallTimeSeconds: Date.now() / 1000, step: entry.step };
      await append(eventsPath, scalarsRecord(moment, scalars));
    },
  };
}

async function keepUntil(path: string, step: number): Promise<void> {
  if (!(await isFile(path))) return;
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => stepOf(line) <= step);
  await writeAtomically(path, lines.map((line) => `${line}\n`).join(""));
}

/** Beyond every step where a line is none of ours or was cut short. */
function stepOf(line: string): number {
  try {
    const { step } = JSON.parse(line) as { step?: unknown };
    return typeof step === "number" ? step : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

async function append(path: string, content: string | Uint8Array): Promise<void> {
  await appendFile(path, content).catch((error: unknown) => {
    throw fileError(error, path, "write");
  });
}
