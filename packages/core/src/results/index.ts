export { type CaptureOptions, nodeCaptures } from "./node-captures.js";
export { codedBy, type NodeObjects, nodeName, nodeObjects, type WrittenNode } from "./node-objects.js";
