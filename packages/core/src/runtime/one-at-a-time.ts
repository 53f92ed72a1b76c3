// A runtime that does one thing at a time, whoever asks.
import { forwarding } from "./forwarding.js";
import type { Runtime } from "./types.js";

/**
 * A runtime that opens, runs and releases sessions one after another, in the order in which it was asked. Sessions of
 * onnxruntime-web on WebGPU share one device and one stack, and fail where two of them run at once.
 */
export function oneAtATime(runtime: Runtime): Runtime {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    async createSession(model, options) {
      const session = await inTurn(() => runtime.createSession(model, options));
      return forwarding(session, {
        run: (inputs) => inTurn(() => session.run(inputs)),
        release: () => inTurn(() => session.release()),
      });
    },
  };
}
