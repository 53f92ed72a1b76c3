// Records the environment of an experiment: versions, machine, state of the code, command.
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { packageVersion } from "./version.js";

export const environmentSchema = z.object({
  lnsnet: z.string(),
  /** Null where lnsnet does not run from a git checkout. */
  git: z.object({ commit: z.string(), has_changes: z.boolean() }).nullable(),
  node: z.string(),
  onnxruntime_node: z.string(),
  system: z.string(),
  processor: z.string(),
  cores: z.number(),
  memory_gb: z.number(),
  /** As requested; 0 means one per core. */
  threads: z.number(),
  command: z.string(),
  started: z.string(),
});

export type Environment = z.infer<typeof environmentSchema>;

/** The versions that this process runs. */
export async function currentVersions() {
  return {
    lnsnet: packageVersion(),
    git: await gitState(),
    node: process.version,
    onnxruntime_node: onnxruntimeVersion(),
  };
}

/**
 * The environment of this process.
 *
 * @param command how somebody can repeat the work, such as a command line
 */
export async function currentEnvironment(threads: number, command: string): Promise<Environment> {
  return {
    ...(await currentVersions()),
    system: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    threads,
    command,
    started: new Date().toISOString(),
  };
}

/** Asked once, as a process runs the code that it loaded, whatever becomes of the checkout. */
let state: Promise<Environment["git"]> | null = null;

function gitState(): Promise<Environment["git"]> {
  state ??= askGit();
  return state;
}

async function askGit(): Promise<Environment["git"]> {
  const git = promisify(execFile);
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  try {
    const { stdout: ours } = await git("git", ["ls-files", "--error-unmatch", "../../package.json"], { cwd });
    if (ours === "") return null;
    const { stdout: commit } = await git("git", ["rev-parse", "HEAD"], { cwd });
    const { stdout: changes } = await git("git", ["status", "--porcelain", "--untracked-files=no"], { cwd });
    return { commit: commit.trim(), has_changes: changes.trim() !== "" };
  } catch {
    // No git here, or an installed package in somebody else's repository.
    return null;
  }
}

function onnxruntimeVersion(): string {
  const require = createRequire(import.meta.url);
  const { version } = require("onnxruntime-node/package.json") as { version: string };
  return version;
}
