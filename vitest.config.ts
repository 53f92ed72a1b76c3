import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const folders = ["{packages/*,apps/*,bench}/src/**", "examples/**"];

/** Tests that drive a browser, with nothing else beside them: they wait for what a person waits for. */
const pages = folders.map((folder) => `${folder}/{page,*.page}.test.ts`);

/** Tests of pure functions, which share nothing but modules; of runtimes, each wants a process of its own. */
const pure = ["packages/core/src/!(runtime)/**/*.test.ts", "packages/core/src/*.test.ts"];

// Many tests wait for a command that they started, on one core.
const atOnce = {
  maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
  sequence: { groupOrder: 0 },
};

export default defineConfig({
  test: {
    globalSetup: ["vitest.global-setup.ts"],
    setupFiles: ["vitest.setup.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    coverage: {
      include: ["{packages,apps}/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/*.test-helper.ts"],
      reporter: ["text-summary", "html"],
    },
    projects: [
      {
        extends: true,
        // Modules are loaded once for all files of a process, which takes a quarter of their time away.
        test: { name: "core", include: pure, isolate: false, ...atOnce },
      },
      {
        extends: true,
        test: {
          name: "code",
          include: folders.map((folder) => `${folder}/*.test.ts`),
          exclude: [...pure, ...pages],
          ...atOnce,
        },
      },
      {
        extends: true,
        test: { name: "pages", include: pages, maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
