import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{packages/*,bench}/src/**/*.test.ts", "examples/**/*.test.ts"],
    setupFiles: ["vitest.setup.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
  },
});
