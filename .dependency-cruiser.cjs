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
  // Of the metrics only counts of overlap, by which a network in training is validated.
  inference: [
    "graph",
    "networks",
    "losses",
    "transforms",
    "volume",
    "voxels",
    "statistics",
    "runtime/types",
    "metrics/overlap",
  ],
  models: ["graph", "networks", "transforms", "inference", "formats"],
  reports: ["volume", "voxels", "metrics", "statistics"],
  results: ["volume", "voxels", "transforms", "formats", "reports"],
};

/** The stages of a workstation, and what each may import. */
const node = "^packages/node/src/";
const nodeStages = {
  work: [],
  files: ["work"],
  datasets: ["files", "work"],
  training: ["datasets", "files", "work"],
  evaluation: ["files", "datasets", "work"],
  segmenting: ["datasets", "files", "work"],
  experiments: ["training", "datasets", "segmenting", "evaluation", "files", "work"],
};

/** What the command and the service import of it. */
const entryPointsOfNode =
  "^packages/node/(dist|src)/(index|[a-z]+/index|datasets/making|experiments/parts|files/disk|files/folder-lock|segmenting/manifest)\\.(d\\.ts|js|ts)$";

/** The concerns of the service, and what each may import; service.ts puts them together. */
const service = "^packages/service/src/";
const serviceConcerns = {
  jobs: [],
  security: [],
  processes: [],
  segmenting: ["processes"],
  experimenting: ["processes"],
  storing: [],
  queueing: ["processes", "segmenting", "experimenting", "storing"],
  rules: ["jobs"],
  dicomweb: [],
  dimse: [],
  sending: ["dicomweb", "dimse", "configuration"],
  receiving: ["jobs", "rules", "dicomweb", "dimse", "configuration"],
  worklist: ["jobs"],
  http: ["jobs", "receiving", "dicomweb", "security", "worklist", "configuration"],
};

/** The parts of the viewer that import no other, or only the named ones. */
const viewer = "^apps/viewer/src/";
const viewerParts = { study: [], display: [], engine: [], storage: ["study", "engine"] };

const test = "\\.test(-helper)?\\.ts$";
const layerRules = Object.entries(layers).map(([layer, allowed]) => ({
  name: `${layer}-imports-only-${allowed.join("-") || "itself"}`,
  severity: "error",
  from: { path: `${core}${layer}/`, pathNot: test },
  to: {
    path: core,
    pathNot: [
      `${core}${layer}/`,
      `${core}(errors|job|random|text)\\.ts$`,
      ...allowed.map((a) => `${core}${a}`),
    ],
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
      name: "hosts-use-entry-points-of-core",
      severity: "error",
      from: { path: "^(packages/(node|web|cli|service)|bench|examples)/", pathNot: test },
      to: {
        path: "^packages/core/",
        pathNot:
          "^packages/core/(dist|src)/(index|errors|job|text|[a-z]+/index|training/sampling|runtime/node|runtime/web)\\.(d\\.ts|js|ts)$",
      },
    },
    {
      name: "entry-points-of-core-are-for-others",
      severity: "error",
      from: { path: core },
      to: { path: [`${core}index\\.ts$`, `${core}[a-z]+/index\\.ts$`, `${core}training/sampling\\.ts$`] },
    },
    {
      name: "the-command-uses-the-entry-points-of-node",
      severity: "error",
      from: { path: "^packages/cli/", pathNot: test },
      to: { path: "^packages/node/", pathNot: entryPointsOfNode },
    },
    ...Object.entries(nodeStages).map(([stage, allowed]) => ({
      name: `node-${stage}-imports-only-${allowed.join("-") || "itself"}`,
      severity: "error",
      from: { path: `${node}${stage}/`, pathNot: test },
      to: { path: node, pathNot: [`${node}${stage}/`, ...allowed.map((a) => `${node}${a}/`)] },
    })),
    ...Object.entries(serviceConcerns).map(([concern, allowed]) => ({
      name: `service-${concern}-imports-only-${allowed.map((name) => name.replace("/", "-")).join("-") || "itself"}`,
      severity: "error",
      from: { path: `${service}${concern}/`, pathNot: test },
      to: { path: service, pathNot: [`${service}${concern}/`, ...allowed.map((a) => `${service}${a}[/.]`)] },
    })),
    {
      name: "the-service-is-used-by-its-entry-point",
      severity: "error",
      from: { path: "^packages/", pathNot: ["^packages/service/", test] },
      to: {
        path: "^packages/service/",
        pathNot: "^packages/service/(dist|src)/(index|queueing/index)\\.(d\\.ts|js|ts)$",
      },
    },
    {
      name: "the-service-uses-the-entry-points-of-node",
      severity: "error",
      from: { path: "^packages/service/", pathNot: test },
      to: { path: "^packages/node/", pathNot: entryPointsOfNode },
    },
    ...Object.entries(viewerParts).map(([part, allowed]) => ({
      name: `viewer-${part}-imports-only-${allowed.join("-") || "itself"}`,
      severity: "error",
      from: { path: `${viewer}${part}/`, pathNot: test },
      to: { path: viewer, pathNot: [`${viewer}${part}/`, ...allowed.map((a) => `${viewer}${a}/`)] },
    })),
    {
      name: "the-viewer-uses-entry-points-of-the-library",
      severity: "error",
      from: { path: viewer, pathNot: test },
      to: {
        path: "^packages/",
        pathNot: "^packages/(core/(dist|src)/(index|[a-z]+/index)\\.|web/(dist|src)/index\\.|models/)",
      },
    },
    {
      name: "examples-use-what-is-published",
      severity: "error",
      from: { path: "^examples/", pathNot: "\\.test\\.ts$" },
      to: {
        path: "^packages/",
        pathNot: "^packages/(cli/(dist|src)/library\\.|web/(dist|src)/index\\.|models/)",
      },
    },
    {
      name: "core-is-below-its-hosts",
      severity: "error",
      from: { path: "^packages/core/" },
      to: { path: "^packages/(node|web|cli|service)/" },
    },
    {
      name: "the-browser-has-no-node",
      severity: "error",
      from: { path: "^packages/web/", pathNot: test },
      to: { path: "^packages/(node|cli|service)/|^packages/core/(dist|src)/runtime/node\\." },
    },
    {
      name: "node-is-below-the-command",
      severity: "error",
      from: { path: "^packages/node/" },
      to: { path: "^packages/(web|cli|service)/" },
    },
    {
      name: "the-service-is-below-the-command",
      severity: "error",
      from: { path: "^packages/service/" },
      to: { path: "^packages/(web|cli)/" },
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
