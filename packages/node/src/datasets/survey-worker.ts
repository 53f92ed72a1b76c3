// Worker thread: opens one case of a data set and says what it shows.

import { type Outcome, outcomeOf } from "../work/outcome.js";
import type { Case } from "./dataset.js";
import type { DatasetLabels } from "./foreground.js";
import { type CaseSurvey, type Subset, surveyCase } from "./survey.js";

export interface SurveyTask {
  readonly case: Case;
  readonly subset: Subset;
  readonly labels: DatasetLabels;
}

export function run({ case: one, subset, labels }: SurveyTask): Promise<Outcome<CaseSurvey>> {
  return outcomeOf(() => surveyCase(one, subset, labels));
}
