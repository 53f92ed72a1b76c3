// npm run check -- resume: a cross-validation killed at random moments and started again, against one that never was.
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { textTable } from "@lnsnet/core/reports";
import { indexedStream, uniform } from "@lnsnet/core/transforms";
import { runLnsnet, startLnsnet } from "./command.js";

const help = `npm run check -- resume [options]

Makes a phantom cohort and runs \`lnsnet crossvalidate\` on it with the small network twice: once without disturbance, and
once killed (SIGKILL) at random moments, spread over the time that the first run took, and started again. Every file of
the two experiments but those that hold times must be the same byte for byte: tables, report, weights, masks, figures.
Exit code 1 where one is not. The experiments stay, in undisturbed/experiment and killed/experiment of the output folder.
About 12 minutes a run on 2 cores. Nobody may change the checkout meanwhile,
since the report names its commit and whether it has changes.

  --output FOLDER    a new or empty folder (resume-check)
  --training COUNT   phantom patients to train on (24)
  --test COUNT       phantom patients to test on (8)
  --folds COUNT      folds (5)
  --steps COUNT      steps of each fold (500)
  --kills COUNT      how often the second run is killed (3)
  --seed NUMBER      of the moments (1)
  --help             print this`;

const { values } = parseArgs({
  options: {
    output: { type: "string", default: "resume-check" },
    training: { type: "string", default: "24" },
    test: { type: "string", default: "8" },
    folds: { type: "string", default: "5" },
    steps: { type: "string", default: "500" },
    kills: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});

/** Both runs have a folder of their own to run in, so that both have the same command, which the report holds. */
const crossvalidation = [
  ...["crossvalidate", "../phantom", "--output", "experiment", "--folds", values.folds],
  ...["--network", "lnsnet-small", "--patch", "32,48,48", "--spacing", "1.5,1.5,2"],
  ...["--steps", values.steps, "--learning-rate", "0.003", "--validation-cases", "2"],
  ...["--overlap", "0.25", "--minimum-volume", "0.03", "--data", "phantom"],
];

/** Files that say when or how long something ran. */
const timed = /^(environment\.json|times\.json|log\.jsonl|state\.safetensors|events\.out\.tfevents\..*)$/;

if (values.help) console.log(help);
else process.exitCode = await main(values.output);

async function main(output: string): Promise<number> {
  const [undisturbed, killed] = ["undisturbed", "killed"].map((name) => join(output, name));
  for (const folder of [undisturbed, killed]) mkdirSync(folder, { recursive: true });
  const { training, test } = values;
  await runLnsnet(output, ["phantom", "--output", "phantom", "--training", training, "--test", test]);
  console.log(`lnsnet ${crossvalidation.join(" ")}`);
  const { seconds } = await runLnsnet(undisturbed, crossvalidation);
  console.log(`never killed: ${seconds.toFixed(0)} s`);
  const isKilled = await runKilled(killed, killMoments(seconds));
  const rows = comparisonByFolder(join(undisturbed, "experiment"), join(killed, "experiment"));
  const columns = (["folder", "files", "result"] as const).map((key) => ({ key, title: key }));
  console.log(`\n${textTable(columns, rows)}`);
  return isKilled && rows.every(({ result }) => result === "equal") ? 0 : 1;
}

/** Seconds of work after which the run is killed, ascending: one drawn from each equal part of what the first run took. */
function killMoments(seconds: number): number[] {
  const kills = Number(values.kills);
  const random = indexedStream(Number(values.seed), 0);
  return Array.from({ length: kills }, (_, part) => (seconds * (part + uniform(random))) / kills);
}

/** Whether every kill met a process that was running. */
async function runKilled(folder: string, moments: readonly number[]): Promise<boolean> {
  let sittings = 0;
  for (const [kill, moment] of moments.entries()) {
    const command = startLnsnet(folder, crossvalidation);
    const wait = (moment - (moments[kill - 1] ?? 0)) * 1000;
    await Promise.race([command.ended, setTimeout(wait, null, { ref: false })]);
    command.child.kill("SIGKILL");
    const { code, stderr, seconds } = await command.ended;
    sittings += seconds;
    if (code !== null) {
      console.log(`ended with code ${code} before kill ${kill + 1}; try another --seed\n${stderr}`);
      return false;
    }
    console.log(`kill ${kill + 1} after ${seconds.toFixed(0)} s: ${lastWork(stderr)}`);
  }
  const { seconds } = await runLnsnet(folder, crossvalidation);
  console.log(
    `to the end: ${seconds.toFixed(0)} s; with what was killed ${(sittings + seconds).toFixed(0)} s`,
  );
  return true;
}

/** What a run last said that it does, such as "fold 1, train 120/500"; it says so at least every ten seconds. */
function lastWork(stderr: string): string {
  const fold = stderr.match(/fold \d+(?= of)/g)?.at(-1);
  const progress = stderr.trimEnd().split("\n").at(-1)?.split(" · ")[0];
  return [fold, progress].filter(Boolean).join(", ") || "nothing was said yet";
}

function comparisonByFolder(one: string, other: string) {
  const files = [...new Set([one, other].flatMap(filesWithoutTimes))].sort();
  const folders = [...new Set(files.map((file) => dirname(file)))];
  return folders.map((folder) => {
    const inFolder = files.filter((file) => dirname(file) === folder);
    const different = inFolder.filter((file) => !areEqual(join(one, file), join(other, file)));
    return {
      folder: folder === "." ? "experiment" : folder,
      files: inFolder.length,
      result: different.length === 0 ? "equal" : `different: ${different.join(", ")}`,
    };
  });
}

function filesWithoutTimes(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() && !timed.test(entry.name)
      ? join(entry.parentPath, entry.name).slice(folder.length + 1)
      : [],
  );
}

function areEqual(one: string, other: string): boolean {
  try {
    return readFileSync(one).equals(readFileSync(other));
  } catch {
    // One of the runs has not written it.
    return false;
  }
}
