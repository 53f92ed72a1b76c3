import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const folders = ["{packages/*,apps/*,bench}/src/**", "examples/**"];

/** Tests that drive a browser: they wait for what a person waits for, and so run one after the other, with nothing beside. */
const pages = folders.map((folder) => `${folder}/{page,*.page}.test.ts`);

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
        test: {
          name: "code",
          include: folders.map((folder) => `${folder}/*.test.ts`),
          exclude: pages,
          // Many tests wait for a command that they started, on one core.
          maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "pages", include: pages, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
