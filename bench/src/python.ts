// Finds a Python that has packages, such as PyTorch.
import { spawnSync } from "node:child_process";

/** A Python interpreter and the version of the package asked for. */
export interface Python {
  readonly command: string;
  readonly version: string;
}

/** A Python that imports NumPy and the package; null where none does. */
export function findPython(packageName: "torch" | "scipy"): Python | null {
  const command = pythonWith(`numpy, ${packageName}`);
  if (command === null) return null;
  const version = outputOf(command, `import ${packageName}; print(${packageName}.__version__)`);
  return { command, version: version?.trim() ?? "?" };
}

/** `$PYTHON` if set, else the first of `python3` and `/usr/bin/python3` that imports the modules; null where none does. */
export function pythonWith(modules: string): string | null {
  const commands = process.env.PYTHON ? [process.env.PYTHON] : ["python3", "/usr/bin/python3"];
  return commands.find((command) => outputOf(command, `import ${modules}`) !== null) ?? null;
}

function outputOf(command: string, script: string): string | null {
  const { status, stdout } = spawnSync(command, ["-c", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? stdout : null;
}
