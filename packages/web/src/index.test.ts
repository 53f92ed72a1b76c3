// What a browser gets is free of Node's modules: bundled as an application would be.
import { readdir } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { expect, test } from "vitest";

const core = fileURLToPath(new URL("../../core/src/", import.meta.url));

test.each(["volume", "graph", "networks", "inference", "voxels"])(
  "%s imports nothing of Node",
  async (layer) => {
    const names = await readdir(`${core}${layer}`, { recursive: true });
    const sources = names.filter((name) => /(?<!\.test(-helper)?|\.d)\.ts$/.test(name));
    expect(sources.length).toBeGreaterThan(3);
    expect(await importsOfNode(sources.map((name) => `${core}${layer}/${name}`))).toEqual([]);
  },
);

// dicom-parser's own package says that browsers go without zlib; the decoders ask for files only where they run in Node.
const allowed = /\/(dicom-parser|@cornerstonejs\/codec-[\w-]+)\//;

test("the whole of it neither, but for readers of DICOM that ask first where they run", async () => {
  const entry = fileURLToPath(new URL("index.ts", import.meta.url));
  const found = await importsOfNode([entry]);
  expect(found.filter(({ importer }) => !allowed.test(importer))).toEqual([]);
});

test("an import of Node is seen", async () => {
  const entry = `${core}runtime/node.ts`;
  expect(await importsOfNode([entry])).toContainEqual({ importer: entry, module: "node:os" });
});

interface ImportOfNode {
  readonly importer: string;
  readonly module: string;
}

/** The imports of Node's modules in bundles for browsers. */
async function importsOfNode(entries: readonly string[]): Promise<ImportOfNode[]> {
  const found: ImportOfNode[] = [];
  await build({
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      minify: false,
      rolldownOptions: { input: [...entries], external: ["onnxruntime-node"] },
    },
    plugins: [
      {
        name: "imports-of-node",
        enforce: "pre",
        resolveId(module, importer = "") {
          if (isBuiltin(module)) found.push({ importer, module });
        },
      },
    ],
  });
  return found;
}
