// Collects the folds of an experiment: predicts the test set, writes tables and report.

import { profileNetwork } from "@lnsnet/core/networks";
import { csvTable, overlayPng } from "@lnsnet/core/reports";
import { patientOfCase } from "@lnsnet/core/sampling";
import { summarise } from "@lnsnet/core/statistics";
import { ctChannelOf, labelSchemeOf } from "@lnsnet/core/transforms";
import { loadCase } from "../datasets/dataset.js";
import { foregroundMask } from "../datasets/foreground.js";
import { bestMedianWorst } from "../evaluation/ranking.js";
import { readJson, writeAtomically, writeJson } from "../files/disk.js";
import { whileHolding } from "../files/folder-lock.js";
import { readScan } from "../files/imaging.js";
import { environmentSchema } from "../work/environment.js";
import type { Job } from "../work/job.js";
import type { Experiment } from "./configuration.js";
import { experimentFingerprint } from "./data-fingerprint.js";
import { experimentFiles } from "./folder.js";
import { trainedFold } from "./folds.js";
import {
  foldNumbers,
  maskPath,
  predictCases,
  scoresOf,
  testTargets,
  validationCases,
  validationTarget,
} from "./predicting.js";
import { type CasePicture, type ExperimentResult, experimentReport, summaryLatex } from "./report.js";
import {
  caseTable,
  type DataTable,
  nodeTable,
  type ScoredSet,
  summaryRows,
  summaryTable,
  warningsOf,
} from "./tables.js";

/**
 * Predicts the test set by every fold's network and by their mean, and writes tables and report.
 *
 * @throws InputError where a fold is not trained, or a case cannot be used; the signal's reason
 */
export async function collectExperiment(experiment: Experiment, job: Job = {}): Promise<ExperimentResult> {
  const { folder, configuration, dataset, splits, patients } = experiment;
  const files = experimentFiles(folder);
  const folds = [];
  for (const fold of foldNumbers(experiment)) folds.push(await trainedFold(experiment, fold));
  await predictCases(experiment, dataset.test, testTargets(experiment), "predict test set", job);

  const patientOf = (id: string) => patientOfCase(id, patients);
  const single = await scoredSets(experiment);
  const sets = judgedClasses(experiment).flatMap(({ className }) =>
    withAllFolds(single.filter((scoredSet) => scoredSet.className === className)),
  );
  const summary = summaryRows(sets, patientOf, configuration.training.seed);
  const result: ExperimentResult = {
    dataLabel: experiment.dataLabel,
    configuration,
    environment: await readJson(files.environment, environmentSchema),
    fingerprint: await experimentFingerprint(folder, dataset, false, job),
    splits,
    folds,
    patientOf,
    multiplyAdds: profileNetwork(configuration.plan.network, configuration.plan.patchSize).multiplyAdds,
    sets,
    summary,
    warnings: warningsOf(single),
    pictures: await casePictures(experiment, single),
  };
  const writeAll = async () => {
    await writeTable(files.cases, caseTable(single, patientOf));
    await writeTable(files.nodes, nodeTable(single, patientOf));
    await writeTable(files.summary, summaryTable(summary), summary);
    await writeAtomically(files.summary.tex, summaryLatex(result));
    await writeAtomically(files.report, experimentReport(result));
  };
  await whileHolding(folder, experiment.holder, writeAll, job, { waits: true });
  return result;
}

/** The classes by their positions; one without a name where there is one. */
function judgedClasses({ configuration: { plan } }: Experiment) {
  const { classes } = labelSchemeOf(plan);
  return classes.map(({ name }, position) => ({
    position,
    className: classes.length > 1 ? name : undefined,
  }));
}

/** The figures that are there, of cases with a label, class by class. */
async function scoredSets(experiment: Experiment): Promise<ScoredSet[]> {
  const ofClasses: ScoredSet[] = [];
  for (const { position, className } of judgedClasses(experiment))
    for (const scoredSet of await scoredSetsOfClass(experiment, position))
      ofClasses.push({ ...scoredSet, ...(className === undefined ? {} : { className }) });
  return ofClasses;
}

/** Each fold's own cases, then the test set by each fold and by their mean. */
async function scoredSetsOfClass(experiment: Experiment, position: number): Promise<ScoredSet[]> {
  const validation = await Promise.all(
    foldNumbers(experiment).map(
      async (fold): Promise<ScoredSet> => ({
        set: "cross-validation",
        model: `fold_${fold}`,
        scores: await scoresOf(
          validationTarget(experiment, fold),
          validationCases(experiment, fold),
          position,
        ),
      }),
    ),
  );
  const test = await Promise.all(
    testTargets(experiment).map(
      async (target): Promise<ScoredSet> => ({
        set: "test",
        model: target.name,
        scores: await scoresOf(target, experiment.dataset.test, position),
      }),
    ),
  );
  return [...validation, ...test]
    .map((scoredSet) => ({
      ...scoredSet,
      scores: scoredSet.scores.filter(({ true_nodes }) => true_nodes !== null),
    }))
    .filter(({ scores }) => scores.length > 0);
}

/** The sets of a class, with the cases of all folds together behind the folds. */
function withAllFolds(sets: readonly ScoredSet[]): ScoredSet[] {
  const folds = sets.filter(({ set }) => set === "cross-validation");
  const scores = folds.flatMap((scoredSet) => scoredSet.scores);
  return [
    ...folds,
    { ...folds[0], set: "cross-validation", model: "all folds", scores },
    ...sets.filter(({ set }) => set === "test"),
  ];
}

async function writeTable(
  paths: { readonly csv: string; readonly json: string },
  { columns, rows }: DataTable,
  content: unknown = rows,
): Promise<void> {
  await writeAtomically(paths.csv, csvTable(columns, rows));
  await writeJson(paths.json, content);
}

/**
 * Best, median and worst case of the cross-validation by whole-volume DSC, of several classes by its mean; none where
 * whole volumes are not measured, or no channel is a CT.
 */
async function casePictures(experiment: Experiment, sets: readonly ScoredSet[]): Promise<CasePicture[]> {
  const ct = ctChannelOf(experiment.configuration.plan);
  if (ct === null) return [];
  const byCase = new Map<string, { id: string; fold: number; values: number[] }>();
  for (const { model, scores } of sets.filter(({ set }) => set === "cross-validation"))
    for (const { case: id, whole_volume } of scores) {
      const dsc = whole_volume?.metrics.dsc ?? null;
      const known = byCase.get(id) ?? { id, fold: Number(model.replace("fold_", "")), values: [] };
      if (dsc !== null) byCase.set(id, { ...known, values: [...known.values, dsc] });
    }
  const judged = [...byCase.values()].map(({ id, fold, values }) => ({
    id,
    fold,
    dsc: summarise(values).mean ?? 0,
  }));
  const pictures: CasePicture[] = [];
  for (const { rank, id, dsc, fold } of bestMedianWorst(judged)) {
    const scan = experiment.dataset.training.find((scan) => scan.id === id);
    if (scan === undefined) continue;
    const { channels, label } = await loadCase(scan, experiment.dataset.labels);
    const mask = await readScan(maskPath(validationTarget(experiment, fold), scan));
    const caption = `${experiment.dataLabel} - ${id} - ${rank} of the cross-validation, DSC ${dsc.toFixed(3)} - research use only`;
    const truth = label && foregroundMask(label);
    const png = overlayPng(channels[ct], truth, { ...mask, data: Uint8Array.from(mask.data) }, { caption });
    pictures.push({ rank, case: scan.id, dsc, png });
  }
  return pictures;
}
