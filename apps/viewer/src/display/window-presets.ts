// Windows by which a radiologist looks at a neck CT.
import type { IntensityWindow } from "./reslice.js";

export type PresetName = "softTissue" | "bone" | "lung" | "brain";

/** In the order of the keys 1 to 4. The first is what a scan opens with. */
export const windowPresets: readonly (IntensityWindow & { readonly name: PresetName })[] = [
  { name: "softTissue", centreHu: 50, widthHu: 350 },
  { name: "bone", centreHu: 500, widthHu: 2500 },
  { name: "lung", centreHu: -600, widthHu: 1500 },
  { name: "brain", centreHu: 40, widthHu: 80 },
];
