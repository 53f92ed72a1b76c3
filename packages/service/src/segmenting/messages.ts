// What the service and a process that segments say to each other.
import type { DeviceChoice } from "@lnsnet/core";
import type { DicomObject } from "@lnsnet/node";

/** To the process: what to segment, where to write it, and how. */
export interface SegmentTask {
  readonly input: string;
  readonly results: string;
  /** Path of a model or of the folder of an experiment; null for the shipped finder. */
  readonly model: string | null;
  readonly outputs: readonly DicomObject[];
  readonly device: DeviceChoice;
  readonly threads: number;
}

/** From the process. */
export type SegmentMessage =
  | {
      readonly kind: "progress";
      readonly stage: string;
      readonly unit: string;
      readonly done: number;
      readonly total: number;
    }
  | { readonly kind: "remark"; readonly sentence: string }
  | { readonly kind: "done"; readonly nodes: number; readonly seconds: number }
  /** Input that a person must correct. */
  | { readonly kind: "refused"; readonly sentence: string }
  | { readonly kind: "failed"; readonly sentence: string }
  /** There was no room for the results; the same will do when there is. */
  | { readonly kind: "full"; readonly sentence: string };
