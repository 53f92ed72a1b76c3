// Many jobs run side by side in one process: below the command line, nothing prints, listens to signals or reads what was typed.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** The exit of a process is no signal: there a held folder is let go of. */
const forbidden =
  /\bconsole\.|\bprocess\.(?:stdout|stderr|stdin|argv|env|exit\w*|on|once|addListener)\b(?!\("exit")/g;

test.each(["core", "node"])(
  "the source of %s touches no terminal, signal, argument or environment",
  async (name) => {
    const folder = fileURLToPath(new URL(`../../${name}/src/`, import.meta.url));
    const files = (await readdir(folder, { recursive: true })).filter(
      (file) => file.endsWith(".ts") && !/\.test(-helper)?\.ts$/.test(file),
    );
    expect(files.length).toBeGreaterThan(40);
    const found: string[] = [];
    for (const file of files)
      for (const match of (await readFile(join(folder, file), "utf8")).match(forbidden) ?? [])
        found.push(`${file}: ${match}`);
    expect(found).toEqual([]);
  },
);
