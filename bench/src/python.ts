// Finds a Python that has a package, such as PyTorch.
import { spawnSync } from "node:child_process";

/** A Python interpreter and the version of the package asked for. */
export interface Python {
  readonly command: string;
  readonly version: string;
}

/** `$PYTHON` if set, else the first of `python3` and `/usr/bin/python3` that imports the package; null where none does. */
export function findPython(packageName: "torch" | "scipy"): Python | null {
  const commands = process.env.PYTHON ? [process.env.PYTHON] : ["python3", "/usr/bin/python3"];
  const script = `import numpy, ${packageName}; print(${packageName}.__version__)`;
  for (const command of commands) {
    const { status, stdout } = spawnSync(command, ["-c", script], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    if (status === 0) return { command, version: stdout.trim() };
  }
  return null;
}
