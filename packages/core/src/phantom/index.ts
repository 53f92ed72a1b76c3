export { type CohortCase, type CohortManifest, cohortManifest, type DatasetDescription } from "./cohort.js";
export { type Host, type HostStructures, prepareHost } from "./implants/host.js";
export { type ImplantedNode, type ImplantedScan, implantLabels, implantNodes } from "./implants/implants.js";
export type { NodeKind, NodeStation, PhantomNode } from "./nodes.js";
export { defaultPhantomOptions, type PhantomOptions } from "./options.js";
export { generatePatient, type PhantomPatient, phantomNodes } from "./patient.js";
