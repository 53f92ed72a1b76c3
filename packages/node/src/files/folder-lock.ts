// One writer per output folder: a claim beside the results, which ends with its process however that ends.
import { unlinkSync } from "node:fs";
import { open, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError } from "@lnsnet/core/errors";
import { z } from "zod";
import type { Job } from "../work/job.js";
import { ensureWritableFolder, fileError, removeEmptyFolders } from "./disk.js";
import { makerOf, markedName } from "./process-mark.js";

/** A folder that this process may write to, until it lets go of it. */
export interface HeldFolder {
  release(): Promise<void>;
}

/** Ending of claims. */
const KIND = "lock";
/** A holder shows that it lives by touching its claim so often. */
const TOUCH_EVERY_MS = 10_000;
/** A claim from another machine that nobody touches for so long is left over from a crash. */
const SILENT_AFTER_MS = 60_000;
const POLL_EVERY_MS = 500;
/** Two that claim in the same moment both step back; the pause is another one for each. */
const ATTEMPTS = 4;

const claimSchema = z.object({
  command: z.string(),
  process: z.number(),
  host: z.string(),
  since: z.string(),
});

type Claim = z.infer<typeof claimSchema>;

/**
 * Claims a folder for this process. A process that has ended, by whatever signal, holds nothing any more; that of
 * another machine is watched for a minute where nothing is heard of it.
 *
 * @param folder exists
 * @param command what is told to the next who asks, such as "lnsnet train"
 * @param waits whether to wait for a holder, where each holds the folder for a short time only
 * @throws InputError where another process holds the folder, saying which; the signal's reason while waiting
 */
export async function holdFolder(
  folder: string,
  command: string,
  { signal, log }: Job = {},
  { waits = false }: { readonly waits?: boolean } = {},
): Promise<HeldFolder> {
  let isTold = false;
  for (let attempt = 1; ; attempt++) {
    const held = await claim(folder, command);
    const other = await otherClaim(folder, held.name, signal);
    if (other === null) return held;
    await held.release();
    if (!waits && attempt >= ATTEMPTS) throw heldByAnother(folder, other);
    if (waits && !isTold) {
      log?.(`${folder} is held by ${holderText(other.claim)}; waiting for it.`);
      isTold = true;
    }
    await sleep((waits ? POLL_EVERY_MS : 50) * (0.5 + Math.random()));
    signal?.throwIfAborted();
  }
}

/** Runs work while this process holds the folder. @throws InputError as {@link holdFolder} */
export async function whileHolding<Result>(
  folder: string,
  command: string,
  work: () => Promise<Result>,
  job: Job = {},
  options: { readonly waits?: boolean } = {},
): Promise<Result> {
  const held = await holdFolder(folder, command, job, options);
  try {
    return await work();
  } finally {
    await held.release();
  }
}

/**
 * Makes a folder, and runs work that writes to it while this process holds it. A folder that was made is removed again where
 * nothing was written to it.
 *
 * @throws InputError as {@link ensureWritableFolder} and {@link holdFolder}
 */
export async function whileWriting<Result>(
  folder: string,
  command: string,
  work: () => Promise<Result>,
  job: Job = {},
  options: { readonly waits?: boolean } = {},
): Promise<Result> {
  const made = await ensureWritableFolder(folder);
  try {
    return await whileHolding(folder, command, work, job, options);
  } finally {
    if (made !== null) await removeEmptyFolders(folder, made);
  }
}

/** Runs work while this process holds all of the folders. @throws InputError as {@link holdFolder} */
export function whileHoldingAll<Result>(
  folders: readonly string[],
  command: string,
  work: () => Promise<Result>,
  job: Job = {},
): Promise<Result> {
  const [first, ...rest] = folders;
  if (first === undefined) return work();
  return whileHolding(first, command, () => whileHoldingAll(rest, command, work, job), job);
}

/** Writes a claim; whether it holds is seen from the other claims in the folder. */
async function claim(folder: string, command: string): Promise<HeldFolder & { readonly name: string }> {
  const name = markedName(KIND);
  const path = join(folder, name);
  const content: Claim = {
    command,
    process: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
  };
  await writeFile(path, `${JSON.stringify(content)}\n`, { flag: "wx" }).catch((error: unknown) => {
    throw fileError(error, path, "write");
  });
  // Nobody else touches the claim; a failure shows as silence, which is what it is for.
  const touching = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, TOUCH_EVERY_MS).unref();
  const removeAtExit = () => {
    try {
      unlinkSync(path);
    } catch {
      // It is gone already, or the disk is: either way the claim ends with the process.
    }
  };
  process.once("exit", removeAtExit);
  return {
    name,
    async release() {
      clearInterval(touching);
      process.removeListener("exit", removeAtExit);
      await rm(path, { force: true }).catch(() => undefined);
    },
  };
}

interface OtherClaim {
  readonly name: string;
  readonly claim: Claim | null;
}

/** A claim of a process that may be alive, beside our own; those of processes that are not are removed. */
async function otherClaim(folder: string, own: string, signal: Job["signal"]): Promise<OtherClaim | null> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, folder, "read");
  });
  for (const name of names) {
    if (name === own) continue;
    const maker = makerOf(name, KIND);
    if (maker === null) continue;
    const path = join(folder, name);
    if (maker === "alive" || (maker === "unknown" && (await isTouched(path, signal)))) {
      const content = await readClaim(path);
      // It may have been let go of meanwhile.
      if (content !== "absent") return { name, claim: content };
    } else await rm(path, { force: true }).catch(() => undefined);
  }
  return null;
}

/** Whether the claim changes within a minute. No clocks are compared: those of two machines differ. */
async function isTouched(path: string, signal: Job["signal"]): Promise<boolean> {
  const before = await touchedAt(path);
  for (let waited = 0; waited < SILENT_AFTER_MS; waited += POLL_EVERY_MS) {
    await sleep(POLL_EVERY_MS);
    signal?.throwIfAborted();
    const now = await touchedAt(path);
    if (now === null) return false;
    if (now !== before) return true;
  }
  return false;
}

/** Opened, so that a network disk asks its server; null where the claim is gone. */
async function touchedAt(path: string): Promise<number | null> {
  try {
    const file = await open(path, "r");
    try {
      return (await file.stat()).mtimeMs;
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

/** Null where it cannot be understood: it may be half written. */
async function readClaim(path: string): Promise<Claim | null | "absent"> {
  try {
    return claimSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT" ? "absent" : null;
  }
}

function heldByAnother(folder: string, { claim: found, name }: OtherClaim): InputError {
  return new InputError(
    `${folder} is being written to by ${holderText(found)}; wait for it, stop it, or choose another folder. (Its claim is the file ${name} there.)`,
  );
}

const holderText = (found: Claim | null): string =>
  found === null
    ? "another lnsnet"
    : `${found.command}, process ${found.process} on ${found.host}, since ${found.since}`;
