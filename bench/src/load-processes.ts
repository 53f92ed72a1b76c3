// The processes of the load run: Redis, the service and its workers, each a program of its own that can be killed.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { InputError } from "@lnsnet/core";

/** A program that runs, and what it says on stdout, as JSON lines. */
export interface Program {
  readonly child: ChildProcess;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export type Fields = Readonly<Record<string, unknown>>;

const lnsnet = fileURLToPath(new URL("../../packages/cli/bin/lnsnet.js", import.meta.url));

/** The system's programs that the load run needs. @throws InputError where one is missing */
export function requirePrograms(): void {
  for (const [path, name] of Object.entries(needed))
    if (!existsSync(path)) throw new InputError(`The load run needs ${path}; run apt-get install ${name}.`);
}

const redisProgram = "/usr/bin/redis-server";
const storeProgram = "/usr/bin/storescu";
const jsonProgram = "/usr/bin/dcm2json";
const needed = { [redisProgram]: "redis-server", [storeProgram]: "dcmtk", [jsonProgram]: "dcmtk" };

/** The elements of a DICOM file without its meta information, as JSON without spaces. */
export const dicomJson = (path: string): string =>
  JSON.stringify(JSON.parse(execFileSync(jsonProgram, [path], { encoding: "utf8", maxBuffer: 2 ** 28 })));

/** A port of this machine that nobody uses. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Redis on loopback, which writes each change to its disk. */
export async function startRedis(folder: string, port: number): Promise<Program> {
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
  const child = spawn(redisProgram, [...settings, "--appendonly", "yes", "--appendfsync", "always"], {
    stdio: "ignore",
  });
  await untilTrue(() => answers(port), "Redis");
  return program(child);
}

/** `lnsnet` with these words; each line of its log is told. */
export function startLogging(words: readonly string[], onLine: (fields: Fields) => void): Program {
  const child = spawn(process.execPath, [lnsnet, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("{")) onLine(JSON.parse(line));
  });
  let stderr = "";
  child.stderr.on("data", (text) => {
    stderr = `${stderr}${text}`.slice(-4000);
  });
  child.on("close", (code) => {
    if (code !== null && code !== 0 && code < 128) console.error(`lnsnet ${words[0]} ended: ${stderr}`);
  });
  return program(child);
}

/** Sends the files of a folder by C-STORE. @returns whether all were taken */
export async function store(folder: string, port: number): Promise<boolean> {
  const words = ["-aet", "LOAD", "-aec", "LNSNET", "127.0.0.1", String(port), "+sd", folder];
  const [code] = await once(spawn(storeProgram, words, { stdio: "ignore" }), "close");
  return code === 0;
}

/** @throws Error where it takes longer than the given seconds */
export async function untilTrue(
  isTrue: () => Promise<boolean> | boolean,
  what: string,
  seconds = 60,
): Promise<void> {
  const end = performance.now() + 1000 * seconds;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`${what} was not there after ${seconds} s.`);
    await sleep(50);
  }
}

/** Memory of a process that is in use, bytes; null where it has ended. */
export function residentBytes({ child }: Program): number | null {
  try {
    const pages = Number(readFileSync(`/proc/${child.pid}/statm`, "utf8").split(" ")[1]);
    return 4096 * pages;
  } catch {
    return null;
  }
}

function program(child: ChildProcess): Program {
  const ended = once(child, "close");
  return {
    child,
    async kill(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.once("data", (text) => {
      resolve(text.toString().startsWith("+PONG"));
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
  });
}
