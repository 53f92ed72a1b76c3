// Worker thread: opens one case of a data set and says what it shows.
import type { Case } from "../dataset.js";
import type { DatasetLabels } from "../dataset-labels.js";
import { type CaseSurvey, type Subset, surveyCase } from "../survey.js";
import { type Outcome, outcomeOf } from "./outcome.js";

export interface SurveyTask {
  readonly case: Case;
  readonly subset: Subset;
  readonly labels: DatasetLabels;
}

export function run({ case: one, subset, labels }: SurveyTask): Promise<Outcome<CaseSurvey>> {
  return outcomeOf(() => surveyCase(one, subset, labels));
}
