// Trains a small network on phantoms and segments one that it has not seen, by the functions of @lnsnet/node.
// node train-and-predict.mjs FOLDER, in a project with @lnsnet/core and @lnsnet/node. Research use only.
import { networkPresets } from "@lnsnet/core";
import {
  defaultTrainingOptions,
  loadModel,
  openDataset,
  planFor,
  predictScans,
  trainNetwork,
  writePhantomCohort,
} from "@lnsnet/node";

const folder = process.argv[2] ?? "trial";
/** Progress and messages of every stage; a signal would stop it. */
const job = { log: (sentence) => console.error(sentence) };

await writePhantomCohort(`${folder}/cohort`, { seed: 1, training: 4, test: 1 }, {}, job);
const dataset = await openDataset(`${folder}/cohort`);
const plan = planFor(dataset, {
  network: networkPresets["lnsnet-small"],
  patchSize: [32, 32, 32], // depth, height, width in voxels
  spacingMm: [2, 2, 2], // x, y, z
  window: { lowHu: -160, highHu: 240 },
});
const { modelPath } = await trainNetwork(
  dataset,
  plan,
  { ...defaultTrainingOptions, steps: 10, validateEvery: 0, validationCases: 0 },
  { folder: `${folder}/run`, start: "begin" },
  job,
);
const { results } = await predictScans(
  `${folder}/cohort/imagesTs`,
  {
    models: [await loadModel(modelPath)],
    output: `${folder}/masks`,
    form: { format: "nii.gz", numbered: false, pictures: true, dicom: [] },
    segmenting: {},
  },
  job,
);
for (const { mask, manifest } of results) console.log(`${mask}: ${manifest.nodes.length} nodes`);
