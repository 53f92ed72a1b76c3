// A process of the fuzz check: runs lnsnet on one damaged input after the other, and says how each ended and what it took.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { FuzzAnswer, FuzzTask } from "./fuzz-pool.js";

const main = new URL("../../packages/cli/dist/main.js", import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), "lnsnet-fuzz-"));
process.chdir(folder);
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.on("disconnect", () => leave(0));

class Exit extends Error {
  constructor(readonly code: number) {
    super();
  }
}
const leave = process.exit.bind(process);
process.exit = (code) => {
  throw new Exit(Number(code ?? process.exitCode ?? 0));
};

let runs = 0;
let present: ReadonlyMap<string, Uint8Array> = new Map();

process.on("message", async (task: FuzzTask) => {
  process.send?.(await answerOf(task));
});
process.send?.("ready");

async function answerOf({ files, tokens, output }: FuzzTask): Promise<FuzzAnswer> {
  place(new Map(files));
  if (output !== null) rmSync(output, { force: true });
  const before = process.cpuUsage();
  const { code, text } = await run(tokens);
  const { user, system } = process.cpuUsage(before);
  return {
    code,
    text: text.slice(0, 4000),
    seconds: (user + system) / 1e6,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    written: output === null ? null : hashOf(output),
  };
}

/** Writes the files; those that stand there already with the same content are left. */
function place(files: ReadonlyMap<string, Uint8Array>): void {
  for (const [path, bytes] of files) {
    const held = present.get(path);
    if (held !== undefined && Buffer.compare(held, bytes) === 0) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  for (const path of present.keys()) if (!files.has(path)) rmSync(path, { force: true });
  present = files;
}

async function run(tokens: readonly string[]): Promise<{ code: number; text: string }> {
  let text = "";
  const writes = [process.stdout.write, process.stderr.write];
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = ((chunk: string, written?: () => void) => {
      text += chunk;
      if (typeof written === "function") written();
      return true;
    }) as typeof stream.write;
  }
  process.argv.splice(2, process.argv.length, ...tokens);
  process.exitCode = undefined;
  try {
    // The query makes it a module of its own, which runs anew; what it imports stays loaded.
    await import(`${main}?run=${runs++}`);
    return { code: Number(process.exitCode ?? 0), text };
  } catch (error) {
    if (error instanceof Exit) return { code: error.code, text };
    return { code: 1, text: `${text}${error instanceof Error ? error.stack : error}` };
  } finally {
    for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners("error");
    [process.stdout.write, process.stderr.write] = writes;
    process.exitCode = undefined;
  }
}

function hashOf(path: string): string | null {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex");
  } catch {
    return null;
  }
}
