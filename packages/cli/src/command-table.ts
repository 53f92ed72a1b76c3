// The table of commands: stage, one-line summary, examples, and how the code is loaded.
import type { SubCommandsDef } from "citty";

/** The stages of work, in the order in which `lnsnet --help` lists them. */
export const stages = [
  "Try it",
  "Scans and labels",
  "Data sets",
  "Training",
  "Segmenting and judging",
  "In a hospital",
] as const;

export type Command = Awaited<Exclude<SubCommandsDef[string], () => unknown>>;

export interface CommandEntry {
  readonly stage: (typeof stages)[number];
  readonly summary: string;
  /** Whole command lines. */
  readonly examples: readonly string[];
  /** Loads the command's code, so that help and small commands do not wait for ONNX Runtime. */
  readonly load: () => Promise<Command>;
}

// biome-ignore format: a table reads best with a line for each fact
export const commands: Readonly<Record<string, CommandEntry>> = {
  demo: {
    stage: "Try it",
    summary: "make phantom patients, train on them, segment others, write a report",
    examples: ["lnsnet demo", "lnsnet demo --training 4 --test 1 --steps 20"],
    load: () => import("./commands/demo.js").then((module) => module.demoCommand),
  },
  phantom: {
    stage: "Try it",
    summary: "write a synthetic cohort of head-and-neck CTs with lymph nodes",
    examples: ["lnsnet phantom --output cohort", "lnsnet phantom --output cohort --training 60 --test 10 --variety wide"],
    load: () => import("./commands/phantom.js").then((module) => module.phantomCommand),
  },
  info: {
    stage: "Scans and labels",
    summary: "list the images at a path, with every problem",
    examples: ["lnsnet info study", "lnsnet info study.zip --json"],
    load: () => import("./commands/info.js").then((module) => module.infoCommand),
  },
  convert: {
    stage: "Scans and labels",
    summary: "convert a scan or labels to another format",
    examples: [
      "lnsnet convert study --output scan.nii.gz",
      "lnsnet convert mask.nii.gz --reference study --format seg --output mask.dcm",
    ],
    load: () => import("./commands/convert.js").then((module) => module.convertCommand),
  },
  measure: {
    stage: "Scans and labels",
    summary: "measure each node of a label file",
    examples: ["lnsnet measure labels.nii.gz", "lnsnet measure labels.nrrd --image study --csv nodes.csv"],
    load: () => import("./commands/measure.js").then((module) => module.measureCommand),
  },
  "dataset import": {
    stage: "Data sets",
    summary: "bring a collection into nnU-Net's layout, without identifiers",
    examples: [
      "lnsnet dataset import collection --output mine",
      "lnsnet dataset import collection --output mine --roi '/LN|node/i' --test-share 0.2",
    ],
    load: () => import("./commands/dataset-import.js").then((module) => module.datasetImportCommand),
  },
  "dataset join": {
    stage: "Data sets",
    summary: "make one data set of two, without copying their files",
    examples: ["lnsnet dataset join phantoms implanted --output joined"],
    load: () => import("./commands/dataset-join.js").then((module) => module.datasetJoinCommand),
  },
  "dataset check": {
    stage: "Data sets",
    summary: "list every problem of a data set",
    examples: ["lnsnet dataset check mine"],
    load: () => import("./commands/dataset-check.js").then((module) => module.datasetCheckCommand),
  },
  "dataset fingerprint": {
    stage: "Data sets",
    summary: "describe a data set's scans and nodes, with plots",
    examples: ["lnsnet dataset fingerprint mine --output about-mine"],
    load: () => import("./commands/dataset-fingerprint.js").then((module) => module.datasetFingerprintCommand),
  },
  implant: {
    stage: "Data sets",
    summary: "implant lymph nodes into real CT scans without labels",
    examples: ["lnsnet implant scans --output implanted", "lnsnet implant mine --output implanted --repeats 3 --seed 2"],
    load: () => import("./commands/implant.js").then((module) => module.implantCommand),
  },
  preprocess: {
    stage: "Data sets",
    summary: "prepare a data set's scans once, for several trainings",
    examples: ["lnsnet preprocess mine --output cache", "lnsnet preprocess mine --output cache --spacing 1,1,1"],
    load: () => import("./commands/preprocess.js").then((module) => module.preprocessCommand),
  },
  train: {
    stage: "Training",
    summary: "train a network on a data set",
    examples: [
      "lnsnet train mine --output runs/mine",
      "lnsnet train mine --output runs/mine --resume",
      "lnsnet train other --output runs/other --weights runs/mine/best.safetensors --train head",
    ],
    load: () => import("./commands/train.js").then((module) => module.trainCommand),
  },
  crossvalidate: {
    stage: "Training",
    summary: "train and test on every fold of a data set, with tables and a report",
    examples: [
      "lnsnet crossvalidate mine --output experiment",
      "lnsnet crossvalidate mine --output experiment --fold 2",
      "lnsnet crossvalidate mine --output experiment --queue redis://10.0.0.7:6379",
    ],
    load: () => import("./commands/crossvalidate.js").then((module) => module.crossvalidateCommand),
  },
  compare: {
    stage: "Training",
    summary: "compare networks: accuracy, cost and significance in one table",
    examples: [
      "lnsnet compare mine --output comparison --networks lnsnet,unet3d,nnunet --minutes 30",
      "lnsnet compare mine --output comparison --networks lnsnet,unet3d,nnunet --minutes 30 --fold 0 --only nnunet",
    ],
    load: () => import("./commands/compare.js").then((module) => module.compareCommand),
  },
  ablate: {
    stage: "Training",
    summary: "compare variants of LNSNet in the same way",
    examples: [
      "lnsnet ablate mine --output ablation --minutes 30",
      "lnsnet ablate mine --output ablation --variants boundary-off,expansion-4 --steps 2000",
    ],
    load: () => import("./commands/ablate.js").then((module) => module.ablateCommand),
  },
  profile: {
    stage: "Training",
    summary: "count a network's parameters and multiply-adds",
    examples: ["lnsnet profile --network unetr --size 64,48,48 --layers"],
    load: () => import("./commands/profile.js").then((module) => module.profileCommand),
  },
  predict: {
    stage: "Segmenting and judging",
    summary: "segment the lymph nodes of a scan, or of every scan in a folder",
    examples: [
      "lnsnet predict study --output masks --dicom seg,rtstruct,sr",
      'lnsnet predict neck.nii.gz --at "-31.5,12,84"',
      "lnsnet predict scans --model runs/mine/best.safetensors --output masks",
    ],
    load: () => import("./commands/predict.js").then((module) => module.predictCommand),
  },
  "import nnunet": {
    stage: "Segmenting and judging",
    summary: "make a model of a trained model of nnU-Net v2",
    examples: [
      "lnsnet import nnunet nnUNetTrainer__nnUNetPlans__3d_fullres --output imported",
      "lnsnet import nnunet nnUNetTrainer__nnUNetPlans__3d_fullres --output imported --fold 0,1",
    ],
    load: () => import("./commands/import-nnunet.js").then((module) => module.importNnunetCommand),
  },
  "import weights": {
    stage: "Segmenting and judging",
    summary: "make a model of weights that the same network has in PyTorch",
    examples: [
      "lnsnet import weights twin.safetensors --model runs/mine/model.safetensors --output twin-as-model.safetensors",
    ],
    load: () => import("./commands/import-weights.js").then((module) => module.importWeightsCommand),
  },
  evaluate: {
    stage: "Segmenting and judging",
    summary: "compare predicted masks with true ones",
    examples: ["lnsnet evaluate truth masks", "lnsnet evaluate truth.nii.gz mask.nii.gz --nodes --json"],
    load: () => import("./commands/evaluate.js").then((module) => module.evaluateCommand),
  },
  calibrate: {
    stage: "Segmenting and judging",
    summary: "fit a model's confidence on predictions of held-out scans",
    examples: [
      "lnsnet calibrate cohort/labelsTs masks --output calibrated.safetensors",
      "lnsnet calibrate truth masks --model runs/mine/model.safetensors --plot reliability.svg",
    ],
    load: () => import("./commands/calibrate.js").then((module) => module.calibrateCommand),
  },
  export: {
    stage: "Segmenting and judging",
    summary: "write a trained network as an ONNX file for other programs",
    examples: ["lnsnet export --model runs/mine/best.safetensors --output mine.onnx"],
    load: () => import("./commands/export.js").then((module) => module.exportCommand),
  },
  serve: {
    stage: "In a hospital",
    summary: "run a service with a worklist: studies in, results out",
    examples: [
      "lnsnet serve",
      "lnsnet serve --config service.yaml",
      "lnsnet serve --config service.yaml --test-rule slice.dcm",
      'lnsnet serve --new-token view --user "Dr Gray"',
    ],
    load: () => import("./commands/serve.js").then((module) => module.serveCommand),
  },
  worker: {
    stage: "In a hospital",
    summary: "do what services and experiments put into a queue on Redis",
    examples: [
      "lnsnet worker --queue redis://10.0.0.7:6379 --folder /srv/lnsnet",
      "lnsnet worker --store https://s3.hospital.example/lnsnet --folder /srv/lnsnet",
    ],
    load: () => import("./commands/worker.js").then((module) => module.workerCommand),
  },
};
