// Post-processing of a scan's classes: small components and those that can be no node are left out, cavities filled.
import { type LabelScheme, lymphNodeNames } from "../transforms/label-scheme.js";
import { crop } from "../volume/crop.js";
import {
  type Geometry,
  indexOfPoint,
  pointOfIndex,
  sameGeometry,
  type Vector3,
  type Volume,
} from "../volume/volume.js";
import { bodyMask } from "../voxels/body-mask.js";
import { coarseScan } from "../voxels/coarse-scan.js";
import { type ComponentRuns, componentRuns } from "../voxels/components.js";
import { densityOf, isNodeDensity } from "../voxels/node-density.js";
import { type CleanUp, cleanedClasses } from "./clean-up.js";

/** How many connected components (26 neighbours) were left out, by why. */
export interface LeftOut {
  /** They lie mostly outside the body: on the table, on a mask, in air. */
  readonly outsideBody: number;
  /** Their HU fit no lymph node ({@link isNodeDensity}): bone, teeth, airway, a vessel full of contrast medium, fat. */
  readonly implausible: number;
  /** The model is less sure of them than {@link CleanUp.leastConfidence}. */
  readonly doubtful: number;
}

export const nothingLeftOut: LeftOut = { outsideBody: 0, implausible: 0, doubtful: 0 };

/** Classes without what can be no node. */
export interface CleanedClasses {
  readonly mask: Volume<Uint8Array>;
  readonly leftOut: LeftOut;
}

/**
 * What becomes of the classes of a scan, or of a part of its grid, before nodes are told apart: small components, those
 * outside the body and those whose HU fit no node are left out, and cavities filled. Only classes whose name is that of
 * lymph nodes are judged by HU.
 *
 * @param ct by which components are judged; null leaves none out for where it lies or for its HU
 */
export function scanCleaner(
  ct: Volume | null,
  { classes }: LabelScheme,
  cleanUp: CleanUp,
): (classes: Volume<Uint8Array>) => CleanedClasses {
  const body = ct && bodyOf(ct);
  const isJudgedByHu = classes.map(({ name }) => !cleanUp.keepsImplausible && lymphNodeNames.test(name));
  return (numbers) => {
    const cleaned = cleanedClasses(numbers, classes.length, cleanUp);
    if (ct === null) return { mask: cleaned, leftOut: nothingLeftOut };
    const { data: hu } = partOf(ct, cleaned);
    return withoutComponents(cleaned, (component) => {
      if (body !== null && isMostlyOutside(component, cleaned, body)) return "outsideBody";
      const isJudged = isJudgedByHu[cleaned.data[component.starts[0]] - 1];
      return isJudged && !isNodeDensity(densityOf(component, hu)) ? "implausible" : null;
    });
  };
}

/** The mask without the components against which something speaks. */
function withoutComponents(
  mask: Volume<Uint8Array>,
  reasonAgainst: (component: ComponentRuns) => keyof LeftOut | null,
): CleanedClasses {
  const data = mask.data.slice();
  const leftOut = { ...nothingLeftOut };
  for (const component of componentRuns(mask.data, mask.size)) {
    const reason = reasonAgainst(component);
    if (reason === null) continue;
    leftOut[reason]++;
    for (const [run, start] of component.starts.entries()) data.fill(0, start, component.ends[run]);
  }
  return { mask: { ...mask, data }, leftOut };
}

/** The body on a coarse grid; null where none can be told from air, so that nothing lies outside of it. */
function bodyOf(ct: Volume): Volume<Uint8Array> | null {
  const coarse = coarseScan(ct);
  const body = { ...coarse, data: bodyMask(coarse) };
  return body.data.includes(1) ? body : null;
}

function isMostlyOutside({ starts, ends, voxels }: ComponentRuns, grid: Geometry, body: Volume): boolean {
  let inside = 0;
  for (const [run, start] of starts.entries())
    for (let at = start; at < ends[run]; at++) if (isMarked(body, pointAt(grid, at))) inside++;
  return inside < voxels / 2;
}

/** The part of a scan on a part of its grid. */
function partOf(scan: Volume, grid: Geometry): Volume {
  if (sameGeometry(scan, grid)) return scan;
  const [i, j, k] = indexOfPoint(scan, grid.originMm).map(Math.round);
  return crop(scan, [i, j, k], grid.size);
}

function pointAt(grid: Geometry, at: number): Vector3 {
  const [nx, ny] = grid.size;
  return pointOfIndex(grid, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]);
}

function isMarked(mask: Volume, pointMm: Vector3): boolean {
  const [i, j, k] = indexOfPoint(mask, pointMm).map(Math.round);
  const [nx, ny, nz] = mask.size;
  return i >= 0 && j >= 0 && k >= 0 && i < nx && j < ny && k < nz && mask.data[i + nx * (j + ny * k)] === 1;
}
