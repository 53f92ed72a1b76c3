// Builds the viewer as static files, and serves it on this machine while it is worked on.
import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

const { version } = JSON.parse(readFileSync(`${import.meta.dirname}/package.json`, "utf8")) as {
  version: string;
};

// Without these a browser gives no page the shared memory that several threads need.
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  define: { LNSNET_VERSION: JSON.stringify(version) },
  assetsInclude: ["**/*.safetensors"],
  // Threads of onnxruntime-web load the file that its code stands in: it must hold nothing else.
  worker: {
    format: "es",
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: "onnxruntime", test: /onnxruntime-(web|common)/ }] } },
    },
  },
  build: { outDir: "dist/site", target: "es2022" },
  server: { headers },
  preview: { headers },
});
