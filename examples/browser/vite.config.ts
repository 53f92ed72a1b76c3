// Bundles the page and serves it on this machine.
import { defineConfig } from "vite";

// Without these a browser gives no page the shared memory that several threads need.
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  root: import.meta.dirname,
  assetsInclude: ["**/*.safetensors"],
  worker: { format: "es" },
  build: { outDir: "dist/site", target: "es2022", chunkSizeWarningLimit: 2000 },
  preview: { headers },
});
