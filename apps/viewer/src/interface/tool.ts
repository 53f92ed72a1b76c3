// The tools that a person can choose, and what a tool is told of the pointer.
import type { Vector3 } from "@lnsnet/core/volume";
import { signal } from "@preact/signals";
import type { PlaneName, PlaneView } from "../display/plane.js";
import type { View } from "./view.js";

export type ToolName = "node" | "crosshair" | "window" | "pan" | "zoom" | "brush" | "fill" | "cut";

/** In the order of the toolbar, with the key that chooses each. */
export const toolKeys: readonly { readonly name: ToolName; readonly key: string }[] = [
  { name: "node", key: "n" },
  { name: "crosshair", key: "c" },
  { name: "window", key: "w" },
  { name: "pan", key: "h" },
  { name: "zoom", key: "z" },
  { name: "brush", key: "b" },
  { name: "fill", key: "g" },
  { name: "cut", key: "x" },
];

/** The tool that is chosen. */
export const tool = signal<ToolName>("crosshair");

/** A pointer that presses, drags or is lifted in a plane. */
export interface PlanePointer {
  readonly phase: "press" | "drag" | "lift" | "cancel";
  readonly view: View;
  readonly plane: PlaneName;
  /** What the plane shows, in pixels of the page. */
  readonly shown: PlaneView;
  /** Where the pointer is, LPS mm. */
  readonly pointMm: Vector3;
  /** Where it is, and how far it came since the last event, in pixels of the page. */
  readonly x: number;
  readonly y: number;
  readonly right: number;
  readonly down: number;
  readonly ctrl: boolean;
  readonly shift: boolean;
  readonly alt: boolean;
}

export type Tool = (pointer: PlanePointer) => void;
