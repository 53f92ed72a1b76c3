// Mouse, pen, fingers and wheel in a plane become what the person means by them.
import { type PlaneName, type PlaneView, pixelOfPoint, pointOfPixel } from "../display/plane.js";
import { type PlanePointer, type Tool, type ToolName, tool } from "./tool.js";
import { tools } from "./tools.js";
import { pan, scroll, type View, zoomAt } from "./view.js";

/** What is listened to, and what it shows now. */
export interface PlaneTarget {
  readonly element: HTMLElement;
  readonly view: View;
  readonly plane: PlaneName;
  /** In pixels of the page. */
  readonly shown: () => PlaneView;
  /** Told where a mouse is that presses nothing, or null when it leaves. */
  readonly onHover: (pointMm: PlanePointer["pointMm"] | null) => void;
}

/**
 * Left button, pen and one finger use the chosen tool (with Shift they move the crosshair), the middle button pans, the right button
 * changes the window, the wheel goes through slices and zooms with Ctrl, and two fingers pan and zoom.
 * @returns stops listening
 */
export function listenToPlane(target: PlaneTarget): () => void {
  const { element, view, plane } = target;
  const fingers = new Map<number, readonly [x: number, y: number]>();
  const stop = new AbortController();
  const { signal } = stop;
  let inUse: Tool | null = null;
  let last: readonly [x: number, y: number] = [0, 0];
  let wheel = 0;

  const place = (event: MouseEvent): readonly [x: number, y: number] => {
    const { left, top } = element.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const use = (phase: PlanePointer["phase"], event: PointerEvent) => {
    const [x, y] = place(event);
    const shown = target.shown();
    inUse?.({
      phase,
      view,
      plane,
      shown,
      pointMm: pointOfPixel(shown, x, y),
      x,
      y,
      right: x - last[0],
      down: y - last[1],
      ctrl: event.ctrlKey || event.metaKey,
      shift: event.shiftKey,
      alt: event.altKey,
    });
    last = [x, y];
  };

  element.addEventListener(
    "pointerdown",
    (event) => {
      // A handle on the picture has its own drag.
      if (event.defaultPrevented) return;
      element.setPointerCapture(event.pointerId);
      if (event.pointerType === "touch") {
        fingers.set(event.pointerId, place(event));
        if (fingers.size === 2) {
          use("cancel", event);
          inUse = null;
        }
        if (fingers.size > 1) return;
      }
      last = place(event);
      inUse = toolOf(event, view);
      use("press", event);
    },
    { signal },
  );
  element.addEventListener(
    "pointermove",
    (event) => {
      const [x, y] = place(event);
      if (fingers.size === 2 && fingers.has(event.pointerId)) {
        pinch(target, fingers, event.pointerId, [x, y]);
        return;
      }
      if (inUse !== null) use("drag", event);
      if (event.pointerType !== "touch") target.onHover(pointOfPixel(target.shown(), x, y));
    },
    { signal },
  );
  const end = (phase: "lift" | "cancel") => (event: PointerEvent) => {
    fingers.delete(event.pointerId);
    if (inUse === null) return;
    use(phase, event);
    inUse = null;
  };
  element.addEventListener("pointerup", end("lift"), { signal });
  element.addEventListener("pointercancel", end("cancel"), { signal });
  element.addEventListener("pointerleave", () => target.onHover(null), { signal });
  element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1);
      if (event.ctrlKey || event.metaKey) {
        const [x, y] = place(event);
        zoomAt(view, plane, 1.002 ** -pixels, target.shown(), x, y);
        return;
      }
      // A notch of a mouse is a slice; a touchpad sends many small steps.
      wheel += Math.abs(pixels) >= 50 ? Math.sign(pixels) : pixels / 30;
      const slices = Math.trunc(wheel);
      wheel -= slices;
      if (slices !== 0) scroll(view, plane, slices);
    },
    { signal, passive: false },
  );
  return () => stop.abort();
}

/** Uses the chosen tool at the crosshair, as a click there does. */
export function pressToolAt(view: View, plane: PlaneName, shown: PlaneView, keys: KeyboardEvent): void {
  const pointMm = view.point.value;
  const [x, y] = pixelOfPoint(shown, pointMm);
  const place = { view, plane, shown, pointMm, x, y, right: 0, down: 0 };
  const { shiftKey: shift, altKey: alt } = keys;
  const ctrl = keys.ctrlKey || keys.metaKey;
  for (const phase of ["press", "lift"] as const) chosenTool(view)({ ...place, phase, ctrl, shift, alt });
}

/** Tools that work on the open scan alone; in the planes of a linked one the crosshair takes their place. */
const ofOpenScan: ReadonlySet<ToolName> = new Set(["node", "brush", "fill", "cut"]);

function toolOf(event: PointerEvent, view: View): Tool {
  if (event.button === 1) return tools.pan;
  if (event.button === 2) return tools.window;
  return event.shiftKey ? tools.crosshair : chosenTool(view);
}

function chosenTool(view: View): Tool {
  const isLinked = view.scan !== view.frame;
  return isLinked && ofOpenScan.has(tool.value) ? tools.crosshair : tools[tool.value];
}

/** Two fingers: what lies between them stays between them. */
function pinch(
  { view, plane, shown }: PlaneTarget,
  fingers: Map<number, readonly [x: number, y: number]>,
  moved: number,
  to: readonly [x: number, y: number],
): void {
  const middleAndSpan = () => {
    const [a, b] = [...fingers.values()];
    return { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2, span: Math.hypot(a[0] - b[0], a[1] - b[1]) };
  };
  const before = middleAndSpan();
  fingers.set(moved, to);
  const after = middleAndSpan();
  pan(view, plane, shown(), after.x - before.x, after.y - before.y);
  if (before.span > 10) zoomAt(view, plane, after.span / before.span, shown(), after.x, after.y);
}
