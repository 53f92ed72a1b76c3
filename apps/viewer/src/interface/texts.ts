// Every English sentence of the page. Each part of the page has its own section.
import type { PlaneName } from "../display/plane.js";
import type { PresetName } from "../display/window-presets.js";
import type { StepKind } from "../study/history.js";
import type { ToolName } from "./tool.js";

/** Always in sight. */
export const researchUse = "Research use only, not a medical device";

export const shell = {
  open: "Open files",
  example: "Try the example",
  welcome: "Open a CT of the neck",
  dropHere: "Drop a scan here: a DICOM folder, a zip, or files (NIfTI, NRRD, MetaImage).",
  staysHere: "Your scan stays on this computer. Nothing is uploaded.",
  exampleNote: "The example is a phantom: a synthetic CT with lymph nodes, of no person.",
  dropNow: "Drop to open",
  help: "Keys and mouse",
  sidePanel: "Nodes",
  openFolder: "Open a folder",
  files: (count: number) => `${count} files`,
  nothingFound: "No scan was found; open a CT as NIfTI, NRRD, MetaImage or DICOM.",
  noScan: (name: string, reason: string) => `No scan was found: ${name}: ${reason}`,
  choose: "Which scan?",
  slices: "Scans that were found",
  cancel: "Cancel",
  stop: "Stop",
  stopOf: (doing: string) => `Stop: ${doing}`,
  resting: (doing: string) => `${doing} It waits while you draw or scroll.`,
  reading: (name: string) => `Reading ${name} …`,
  makingExample: "Making the example, a phantom …",
  opened: (name: string) => `${name} is open.`,
  drawnNeedScan: (name: string) =>
    `${name} holds drawn nodes, not a scan; open the scan that they were drawn on, then this file again.`,
  drawnToo: (name: string) => `${name} holds drawn nodes; open that file by itself to add them to the scan.`,
  drawnAdded: (name: string, added: number, leftOut: number) =>
    `${added === 1 ? "1 node" : `${added} nodes`} of ${name} added${leftOut === 0 ? "" : `; ${leftOut} left out, whose voxels belong to other nodes`}.`,
  phantom: "phantom",
  exampleName: "Example neck",
  offline: "This page is kept in the browser, and opens without a network too.",
  noMemory:
    "The browser has too little memory for this. What was open stays open; close other tabs and programs, or open a smaller part of the scan.",
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
    `${plane} plane of the scan. Arrow up and down go through slices, Enter uses the tool at the crosshair, + and − zoom, arrow keys with Shift pan.`,
  at: (mm: number) => `${mm.toFixed(1)} mm`,
  threeD: "3D",
  ofDate: (plane: string, date: string) => `${plane}, ${date}`,
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
  fitHint: "Fit the whole scan into the planes",
};

export const toolNames: Readonly<Record<ToolName, string>> = {
  node: "Node",
  crosshair: "Crosshair",
  window: "Window",
  pan: "Pan",
  zoom: "Zoom",
  brush: "Brush",
  fill: "Fill",
  cut: "Cut",
};

export const status = {
  hu: (hu: number) => `${Math.round(hu)} HU`,
  position: (x: number, y: number, z: number) =>
    `${side(x, "L", "R")} ${side(y, "P", "A")} ${side(z, "S", "I")} mm`,
};

const side = (mm: number, positive: string, negative: string) =>
  `${mm >= 0 ? positive : negative} ${Math.abs(mm).toFixed(1)}`;

export const nodes = {
  title: "Nodes",
  count: (count: number) => (count === 0 ? "Nodes" : count === 1 ? "1 node" : `${count} nodes`),
  caption: "Nodes with their measures",
  none: "No node yet. Draw one with the brush, or click in a lymph node with the tool “Node”.",
  add: "New node",
  showAll: "Show all",
  hideAll: "Hide all",
  unknown: "–",
  columns: {
    shown: "Show",
    name: "Name",
    short: "Short mm",
    shortHint: "Short axis in an axial slice, mm",
    long: "Long mm",
    longHint: "Long axis in an axial slice, mm",
    volume: "mL",
    hu: "HU",
    side: "Side",
    probability: "Prob.",
    probabilityHint: "Mean probability of the model in the node, 0 to 1",
    disagreement: "± ens.",
    disagreementHint:
      "By how much the models of an ensemble differ in the node: standard deviation of their probabilities, 0 to 0.5",
    size: "RECIST",
    sizeHint:
      "Size class of the short axis by RECIST 1.1, as information: below 10 mm, 10 to 14.9 mm, 15 mm and more",
  },
  sides: { left: "left", right: "right", midline: "middle" },
  sizes: { "below 10 mm": "< 10", "10 to 14.9 mm": "10–14.9", "15 mm and more": "≥ 15" },
  edited: "edited",
  editedHint: "A person set this axis; it does not follow the node’s outline.",
  show: (name: string) => `Show ${name}`,
  jumpHint: "Show in all planes. F2 or double-click renames, Delete deletes.",
  lockedMark: "(locked)",
  nameField: "Name of the node",
  rename: "Rename",
  colour: "Colour",
  lock: "Lock",
  unlock: "Unlock",
  split: "Split parts",
  cut: "Cut by a line",
  resetAxes: "Measure axes again",
  delete: "Delete",
  mergeWith: "Merge with …",
  newOne: (number: number) => `New node ${number}`,
} as const;

