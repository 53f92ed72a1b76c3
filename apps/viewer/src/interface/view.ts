// How one scan is looked at: point, window, zoom and pan. Two scans side by side are two views.
import {
  addScaled,
  dot,
  type Geometry,
  indexOfPoint,
  subtract,
  type Vector3,
  type Volume,
} from "@lnsnet/core/volume";
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import {
  atDepthOf,
  extentAlong,
  fittingScale,
  middleOf,
  type PlaneAxes,
  type PlaneName,
  type PlaneView,
  patientPlanes,
  pointOfPixel,
  sliceStepMm,
  snapped,
} from "../display/plane.js";
import type { LabelOverlay } from "../display/plane-painter.js";
import type { IntensityWindow } from "../display/reslice.js";
import { type PresetName, windowPresets } from "../display/window-presets.js";

/** What of a plane is seen. */
interface Camera {
  /** The point in the middle, LPS mm; its depth is that of the view's point. */
  readonly middleMm: Vector3;
  /** 1 where the whole scan just fits; 2 shows everything twice as large. */
  readonly zoom: number;
}

export interface View {
  /** What is shown. */
  readonly scan: Volume;
  /** The grid that zoom, slices and the crosshair follow: that of the scan, or of the scan that it is linked with. */
  readonly frame: Geometry;
  /** Where the crosshair stands, LPS mm: the slices of all planes go through it. */
  readonly point: Signal<Vector3>;
  readonly window: Signal<IntensityWindow>;
  /** The name of the preset that the window is, if it is one. */
  readonly preset: ReadonlySignal<PresetName | null>;
  readonly cameras: Readonly<Record<PlaneName, Signal<Camera>>>;
  /** The nodes over the picture. A new object stands for "painted anew": its voxels are read where they lie. */
  readonly overlay: Signal<LabelOverlay | null>;
}

/** The whole scan in the window for soft tissue, with the crosshair in its middle. */
export function createView(scan: Volume): View {
  const middle = middleOf(scan);
  const camera = () => signal<Camera>({ middleMm: middle, zoom: 1 });
  const window = signal<IntensityWindow>(windowPresets[0]);
  return {
    scan,
    frame: scan,
    point: signal(snapped(scan, middle)),
    window,
    preset: computed(
      () =>
        windowPresets.find(
          ({ centreHu, widthHu }) => centreHu === window.value.centreHu && widthHu === window.value.widthHu,
        )?.name ?? null,
    ),
    cameras: { axial: camera(), coronal: camera(), sagittal: camera() },
    overlay: signal(null),
  };
}

/**
 * Another scan that is looked at as one with a view: crosshair, slices, zoom and window are the same.
 *
 * @param scan placed in the space of the view
 */
export function linkedView(view: View, scan: Volume, overlay: LabelOverlay | null): View {
  return { ...view, scan, overlay: signal(overlay) };
}

/** Shows the whole scan again; point and window stay. */
export function fitAll(view: View): void {
  for (const camera of Object.values(view.cameras))
    camera.value = { middleMm: middleOf(view.frame), zoom: 1 };
}

/** The rectangle in space that a plane shows on `width` × `height` pixels. */
export function planeView(view: View, plane: PlaneName, width: number, height: number): PlaneView {
  const axes = patientPlanes[plane];
  const { middleMm, zoom } = view.cameras[plane].value;
  return {
    axes,
    centreMm: atDepthOf(middleMm, view.point.value, axes),
    mmPerPixel: fittingScale(view.frame, axes, width, height) / zoom,
    width,
    height,
  };
}

/** Moves the crosshair; a point outside the scan is moved to its edge. */
export function goTo(view: View, pointMm: Vector3): void {
  view.point.value = snapped(view.frame, pointMm);
}

/** Moves the crosshair and pans every plane so that it is in the middle, with at least the zoom given. */
export function centreOn(view: View, pointMm: Vector3, leastZoom = 1): void {
  goTo(view, pointMm);
  for (const camera of Object.values(view.cameras))
    camera.value = { middleMm: pointMm, zoom: Math.max(camera.value.zoom, leastZoom) };
}

/** Goes `slices` further along a plane; negative goes back. */
export function scroll(view: View, plane: PlaneName, slices: number): void {
  const { away } = patientPlanes[plane];
  goTo(view, addScaled(view.point.value, away, slices * sliceStepMm(view.frame, patientPlanes[plane])));
}

/** Zooms a plane by a factor; what lies under the given pixel stays there. */
export function zoomAt(
  view: View,
  plane: PlaneName,
  factor: number,
  shown: PlaneView,
  x: number,
  y: number,
): void {
  const camera = view.cameras[plane];
  const zoom = Math.min(40, Math.max(0.5, camera.value.zoom * factor));
  const fixed = pointOfPixel(shown, x, y);
  const kept = camera.value.zoom / zoom;
  const fromFixed = subtract(shown.centreMm, fixed);
  camera.value = {
    middleMm: [
      fixed[0] + fromFixed[0] * kept,
      fixed[1] + fromFixed[1] * kept,
      fixed[2] + fromFixed[2] * kept,
    ],
    zoom,
  };
}

/** Drags a plane's picture by pixels. */
export function pan(view: View, plane: PlaneName, shown: PlaneView, right: number, down: number): void {
  const camera = view.cameras[plane];
  const { axes, mmPerPixel } = shown;
  const moved = addScaled(camera.value.middleMm, axes.right, -right * mmPerPixel);
  camera.value = { ...camera.value, middleMm: addScaled(moved, axes.down, -down * mmPerPixel) };
}

/** Changes the window as radiology viewers do: to the right is wider, down is brighter. */
export function dragWindow(view: View, right: number, down: number): void {
  const { centreHu, widthHu } = view.window.value;
  const speed = Math.max(widthHu / 300, 0.5);
  view.window.value = {
    centreHu: Math.round(Math.min(3000, Math.max(-1500, centreHu - down * speed))),
    widthHu: Math.round(Math.min(5000, Math.max(1, widthHu + right * speed))),
  };
}

/** HU of the voxel at a point (LPS mm); null outside the scan. */
export function huAt(scan: Volume, pointMm: Vector3): number | null {
  const index = indexOfPoint(scan, pointMm).map(Math.round);
  if (index.some((at, axis) => at < 0 || at >= scan.size[axis])) return null;
  return scan.data[index[0] + scan.size[0] * (index[1] + scan.size[1] * index[2])];
}

/** How far the slice at the crosshair is through the scan, for a slider: slices from one end, and their number. */
export function sliceSlider(
  scan: Geometry,
  axes: PlaneAxes,
  pointMm: Vector3,
): { readonly value: number; readonly max: number } {
  const step = sliceStepMm(scan, axes);
  const extent = extentAlong(scan, axes.away);
  return {
    value: (dot(pointMm, axes.away) - extent[0]) / step - 0.5,
    max: Math.max((extent[1] - extent[0]) / step - 1, 0),
  };
}
