export { crop, cropGeometry, nodeCropStart, paste } from "./crop.js";
export { describeGeometry } from "./geometry-text.js";
export { orientationCode, reorientToLps } from "./orientation.js";
export type { PlanarContour } from "./planar-contour.js";
export { gridWithSpacing, type IntegerVoxelArray, resample, resampleLabels } from "./resample.js";
export { type Alignment, type AlignmentOptions, alignByBone, type NoAlignment } from "./rigid-alignment.js";
export { inverted, movedGeometry, type RigidTransform, transformed, turnAbout } from "./rigid-transform.js";
export { addScaled, axisDirections, dot, scale, subtract, unit } from "./vector.js";
export {
  type Geometry,
  indexOfPoint,
  type Matrix3,
  pointOfIndex,
  sameGeometry,
  type Vector3,
  type Volume,
  type VoxelArray,
  voxelCount,
  voxelVolumeMm3,
} from "./volume.js";
export { maskWhere } from "./voxel-array.js";
