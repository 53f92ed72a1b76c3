// A plane of a scan: picture, letters, scale bar, crosshair and slice slider.
import { dot, scale, type Vector3 } from "@lnsnet/core/volume";
import { type ReadonlySignal, type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import {
  directionLetters,
  finer,
  type PlaneName,
  type PlaneView,
  patientPlanes,
  pixelOfPoint,
  scaleBarMm,
  showTheSame,
  sliceNumber,
} from "../display/plane.js";
import { PlanePainter } from "../display/plane-painter.js";
import { IconButton } from "./icons.js";
import { listenToPlane, pressToolAt } from "./plane-input.js";
import { pane, planes } from "./texts.js";
import { fitAll, pan, planeView, scroll, sliceSlider, type View, zoomAt } from "./view.js";

/** More than this many pixels of the screen for each of the page's cost time and show nothing more. */
const finestRatio = 2;

/** Where the mouse is. */
export interface Hover {
  readonly view: View;
  /** LPS. */
  readonly pointMm: Vector3;
}

interface PlanePaneProps {
  readonly view: View;
  readonly plane: PlaneName;
  /** Which pane fills the window, if one does. */
  readonly maximised: Signal<string | null>;
  readonly hover: Signal<Hover | null>;
  /** The date that it shows, where there are two. */
  readonly date?: string;
  /** Drawn over the picture, in pixels of the page. */
  readonly marks?: (shown: PlaneView) => ComponentChildren;
}

/** The plane with all that stands on it. */
export function PlanePane({ view, plane, maximised, hover, date, marks }: PlanePaneProps) {
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSignal<readonly [width: number, height: number]>([0, 0]);
  const shown = useShown(view, plane, size);

  // Before the first frame: a click that comes with it has a plane of the right size to mean, and is not lost.
  useLayoutEffect(() => {
    const element = stage.current;
    if (element === null) return;
    const measure = () => {
      size.value = [element.clientWidth, element.clientHeight];
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    const stopListening = listenToPlane({
      element,
      view,
      plane,
      shown: () => shown.value,
      onHover: (pointMm) => {
        hover.value = pointMm && { view, pointMm };
      },
    });
    return () => {
      observer.disconnect();
      stopListening();
    };
  }, [view, plane, size, shown, hover]);

  usePicture(canvas, view, shown);
  const isMaximised = maximised.value === plane;
  const name = date === undefined ? planes[plane] : pane.ofDate(planes[plane], date);
  return (
    <section class={`pane pane-${plane}`} aria-label={name}>
      <div
        ref={stage}
        class="stage"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys go through its slices
        tabIndex={0}
        aria-label={pane.picture(name)}
        onKeyDown={(event) => onPlaneKey(event, view, plane, shown.value)}
      >
        <canvas ref={canvas} />
        <PlaneMarks view={view} plane={plane} shown={shown.value}>
          {marks?.(shown.value)}
        </PlaneMarks>
      </div>
      <PaneTitle view={view} plane={plane} {...(date === undefined ? {} : { date })} />
      <SliceSlider view={view} plane={plane} name={name} />
      <IconButton
        icon={isMaximised ? "restore" : "maximise"}
        class="icon-button maximise"
        label={isMaximised ? pane.restore : pane.maximise(name)}
        pressed={isMaximised}
        onClick={() => {
          maximised.value = isMaximised ? null : plane;
        }}
      />
    </section>
  );
}

/** What a plane shows; the same object while it stays the same, so that a slice further in one plane is painted in that one alone. */
function useShown(
  view: View,
  plane: PlaneName,
  size: Signal<readonly [width: number, height: number]>,
): ReadonlySignal<PlaneView> {
  const last = useRef<PlaneView | null>(null);
  return useComputed(() => {
    const now = planeView(view, plane, ...size.value);
    if (last.current === null || !showTheSame(last.current, now)) last.current = now;
    return last.current;
  });
}

/** Paints once for each frame of the screen at most, when something of the picture has changed. */
function usePicture(
  canvas: { readonly current: HTMLCanvasElement | null },
  view: View,
  shown: { readonly value: PlaneView },
): void {
  const painter = useRef<PlanePainter | null>(null);
  const frame = useRef(0);
  useSignalEffect(() => {
    const plane = shown.value;
    const window = view.window.value;
    const overlay = view.overlay.value;
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      if (canvas.current === null) return;
      painter.current ??= new PlanePainter(canvas.current);
      const ratio = Math.min(devicePixelRatio, finestRatio);
      painter.current.draw(finer(plane, ratio), { scan: view.scan, window, overlay });
    });
  });
}