export const editing = {
  title: "Editing",
  undo: "Undo",
  undoStep: (step: string) => `Undo: ${step}`,
  undoKeys: "Ctrl+Z",
  redo: "Redo",
  redoStep: (step: string) => `Redo: ${step}`,
  redoKeys: "Ctrl+Shift+Z or Ctrl+Y",
  sphere: "Sphere",
  circle: "Circle",
  eraser: "Eraser (Ctrl)",
  radius: (mm: number) => `Radius ${mm.toFixed(1)} mm`,
  radiusKeys: "[ makes it smaller, ] larger",
  limits: "Only HU",
  lowHu: "from",
  highHu: "to",
  invert: "outside",
  overOthers: "Paint over other nodes",
  fillHoles: "Fill holes",
  fillHolesHint: "Fills the holes that the node has in axial slices",
  interpolate: "Interpolate",
  interpolateHint: "Draws the node in the slices between those in which it was drawn",
  grow: "Grow",
  shrink: "Shrink",
  byMm: "by mm",
  selectFirst: "No node is selected; select one in the table first.",
  nothingToErase: "There is no node here to erase; select one in the table first.",
  drawAcross: "Draw a line across the node to cut it.",
};

/** What is undone or done again. */
export const steps: Readonly<Record<StepKind, string>> = {
  add: "new node",
  read: "nodes of a file",
  correct: "correction",
  rename: "name",
  colour: "colour",
  visibility: "showing and hiding",
  lock: "lock",
  delete: "deletion",
  merge: "merging",
  split: "splitting",
  axis: "axis",
  brush: "brush",
  erase: "eraser",
  fill: "filling",
  interpolate: "interpolation",
  grow: "growing",
  shrink: "shrinking",
  threshold: "threshold",
};

export const saving = {
  saved: "Saved in this browser.",
  saving: "Saving …",
  continue: "Go on with",
  continueWith: (name: string) => `Go on with ${name}`,
  forgetForGood: (name: string) =>
    `Delete ${name} with its nodes from this browser? Files that you exported stay.`,
  forget: (name: string) => `Delete ${name} from this browser`,
  openAgain: (name: string) =>
    `The scan ${name} is not kept in this browser; open its file again, and its nodes are there.`,
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
  model: (name: string, trainedOn: string, device: string, threads: number | null) =>
    `Model ${name}, trained on ${trainedOn}. ${device}${threads === null ? "" : ` ${threads === 1 ? "1 thread" : `${threads} threads`}.`}`,
  oneThread: "Loaded again, the page computes on all cores. Scan and nodes stay; steps of undo do not.",
  reload: "Load again",
  cannotReload:
    "The browser does not have the scan and its nodes whole, so the page is not loaded again: save the nodes first.",
};

export const exporting = {
  title: "Save",
  formats: "Formats",
  names: {
    nifti: "NIfTI labels",
    seg: "DICOM SEG",
    rtstruct: "DICOM RTSTRUCT",
    sr: "DICOM SR (measurements)",
    pictures: "Pictures with measures",
    csv: "CSV table",
    summary: "Summary page",
  },
  noDicom: "The scan is no DICOM series, so SEG, RTSTRUCT and SR cannot refer to it.",
  save: "Save",
  print: "Print or PDF",
  busy: "Writing the nodes …",
  drawn: (name: string) => `${name} was drawn by hand.`,
  edited: (name: string) => `An axis of ${name} was set by hand.`,
};

export const learning = {
  title: "Learn from nodes",
  about:
    "The model learns in this page from the nodes of this scan. What is outside them is learned as no node. The held-out node is not learned: it shows whether the model gets better.",
  tooFew: "Correct or draw at least two nodes first.",
  heldOut: "Held-out node",
  tune: "Fine-tune the model",
  teach: "Teach a new model",
  busy: "Learning …",
  curve: "Loss and held-out DSC",
  outcome: "What was learned",
  node: "Held-out node",
  before: "DSC before",
  after: "DSC after",
  noBetter: "The held-out node was not outlined better, so the model is as it was.",
  better: (step: number, seconds: number) =>
    `The model of step ${step} outlines the held-out node best; it learned for ${seconds.toFixed(0)} s. It was chosen by that node, so expect less on others.`,
  keep: "Use it",
  exportModel: "Save the model",
  discard: "Discard it",
  kept: (name: string) => `${name} is used from now on.`,
  inUse: (data: string) => `In use: a model trained on ${data}.`,
};

