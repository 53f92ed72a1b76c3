export {
  type Device,
  type DeviceChoice,
  deviceChoices,
  type ModelSource,
  type Runtime,
  type Session,
  type SessionOptions,
} from "./types.js";
export { waitingRuntime } from "./waiting.js";
