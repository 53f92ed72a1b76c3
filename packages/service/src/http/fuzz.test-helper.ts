// Damage to what is sent to a service, the same in every run; and DICOM associations as bytes.
import { createConnection, createServer, type Socket } from "node:net";
import { mix } from "../../../core/src/random.js";
import { storeAt } from "../sending/c-store.js";

/** A stream of whole numbers below a limit, the same in every run. */
export function numbers(seed: number): (limit: number) => number {
  let at = seed;
  return (limit) => {
    at = (at + 0x9e3779b9) >>> 0;
    return (mix(at) >>> 0) % limit;
  };
}

/** Bytes with a few changes: flipped, cut, doubled, or with something nasty written into them. */
export function damaged(bytes: Uint8Array, next: (limit: number) => number): Uint8Array {
  let result = Buffer.from(bytes);
  for (let n = 1 + next(4); n > 0 && result.length > 0; n--) {
    const at = next(result.length);
    switch (next(6)) {
      case 0:
        result[at] ^= 1 << next(8);
        break;
      case 1:
        result = result.subarray(0, at);
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, at), result.subarray(Math.max(0, at - next(400)))]);
        break;
      case 3:
        result.fill(next(256), at, Math.min(result.length, at + 1 + next(8)));
        break;
      case 4:
        result = Buffer.concat([
          result.subarray(0, at),
          Buffer.from(nasty[next(nasty.length)]),
          result.subarray(at),
        ]);
        break;
      default:
        result = Buffer.concat([
          result.subarray(0, at),
          result.subarray(Math.min(result.length, at + 1 + next(60))),
        ]);
    }
  }
  return new Uint8Array(result);
}

const nasty = [
  "../../../evil",
  "\0",
  "\r\n\r\n",
  "--limit--",
  "\uffff",
  "\r\n--limit\r\n",
  "%2e%2e/",
  '"; filename="/evil.nii',
];

/** What a client sends to store a file, as bytes. */
export interface RecordedAssociation {
  readonly bytes: Uint8Array;
  /** The data set of the file alone. */
  readonly dataset: Uint8Array;
  /** The whole with another data set. */
  with(dataset: Uint8Array): Uint8Array;
}

/** Stores a file at a receiver, and records what is sent. */
export async function associationOf(
  port: number,
  file: string,
  callingTitle: string,
): Promise<RecordedAssociation> {
  const chunks: Buffer[] = [];
  const server = createServer((client: Socket) => {
    const there = createConnection(port, "127.0.0.1");
    client.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      there.write(chunk);
    });
    there.pipe(client);
    client.on("close", () => there.destroy());
    for (const socket of [client, there]) socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const proxy = typeof address === "object" && address !== null ? address.port : 0;
  const node = { host: "127.0.0.1", port: proxy, title: "LNSNET", callingTitle, timeoutSeconds: 20 };
  await storeAt("the receiver", node, [file], new AbortController().signal);
  server.close();
  const bytes = Buffer.concat(chunks);
  const [start, end] = rangeOfDataset(bytes);
  const head = bytes.subarray(start, start + 12);
  return {
    bytes: new Uint8Array(bytes),
    dataset: new Uint8Array(bytes.subarray(start + 12, end)),
    with(dataset) {
      const message = Buffer.concat([head, dataset]);
      message.writeUInt32BE(dataset.length + 6, 2);
      message.writeUInt32BE(dataset.length + 2, 6);
      return new Uint8Array(Buffer.concat([bytes.subarray(0, start), message, bytes.subarray(end)]));
    },
  };
}

/** Where the one message lies that holds the data set, header included (PS3.8, 9.3.5: P-DATA-TF, its control header even). */
function rangeOfDataset(bytes: Buffer): readonly [start: number, end: number] {
  for (let at = 0; at + 12 <= bytes.length; at += 6 + bytes.readUInt32BE(at + 2))
    if (bytes[at] === 4 && (bytes[at + 11] & 1) === 0) return [at, at + 6 + bytes.readUInt32BE(at + 2)];
  throw new Error("The association holds no data set.");
}

/**
 * Sends bytes to a port as a peer does: the request of an association, and the rest when that is answered. Hangs up when
 * the association is released or ended, or nothing comes for a moment.
 */
export function exchange(port: number, bytes: Uint8Array, idleMs = 300): Promise<void> {
  const whole = Buffer.from(bytes);
  const first = whole.length < 6 ? whole.length : Math.min(whole.length, 6 + whole.readUInt32BE(2));
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.write(whole.subarray(0, first)));
    let isSent = first === whole.length;
    // What is no whole request is not answered: the rest is sent all the same.
    socket.setTimeout(idleMs);
    socket.on("timeout", () => {
      if (isSent) socket.destroy();
      else socket.write(whole.subarray(first));
      isSent = true;
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve());
    let answer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      if (!isSent) socket.write(whole.subarray(first));
      isSent = true;
      answer = Buffer.concat([answer, chunk]);
      while (answer.length >= 6 && answer.length >= 6 + answer.readUInt32BE(2)) {
        // A release response is the last that comes.
        if (answer[0] === 6) socket.destroy();
        answer = answer.subarray(6 + answer.readUInt32BE(2));
      }
    });
  });
}
