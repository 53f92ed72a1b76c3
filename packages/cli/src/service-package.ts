// The package of the service, which is installed by itself: who segments on a workstation needs no server.
import { InputError } from "@lnsnet/core/errors";

/** @throws InputError where the package is not installed */
export async function loadService(): Promise<typeof import("@lnsnet/service")> {
  try {
    return await import("@lnsnet/service");
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
