// The size classes of lymph nodes by RECIST 1.1, shown as information.

/**
 * By the short axis: below 10 mm, 10 to below 15 mm (pathological, no target lesion), or 15 mm and more (may be a target
 * lesion). Eisenhauer et al., "New response evaluation criteria in solid tumours: Revised RECIST guideline (version 1.1)",
 * European Journal of Cancer 45, 2009.
 */
export type SizeClass = "below 10 mm" | "10 to 14.9 mm" | "15 mm and more";

/** The class of the short axis in mm as it is shown, with one decimal, so that a row never contradicts itself. */
export function sizeClassOf(shortAxisMm: number): SizeClass {
  const shown = Math.round(shortAxisMm * 10) / 10;
  if (shown < 10) return "below 10 mm";
  return shown < 15 ? "10 to 14.9 mm" : "15 mm and more";
}
