// The list of patients of a phantom cohort, for training and testing, and its dataset.json.

import { InputError } from "../errors.js";
import type { PhantomOptions } from "./options.js";
import { phantomId } from "./patient.js";

/** A patient of the cohort. */
export interface CohortCase {
  readonly id: string;
  /** The index to give to `generatePatient`. */
  readonly index: number;
  /** Folder ending of nnU-Net: imagesTr and labelsTr, or imagesTs and labelsTs. */
  readonly subset: "Tr" | "Ts";
  /** Scans of the patient; one by default. */
  readonly channels?: number;
  /** Whether the patient's organs are drawn; false by default. */
  readonly organs?: boolean;
}

/** The content of nnU-Net's dataset.json; field names are that format's. */
export interface DatasetDescription {
  readonly name: string;
  readonly description: string;
  readonly channel_names: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, number>>;
  /** Patient by case id, where names do not tell which cases are of one patient. */
  readonly patients?: Readonly<Record<string, string>>;
  readonly numTraining: number;
  readonly numTest: number;
  readonly file_ending: ".nii.gz";
}

export interface CohortManifest {
  readonly dataset: DatasetDescription;
  readonly cases: readonly CohortCase[];
}

/**
 * The list of a cohort's patients, the training ones first, and its dataset.json.
 * @throws InputError for counts that are not whole numbers of at least 0, or no patient at all.
 */
export function cohortManifest(
  seed: number,
  trainingCount: number,
  testCount: number,
  {
    variety = "typical",
    plain = false,
    organs = false,
  }: Partial<Pick<PhantomOptions, "variety" | "plain" | "organs">> = {},
): CohortManifest {
  for (const count of [trainingCount, testCount]) {
    if (!Number.isInteger(count) || count < 0) {
      throw new InputError(
        `A phantom cohort of ${trainingCount} training and ${testCount} test patients was requested, and whole numbers of at least 0 were expected; give such numbers.`,
      );
    }
  }
  if (trainingCount + testCount === 0) {
    throw new InputError(
      "A phantom cohort of no patients was requested, and at least 1 was expected; give a larger number.",
    );
  }
  const cases = Array.from(
    { length: trainingCount + testCount },
    (_, index): CohortCase => ({
      id: phantomId(index),
      index,
      subset: index < trainingCount ? "Tr" : "Ts",
      ...(plain ? { channels: 2 } : {}),
      ...(organs ? { organs } : {}),
    }),
  );
  return {
    cases,
    dataset: {
      name: `LNSNet phantom ${seed}${variety === "wide" ? " of wide variety" : ""}`,
      description: `Phantom, research use only: synthetic head-and-neck CT with lymph nodes, made by lnsnet with seed ${seed}${variety === "wide" ? " and wide variety" : ""}; no patient's data.`,
      channel_names: plain ? { "0": "CT", "1": "CT plain" } : { "0": "CT" },
      labels: { background: 0, "lymph node": 1 },
      numTraining: trainingCount,
      numTest: testCount,
      file_ending: ".nii.gz",
    },
  };
}
