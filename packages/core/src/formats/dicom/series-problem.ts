// The problems that a DICOM series can have, for listings, warnings and refusals.

export type SeriesProblemKind =
  | "missing-slice"
  | "duplicate-slice"
  | "unequal-slices"
  | "uneven-spacing"
  | "rounded-positions"
  | "gantry-tilt"
  | "shifted-slices"
  | "mixed-orientation"
  | "mixed-size"
  | "mixed-frame-of-reference"
  | "mixed-rescale"
  | "missing-rescale"
  | "not-hounsfield"
  | "missing-position"
  | "bad-geometry"
  | "single-slice"
  | "localizer"
  | "secondary-capture"
  | "wrong-modality"
  | "colour"
  | "unsupported-syntax"
  | "damaged-file"
  | "unreadable-neighbour"
  | "repeated-uid";

export interface SeriesProblem {
  readonly kind: SeriesProblemKind;
  /** One or two sentences: what was found, and what was done or what to do. */
  readonly message: string;
  /** Whether the series is refused because of it; otherwise it is read as the message says. */
  readonly isRefused: boolean;
}

export function refusal(kind: SeriesProblemKind, message: string): SeriesProblem {
  return { kind, message, isRefused: true };
}

export function warning(kind: SeriesProblemKind, message: string): SeriesProblem {
  return { kind, message, isRefused: false };
}
