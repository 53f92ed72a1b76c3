// Every English sentence of the page. Each part of the page has its own section.
import type { PlaneName } from "../display/plane.js";
import type { PresetName } from "../display/window-presets.js";
import type { ToolName } from "./tools.js";

/** Always in sight. */
export const researchUse = "Research use only, not a medical device";

export const shell = {
  open: "Open files",
  example: "Try the example",
  welcome: "Open a CT of the neck",
  dropHere: "Drop a scan here: NIfTI, NRRD, MetaImage or DICOM.",
  staysHere: "Your scan stays on this computer. Nothing is uploaded.",
  exampleNote: "The example is a phantom: a synthetic CT with lymph nodes, of no person.",
  dropNow: "Drop to open",
  sidePanel: "Nodes",
  openFolder: "Open a folder",
  files: (count: number) => `${count} files`,
  nothingFound: "No scan was found; open a CT as NIfTI, NRRD, MetaImage or DICOM.",
  noScan: (name: string, reason: string) => `No scan was found: ${name}: ${reason}`,
  choose: "Which scan?",
  slices: "Scans that were found",
  cancel: "Cancel",
  stop: "Stop",
  reading: (name: string) => `Reading ${name} …`,
  makingExample: "Making the example, a phantom …",
  opened: (name: string) => `${name} is open.`,
  phantom: "phantom",
  exampleName: "Example neck",
  unexpected: (what: string) =>
    `Something went wrong that lnsnet did not expect (${what}). What was open stays open.`,
};

export const planes: Readonly<Record<PlaneName, string>> = {
  axial: "Axial",
  coronal: "Coronal",
  sagittal: "Sagittal",
};

export const pane = {
  maximise: (plane: string) => `Maximise ${plane}`,
  restore: "Show all planes",
  slice: (number: number, count: number) => `${number} / ${count}`,
  sliceSlider: (plane: string) => `${plane} slice`,
  picture: (plane: string) =>
    `${plane} plane of the scan. Arrow up and down go through slices, + and − zoom, arrow keys with Shift pan.`,
  at: (mm: number) => `${mm.toFixed(1)} mm`,
  threeD: "3D",
};

export const presets: Readonly<Record<PresetName, string>> = {
  softTissue: "Soft tissue",
  bone: "Bone",
  lung: "Lung",
  brain: "Brain",
};

export const toolbar = {
  label: "Tools",
  window: "Window",
  presetHint: (name: string, centre: number, width: number) =>
    `${name}: centre ${centre} HU, width ${width} HU`,
  withKey: (name: string, key: string) => `${name} (${key.toUpperCase()})`,
  windowValues: (centre: number, width: number) => `C ${centre} · W ${width} HU`,
  fit: "Fit",
  fitHint: "Show the whole scan",
};

export const toolNames: Readonly<Record<ToolName, string>> = {
  node: "Node",
  crosshair: "Crosshair",
  window: "Window",
  pan: "Pan",
  zoom: "Zoom",
};

export const status = {
  hu: (hu: number) => `${Math.round(hu)} HU`,
  position: (x: number, y: number, z: number) =>
    `${side(x, "L", "R")} ${side(y, "P", "A")} ${side(z, "S", "I")} mm`,
};

const side = (mm: number, positive: string, negative: string) =>
  `${mm >= 0 ? positive : negative} ${Math.abs(mm).toFixed(1)}`;

export const nodeList = {
  title: "Nodes",
  none: "No node yet. Choose “Node” and click in a lymph node.",
  measuring: "measuring …",
  size: (longMm: number, shortMm: number) => `${longMm.toFixed(1)} × ${shortMm.toFixed(1)} mm`,
};

export const segmenting = {
  title: "Segment",
  clickNode: "Click a node",
  findAll: "Find all nodes",
  correct: "Clicks correct the selected node (as with Ctrl)",
  outlining: "Outlining the node …",
  finding: "Looking for nodes …",
  selectFirst: "Select the node that you want to correct first.",
  oneClickModel: "This model takes one click a node; correct the node with the brush.",
  notClicked: "This node was not clicked; correct it with the brush, or delete it and click in it.",
  isCut: "The node may go on beyond the part that was looked at; check its ends.",
  stopped: (count: number) => `Stopped. ${count} nodes that were found until then stay.`,
  found: (count: number, leftOut: number) =>
    `${count} nodes found${leftOut === 0 ? "" : `; ${leftOut} findings that are no nodes were left out`}.`,
  threshold: (value: number) => `From probability ${value.toFixed(2)}`,
  loadingModel: "The model is being loaded …",
  model: (name: string, trainedOn: string, device: string) =>
    `Model ${name}, trained on ${trainedOn}. ${device}`,
};

export const axes = {
  length: (mm: number, isEdited: boolean) => `${mm.toFixed(1)} mm${isEdited ? " (edited)" : ""}`,
  line: (name: string, axis: "long" | "short", mm: number, isEdited: boolean) =>
    `${axis === "long" ? "Long" : "Short"} axis of ${name}, ${mm.toFixed(1)} mm${isEdited ? ", edited" : ""}; drag, or move by arrow keys`,
};

export const sceneTexts = {
  shows: "nodes and bone",
  picture: "Nodes in 3D. Arrow keys turn them, + and − zoom.",
  noWebGl:
    "This browser draws no 3D (WebGL2 is missing or switched off). The planes and everything else work.",
  lost: "The graphics card was reset. The 3D view comes back by itself; the planes and everything else work.",
};
