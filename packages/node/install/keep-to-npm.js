// npm runs this before the install scripts of any package. On Linux x64 the script of onnxruntime-node downloads CUDA
// libraries from NuGet where it does not find them, and where NuGet cannot be reached the whole installation fails.
// These texts stand in their places, so that nothing but npm is reached. Only sessions on CUDA open them.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const note = `Not a library: @lnsnet/node keeps onnxruntime-node from downloading its CUDA libraries unasked.
To have them: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node
`;

if (process.platform === "linux" && process.arch === "x64") {
  const { resolve } = createRequire(import.meta.url);
  const folder = join(dirname(resolve("onnxruntime-node/package.json")), "bin/napi-v6/linux/x64");
  for (const library of ["cuda", "shared", "tensorrt"])
    leaveNote(join(folder, `libonnxruntime_providers_${library}.so`));
}

/** Libraries that are already there stay. */
function leaveNote(path) {
  try {
    writeFileSync(path, note, { flag: "wx" });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
}