export const followUp = {
  title: "Follow-up",
  about:
    "A second date of the same patient is shown beside this one, aligned by its bones, and its nodes are compared. If you outlined them in this browser before, those are taken; else the model looks for them.",
  openFiles: "Open the second date",
  openFolder: "Open its folder",
  close: "Close the second date",
  closeFirst: "Close the first date",
  correctSecond: "Correct the second date",
  backToFirst: "Back to the first date",
  correcting: "The second date is open now: what you change in its nodes is kept with it.",
  save: "Save the table (CSV)",
  fileName: ({ first, second }: { readonly first: string; readonly second: string }) =>
    `follow-up-${first}-${second}.csv`.replaceAll(/[^\w.-]+/g, "_"),
  closed: (name: string) => `${name} is closed.`,
  busy: "Comparing the second date …",
  nothing: "No scan was found; open a CT of the same patient.",
  aligned: (name: string, correlation: number) =>
    `${name} is aligned; the bones of both dates correlate by ${correlation.toFixed(2)}.`,
  keptNodes: "Its nodes are those that you outlined.",
  foundNodes: "Its nodes were found by the model: check each of them.",
  changed: "The nodes here have changed since.",
  compareAgain: "Compare again",
  firstDate: "first date",
  secondDate: "second date",
  dates: (first: string, second: string) => `${first} → ${second}`,
  node: "Node",
  jump: "Show it at both dates",
  gone: (name: string) => `${name}, gone`,
  shortAxis: "Short axis, mm",
  volume: "Volume, mL",
  sum: "Sum",
  change: (first: number | null, second: number | null, digits: number) => {
    const shown = (value: number | null) => (value === null ? "–" : value.toFixed(digits));
    // Lines break before the parenthesis alone.
    const both = `${shown(first)}\u00a0→\u00a0${shown(second)}`;
    if (first === null || second === null || first === 0) return both;
    const percent = (100 * (second - first)) / first;
    return `${both} (${percent >= 0 ? "+" : "−"}${Math.abs(percent).toFixed(0)}\u00a0%)`;
  },
};

export const ownModel = {
  title: "Models",
  about:
    "A model of your own takes the place of the one that comes with the page: a model.safetensors of lnsnet, or plans.json, dataset.json and the checkpoint of an nnU-Net. Several models, or a folder of folds, are averaged. It stays on this computer.",
  open: "Open your own model",
  openFolder: "Open a folder of folds",
  ensemble: (names: readonly string[], isOfNnunet: boolean) =>
    `${isOfNnunet ? "Their logits" : "Their probabilities"} are averaged: ${names.join(", ")}.`,
  opening: "Opening the model …",
  roles: { clicker: "Outlines what is clicked", finder: "Finds all nodes" },
  trainedOn: (data: string) => `trained on ${data}`,
  terms: {
    shipped: "Comes with lnsnet, under its MIT licence. Research use only.",
    own: "Your own; its terms are those of whoever made it. Research use only.",
    nnunet:
      "An nnU-Net; its weights keep the licence of their authors, often for non-commercial use only. Research use only.",
  },
  wholeScansOnly: "It looks at whole scans; clicks go on with the other model.",
  shippedAgain: "Use the shipped model again",
  used: (name: string) => `${name} is used from now on.`,
  usedTogether: (count: number) => `${count} models are used together from now on.`,
};

export const service = {
  fetching: "Fetching the study from the service …",
  signIn: "You are not signed in to the service that holds this study.",
  worklist: "Sign in on the worklist",
  isGone: (id: string) => `The service has no job ${id}; it may have been removed.`,
  noFiles: (id: string) => `The job ${id} has no files yet; open it again when it has arrived.`,
  unreachable: "The service does not answer; check the network, and load the page again.",
  refused: (status: number, sentence: string) => `The service refused (status ${status}): ${sentence}`,
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

/** What the cheat sheet says: what is done, and how. */
export const cheatSheet: readonly (readonly [what: string, how: string])[] = [
  ["Go through slices", "Wheel; arrow up and down, Page up and Page down; slider"],
  ["Move the crosshair", "Drag with Crosshair (C); Shift and drag with any tool"],
  ["Outline a node", "Node (N), then click in it"],
  ["Correct the outline", "Ctrl and click: outside belongs to it, inside does not"],
  ["Draw and erase", "Brush (B), then drag; Ctrl erases; [ and ] make the brush smaller and larger"],
  ["Fill and cut", "Fill (G), then click within an outline; Cut (X), then draw a line across the node"],
  ["Undo and redo", "Ctrl+Z; Ctrl+Shift+Z or Ctrl+Y"],
  ["Rename and delete a node", "Select it in the list, then F2; Delete"],
  ["Change an axis", "Select the node, drag an end of its axis, or move it with arrow keys"],
  ["Use a tool without a mouse", "Enter uses it at the crosshair; Ctrl as with a click"],
  ["Window", "1 soft tissue, 2 bone, 3 lung, 4 brain; drag with the right button, or with Window (W)"],
  ["Zoom", "Ctrl and wheel; + and −; drag with Zoom (Z); two fingers"],
  ["Pan", "Drag with the middle button, or with Pan (H); Shift and arrow keys; two fingers"],
  ["Show the whole scan", "F"],
  ["One plane alone, and back", "Button in its corner; Esc goes back"],
  ["Turn the 3D view", "Drag; arrow keys; double click shows it from the front"],
];
