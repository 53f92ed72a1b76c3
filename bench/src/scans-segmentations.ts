// Checks of contours and segmentations: the masks that other tools made of the same RTSTRUCT and SEG files.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  chooseSeries,
  indexOfPoint,
  listSeries,
  pointOfIndex,
  readNifti,
  readRtstruct,
  readSeg,
  readSeries,
  readVolume,
  type StructureSet,
  sameGeometry,
  type Vector3,
  type Volume,
} from "@lnsnet/core";
import { matchRois, requireDrawnOn, roiPattern } from "@lnsnet/core/formats";
import { type PlanarContour, voxelVolumeMm3 } from "@lnsnet/core/volume";
import { rasteriseContours, traceContours } from "@lnsnet/core/voxels";
import { filesIn, require, type ScanCheck } from "./scan-check.js";

export const segmentationChecks: readonly ScanCheck[] = [
  { folder: "rtstruct-ibsi1-lung", name: "contours against the mask of its NIfTI twin", run: ibsiContours },
  {
    folder: "rtstruct-neck-4-slices",
    name: "contours against the mask of its NIfTI twin",
    run: neckContours,
  },
  { folder: "dicom-seg-dcmqi", name: "segments against the NRRD of dcmqi", run: dcmqiSegments },
  { folder: "dicom-seg-lymph-node", name: "volumes against those of dcmqi and pydicom", run: tumourVolumes },
  { folder: "dicom-assorted", name: "every encoding of one SEG gives one mask", run: segEncodings },
];

async function ibsiContours(folder: string): Promise<string> {
  const set = structureSet(join(folder, "dicom/mask/DCM_RS_00060.dcm"));
  await requireSeriesOf(set, join(folder, "dicom/image"));
  const twin = nifti(join(folder, "nifti/mask/mask.nii.gz"));
  const [gtv] = matchRois(
    set.rois.map(({ name }) => name),
    roiPattern("GTV"),
    set.name,
  );
  const mask = rasteriseContours(set.rois[gtv].contours, twin);
  const differing = differences(mask, twin.data, (value) => value !== 0);
  require(differing.length <= 0.001 * voxels(mask), `${differing.length} voxels differ`);
  const again = rasteriseContours(traceContours(mask, twin), twin);
  require(differences(again, mask, (value) => value !== 0).length === 0, "traced contours give another mask");
  return `${voxels(mask)} voxels, ${differing.length} differ`;
}

/**
 * The twin was filled on a grid of whole pixels, outlines included, so it is larger by the outline. What shows that the
 * contours lie right: no voxel differs that the outline is not next to, and our volume is that of the polygons.
 */
async function neckContours(folder: string): Promise<string> {
  const set = structureSet(join(folder, "RS_Body_SpinalCord.dcm"));
  await requireSeriesOf(set, folder, /^CT_.*\.dcm$/);
  const twin = nifti(join(folder, "Mask.nii.gz"));
  const measured = [];
  for (const { name, contours } of set.rois) {
    const mask = rasteriseContours(contours, twin);
    // Cord voxels (1) lie over the body (2).
    const isIn = name === "BODY" ? (value: number) => value !== 0 : (value: number) => value === 1;
    const differing = differences(mask, twin.data, isIn);
    const furthest = Math.max(...differing.map((offset) => distanceToOutline(offset, contours, twin)));
    require(furthest < 1.1, `${name}: a voxel differs ${furthest.toFixed(2)} mm from the outline`);
    const volume = voxels(mask) * voxelVolumeMm3(twin);
    const polygons = contours.reduce((sum, contour) => sum + areaMm2(contour), 0) * twin.spacingMm[2];
    require(Math.abs(volume / polygons - 1) < 0.005, `${name}: ${volume} mm³, its polygons ${polygons} mm³`);
    measured.push(
      `${name} ${voxels(mask)} voxels (polygons ${polygons.toFixed(0)} mm³), ${differing.length} differ within ${furthest.toFixed(2)} mm of the outline`,
    );
  }
  return measured.join("; ");
}

/** SEG, NRRD and the value of segments in it: their own number where none is named. */
const dcmqiPairs: readonly (readonly [seg: string, nrrd: string, numbers: readonly number[]])[] = [
  ["liver.dcm", "liver_seg.nrrd", [1]],
  ["partial_overlaps.dcm", "partial_overlaps-1.nrrd", [1, 4, 5]],
  ["partial_overlaps.dcm", "partial_overlaps-2.nrrd", [2]],
  ["partial_overlaps.dcm", "partial_overlaps-3.nrrd", [3]],
  ["23x38x3/seg/label.seg", "23x38x3/nrrd/label.nrrd", [1]],
  ["24x38x3/seg/label.seg", "24x38x3/nrrd/label.nrrd", [1]],
  ["sparse-labelmap-noppv.dcm", "sparse_labelmap_noppv_seg.nrrd", [1]],
  ["sparse-labelmap-ppv5.dcm", "sparse_labelmap_ppv5_seg.nrrd", [1]],
];

