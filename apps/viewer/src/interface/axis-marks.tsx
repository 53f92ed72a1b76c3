// The axes of the nodes, drawn in the planes that they lie in; the selected node's ends can be dragged.
import { dot, subtract } from "@lnsnet/core/volume";
import { type PlaneView, pixelOfPoint, pointOfPixel, sliceStepMm } from "../display/plane.js";
import type { AxisEnds } from "../study/nodes.js";
import { tellError } from "./session.js";
import { axes } from "./texts.js";
import type { View } from "./view.js";
import type { Workspace } from "./workspace.js";

interface AxisMarksProps {
  readonly workspace: Workspace;
  readonly shown: PlaneView;
}

export function AxisMarks({ workspace, shown }: AxisMarksProps) {
  workspace.changes.value;
  return (
    <g class="axes">
      {workspace.nodes.value
        .filter(({ visible }) => visible)
        .map(({ number, colour, name, locked }) => {
          const measured = workspace.measures.of(number);
          if (measured === null) return null;
          const isSelected = workspace.selected.value === number;
          const lines = [
            { axis: "long", ends: measured.longAxisEndsLpsMm, mm: measured.longAxisMm },
            { axis: "short", ends: measured.shortAxisEndsLpsMm, mm: measured.shortAxisMm },
          ] as const;
          return lines
            .filter(({ ends }) => liesIn(workspace.view, shown, ends))
            .map(({ axis, ends, mm }) => (
              <AxisLine
                key={`${number} ${axis}`}
                {...{ workspace, shown, number, axis, ends, colour }}
                label={axes.line(name, axis, mm, measured.edited[axis])}
                text={isSelected ? axes.length(mm, measured.edited[axis]) : null}
                isDraggable={isSelected && !locked}
              />
            ));
        })}
    </g>
  );
}

interface AxisLineProps extends AxisMarksProps {
  readonly number: number;
  readonly axis: "long" | "short";
  readonly ends: AxisEnds;
  readonly colour: string;
  readonly label: string;
  readonly text: string | null;
  readonly isDraggable: boolean;
}

function AxisLine(props: AxisLineProps) {
  const { shown, axis, ends, colour, text, isDraggable } = props;
  const [[x1, y1], [x2, y2]] = ends.map((end) => pixelOfPoint(shown, end));
  return (
    <g class={`axis axis-${axis}`}>
      <line class="axis-ground" {...{ x1, y1, x2, y2 }} />
      <line {...{ x1, y1, x2, y2 }} stroke={colour} />
      {text !== null && (
        <text x={Math.max(x1, x2) + 8} y={(axis === "long" ? Math.min(y1, y2) : Math.max(y1, y2)) + 4}>
          {text}
        </text>
      )}
      {isDraggable && ([0, 1] as const).map((end) => <AxisEnd key={end} {...props} end={end} />)}
    </g>
  );
}

function AxisEnd({
  workspace,
  shown,
  number,
  axis,
  ends,
  label,
  end,
}: AxisLineProps & { readonly end: 0 | 1 }) {
  const [x, y] = pixelOfPoint(shown, ends[end]);
  const moveTo = (right: number, down: number) => {
    const moved = pointOfPixel(shown, x + right, y + down);
    const other = ends[end === 0 ? 1 : 0];
    setAxis(workspace, number, axis, end === 0 ? [moved, other] : [other, moved]);
  };
  const startDrag = (event: PointerEvent) => {
    event.preventDefault();
    event.stopPropagation();
    drag(event, workspace, (right, down) => moveTo(right, down));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing holds no button
    <g
      class="axis-handle"
      role="button"
      // Names of attributes in a drawing keep their capitals, and tabIndex is none.
      tabindex={0}
      aria-label={label}
      onPointerDown={startDrag}
      onKeyDown={(event: KeyboardEvent) => {
        const step: Readonly<Record<string, readonly [number, number]>> = {
          ArrowLeft: [-1, 0],
          ArrowRight: [1, 0],
          ArrowUp: [0, -1],
          ArrowDown: [0, 1],
        };
        const by = step[event.key];
        if (by === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        moveTo(...by);
      }}
    >
      <circle class="axis-reach" cx={x} cy={y} />
      <circle class="axis-end" cx={x} cy={y} />
    </g>
  );
}

/** Follows the pointer until it is lifted; the whole drag is one step of undo. */
function drag(start: PointerEvent, { study }: Workspace, move: (right: number, down: number) => void): void {
  let step: ReturnType<typeof study.begin>;
  try {
    step = study.begin("axis");
  } catch (error) {
    tellError(error);
    return;
  }
  const stop = new AbortController();
  const listen = (
    type: "pointermove" | "pointerup" | "pointercancel",
    react: (event: PointerEvent) => void,
  ) => addEventListener(type, react, { signal: stop.signal });
  listen("pointermove", (event) => move(event.clientX - start.clientX, event.clientY - start.clientY));
  listen("pointerup", () => {
    stop.abort();
    step.commit();
  });
  listen("pointercancel", () => {
    stop.abort();
    step.cancel();
  });
}

function setAxis({ study }: Workspace, number: number, axis: "long" | "short", ends: AxisEnds): void {
  try {
    study.setAxis(number, axis, ends);
  } catch (error) {
    tellError(error);
  }
}

/** Whether both ends lie within half a slice of what is shown. */
export function liesIn({ frame }: View, shown: PlaneView, ends: AxisEnds): boolean {
  const reach = sliceStepMm(frame, shown.axes) * 0.51;
  return ends.every((end) => Math.abs(dot(subtract(end, shown.centreMm), shown.axes.away)) <= reach);
}
