// Damaged uploads by every way in: no crash, no internal error, no file outside the service's folder, memory bounded.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { storeAt } from "../sending/c-store.js";
import {
  neckSeries,
  removeFolder,
  serviceFolder,
  startService,
  type TestedService,
  tinyRule,
} from "../service.test-helper.js";
import { associationOf, damaged, exchange, numbers } from "./fuzz.test-helper.js";

// A machine that is busy with other work takes a minute for what takes seconds.
vi.setConfig({ testTimeout: 3_600_000 });

/** `npm run check -- uploads` sends 10,000 of each kind. */
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
  test.each(ways)("%s", async (way, path, type, whole) => {
    const before = await filesOutside();
    const memory = process.memoryUsage().rss;
    const began = performance.now();
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
    const seconds = (performance.now() - began) / 1000;
    tell(way, statuses, seconds, (process.memoryUsage().rss - memory) / 1e6);
    // Some were refused, so that the damage did arrive.
    expect([...statuses.keys()].some((status) => status >= 400)).toBe(true);
    expect(await filesOutside()).toEqual(before);
    expect(await readdir(join(folder, "data/incoming"))).toEqual([]);
    expect(process.memoryUsage().rss - memory).toBeLessThan(1e6 * mostMegabytes);
    expect((await service.ask("/health/live")).status).toBe(200);
  });

  /** By C-STORE: whole bodies first, then damaged ones, some at a time as several peers would. */
  async function expectAssociations(bodyOf: (n: number) => Uint8Array): Promise<void> {
    const port = service.addresses.dicomPort ?? 0;
    const before = await filesOutside();
    const memory = process.memoryUsage().rss;
    const began = performance.now();
    let n = 0;
    const peer = async () => {
      while (n < count) await exchange(port, bodyOf(n++), 150);
    };
    await Promise.all(Array.from({ length: 8 }, peer));
    const seconds = (performance.now() - began) / 1000;
    const megabytes = (process.memoryUsage().rss - memory) / 1e6;
    tell(expect.getState().currentTestName ?? "", new Map(), seconds, megabytes);
    expect(await filesOutside()).toEqual(before);
    expect(megabytes).toBeLessThan(mostMegabytes);
    expect((await service.ask("/health/live")).status).toBe(200);
    // It still takes what is whole.
    const again = neckSeries(`1.2.840.${n}.${Math.floor(performance.now())}`)[0];
    const file = join(outer, "a.dcm");
    await writeFile(file, again.bytes);
    const node = { host: "127.0.0.1", port, title: "LNSNET", callingTitle: "FUZZ", timeoutSeconds: 20 };
    await vi.waitFor(() => storeAt("the receiver", node, [file], new AbortController().signal), 10_000);
    // What was cut off leaves no file on its way.
    await vi.waitFor(async () => expect(await readdir(join(folder, "data/incoming"))).toEqual([]), 120_000);
  }

  const recorded = async () => {
    const file = join(outer, "a.dcm");
    await writeFile(file, instance);
    return associationOf(service.addresses.dicomPort ?? 0, file, "FUZZ");
  };

  test("an association of DICOM", async () => {
    const { bytes } = await recorded();
    const next = numbers(7);
    await expectAssociations(() => damaged(bytes, next));
  });

  test("a DICOM file by C-STORE", async () => {
    const whole = await recorded();
    const next = numbers(8);
    const files = async () =>
      (await (await service.ask("/api/jobs")).json()) as readonly { readonly files: number }[];
    const before = (await files()).length;
    await expectAssociations((n) => whole.with(n === 0 ? whole.dataset : damaged(whole.dataset, next)));
    // Some got through as other series than the whole one, so that the damage did arrive.
    expect((await files()).length).toBeGreaterThan(before);
  });

  test("files in the watched folder", async () => {
    const before = await filesOutside();
    const next = numbers(9);
    const watched = join(folder, "watched");
    const memory = process.memoryUsage().rss;
    const began = performance.now();
    const taken = () => readFile(join(folder, "data/watched.jsonl"), "utf8").catch(() => "");
    const linesBefore = (await taken()).split("\n").length;
    for (let first = 0; first < count; first += 500) {
      const names: string[] = [];
      for (let n = first; n < Math.min(count, first + 500); n++) {
        const [name, whole] = [
          ["a.dcm", instance],
          ["a.zip", archive],
          ["a.nii", volume],
        ][n % 3] as [string, Uint8Array];
        const bytes = damaged(whole, next);
        if (bytes.length === 0) continue;
        names.push(`${n}-${name}`);
        await writeFile(join(watched, `${n}-${name}`), bytes);
      }
      await vi.waitFor(
        async () => {
          const lines = (await taken()).trim().split("\n");
          const ended = new Set(lines.map((line) => basename((JSON.parse(line || '[""]') as string[])[0])));
          expect(names.filter((name) => !ended.has(name))).toEqual([]);
        },
        { timeout: 600_000, interval: 200 },
      );
      for (const name of names) await rm(join(watched, name));
    }
    const seconds = (performance.now() - began) / 1000;
    const megabytes = (process.memoryUsage().rss - memory) / 1e6;
    tell("files in the watched folder", new Map(), seconds, megabytes);
    expect((await taken()).split("\n").length - linesBefore).toBeGreaterThan(0.9 * count);
    expect(await filesOutside()).toEqual(before);
    expect(megabytes).toBeLessThan(mostMegabytes);
    expect((await service.ask("/health/live")).status).toBe(200);
  });
});

const mostMegabytes = 500;

/** Figures of a long run, for whoever asked for it. */
function tell(way: string, statuses: ReadonlyMap<number, number>, seconds: number, megabytes: number): void {
  if (process.env.FUZZ_BODIES === undefined) return;
  const answers = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${times} × ${status}`);
  const name = way.replace(/^.* > /, "");
  process.stdout.write(
    `${name}: ${count} bodies in ${seconds.toFixed(0)} s${answers.length > 0 ? `, ${answers.join(", ")}` : ""}, memory ${megabytes < 0 ? "−" : "+"}${Math.abs(megabytes).toFixed(0)} MB\n`,
  );
}
