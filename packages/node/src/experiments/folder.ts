// The names of all files in an experiment's folder.
import { join } from "node:path";
import { dataStatePath } from "../datasets/data-state.js";

/** The files of an experiment as a whole. */
export function experimentFiles(folder: string) {
  const at = (name: string) => join(folder, name);
  return {
    configuration: at("configuration.json"),
    fingerprint: at("fingerprint.json"),
    environment: at("environment.json"),
    splits: at("splits_final.json"),
    cases: { csv: at("cases.csv"), json: at("cases.json") },
    nodes: { csv: at("nodes.csv"), json: at("nodes.json") },
    summary: { csv: at("summary.csv"), json: at("summary.json"), tex: at("summary.tex") },
    report: at("report.html"),
  };
}

/** All that stands at the top of an experiment's folder. */
export function experimentNames(folds: number): string[] {
  const { cases, nodes, summary, ...files } = experimentFiles("");
  const tables = [cases, nodes, summary].flatMap((table) => Object.values(table));
  const foldNames = Array.from({ length: folds }, (_, fold) => foldFiles("", fold).folder);
  return [
    ...Object.values(files),
    ...tables,
    ...foldNames,
    dataStatePath(""),
    patchTimePath(""),
    testFolder("", ""),
  ];
}

/** The files of a comparison, beside the experiments of its networks. */
export function comparisonFiles(folder: string) {
  const at = (name: string) => join(folder, name);
  return {
    configuration: at("configuration.json"),
    csv: at("comparison.csv"),
    json: at("comparison.json"),
    markdown: at("comparison.md"),
    nodeLevel: at("accuracy-and-cost-node-level.svg"),
    wholeVolume: at("accuracy-and-cost-whole-volume.svg"),
    report: at("report.html"),
  };
}

/** How long an experiment's network takes for a patch, which a comparison measures. */
export const patchTimePath = (folder: string): string => join(folder, "patch-time.json");

/** The files of one fold, which may come from another machine. */
export function foldFiles(folder: string, fold: number) {
  const at = (name: string) => join(folder, `fold_${fold}`, name);
  return {
    folder: join(folder, `fold_${fold}`),
    model: at("model.safetensors"),
    /** Written when the training is done: its presence says so. */
    trained: at("fold.json"),
    environment: at("environment.json"),
    /** What differs from run to run, which no table holds. */
    times: at("times.json"),
    predictions: at("predictions"),
  };
}

/** What stands in a fold's folder beside the files of its training. */
export const foldNames = ["fold.json", "environment.json", "times.json", "predictions"];

/** Where the predictions of the test set by one fold's network, or by the ensemble, lie. */
export const testFolder = (folder: string, name: string): string => join(folder, "test", name);
