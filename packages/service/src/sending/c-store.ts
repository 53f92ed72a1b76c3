// Stores instances at a DICOM node (C-STORE as SCU, PS3.4 B), over TLS where the target wants it.
import { readFile } from "node:fs/promises";
import { InputError } from "@lnsnet/core";
import dimse from "dcmjs-dimse";
import type { TargetConfiguration } from "../configuration.js";
import { quietDimse } from "./quiet-dimse.js";

const { Client, requests, constants } = dimse;

/** @throws InputError where the node does not answer or refuses an instance; the signal's reason */
export async function storeAt(
  name: string,
  target: Extract<TargetConfiguration, { kind: "c-store" }>,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  quietDimse();
  const { host, port, title, callingTitle, tls, timeoutSeconds } = target;
  const at = `The target ${name} (${title} at ${host}:${port})`;
  const securityOptions = tls && {
    ca: await readFile(tls.authority),
    ...(tls.certificate === undefined ? {} : { cert: await readFile(tls.certificate) }),
    ...(tls.key === undefined ? {} : { key: await readFile(tls.key) }),
    rejectUnauthorized: true,
  };
  const client = new Client();
  const refused: string[] = [];
  let stored = 0;
  for (const path of paths) {
    const request = new requests.CStoreRequest(path);
    request.on("response", (response) => {
      const status = response.getStatus();
      // Warnings (Bxxx) say that it was stored, with something changed.
      if (status === constants.Status.Success || (status & 0xf000) === 0xb000) stored++;
      else refused.push(`0x${status.toString(16).padStart(4, "0")}`);
    });
    client.addRequest(request);
  }
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      client.abort();
      reject(signal.reason);
    };
    const limit = setTimeout(() => {
      client.abort();
      reject(new InputError(`${at} did not answer within ${timeoutSeconds} s.`));
    }, 1000 * timeoutSeconds);
    const end = (settle: () => void) => () => {
      clearTimeout(limit);
      signal.removeEventListener("abort", stop);
      settle();
    };
    signal.addEventListener("abort", stop, { once: true });
    client.on("closed", end(resolve));
    client.on(
      "associationRejected",
      end(() =>
        reject(
          new InputError(`${at} rejected the association; ask its administrator to allow "${callingTitle}".`),
        ),
      ),
    );
    client.on("networkError", (error: Error) =>
      end(() => reject(new InputError(`${at} did not answer: ${error.message}.`)))(),
    );
    client.send(host, port, callingTitle, title, {
      connectTimeout: 1000 * timeoutSeconds,
      associationTimeout: 1000 * timeoutSeconds,
      pduTimeout: 1000 * timeoutSeconds,
      ...(securityOptions === undefined ? {} : { securityOptions }),
    });
  });
  if (refused.length > 0)
    throw new InputError(
      `${at} refused ${refused.length} of ${paths.length} instances with status ${refused[0]}.`,
    );
  if (stored < paths.length)
    throw new InputError(`${at} took ${stored} of ${paths.length} instances and said nothing of the others.`);
}
