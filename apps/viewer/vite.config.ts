// Builds the viewer as static files, and serves it on this machine while it is worked on.
import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { VitePWA } from "vite-plugin-pwa";

const { version } = JSON.parse(readFileSync(`${import.meta.dirname}/package.json`, "utf8")) as {
  version: string;
};

// Without these a browser gives no page the shared memory that several threads need.
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

// The page talks to its own origin alone, and a scan cannot be sent anywhere.
const policy =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; " +
  "style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'";

const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: policy },
      injectTo: "head-prepend",
    },
  ],
};

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  define: { LNSNET_VERSION: JSON.stringify(version) },
  assetsInclude: ["**/*.safetensors"],
  plugins: [
    contentSecurityPolicy,
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src",
      filename: "service-worker.ts",
      injectRegister: false,
      injectManifest: {
        // As "es", the plugin asks the bundler for an option that it has given up, and a warning is printed.
        rollupFormat: "iife",
        globPatterns: ["**/*.{js,css,html,svg,wasm,safetensors}"],
        // Models and onnxruntime's WebAssembly belong to what works without a network.
        maximumFileSizeToCacheInBytes: 64 * 2 ** 20,
      },
      manifest: {
        name: "lnsnet viewer (research use only)",
        short_name: "lnsnet",
        description:
          "Lymph nodes of a neck CT, computed on this device. Research use only, not a medical device.",
        display: "standalone",
        background_color: "#101214",
        theme_color: "#101214",
        icons: [{ src: "icon.svg", sizes: "any", type: "image/svg+xml" }],
      },
    }),
  ],
  worker: { format: "es" },
  build: { outDir: "dist/site", target: "es2022" },
  server: { headers },
  preview: { headers },
});
