// The options that cross-validations, comparisons and ablations share.
import { protocols } from "@lnsnet/node/experiments";
import type { ArgsDef } from "citty";

export const experimentArguments = {
  dataset: {
    type: "positional",
    description: "folder with imagesTr, labelsTr and dataset.json; imagesTs is the test set",
    required: true,
  },
  protocol: {
    type: "enum",
    description: "what to evaluate: crops around each node, whole scans, or both separately",
    options: [...protocols],
    default: "both",
  },
  data: {
    type: "string",
    description:
      'what the data are, written on every table and picture, such as "phantom"; by default the data set\'s name',
    valueHint: "NAME",
  },
  force: {
    type: "boolean",
    description: "train folds again whose images or labels have changed; without it they are refused",
  },
} as const satisfies ArgsDef;
