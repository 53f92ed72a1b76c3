// The formats of Save.

/** In the order of the list. */
export const exportFormats = ["nifti", "seg", "rtstruct", "sr", "pictures", "csv", "summary"] as const;
export type ExportFormat = (typeof exportFormats)[number];
