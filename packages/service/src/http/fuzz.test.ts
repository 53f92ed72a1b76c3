// Damaged uploads by every way in: no crash, no internal error, no file outside the service's folder, memory bounded.
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { writeNifti } from "@lnsnet/core";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { mix } from "../../../core/src/random.js";
import { storeAt } from "../sending/c-store.js";
import {
  neckSeries,
  removeFolder,
  serviceFolder,
  startService,
  type TestedService,
  tinyRule,
} from "../service.test-helper.js";

// A machine that is busy with other work takes a minute for what takes seconds.
vi.setConfig({ testTimeout: 400_000 });

/** FUZZ_BODIES=10000 for as many of each kind. */
const count = Number(process.env.FUZZ_BODIES ?? 300);

let outer = "";
let folder = "";
let service: TestedService;

beforeAll(async () => {
  outer = await serviceFolder();
  folder = join(outer, "deep/er");
  await mkdir(join(folder, "watched"), { recursive: true });
  await writeFile(join(folder, "model.safetensors"), "not read, since nothing is segmented here");
  const hour = (new Date().getHours() + 12) % 24;
  service = await startService(folder, {
    // Whatever gets through waits for the night.
    rules: [{ ...tinyRule, when: {}, offPeak: true }],
    offPeak: { from: hour, until: (hour + 1) % 24 },
    dicom: { port: 0, allow: [{ title: "FUZZ" }] },
  });
});
afterAll(async () => {
  await service.stop();
  await removeFolder(outer);
});

/** A stream of whole numbers below a limit, the same in every run. */
function numbers(seed: number): (limit: number) => number {
  let at = seed;
  return (limit) => {
    at = (at + 0x9e3779b9) >>> 0;
    return (mix(at) >>> 0) % limit;
  };
}

/** Bytes with a few changes: flipped, cut, doubled, or with something nasty written into them. */
function damaged(bytes: Uint8Array, next: (limit: number) => number): Uint8Array {
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

const [{ bytes: instance }] = neckSeries("1.2.840.31");
const volume = writeNifti({
  ...{ data: new Int16Array(64), size: [4, 4, 4], spacingMm: [1, 1, 1], originMm: [0, 0, 0] },
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
});
const archive = zipSync({ "a.dcm": instance, "deep/b.nii": volume });

function form(name: string, bytes: Uint8Array): Uint8Array {
  const head = `--limit\r\nContent-Disposition: form-data; name="files"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  return new Uint8Array(Buffer.concat([Buffer.from(head), bytes, Buffer.from("\r\n--limit--\r\n")]));
}
const related = new Uint8Array(
  Buffer.concat([
    Buffer.from("--limit\r\nContent-Type: application/dicom\r\n\r\n"),
    instance,
    Buffer.from("\r\n--limit--\r\n"),
  ]),
);

const formType = "multipart/form-data; boundary=limit";
const relatedType = 'multipart/related; type="application/dicom"; boundary=limit';
const ways = [
  ["a DICOM file of a form", "/api/jobs", formType, form("a.dcm", instance)],
  ["a zip archive of a form", "/api/jobs", formType, form("../../../evil.zip", archive)],
  ["a volume of a form", "/api/jobs", formType, form("../../../evil.nii", volume)],
  ["STOW", "/dicom-web/studies", relatedType, related],
  [
    "a session's JSON",
    "/api/session",
    "application/json",
    new TextEncoder().encode('{"token":"lnsnet_abc"}'),
  ],
  [
    "a token's JSON",
    "/api/tokens",
    "application/json",
    new TextEncoder().encode('{"name":"a","scope":"view"}'),
  ],
] as const;

/** Every file of the outer folder that lies outside the service's own. */
async function filesOutside(): Promise<string[]> {
  const entries = await readdir(outer, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const ofTemporary = (await readdir(dirname(outer))).filter((name) => name.includes("evil"));
  return [...paths.filter((path) => !path.startsWith(join(folder, "data"))), ...ofTemporary].sort();
}

describe("damaged bodies", () => {
  test.each(ways)("%s", async (_, path, type, whole) => {
    const before = await filesOutside();
    const memory = process.memoryUsage().rss;
    const next = numbers(whole.length);
    const statuses = new Map<number, number>();
    for (let n = 0; n < count; n++) {
      const body = n === 0 ? whole : damaged(whole, next);
      const response = await service.ask(path, {
        method: "POST",
        body: Buffer.from(body),
        headers: { "Content-Type": type },
      });
      const text = await response.text();
      expect(
        response.status,
        `body ${n} was answered: ${text} ${service.log.filter((line) => line.includes('"error"'))}`,
      ).toBeLessThan(500);
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }
    // Some were refused, so that the damage did arrive.
    expect([...statuses.keys()].some((status) => status >= 400)).toBe(true);
    expect(await filesOutside()).toEqual(before);
    expect(await readdir(join(folder, "data/incoming"))).toEqual([]);
    expect(process.memoryUsage().rss - memory).toBeLessThan(500e6);
    expect((await service.ask("/health/live")).status).toBe(200);
  });

  test("an association of DICOM", async () => {
    const port = service.addresses.dicomPort ?? 0;
    const file = join(outer, "a.dcm");
    await writeFile(file, instance);
    const { bytes: whole } = await recorded(port, (proxy) =>
      storeAt(
        "the receiver",
        {
          kind: "c-store",
          host: "127.0.0.1",
          port: proxy,
          title: "LNSNET",
          callingTitle: "FUZZ",
          timeoutSeconds: 20,
        },
        [file],
        new AbortController().signal,
      ),
    );
    const before = await filesOutside();
    const next = numbers(7);
    for (let n = 0; n < count; n++) await sent(port, damaged(whole, next));
    expect(await filesOutside()).toEqual(before);
    expect((await service.ask("/health/live")).status).toBe(200);
    // It still takes what is whole.
    const again = neckSeries("1.2.840.32")[0].bytes;
    await writeFile(file, again);
    await storeAt(
      "the receiver",
      { kind: "c-store", host: "127.0.0.1", port, title: "LNSNET", callingTitle: "FUZZ", timeoutSeconds: 20 },
      [file],
      new AbortController().signal,
    );
    // What was cut off leaves no file on its way.
    for (let n = 0; n < 50 && (await readdir(join(folder, "data/incoming"))).length > 0; n++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await readdir(join(folder, "data/incoming"))).toEqual([]);
  });
});

/** What a client sends, seen on its way. */
async function recorded(
  port: number,
  talk: (proxy: number) => Promise<void>,
): Promise<{ bytes: Uint8Array }> {
  const chunks: Buffer[] = [];
  const server = createServer((client: Socket) => {
    const there = createConnection(port, "127.0.0.1");
    client.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      there.write(chunk);
    });
    there.pipe(client);
    client.on("close", () => there.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await talk(typeof address === "object" && address !== null ? address.port : 0);
  server.close();
  return { bytes: new Uint8Array(Buffer.concat(chunks)) };
}

/** Sends bytes to a port, and hangs up when they were answered or nothing comes for a moment. */
function sent(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.write(bytes));
    socket.setTimeout(15, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve());
    socket.resume();
  });
}
