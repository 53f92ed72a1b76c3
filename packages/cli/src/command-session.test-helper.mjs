// Runs `lnsnet` command after command in this one process: a line of JSON in for each (its folder and tokens), one out (how it ended).
import { createInterface } from "node:readline";

const main = new URL("../dist/main.js", import.meta.url).href;
const answer = process.stdout.write.bind(process.stdout);

class Exit extends Error {
  constructor(code) {
    super();
    this.code = code;
  }
}
process.exit = (code) => {
  throw new Exit(code);
};

let runs = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  const end = await ended(JSON.parse(line));
  const spent = process.cpuUsage({ user, system });
  const seconds = (spent.user + spent.system) / 1e6;
  answer(`${JSON.stringify({ ...end, seconds, peakBytes: 1024 * process.resourceUsage().maxRSS })}\n`);
}

async function ended({ folder, tokens }) {
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"]) {
    process[stream].write = (text, written) => {
      printed[stream] += text;
      written?.();
      return true;
    };
  }
  process.chdir(folder);
  process.argv.splice(2, process.argv.length, ...tokens);
  process.exitCode = undefined;
  try {
    // The query makes it a module of its own, which runs anew; what it imports stays loaded.
    await import(`${main}?run=${runs++}`);
    return { code: process.exitCode ?? 0, ...printed };
  } catch (error) {
    if (error instanceof Exit) return { code: error.code, ...printed };
    throw error;
  } finally {
    // Each run adds one of its own.
    for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners("error");
    process.exitCode = undefined;
  }
}
