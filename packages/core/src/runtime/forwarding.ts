// A session that passes on to another one.
import type { Session } from "./types.js";

/** A session that runs and is released in its own way, on the device of another one, which changes when a graphics card is lost. */
export const forwarding = (session: Session, own: Pick<Session, "run" | "release">): Session => ({
  get device() {
    return session.device;
  },
  get deviceNote() {
    return session.deviceNote;
  },
  ...own,
});
