// What the left mouse button, a pen or a finger does in a plane.
import { brushTool, cutTool, fillTool } from "./nodes/edit-tools.js";
import { nodeTool } from "./segmenting/segmenter.js";
import type { Tool, ToolName } from "./tool.js";
import { dragWindow, goTo, pan, zoomAt } from "./view.js";

/** What each tool does. */
export const tools: Readonly<Record<ToolName, Tool>> = {
  node: nodeTool,
  crosshair: ({ view, pointMm, phase }) => {
    if (phase === "press" || phase === "drag") goTo(view, pointMm);
  },
  window: ({ view, right, down, phase }) => {
    if (phase === "drag") dragWindow(view, right, down);
  },
  pan: ({ view, plane, shown, right, down, phase }) => {
    if (phase === "drag") pan(view, plane, shown, right, down);
  },
  zoom: ({ view, plane, shown, down, phase }) => {
    if (phase === "drag") zoomAt(view, plane, 1.01 ** -down, shown, shown.width / 2, shown.height / 2);
  },
  brush: brushTool,
  fill: fillTool,
  cut: cutTool,
};
