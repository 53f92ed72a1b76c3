// A runtime whose sessions and runs wait for something first, such as a turn of the events or the end of a rest.
import { forwarding } from "./forwarding.js";
import type { Runtime } from "./types.js";

/** A runtime that waits before it opens a session and before each run. What has begun goes on. @param wait called before each */
export const waitingRuntime = (runtime: Runtime, wait: () => Promise<void>): Runtime => ({
  async createSession(model, options) {
    await wait();
    const session = await runtime.createSession(model, options);
    return forwarding(session, {
      async run(inputs) {
        await wait();
        return session.run(inputs);
      },
      release: () => session.release(),
    });
  },
});
