import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{packages/*,apps/*,bench}/src/**/*.test.ts", "examples/**/*.test.ts"],
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
  },
});
