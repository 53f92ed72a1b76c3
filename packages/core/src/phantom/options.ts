// The options for generating a phantom patient.

import { InputError } from "../errors.js";

/** Lower and upper bound of a uniform draw. */
type Bounds = readonly [low: number, high: number];

/** Choices for the scan; the anatomy and its nodes follow from seed and index. */
export interface PhantomOptions {
  /** Distance between voxels in a slice, mm. */
  readonly inPlaneSpacingMm: Bounds;
  /** Distance between slices, mm. */
  readonly sliceSpacingMm: Bounds;
  /** Extent of the scan along its own axes, mm. */
  readonly fieldMm: readonly [number, number, number];
  /** If a drawn grid has more, slices get thicker up to the end of their range, then pixels wider. */
  readonly maximumVoxels: number;
  /** Standard deviation of the noise after smoothing, HU. */
  readonly noiseHu: Bounds;
  /** Share of patients whose grid is rotated against the body by up to 10°. */
  readonly obliqueShare: number;
  /** Share of patients stored with one or more axes reversed, as LAS or RPS. */
  readonly reversedShare: number;
  /** "wide": tissues, metal, fixation and scans as different as {@link drawVariety} draws them, to train on. */
  readonly variety: "typical" | "wide";
  /** Whether each patient is also scanned without contrast medium. */
  readonly plain: boolean;
  /** Whether the organs are drawn too. */
  readonly organs: boolean;
}

export const defaultPhantomOptions: PhantomOptions = {
  inPlaneSpacingMm: [0.45, 1],
  sliceSpacingMm: [1, 3],
  fieldMm: [142, 126, 106],
  maximumVoxels: 2_600_000,
  noiseHu: [8, 15],
  obliqueShare: 0.4,
  reversedShare: 0.3,
  variety: "typical",
  plain: false,
  organs: false,
};

/**
 * The defaults, replaced by the given options.
 * @throws InputError for a range that is reversed or not positive, a share outside [0, 1], or a field too small for a neck.
 */
export function phantomOptions(options: Partial<PhantomOptions> = {}): PhantomOptions {
  const all = { ...defaultPhantomOptions, ...options };
  for (const name of ["inPlaneSpacingMm", "sliceSpacingMm", "noiseHu"] as const) {
    const [low, high] = all[name];
    const positive = name === "noiseHu" ? low >= 0 : low > 0;
    if (!(positive && high >= low && Number.isFinite(high))) {
      throw new InputError(
        `Phantom option ${name} is [${low}, ${high}], expected a positive low end and a high end not below it; give such a range.`,
      );
    }
  }
  for (const name of ["obliqueShare", "reversedShare"] as const) {
    if (!(all[name] >= 0 && all[name] <= 1)) {
      throw new InputError(
        `Phantom option ${name} is ${all[name]}, expected a share from 0 to 1; give such a number.`,
      );
    }
  }
  if (!all.fieldMm.every((extent) => extent >= 90 && extent <= 200)) {
    throw new InputError(
      `Phantom option fieldMm is [${all.fieldMm.join(", ")}], expected three extents from 90 to 200 mm; give such numbers.`,
    );
  }
  if (!(all.maximumVoxels >= 10_000)) {
    throw new InputError(
      `Phantom option maximumVoxels is ${all.maximumVoxels}, expected at least 10000; give a larger number.`,
    );
  }
  return all;
}
