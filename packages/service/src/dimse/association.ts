// Asks a DICOM node for something in one association (as SCU, PS3.8), over TLS where the node wants it.
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { InputError } from "@lnsnet/core/errors";
import dimse from "dcmjs-dimse";
import { quietDimse } from "./quiet-dimse.js";

const { Client } = dimse;
type Client = InstanceType<typeof Client>;
type Request = InstanceType<typeof dimse.requests.Request>;

/** A DICOM node, and how we call ourselves there. */
export interface DicomNode {
  readonly host: string;
  readonly port: number;
  readonly title: string;
  readonly callingTitle: string;
  /** PEM files: the authority that the node's certificate is of, and our own certificate where it asks for one. */
  readonly tls?:
    | {
        readonly authority: string;
        readonly certificate?: string | undefined;
        readonly key?: string | undefined;
      }
    | undefined;
  /** How long the node may be silent. */
  readonly timeoutSeconds: number;
}

/**
 * Makes the requests, one after the other. Each tells its own responses; a request that the node does not offer gets none.
 *
 * @param name the node, as it begins a sentence
 * @throws InputError where the node does not answer, or refuses the association; the signal's reason
 */
export async function associate(
  name: string,
  node: DicomNode,
  requests: readonly Request[],
  signal: AbortSignal,
): Promise<void> {
  quietDimse();
  const { host, port, title, callingTitle, timeoutSeconds } = node;
  const securityOptions = await securityOf(node);
  signal.throwIfAborted();
  const at = `${name} (${title} at ${host}:${port})`;
  const client = new Client();
  await new Promise<void>((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(silence);
      signal.removeEventListener("abort", stop);
      settle();
      hangUp(client);
    };
    const fail = (sentence: string) => end(() => reject(new InputError(`${at} ${sentence}`)));
    const stop = () => end(() => reject(signal.reason));
    const silence = setTimeout(
      () => fail(`did not answer within ${timeoutSeconds} s.`),
      1000 * timeoutSeconds,
    );
    signal.addEventListener("abort", stop, { once: true });
    for (const request of requests) {
      request.on("response", () => silence.refresh());
      client.addRequest(request);
    }
    client.on("closed", () => end(resolve));
    client.on("associationRejected", () =>
      fail(`rejected the association; ask its administrator to allow "${callingTitle}".`),
    );
    client.on("networkError", ({ message }: Error) =>
      fail(`did not answer: ${message.replace(/^.*-> /, "")}.`),
    );
    client.send(host, port, callingTitle, title, {
      connectTimeout: 1000 * timeoutSeconds,
      associationTimeout: 1000 * timeoutSeconds,
      pduTimeout: 1000 * timeoutSeconds,
      ...(securityOptions === null ? {} : { securityOptions }),
    });
  });
}

async function securityOf({ tls }: DicomNode) {
  if (tls === undefined) return null;
  return {
    ca: await readFile(tls.authority),
    ...(tls.certificate === undefined ? {} : { cert: await readFile(tls.certificate) }),
    ...(tls.key === undefined ? {} : { key: await readFile(tls.key) }),
    rejectUnauthorized: true,
  };
}

/** The library waits for its peer to close a connection; one that is silent would keep it for ever. */
function hangUp(client: Client): void {
  (client as unknown as { readonly network?: { readonly socket: Socket } }).network?.socket.destroy();
}
