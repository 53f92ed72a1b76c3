// npm run check -- fuzz: damaged files of every format; none may end in a stack trace, take long, fill the memory or be read in part.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { safeFileName, shown } from "@lnsnet/core";
import { textTable } from "@lnsnet/core/reports";
import { fuzzLimits, fuzzPool } from "./fuzz-pool.js";
import { type Finding, type FuzzReport, runFuzz } from "./fuzz-run.js";
import { fuzzSeeds } from "./fuzz-seeds.js";

const help = `npm run check -- fuzz [options]

Damages sound files of every format (DICOM in each transfer syntax, SEG, RTSTRUCT, NIfTI, NRRD, MetaImage, zip,
safetensors, markups, JSON) at random, cuts one small file of each at every byte, and runs lnsnet on each.
A finding is an exit code that is neither 0 nor 2, more than ${fuzzLimits.seconds} s of the processor, more than 1 GB of memory, text that drives
a terminal, or a file cut short that is read as another than the sound one. Exit code 1 where there is a finding.
About 35 inputs a second on 2 busy cores: 10 minutes for 20,000 inputs, 20 more for the 41,000 cuts (--cuts 0 leaves all but the empty file out).

  --count NUMBER      damaged inputs (20000)
  --cuts NUMBER       cuts of each file, spread evenly; by default every one
  --seed NUMBER       of the damage (1); input n is the same in every run of the seed
  --format NAME       only formats whose name holds this, such as DICOM
  --processes NUMBER  at a time (2)
  --output FOLDER     where inputs with a finding are written (fuzz-findings)
  --help              print this`;

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "20000" },
    cuts: { type: "string", default: "Infinity" },
    seed: { type: "string", default: "1" },
    format: { type: "string", default: "" },
    processes: { type: "string", default: "2" },
    output: { type: "string", default: "fuzz-findings" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(help);
else process.exitCode = await main();

async function main(): Promise<number> {
  const start = performance.now();
  const processes = Number(values.processes);
  const pool = fuzzPool(processes);
  let shownSeconds = 0;
  const report = await runFuzz(
    {
      seeds: fuzzSeeds().filter(({ format }) => format.toLowerCase().includes(values.format.toLowerCase())),
      randomSeed: Number(values.seed),
      mutations: Number(values.count),
      cutsOfAFile: Number(values.cuts),
      onProgress: (done, total) => {
        const seconds = (performance.now() - start) / 1000;
        if (seconds - shownSeconds < 15) return;
        shownSeconds = seconds;
        process.stderr.write(`${done} of ${total} inputs after ${seconds.toFixed(0)} s\n`);
      },
    },
    pool,
    processes,
  );
  pool.end();
  print(report, (performance.now() - start) / 1000);
  for (const finding of report.findings) write(finding);
  return report.findings.length === 0 ? 0 : 1;
}

function print({ counts, findings }: FuzzReport, seconds: number): void {
  const keys = ["format", "mutations", "cuts", "accepted", "findings"] as const;
  const rows = [...counts].map(([format, count]) => ({ format, ...count }));
  const total = {
    format: "all",
    mutations: sum(rows.map((row) => row.mutations)),
    cuts: sum(rows.map((row) => row.cuts)),
    accepted: sum(rows.map((row) => row.accepted)),
    findings: findings.length,
  };
  console.log(
    textTable(
      keys.map((key) => ({ key, title: key })),
      rows,
      [total],
    ),
  );
  console.log(`${seconds.toFixed(0)} s`);
  // What ends in one line of ours is one fault, however many inputs lead to it.
  const kinds = new Map<string, Finding[]>();
  for (const finding of findings) {
    const line = /at .*(packages\/[^\s)]+)/.exec(finding.detail)?.[1] ?? "";
    const kind = `${finding.fault} ${finding.seed.format} ${line}`.trim();
    kinds.set(kind, [...(kinds.get(kind) ?? []), finding]);
  }
  for (const [kind, [first, ...further]] of kinds) {
    console.log(
      `\n${kind}: ${first.seed.name}, ${first.input}${further.length > 0 ? ` and ${further.length} more` : ""}`,
    );
    console.log(`  lnsnet ${first.task.tokens.join(" ")}\n  ${shown(first.detail, 400)}`);
  }
}

/** Writes the files of an input, to be run again by hand. */
function write({ seed, input, task }: Finding): void {
  const folder = join(values.output, safeFileName(`${seed.format} ${seed.name} ${input}`));
  for (const [path, bytes] of task.files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  writeFileSync(join(folder, "command.txt"), `lnsnet ${task.tokens.join(" ")}\n`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
