// The directions of docs/architecture: an import that breaks one fails `npm run layers`.
const core = "^packages/core/src/";
/** A layer and the only layers of ours that it may import (itself is always allowed). */
const layers = {
  volume: [],
  graph: [],
  statistics: [],
  runtime: ["graph"],
  voxels: ["volume"],
  formats: ["volume"],
  transforms: ["volume", "voxels"],
  metrics: ["volume", "voxels", "statistics"],
  networks: ["graph"],
  losses: ["graph"],
  phantom: ["volume", "voxels"],
  training: ["graph", "networks", "losses", "transforms", "volume", "voxels", "runtime/types"],
  inference: ["graph", "networks", "losses", "transforms", "volume", "voxels", "runtime/types"],
  models: ["graph", "networks", "transforms", "inference", "formats"],
  reports: ["volume", "voxels", "metrics", "statistics"],
};

const test = "\\.test(-helper)?\\.ts$";
const layerRules = Object.entries(layers).map(([layer, allowed]) => ({
  name: `${layer}-imports-only-${allowed.join("-") || "itself"}`,
  severity: "error",
  from: { path: `${core}${layer}/`, pathNot: test },
  to: {
    path: core,
    pathNot: [`${core}${layer}/`, `${core}(errors|text)\\.ts$`, ...allowed.map((a) => `${core}${a}`)],
  },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "only-runtime-imports-onnxruntime",
      severity: "error",
      from: { path: core, pathNot: [`${core}runtime/(node|web|onnxruntime)\\.ts$`, test] },
      to: { path: "onnxruntime" },
    },
    {
      name: "core-has-no-node-api",
      severity: "error",
      from: { path: core, pathNot: [`${core}runtime/node\\.ts$`, test] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "cli-uses-entry-points",
      severity: "error",
      from: { path: "^(packages/cli|bench)/" },
      to: {
        path: "^packages/core/",
        pathNot: "^packages/core/(dist|src)/(index|runtime/(node|web))\\.(d\\.ts|js|ts)$",
      },
    },
    {
      name: "examples-use-what-is-published",
      severity: "error",
      from: { path: "^examples/", pathNot: "\\.test\\.ts$" },
      to: { path: "^packages/", pathNot: "^packages/cli/((dist|src)/library(-web)?\\.|models/)" },
    },
    {
      name: "core-is-below-the-cli",
      severity: "error",
      from: { path: "^packages/core/" },
      to: { path: "^packages/cli/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/dist/" },
    tsConfig: { fileName: "tsconfig.base.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
