// Every package that the lock file names: its licence lets anybody use it, and its install script is one that was looked at.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Locked {
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
}

const lock = JSON.parse(readFileSync(new URL("../../../../package-lock.json", import.meta.url), "utf8")) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");

/** Licences that ask for no more than to be named, and MPL-2.0, which asks for changes of its own files. */
const free = new Set([
  ...["MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "BlueOak-1.0.0", "MPL-2.0"],
  ...["Python-2.0", "CC-BY-4.0", "CC0-1.0", "Unlicense", "Zlib"],
]);

/** Packages whose lock entry names no licence, and what their LICENSE file says. */
const readByHand: Readonly<Record<string, string>> = { "node_modules/memorystream": "MIT" };

test("has a free licence", () => {
  const others = packages.filter(([path, { license = readByHand[path] ?? "none", link }]) => {
    if (link || !path.includes("node_modules/")) return false;
    const names = license.replace(/[()]/g, "").split(/ (?:AND|OR) /);
    return !names.every((name) => free.has(name));
  });
  expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
});

/** What their scripts do. `npm ci` in this project runs none of them (.npmrc). */
const lookedAt: Readonly<Record<string, string>> = {
  "core-js-pure": "prints a call for donations",
  "msgpackr-extract": "looks whether the prebuilt binary that npm brought loads",
  "onnxruntime-node": "downloads CUDA libraries, unless packages/node has put notes in their places",
  protobufjs: "warns of a version that does not match",
  "packages/node": "ours: keeps onnxruntime-node from downloading",
};

test("has no install script that nobody has looked at", () => {
  const scripts = packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  const unknown = scripts.filter((path) => !(path.replace(/^.*node_modules\//, "") in lookedAt));
  expect(unknown).toEqual([]);
});
