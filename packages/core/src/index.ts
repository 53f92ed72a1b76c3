export * from "./errors.js"; export * from "./volume/volume.js";
