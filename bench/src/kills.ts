// npm run check -- kills: every command that writes a folder, killed at random moments and started again, against one that never was.
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { textTable } from "@lnsnet/core/reports";
import { indexedStream, uniform } from "@lnsnet/core/transforms";
import { differences, type KillJob, killJobs, makeInputs, sitting } from "./kill-jobs.js";

const help = `npm run check -- kills [options]

Runs train, crossvalidate, predict, preprocess, phantom, implant and dataset import on small scans, once without disturbance, and
then killed (SIGKILL) or asked to end (SIGTERM) at random moments and started again, until the kills are used up. Every
finished output must be that of the undisturbed run, byte for byte but for times; an output that finishes between kills
is compared and begun anew. Exit code 1 where one differs or a command ends with a failure.

  --output FOLDER    a new or empty folder (kill-check)
  --kills COUNT      SIGKILLs in all (50)
  --terms COUNT      SIGTERMs in all (12)
  --jobs NAMES       some of ${killJobs.map(({ name }) => name).join(",")} (all)
  --seed NUMBER      of the moments (1)
  --help             print this`;

const { values } = parseArgs({
  options: {
    output: { type: "string", default: "kill-check" },
    kills: { type: "string", default: "50" },
    terms: { type: "string", default: "12" },
    jobs: { type: "string", default: killJobs.map(({ name }) => name).join(",") },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(help);
else process.exitCode = await main(resolve(values.output));

async function main(output: string): Promise<number> {
  const names = values.jobs.split(",");
  const jobs = killJobs.filter(({ name }) => names.includes(name));
  await makeInputs(output);
  const rows = [];
  for (const [index, job] of jobs.entries()) {
    const shareOf = (count: string) => Math.floor((Number(count) + jobs.length - 1 - index) / jobs.length);
    const signals: ("SIGKILL" | "SIGTERM")[] = [
      ...Array<"SIGKILL">(shareOf(values.kills)).fill("SIGKILL"),
      ...Array<"SIGTERM">(shareOf(values.terms)).fill("SIGTERM"),
    ];
    const result = await checkJob(output, job, signals, index).catch((error: unknown) => String(error));
    rows.push({ command: job.name, stops: signals.length, result });
    console.log(`${job.name}: ${result}`);
  }
  const columns = (["command", "stops", "result"] as const).map((key) => ({ key, title: key }));
  console.log(`\n${textTable(columns, rows)}`);
  return rows.every(({ result }) => result.startsWith("equal")) ? 0 : 1;
}

async function checkJob(
  output: string,
  job: KillJob,
  signals: readonly ("SIGKILL" | "SIGTERM")[],
  stream: number,
): Promise<string> {
  const [undisturbed, disturbed] = ["undisturbed", "disturbed"].map((name) =>
    join(output, `${job.name}-${name}`),
  );
  const start = performance.now();
  const tell = (what: string) =>
    console.log(`${job.name}: ${what}, ${((performance.now() - start) / 1000).toFixed(0)} s so far`);
  const { run } = await sitting(undisturbed, job, null);
  tell("undisturbed");
  const random = indexedStream(Number(values.seed), stream);
  let rounds = 0;
  const compared = () => {
    rounds++;
    const different = differences(join(undisturbed, "out"), join(disturbed, "out"));
    if (different.length > 0) throw new Error(`round ${rounds} differs: ${different.slice(0, 8).join(", ")}`);
    rmSync(disturbed, { recursive: true });
  };
  for (const [index, signal] of [...signals].sort(() => uniform(random) - 0.5).entries()) {
    for (;;) {
      // A run that goes on takes less than the first did: where it ends before its signal, the next is begun anew.
      const stop = { signal, afterSeconds: run.seconds * uniform(random) };
      const { isFinished } = await sitting(disturbed, job, stop);
      if (!isFinished) {
        tell(`stop ${index + 1} of ${signals.length} (${signal} after ${stop.afterSeconds.toFixed(1)} s)`);
        break;
      }
      compared();
    }
  }
  await sitting(disturbed, job, null);
  compared();
  return `equal, ${rounds} times finished, ${run.seconds.toFixed(0)} s undisturbed`;
}
