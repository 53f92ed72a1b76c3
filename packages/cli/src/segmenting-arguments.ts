// The options on the command line that decide how a whole scan is segmented, for every command that does so.
import type { ArgsDef } from "citty";
import { realNumber } from "./arguments.js";

export const segmentingArguments = {
  overlap: {
    type: "string",
    description: "overlap of neighbouring patches, as a share of their length",
    default: "0.5",
    valueHint: "SHARE",
  },
  mirrored: {
    type: "boolean",
    description: "also segment the mirrored scan and average the two; takes twice the time",
  },
  search: {
    type: "enum",
    description: "part of the scan to search for nodes: the body near the neck, or everything",
    options: ["neck", "everything"],
    default: "neck",
  },
  "minimum-volume": {
    type: "string",
    description: "connected components below this volume in mL are left out, in whole scans",
    default: "0.03",
    valueHint: "ML",
  },
  "keep-implausible": {
    type: "boolean",
    description:
      "keep connected components whose HU fit no lymph node (bone, air, dense vessels, fat; also calcified nodes)",
  },
} as const satisfies ArgsDef;

/** For commands whose result is nodes, and not only a mask. */
export const nodeArguments = {
  "keep-touching": {
    type: "boolean",
    description:
      "keep lymph nodes that touch as one node; by default they are told apart where a narrow neck joins them",
  },
  "least-confidence": {
    type: "string",
    description:
      "leave out nodes of less confidence, 0 keeps all; by default what the model's calibration says",
    valueHint: "SHARE",
  },
} as const satisfies ArgsDef;

/** The options as citty hands them over. */
export interface SegmentingValues {
  readonly overlap: string;
  readonly mirrored?: boolean | undefined;
  readonly search: "neck" | "everything";
  readonly "minimum-volume": string;
  readonly "keep-implausible"?: boolean | undefined;
  readonly "keep-touching"?: boolean | undefined;
  readonly "least-confidence"?: string | undefined;
}

/** @throws InputError for a value that cannot be used */
export const segmentingOptions = (values: SegmentingValues) => ({
  overlap: realNumber(values.overlap, "--overlap", 0, 0.9),
  mirrored: values.mirrored === true,
  searched: values.search,
  cleanUp: {
    minimumVolumeMl: realNumber(values["minimum-volume"], "--minimum-volume", 0, 1000),
    fillsCavities: true,
    keepsImplausible: values["keep-implausible"] === true,
    leastConfidence:
      values["least-confidence"] === undefined
        ? null
        : realNumber(values["least-confidence"], "--least-confidence", 0, 1),
    // Absent where it is not asked for, as in the settings of earlier results and experiments.
    ...(values["keep-touching"] === true ? { keepsTouching: true } : {}),
  },
});
