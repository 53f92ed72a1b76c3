// Worker thread: opens one case of a data set and says what it shows.

import { type Outcome, outcomeOf } from "../work/outcome.js";
import type { Case } from "./dataset.js";
import { type CaseSurvey, type Subset, type SurveyedDataset, surveyCase } from "./survey.js";

export interface SurveyTask extends SurveyedDataset {
  readonly case: Case;
  readonly subset: Subset;
}

export function run({ case: scan, subset, ...dataset }: SurveyTask): Promise<Outcome<CaseSurvey>> {
  return outcomeOf(() => surveyCase(scan, subset, dataset));
}