function onPlaneKey(event: KeyboardEvent, view: View, plane: PlaneName, shown: PlaneView): void {
  const sideways: Readonly<Record<string, readonly [right: number, down: number]>> = {
    ArrowLeft: [30, 0],
    ArrowRight: [-30, 0],
    ArrowUp: [0, 30],
    ArrowDown: [0, -30],
  };
  const slices: Readonly<Record<string, number>> = { ArrowUp: -1, ArrowDown: 1, PageUp: -5, PageDown: 5 };
  const { key } = event;
  if (key === "Enter") {
    event.preventDefault();
    pressToolAt(view, plane, shown, event);
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.shiftKey && key in sideways) {
    pan(view, plane, shown, ...sideways[key]);
  } else if (key in slices) scroll(view, plane, slices[key]);
  else if (key === "+" || key === "=") zoomAt(view, plane, 1.25, shown, shown.width / 2, shown.height / 2);
  else if (key === "-") zoomAt(view, plane, 0.8, shown, shown.width / 2, shown.height / 2);
  else if (key === "f") fitAll(view);
  else return;
  event.preventDefault();
}

interface OnPlane {
  readonly view: View;
  readonly plane: PlaneName;
}

function PlaneMarks({
  view,
  plane,
  shown,
  children,
}: OnPlane & { readonly shown: PlaneView; readonly children?: ComponentChildren }) {
  const { width, height, axes } = shown;
  if (width === 0 || height === 0) return null;
  const [x, y] = pixelOfPoint(shown, view.point.value);
  const barMm = scaleBarMm(Math.min(width * 0.3, 160) * shown.mmPerPixel);
  const bar = barMm / shown.mmPerPixel;
  const gap = 14;
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: a title would be shown over the picture; its handles have names
    <svg class="marks" width={width} height={height}>
      <g class={`crosshair crosshair-${plane}`}>
        <line class="vertical" x1={x} x2={x} y1={0} y2={y - gap} />
        <line class="vertical" x1={x} x2={x} y1={y + gap} y2={height} />
        <line class="horizontal" x1={0} x2={x - gap} y1={y} y2={y} />
        <line class="horizontal" x1={x + gap} x2={width} y1={y} y2={y} />
      </g>
      {children}
      <g class="letters">
        <text x={width / 2} y={20}>
          {directionLetters(scale(axes.down, -1))}
        </text>
        <text x={width / 2} y={height - 9}>
          {directionLetters(axes.down)}
        </text>
        <text x={16} y={height / 2 + 5}>
          {directionLetters(scale(axes.right, -1))}
        </text>
        <text x={width - 34} y={height / 2 + 5}>
          {directionLetters(axes.right)}
        </text>
      </g>
      <g class="scale-bar" transform={`translate(12 ${height - 12})`}>
        <path d={`M0 -6V0H${bar}V-6`} />
        <text x={bar / 2} y={-8}>
          {barMm >= 10 ? `${barMm / 10} cm` : `${barMm} mm`}
        </text>
      </g>
    </svg>
  );
}

function PaneTitle({ view, plane, date }: OnPlane & { readonly date?: string }) {
  // A linked scan has slices of its own, at other places.
  const slice =
    view.scan === view.frame ? sliceNumber(view.frame, patientPlanes[plane], view.point.value) : null;
  const place =
    slice === null
      ? pane.at(dot(view.point.value, patientPlanes[plane].away))
      : pane.slice(slice.number, slice.count);
  return (
    <p class="pane-title">
      <strong class={`name-${plane}`}>{planes[plane]}</strong> {date === undefined && place}
      {/* Planes of two dates are narrow: one line would reach the letter in their middle. */}
      {date !== undefined && (
        <span class="pane-date">
          {date} {place}
        </span>
      )}
    </p>
  );
}

function SliceSlider({ view, plane, name }: OnPlane & { readonly name: string }) {
  const { value, max } = sliceSlider(view.frame, patientPlanes[plane], view.point.value);
  const at = Math.round(value);
  return (
    <input
      type="range"
      class="slice-slider"
      aria-label={pane.sliceSlider(name)}
      min={0}
      max={Math.round(max)}
      step={1}
      value={at}
      onInput={(event) => scroll(view, plane, Number(event.currentTarget.value) - at)}
    />
  );
}
