// Every package that the lock file names: a free licence, an install script that was looked at, and npm's registry.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dependenciesOf, type Lock } from "./dependencies.js";

const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as Lock;

test("no dependency of this project has a problem", () => {
  const dependencies = dependenciesOf(lock);
  expect(dependencies.length).toBeGreaterThan(300);
  expect(dependencies.filter(({ problem }) => problem !== null)).toEqual([]);
});

const resolved = "https://registry.npmjs.org/a/-/a-1.0.0.tgz";
test.each([
  ["a free licence", { license: "MIT", resolved }, null],
  ["a choice with GPL in it", { license: "(MIT OR GPL-3.0)", resolved }, /MIT OR GPL-3.0/],
  ["the AGPL", { license: "AGPL-3.0-only", resolved }, /AGPL/],
  ["no licence", { resolved }, /none/],
  ["an install script", { license: "MIT", hasInstallScript: true, resolved }, /install script/],
  ["another registry", { license: "MIT", resolved: "https://example.org/a.tgz" }, /example\.org/],
  ["a git repository", { license: "MIT", resolved: "git+ssh://git@github.com/a/a.git" }, /git\+ssh/],
])("%s", (_, locked, problem) => {
  const [found] = dependenciesOf({ packages: { "node_modules/a": locked } });
  if (problem === null) expect(found.problem).toBeNull();
  else expect(found.problem).toMatch(problem);
});
