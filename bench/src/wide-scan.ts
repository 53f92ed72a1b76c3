// A scan as large as a wide planning CT, from head to chest, made of one phantom.
import { generatePatient, type Volume } from "@lnsnet/core";

const size = [512, 512, 186] as const;
const spacingMm = [0.98, 0.98, 2] as const;
const fieldMm = [200, 200, 200] as const;
/** Slices below the phantom. */
const chestSlices = 50;
/** Slices at each end of the phantom that are repeated beyond it, each time mirrored. */
const repeated = { chest: 12, head: 36 };
/** The chest is this much wider and deeper than the phantom's shoulders, which are 200 mm wide, and widens to it slice by slice. */
const chestScale = [2.2, 2] as const;
const shoulderSlices = 15;
const air = -1000;

/**
 * A phantom neck of 200 mm in a scan of 512×512×186 voxels at 0.98×0.98×2 mm, LPS, HU, with air around. Below, its lowest
 * slices are repeated and stretched to a chest of 440 mm; above, its highest ones are repeated as a head. It has neither
 * lungs nor a closed skull, so nothing limits the part that is searched.
 */
export function wideScan(): Volume<Int16Array> {
  const { image } = generatePatient(7, 1, {
    fieldMm,
    inPlaneSpacingMm: [spacingMm[0], spacingMm[1]],
    sliceSpacingMm: [spacingMm[2], spacingMm[2]],
    obliqueShare: 0,
    reversedShare: 0,
    maximumVoxels: 10_000_000,
  });
  const [nx, ny, nz] = image.size;
  const data = new Int16Array(size[0] * size[1] * size[2]).fill(air);
  for (let k = 0, at = 0; k < size[2]; k++) {
    const slice = nx * ny * sliceOf(k - chestSlices, nz);
    const chest = Math.min(1, Math.max(0, chestSlices - k) / shoulderSlices);
    const columns = sourcesOf(size[0], nx, 1 + chest * (chestScale[0] - 1));
    const rows = sourcesOf(size[1], ny, 1 + chest * (chestScale[1] - 1));
    for (const row of rows)
      for (const column of columns) {
        if (row !== null && column !== null) data[at] = image.data[slice + row * nx + column];
        at++;
      }
  }
  return { data, size, spacingMm, originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
}

/** The phantom's slice for a slice of the scan, counted from the phantom's lowest. */
function sliceOf(k: number, slices: number): number {
  if (k < 0) return mirrored(-k - 1, repeated.chest);
  return k < slices ? k : slices - 1 - mirrored(k - slices, repeated.head);
}

/** 0, 1, … count − 1, count − 1, … 1, 0, 0, 1, …: the first numbers to and fro. */
function mirrored(step: number, count: number): number {
  const at = step % (2 * count);
  return at < count ? at : 2 * count - 1 - at;
}

/** The phantom's column for each column of the scan, both about their middle; null beyond the phantom. */
function sourcesOf(length: number, phantomLength: number, scale: number): (number | null)[] {
  return Array.from({ length }, (_, at) => {
    const source = Math.round((phantomLength - 1) / 2 + (at - (length - 1) / 2) / scale);
    return source >= 0 && source < phantomLength ? source : null;
  });
}
