// npm run check -- licences: every package of the lock file with its licence and install script; exit code 1 where one may not be used.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { textTable } from "@lnsnet/core/reports";
import { dependenciesOf, type Lock } from "./dependencies.js";

const help = `npm run check -- licences

Prints every package of the lock file with its licence and what its install script does. Exit code 1 where a licence is
not on the list of those that may be used, where nobody has looked at an install script, and where a package comes from
elsewhere than npm.`;

const { values } = parseArgs({ options: { help: { type: "boolean", default: false } } });
if (values.help) console.log(help);
else process.exitCode = main();

function main(): number {
  const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as Lock;
  const dependencies = dependenciesOf(lock);
  const keys = ["name", "version", "licence", "installScript", "problem"] as const;
  const rows = dependencies.map(({ installScript, problem, ...dependency }) => ({
    ...dependency,
    installScript: installScript ?? "–",
    problem: problem ?? "–",
  }));
  console.log(
    textTable(
      keys.map((key) => ({ key, title: key === "installScript" ? "install script" : key })),
      rows,
    ),
  );
  const counts = new Map<string, number>();
  for (const { licence } of dependencies) counts.set(licence, (counts.get(licence) ?? 0) + 1);
  const inWords = [...counts].sort(([, a], [, b]) => b - a).map(([licence, count]) => `${licence} ${count}`);
  const problems = dependencies.filter(({ problem }) => problem !== null);
  console.log(
    `${dependencies.length} packages: ${inWords.join(", ")}. Problems: ${problems.length || "none"}.`,
  );
  return problems.length === 0 ? 0 : 1;
}
