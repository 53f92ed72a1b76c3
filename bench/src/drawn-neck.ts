// What the benchmarks of whole scans share: their options, the scan that they draw, and how they are timed.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Volume } from "@lnsnet/core";
import { findPython, type Python } from "./python.js";

/** What a benchmark is asked for. */
export interface ScanBenchmark {
  readonly rounds: number;
  readonly slices: number;
  /** Null where SciPy is to be left out, or is not found. */
  readonly python: Python | null;
  readonly asJson: boolean;
}

/**
 * What the command line asks for; null where it asks for help, which is printed.
 *
 * @param about what the benchmark does, for the help
 */
export function scanBenchmark(about: string): ScanBenchmark | null {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      rounds: { type: "string", default: "2" },
      slices: { type: "string", default: "300" },
      "no-scipy": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${about}

  --json           print JSON
  --rounds COUNT   rounds (2)
  --slices COUNT   slices of the scan (300)
  --no-scipy       leave SciPy out
  --help           print this\n`);
    return null;
  }
  return {
    rounds: Number(values.rounds),
    slices: Number(values.slices),
    python: values["no-scipy"] ? null : findPython("scipy"),
    asJson: values.json,
  };
}

export const nodeCount = 30;
const spacingMm = [0.5, 0.5, 1] as const;

/** A neck of 30 HU with an airway, on a table, and ellipsoid nodes in it; the same as bench/scipy/time_voxels.py draws. */
export function drawnNeck(slices: number): { scan: Volume<Int16Array>; nodes: Volume<Uint8Array> } {
  const size = [512, 512, slices] as const;
  const grid = { size, spacingMm, originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
  const scan = new Int16Array(512 * 512 * slices).fill(-1000);
  const nodes = new Uint8Array(scan.length);
  for (let k = 0, at = 0; k < slices; k++) {
    for (let j = 0; j < 512; j++) {
      for (let i = 0; i < 512; i++, at++) {
        const isNeck = ((i - 256) / 200) ** 2 + ((j - 230) / 160) ** 2 < 1;
        const isAirway = (i - 256) ** 2 + (j - 180) ** 2 < 400;
        if ((isNeck && !isAirway) || (j > 395 && j < 401)) scan[at] = 30 + ((i * 7 + j * 13 + k * 29) % 40);
      }
    }
  }
  for (let n = 0; n < nodeCount; n++) {
    const [x, y, z] = [140 + ((n * 83) % 230), 170 + ((n * 47) % 120), 12 + ((n * 37) % (slices - 24))];
    const [a, b, c] = [6 + (n % 9), 5 + (n % 7), 3 + (n % 5)];
    for (let k = z - c; k <= z + c; k++) {
      for (let j = y - b; j <= y + b; j++) {
        for (let i = x - a; i <= x + a; i++) {
          if (((i - x) / a) ** 2 + ((j - y) / b) ** 2 + ((k - z) / c) ** 2 <= 1)
            nodes[i + 512 * (j + 512 * k)] = 1;
        }
      }
    }
  }
  return { scan: { ...grid, data: scan }, nodes: { ...grid, data: nodes } };
}

/** The shortest of several runs. */
export function leastSeconds(run: () => unknown, rounds: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    run();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

/** What a script of bench/scipy measures, by operation; empty where it fails, with its reason on the error stream. */
export function scipySeconds(
  command: string,
  scriptName: string,
  rounds: number,
  slices: number,
): Record<string, number> {
  const script = fileURLToPath(new URL(`../scipy/${scriptName}`, import.meta.url));
  const { status, stdout } = spawnSync(
    command,
    [script, "--rounds", String(rounds), "--slices", String(slices)],
    {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  if (status === 0) return JSON.parse(stdout);
  process.stderr.write("SciPy is left out: its script did not finish.\n");
  return {};
}
