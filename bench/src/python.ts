// Finds a Python that has PyTorch.
import { spawnSync } from "node:child_process";

/** A Python interpreter and the PyTorch it has. */
export interface Python {
  readonly command: string;
  readonly torch: string;
}

/** `$PYTHON` if set, else the first of `python3` and `/usr/bin/python3` that imports torch; null where none does. */
export function findPython(): Python | null {
  const commands = process.env.PYTHON ? [process.env.PYTHON] : ["python3", "/usr/bin/python3"];
  for (const command of commands) {
    const { status, stdout } = spawnSync(command, ["-c", "import numpy, torch; print(torch.__version__)"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    if (status === 0) return { command, torch: stdout.trim() };
  }
  return null;
}
