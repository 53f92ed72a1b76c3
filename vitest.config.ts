import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const folders = ["{packages/*,apps/*,bench}/src/**", "examples/**"];

/** Tests that drive a browser, with nothing else beside them: they wait for what a person waits for. */
const pages = folders.map((folder) => `${folder}/{page,*.page}.test.ts`);

/** Tests that leave nothing behind in their process; of runtimes and of services, each file wants one of its own. */
const tidy = [
  "packages/core/src/!(runtime)/**/*.test.ts",
  "packages/core/src/*.test.ts",
  "packages/{node,cli}/src/**/*.test.ts",
];

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
      reportOnFailure: true,
    },
    projects: [
      {
        extends: true,
        // Modules are loaded once for all files of a process, which takes a quarter of their time away.
        test: { name: "tidy", include: tidy, isolate: false, ...atOnce },
      },
      {
        extends: true,
        test: {
          name: "code",
          include: folders.map((folder) => `${folder}/*.test.ts`),
          exclude: [...tidy, ...pages],
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