async function dcmqiSegments(folder: string): Promise<string> {
  const measured = [];
  for (const [segName, nrrdName, numbers] of dcmqiPairs) {
    const seg = await readSeg(readFileSync(join(folder, segName)), segName);
    const nrrd = readVolume(readFileSync(join(folder, nrrdName)), nrrdName);
    require(sameGeometry(seg.geometry, nrrd), `${segName} lies elsewhere than ${nrrdName}`);
    for (const number of numbers) {
      const mask = seg.segments.find((segment) => segment.number === number)?.mask() ?? new Uint8Array();
      const differing = differences(mask, nrrd.data, (value) => value === number).length;
      require(differing === 0, `${segName}, segment ${number}: ${differing} voxels differ`);
      measured.push(voxels(mask));
    }
  }
  return `equal, ${measured.join(", ")} voxels`;
}

async function tumourVolumes(folder: string): Promise<string> {
  // dcmqi's structured report of its file; voxels that pydicom counts in the other.
  const expected = [
    ["dcmqi/seg.dcm", [33.5824]],
    ["dcmjs/tumor_User1_Manual_Trial1.dcm", [2.281, 8.955]],
  ] as const;
  const measured = [];
  for (const [name, volumesMl] of expected) {
    const seg = await readSeg(readFileSync(join(folder, name)), name);
    for (const [n, volumeMl] of volumesMl.entries()) {
      const found = (voxels(seg.segments[n].mask()) * voxelVolumeMm3(seg.geometry)) / 1000;
      require(Math.abs(found - volumeMl) < 1e-3, `${name}, segment ${n + 1}: ${found} mL, not ${volumeMl}`);
      measured.push(`${seg.segments[n].label} ${found.toFixed(3)} mL`);
    }
  }
  return measured.join("; ");
}

async function segEncodings(folder: string): Promise<string> {
  const files = filesIn(folder, /^liver.*\.dcm$/);
  const masks = new Map<string, { name: string; mask: Uint8Array }>();
  for (const file of files) {
    const seg = await readSeg(await file.read(), file.name);
    const mask = seg.segments[0].mask();
    const grid = seg.geometry.size.join("×");
    const first = masks.get(grid)?.mask ?? mask;
    masks.set(grid, { name: file.name, mask: first });
    require(voxels(mask) === 107_098, `${file.name} has ${voxels(mask)} voxels`);
    require(differences(mask, first, (value) => value !== 0).length === 0, `${file.name} has another mask`);
  }
  return `${files.length} files on ${[...masks.keys()].join(" and ")}, 107098 voxels each`;
}

function structureSet(path: string): StructureSet {
  return readRtstruct(readFileSync(path), path);
}

async function requireSeriesOf(set: StructureSet, folder: string, pattern = /\.dcm$/): Promise<void> {
  const { source } = await readSeries(chooseSeries(await listSeries(filesIn(folder, pattern)), undefined));
  requireDrawnOn(set, source);
}

function nifti(path: string): Volume {
  return readNifti(readFileSync(path), path);
}

function voxels(mask: Uint8Array): number {
  return mask.reduce((sum, value) => sum + value, 0);
}

/** Offsets of the voxels that are in one alone. */
function differences(
  mask: Uint8Array,
  values: ArrayLike<number>,
  isIn: (value: number) => boolean,
): number[] {
  require(mask.length === values.length, `${mask.length} voxels against ${values.length}`);
  const offsets = [];
  for (let n = 0; n < mask.length; n++) if ((mask[n] === 1) !== isIn(values[n])) offsets.push(n);
  return offsets;
}

/** From a voxel's centre to the nearest outline of its slice, mm. */
function distanceToOutline(offset: number, contours: readonly PlanarContour[], grid: Volume): number {
  const [nx, ny] = grid.size;
  const k = Math.floor(offset / (nx * ny));
  const point = pointOfIndex(grid, [offset % nx, Math.floor(offset / nx) % ny, k]);
  const inSlice = contours.filter(({ pointsMm }) => Math.round(indexOfPoint(grid, pointsMm[0])[2]) === k);
  return Math.min(
    ...inSlice.flatMap(({ pointsMm }) =>
      pointsMm.map((corner, n) => distanceToEdge(point, corner, pointsMm[(n + 1) % pointsMm.length])),
    ),
  );
}

function distanceToEdge(point: Vector3, a: Vector3, b: Vector3): number {
  const along = b.map((value, axis) => value - a[axis]);
  const from = point.map((value, axis) => value - a[axis]);
  const length = Math.hypot(...along);
  const inner = along.reduce((sum, value, axis) => sum + value * from[axis], 0);
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, inner / length ** 2));
  return Math.hypot(...from.map((value, axis) => value - share * along[axis]));
}

/** Area of an axial polygon. */
function areaMm2({ pointsMm }: PlanarContour): number {
  const doubled = pointsMm.reduce((sum, [x, y], n) => {
    const [nextX, nextY] = pointsMm[(n + 1) % pointsMm.length];
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(doubled) / 2;
}
