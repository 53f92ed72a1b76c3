// The nodes in 3D: dragging turns them, the wheel zooms.
import type { Vector3 } from "@lnsnet/core/volume";
import { type Signal, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { extentAlong, middleOf } from "../display/plane.js";
import type { SceneCamera } from "../display/scene.js";
import { type SceneDrawing, startSceneDrawing } from "../display/scene-drawing.js";
import type { SceneState } from "../display/scene-worker.js";
import type { StudyNode } from "../study/nodes.js";
import { IconButton } from "./icons.js";
import { followStudy } from "./scene-nodes.js";
import { tellError } from "./session.js";
import { pane, sceneTexts } from "./texts.js";
import type { Workspace } from "./workspace.js";

interface ScenePaneProps {
  readonly workspace: Workspace;
  readonly maximised: Signal<string | null>;
}

const fromFront: SceneCamera = { turn: 20, tilt: 10, zoom: 1 };

export function ScenePane({ workspace, maximised }: ScenePaneProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const camera = useSignal(fromFront);
  const state = useScene(canvas, workspace, camera).value;
  const problem = state === null ? null : problems[state];
  const isMaximised = maximised.value === "3d";
  const turnBy = (right: number, down: number) => {
    const { turn, tilt, zoom } = camera.value;
    camera.value = { turn: turn + right / 2, tilt: Math.max(-90, Math.min(90, tilt + down / 2)), zoom };
  };
  const zoomBy = (factor: number) => {
    camera.value = { ...camera.value, zoom: Math.max(0.5, Math.min(12, camera.value.zoom * factor)) };
  };
  return (
    <section class="pane pane-3d" aria-label={pane.threeD}>
      <div
        class="stage scene"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys turn it
        tabIndex={0}
        aria-label={sceneTexts.picture}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => {
          if (event.buttons !== 0) turnBy(event.movementX, event.movementY);
        }}
        onWheel={(event) => {
          event.preventDefault();
          zoomBy(1.001 ** -event.deltaY);
        }}
        onDblClick={() => {
          camera.value = fromFront;
        }}
        onKeyDown={(event) => {
          const turns: Readonly<Record<string, readonly [number, number]>> = {
            ArrowLeft: [-20, 0],
            ArrowRight: [20, 0],
            ArrowUp: [0, -20],
            ArrowDown: [0, 20],
          };
          if (event.key in turns) turnBy(...turns[event.key]);
          else if (event.key === "+") zoomBy(1.25);
          else if (event.key === "-") zoomBy(0.8);
          else return;
          event.preventDefault();
        }}
      >
        <canvas ref={canvas} hidden={problem !== null} />
      </div>
      {problem !== null && <p class="scene-problem">{problem}</p>}
      <p class="pane-title">
        <strong>{pane.threeD}</strong> {sceneTexts.shows}
      </p>
      <IconButton
        icon={isMaximised ? "restore" : "maximise"}
        class="icon-button maximise"
        label={isMaximised ? pane.restore : pane.maximise(pane.threeD)}
        pressed={isMaximised}
        onClick={() => {
          maximised.value = isMaximised ? null : "3d";
        }}
      />
    </section>
  );
}

/** Why there is no picture. */
const problems: Readonly<Record<SceneState, string | null>> = {
  card: null,
  processor: null,
  lost: sceneTexts.lost,
  unavailable: sceneTexts.noWebGl,
};

/** Draws the study on a canvas, and tells who draws; null before that is known. */
function useScene(
  canvas: { readonly current: HTMLCanvasElement | null },
  workspace: Workspace,
  camera: Signal<SceneCamera>,
): Signal<SceneState | null> {
  const state = useSignal<SceneState | null>(null);
  const drawing = useSignal<SceneDrawing | null>(null);
  const size = useSignal<readonly [width: number, height: number]>([0, 0]);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      size.value = [element.clientWidth, element.clientHeight];
    });
    observer.observe(element);
    let isOver = false;
    startSceneDrawing(element, (told) => {
      state.value = told;
    }).then((started) => {
      if (isOver) started.end();
      else drawing.value = started;
    }, tellError);
    return () => {
      isOver = true;
      observer.disconnect();
      drawing.peek()?.end();
    };
  }, [canvas, state, drawing, size]);

  useSignalEffect(() => {
    if (drawing.value === null) return;
    if (state.value === "card") return followStudy(drawing.value, workspace, 72);
    if (state.value === "processor") return followStudy(drawing.value, workspace, 40);
  });
  useSignalEffect(() => {
    const [width, height] = size.value;
    if (drawing.value === null || width === 0) return;
    const ratio = state.value === "processor" ? devicePixelRatio / 2 : Math.min(devicePixelRatio, 2);
    const { volume } = workspace.opened;
    const reach = Math.max(
      ...([0, 1, 2] as const).map((axis) => {
        const [from, to] = extentAlong(volume, [+(axis === 0), +(axis === 1), +(axis === 2)]);
        return (to - from) / 2;
      }),
    );
    drawing.value
      .draw({
        width: Math.round(width * ratio),
        height: Math.round(height * ratio),
        camera: camera.value,
        middleMm: middleOf(volume),
        reachMm: reach * 1.1,
        colours: coloursOf(workspace.nodes.value),
      })
      .catch(tellError);
  });
  return state;
}

/** The colours of the nodes that are shown, by number; red, green and blue up to 1. */
function coloursOf(nodes: readonly StudyNode[]): ReadonlyMap<number, Vector3> {
  return new Map(
    nodes
      .filter(({ visible }) => visible)
      .map(({ number, colour }) => {
        const rgb = Number.parseInt(colour.slice(1), 16);
        return [number, [(rgb >> 16) / 255, ((rgb >> 8) & 0xff) / 255, (rgb & 0xff) / 255]];
      }),
  );
}
