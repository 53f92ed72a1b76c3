// A Redis of the test's own, from the program of the system, which writes every change to its disk.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createConnection } from "node:net";
import { freePort } from "./orthanc.test-helper.js";

const program = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].find((path) => existsSync(path));

/** Why tests with Redis cannot run here; null where they can. */
export const noRedis: string | null =
  program === undefined ? "redis-server is not installed (apt-get install redis-server)" : null;

export interface Redis {
  readonly url: string;
  /** Forgets all that it holds. */
  empty(): Promise<void>;
  /** Ends it without any warning, and starts it again with what it had on the disk. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(folder: string): Promise<Redis> {
  const port = await freePort();
  const start = async () => {
    if (program === undefined) throw new Error("There is no Redis.");
    const settings = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
    const child = spawn(program, [...settings, "--appendonly", "yes", "--appendfsync", "always"], {
      stdio: "ignore",
    });
    for (let n = 0; n < 100 && !(await answers(port)); n++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    return child;
  };
  let child = await start();
  const end = () =>
    new Promise<void>((resolve) => {
      child.once("close", () => resolve());
      child.kill("SIGKILL");
    });
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: end,
    empty: async () => {
      await answerTo(port, "FLUSHALL");
    },
    async restart() {
      await end();
      child = await start();
    },
  };
}

const answers = async (port: number): Promise<boolean> => (await answerTo(port, "PING")) === "+PONG";

/** The first line of what Redis says to a command without arguments; null where nobody listens. */
function answerTo(port: number, command: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.write(`${command}\r\n`));
    socket.once("data", (text) => {
      resolve(text.toString().split("\r\n")[0]);
      socket.destroy();
    });
    socket.once("error", () => resolve(null));
  });
}
