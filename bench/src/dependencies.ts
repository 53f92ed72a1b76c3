// What the lock file brings: each package with its licence, its install script, and where it comes from.

/** A package, and what is wrong with it; null where nothing is. */
export interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** What its install script does; null where it has none. */
  readonly installScript: string | null;
  readonly problem: string | null;
}

/** A lock file, as far as it is read here. */
export interface Lock {
  readonly packages: Readonly<Record<string, Locked>>;
}

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
  readonly resolved?: string;
}

/** Licences that ask for no more than to be named, and MPL-2.0, which asks for changes of its own files. */
const free = new Set([
  ...["MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "BlueOak-1.0.0", "MPL-2.0"],
  ...["Python-2.0", "CC-BY-4.0", "CC0-1.0", "Unlicense", "Zlib"],
]);

/** Packages whose lock entry names no licence, and what they say in a file or in a form that npm no longer reads. */
const readByHand: Readonly<Record<string, string>> = {
  ...{ memorystream: "MIT", "humanize-number": "MIT", only: "MIT" },
  ...{ busboy: "MIT", dicer: "MIT", streamsearch: "MIT" },
};

/** What install scripts do. `npm ci` in this project runs none of them (.npmrc). */
const lookedAt: Readonly<Record<string, string>> = {
  "core-js-pure": "prints a call for donations",
  "msgpackr-extract": "looks whether the prebuilt binary that npm brought loads",
  "onnxruntime-node": "downloads CUDA libraries, unless packages/node has put notes in their places",
  protobufjs: "warns of a version that does not match",
  "packages/node": "ours: keeps onnxruntime-node from downloading",
};

/** An entry without an address comes from the registry that npm is set to. */
const comesFromNpm = (resolved: string | undefined): boolean =>
  resolved === undefined || resolved.startsWith("https://registry.npmjs.org/");

/** Every package of a lock file but links and the root, by name. */
export function dependenciesOf({ packages }: Lock): Dependency[] {
  return Object.entries(packages)
    .filter(([path, { link }]) => path !== "" && link !== true)
    .map(([path, locked]) => dependencyOf(path, locked))
    .sort((a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version));
}

function dependencyOf(
  path: string,
  { version = "", license, hasInstallScript, resolved }: Locked,
): Dependency {
  const isOurs = !path.includes("node_modules/");
  const name = path.replace(/^.*node_modules\//, "");
  const licence = license ?? readByHand[name] ?? "none";
  const script = hasInstallScript === true ? (lookedAt[name] ?? "unknown") : null;
  const names = licence.replace(/[()]/g, "").split(/ (?:AND|OR) /);
  const problems = [
    ...(isOurs || names.every((each) => free.has(each)) ? [] : [`its licence ${licence} is not on the list`]),
    ...(script === "unknown" ? ["nobody has looked at its install script"] : []),
    ...(isOurs || comesFromNpm(resolved) ? [] : [`it comes from ${resolved}`]),
  ];
  return {
    ...{ name, version, licence, installScript: script },
    problem: problems.length === 0 ? null : problems.join(", "),
  };
}
