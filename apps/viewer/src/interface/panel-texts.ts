// The English sentences of Save, Learn and Follow-up; they stand apart from texts.ts as the panels do from the shell.

export const saving = {
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
    "Opens a second date, aligns it by its bones, finds its nodes and compares them with the nodes here.",
  open: "Open the second date",
  busy: "Comparing the second date …",
  nothing: "No scan was found; open a CT of the same patient.",
  aligned: (name: string, correlation: number) =>
    `${name} is aligned; the bones of both dates correlate by ${correlation.toFixed(2)}.`,
  node: "Node",
  shortAxis: "Short axis, mm",
  volume: "Volume, mL",
  sum: "Sum",
  pair: (first: number | null, second: number | null) =>
    first === null ? `new (${second})` : second === null ? `${first}, gone` : `${first}`,
  change: (first: number | null, second: number | null, digits: number) => {
    const shown = (value: number | null) => (value === null ? "–" : value.toFixed(digits));
    if (first === null || second === null || first === 0) return `${shown(first)} → ${shown(second)}`;
    const percent = (100 * (second - first)) / first;
    return `${shown(first)} → ${shown(second)} (${percent >= 0 ? "+" : "−"}${Math.abs(percent).toFixed(0)} %)`;
  },
};
