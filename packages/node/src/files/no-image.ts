// Files that are no images, and what they are by their names.

/** Whether a file holds points of 3D Slicer. */
export function isMarkupsName(name: string): boolean {
  return /\.(fcsv|mrk\.json)$/i.test(name);
}

/** What a file is that could not be read as an image, a sentence; null where its name does not tell. */
export function knownAs(name: string): string | null {
  if (isMarkupsName(name)) return `${name} holds points of 3D Slicer, not an image.`;
  if (/\.img(\.gz)?$/i.test(name))
    return `${name} is half of a NIfTI pair (.hdr and .img) by its name, and one file with header and voxels was expected; convert the pair to .nii.gz.`;
  if (/\.z?raw(\.gz)?$/i.test(name))
    return `${name} holds voxels without their header by its name; choose the header in its place (.mhd or .nhdr).`;
  return null;
}
