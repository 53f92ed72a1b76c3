// The package of the service, which is installed by itself: who segments on a workstation needs no server.
import { InputError } from "@lnsnet/core/errors";

/** @throws InputError where the package is not installed */
export const loadService = (): Promise<typeof import("@lnsnet/service")> =>
  orExplained(import("@lnsnet/service"));

/** What is done over Redis, without the service itself. @throws InputError where the package is not installed */
export const loadQueueing = (): Promise<typeof import("@lnsnet/service/queueing")> =>
  orExplained(import("@lnsnet/service/queueing"));

async function orExplained<Module>(loading: Promise<Module>): Promise<Module> {
  try {
    return await loading;
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new InputError(
      "This needs the package @lnsnet/service, which is not installed; run npm install @lnsnet/service.",
    );
  }
}

/** Whether the package itself was not found, and not something that it imports. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  error.code === "ERR_MODULE_NOT_FOUND" &&
  error.message.includes("'@lnsnet/service'");
