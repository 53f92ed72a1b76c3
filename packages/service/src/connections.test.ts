// Who gets in and how much they may send: TLS and certificates by HTTP and DICOM, AE titles, rates, sizes, names of files.
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createConnection } from "node:net";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type Certificates,
  type KeyPair,
  makeCertificates,
  noCertificates,
} from "./certificates.test-helper.js";
import type { DicomNode } from "./dimse/association.js";
import { associationOf, exchange } from "./http/fuzz.test-helper.js";
import { noOrthanc, type Orthanc, startOrthanc } from "./orthanc.test-helper.js";
import { storeAt } from "./sending/c-store.js";
import {
  jobOfSeries,
  neckSeries,
  removeFolder,
  serviceFolder,
  startService,
  type TestedService,
  tinyRule,
} from "./service.test-helper.js";

// A machine that is busy with other work takes a minute for what takes seconds.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const never = new AbortController().signal;

describe.skipIf(noCertificates !== null)(
  `TLS${noCertificates === null ? "" : `: skipped, ${noCertificates}`}`,
  () => {
    let folder = "";
    let service: TestedService;
    let certificates: Certificates;
    let file = "";

    beforeAll(async () => {
      folder = await serviceFolder();
      certificates = makeCertificates(folder);
      file = join(folder, "a.dcm");
      await writeFile(file, neckSeries("1.2.840.81")[0].bytes);
      const { certificate, key } = certificates.server;
      const tls = { certificate, key, clientAuthority: certificates.authority };
      service = await startService(folder, {
        // Paths are read from the configuration's folder.
        http: {
          port: 0,
          tls: { certificate: "server.pem", key: "server.key", clientAuthority: "authority.pem" },
        },
        dicom: { port: 0, allow: [{ title: "SENDER" }], tls },
      });
    });
    afterAll(async () => {
      await service.stop();
      await removeFolder(folder);
    });

    const asked = (client: KeyPair | null, ca: string | null): Promise<number> =>
      new Promise((resolve, reject) => {
        const url = `${service.addresses.http}/health/live`;
        const pair =
          client === null ? {} : { cert: readFileSync(client.certificate), key: readFileSync(client.key) };
        request(url, { ...pair, ...(ca === null ? {} : { ca: readFileSync(ca) }) }, ({ statusCode }) =>
          resolve(statusCode ?? 0),
        )
          .on("error", reject)
          .end();
      });

    test("by HTTP lets in who has a certificate of the authority, and nobody else", async () => {
      expect(service.addresses.http).toMatch(/^https:/);
      const { authority, client, stranger } = certificates;
      expect(await asked(client, authority)).toBe(200);
      await expect(asked(null, authority)).rejects.toThrow();
      await expect(asked(stranger, authority)).rejects.toThrow();
      // A client does not believe a service that its authority does not know.
      await expect(asked(client, stranger.certificate)).rejects.toThrow(/certificate/);
      const plain = fetch(service.addresses.http.replace("https", "http"));
      await expect(plain).rejects.toThrow();
    });

    const node = (pair: KeyPair | null, authority: string | null): DicomNode => ({
      ...{ host: "127.0.0.1", port: service.addresses.dicomPort ?? 0, title: "LNSNET", timeoutSeconds: 5 },
      callingTitle: "SENDER",
      ...(authority === null ? {} : { tls: { authority, ...pair } }),
    });

    test("by C-STORE lets in who has a certificate of the authority, and nobody else", async () => {
      const { authority, client, stranger } = certificates;
      const store = (to: DicomNode) => storeAt("us", to, [file], never);
      for (const refused of [
        node(null, null),
        node(null, authority),
        node(stranger, authority),
        node(client, stranger.certificate),
      ])
        await expect(store(refused)).rejects.toThrow(/^The target us \(LNSNET at 127\.0\.0\.1:\d+\) /);
      expect(await service.ask("/health/live").catch(() => null)).toBeNull();
      await store(node(client, authority));
      const inputs = await readdir(join(folder, "data/jobs", jobOfSeries("1.2.840.81"), "input"));
      expect(inputs).toHaveLength(1);
    });

    test.skipIf(noOrthanc !== null)(
      `reaches an Orthanc that wants it, and is reached by it${noOrthanc === null ? "" : `: skipped, ${noOrthanc}`}`,
      async () => {
        const { authority, server, client, stranger } = certificates;
        const place = join(folder, "orthanc");
        await mkdir(join(place, "storage"), { recursive: true });
        const title = { title: "LNSNET", port: service.addresses.dicomPort ?? 0 };
        const orthanc: Orthanc = await startOrthanc(place, title, {
          ...{ DicomTlsEnabled: true, DicomTlsRemoteCertificateRequired: true },
          ...{ DicomTlsCertificate: server.certificate, DicomTlsPrivateKey: server.key },
          DicomTlsTrustedCertificates: authority,
          DicomAet: "SENDER",
          DicomModalities: {
            lnsnet: { AET: title.title, Host: "127.0.0.1", Port: title.port, UseDicomTls: true },
          },
        });
        try {
          const at = { ...node(client, authority), port: orthanc.dicomPort, title: "SENDER" };
          await storeAt("orthanc", at, [file], never);
          expect(await orthanc.get<string[]>("/instances")).toHaveLength(1);
          const unknown = { ...node(stranger, authority), port: orthanc.dicomPort };
          await expect(storeAt("orthanc", unknown, [file], never)).rejects.toThrow();
          const second = neckSeries("1.2.840.82")[0].bytes;
          const { ID } = (await (await orthanc.post("/instances", second)).json()) as { ID: string };
          await orthanc.post(
            "/modalities/lnsnet/store",
            JSON.stringify({ Resources: [ID], Synchronous: true }),
          );
          expect(await readdir(join(folder, "data/jobs", jobOfSeries("1.2.840.82"), "input"))).toHaveLength(
            1,
          );
        } finally {
          await orthanc.stop();
        }
      },
    );
  },
);

describe("limits", () => {
  let folder = "";
  let service: TestedService;
  let file = "";

  beforeAll(async () => {
    folder = await serviceFolder();
    file = join(folder, "a.dcm");
    await writeFile(file, neckSeries("1.2.840.91")[0].bytes);
    service = await startService(folder, {
      http: { port: 0, requestsPerMinute: 100_000, uploadMegabytes: 1, uploadFiles: 3 },
      dicom: {
        ...{ port: 0, mostAssociations: 2, instanceMegabytes: 1 },
        allow: [{ title: "SENDER" }, { title: "ELSEWHERE", address: "192.0.2.1" }],
      },
      rules: [{ ...tinyRule, offPeak: true }],
      offPeak: { from: (new Date().getHours() + 12) % 24, until: (new Date().getHours() + 13) % 24 },
    });
  });
  afterAll(async () => {
    await service.stop();
    await removeFolder(folder);
  });

  const node = (callingTitle: string, title = "LNSNET"): DicomNode => ({
    ...{ host: "127.0.0.1", port: service.addresses.dicomPort ?? 0, title, callingTitle, timeoutSeconds: 5 },
  });
  const store = (to: DicomNode, path = file) => storeAt("us", to, [path], never);
  const audit = () => readFile(join(folder, "data/audit.jsonl"), "utf8");

  test.each([
    ["a title that is not on the list", () => node("SOMEBODY"), "it is not on the list"],
    ["a title from another address", () => node("ELSEWHERE"), "it is not on the list"],
    ["another called title", () => node("SENDER", "OTHER"), 'it called \\"OTHER\\"'],
  ])("%s is rejected, and stands in the audit log", async (_, to, why) => {
    await expect(store(to())).rejects.toThrow(/rejected the association; ask its administrator to allow/);
    // The peer may be told before the line is on the disk.
    await vi.waitFor(async () => expect(await audit()).toContain(`"outcome":"refused: ${why}"`), 10_000);
  });

  test("a peer that was rejected and stores all the same stores nothing", async () => {
    const { port } = node("SENDER");
    const whole = await associationOf(port, file, "SENDER");
    // Of another series, so that it is seen whether it was stored.
    const dataset = Buffer.from(whole.dataset);
    for (let at = dataset.indexOf("1.2.840.91"); at >= 0; at = dataset.indexOf("1.2.840.91"))
      dataset.write("1.2.840.92", at, "latin1");
    const allowed = Buffer.from(whole.with(dataset));
    const stranger = Buffer.from(allowed);
    // The calling title stands at a fixed place of the request (PS3.8, table 9-11).
    stranger.write("STRANGER".padEnd(16), 26, "latin1");
    const id = jobOfSeries("1.2.840.92");
    await exchange(port, stranger);
    expect(await readdir(join(folder, "data/incoming"))).toEqual([]);
    expect((await service.jobs()).map((job) => job.id)).not.toContain(id);
    await exchange(port, allowed);
    await vi.waitFor(async () => expect((await service.jobs()).map((job) => job.id)).toContain(id), 10_000);
  });

  test("an instance that is too long is refused, and one that never ends is cut off", async () => {
    const { port } = node("SENDER");
    const long = join(folder, "long.dcm");
    // Pixel data is the last element, and may be as long as it states.
    await writeFile(long, withPixels(neckSeries("1.2.840.93")[0].bytes, 1_200_000));
    await expect(store(node("SENDER"), long)).rejects.toThrow(/refused 1 of 1 instances|took 0 of 1/);
    await store(node("SENDER"));
    // A message that announces 4 GB, and is sent.
    const endless = createConnection(port, "127.0.0.1");
    const closed = new Promise<void>((resolve) => {
      endless.on("error", () => undefined);
      endless.on("close", () => resolve());
    });
    endless.write(Buffer.from([4, 0, 0xff, 0xff, 0xff, 0xff]));
    const part = Buffer.alloc(1_000_000);
    for (let n = 0; n < 64 && !endless.destroyed; n++)
      await new Promise((resolve) => endless.write(part, resolve));
    await closed;
    expect(service.log.join("\n")).toContain("sends messages without end, and was cut off.");
    expect(await readdir(join(folder, "data/incoming"))).toEqual([]);
  });

  test("instances that are longer than what a disk takes at once come one after the other", async () => {
    const paths = await Promise.all(
      neckSeries("1.2.840.96").map(async ({ name, bytes }) => {
        const path = join(folder, `long-${name}`);
        await writeFile(path, withPixels(bytes, 700_000));
        return path;
      }),
    );
    await storeAt("us", node("SENDER"), paths, never);
    const job = (await service.jobs()).find(({ id }) => id === jobOfSeries("1.2.840.96"));
    expect(job?.files).toBe(20);
  });

  test("no more associations than stated are held at a time", async () => {
    const { port } = node("SENDER");
    const open = () =>
      new Promise<{ isOpen: () => boolean; end: () => void }>((resolve) => {
        const socket = createConnection(port, "127.0.0.1");
        socket.on("error", () => undefined);
        setTimeout(() => resolve({ isOpen: () => !socket.destroyed, end: () => socket.destroy() }), 300);
        socket.resume();
      });
    const held = [await open(), await open(), await open()];
    expect(held.map(({ isOpen }) => isOpen())).toEqual([true, true, false]);
    for (const { end } of held) end();
    await vi.waitFor(() => store(node("SENDER")), 10_000);
  });

  const upload = async (...files: { name: string; bytes: Uint8Array }[]) => {
    const response = await service.upload(files);
    return { status: response.status, ...((await response.json()) as { error?: string; taken?: number }) };
  };
  const [instance] = neckSeries("1.2.840.94");

  test("an upload of too many bytes or files is refused, however it comes", async () => {
    const long = { name: "long.dcm", bytes: withPixels(instance.bytes, 1_200_000) };
    expect(await upload(long)).toEqual({
      ...{ status: 422, error: "The upload has more than 1 MB; send it in parts." },
    });
    const longer = { name: "longer.dcm", bytes: withPixels(instance.bytes, 5_000_000) };
    expect((await upload(longer)).status).toBe(422);
    const half = { name: "half.dcm", bytes: withPixels(instance.bytes, 600_000) };
    expect((await upload(half, half)).status).toBe(422);
    expect((await upload(...Array.from({ length: 4 }, () => instance))).status).toBe(413);
    const stow = await service.ask("/dicom-web/studies", {
      ...{ method: "POST", headers: { "Content-Type": "multipart/related; boundary=x" } },
      body: Buffer.concat([
        Buffer.from("--x\r\nContent-Type: application/dicom\r\n\r\n"),
        long.bytes,
        Buffer.from("\r\n--x--"),
      ]),
    });
    expect([413, 422]).toContain(stow.status);
    // A body that is refused at its beginning is answered, and its connection serves what comes next.
    const letter = await service.ask("/dicom-web/studies", {
      ...{ method: "POST", headers: { "Content-Type": "multipart/related; boundary=x" } },
      body: Buffer.concat([
        Buffer.from("--x\r\nContent-Type: text/plain\r\n\r\nDear colleague\r\n--x\r\n"),
        Buffer.alloc(900_000),
      ]),
    });
    expect(letter.status).toBe(422);
    const json = await service.ask("/api/session", {
      ...{ method: "POST", token: null, headers: { "Content-Type": "application/json" } },
      body: JSON.stringify({ token: "x".repeat(100_000) }),
    });
    expect(json.status).toBe(413);
    const began = performance.now();
    for (let n = 0; n < 5; n++) expect((await service.ask("/health/live")).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test.each(["../evil.dcm", "/etc/evil.dcm", "a/../../evil.dcm", "C:\\evil.dcm", "..\\evil.dcm"])(
    "an archive with the name %s is refused as a whole",
    async (name) => {
      const archive = zipSync({ "a.dcm": instance.bytes, [name]: instance.bytes });
      const { status, error } = await upload({ name: "a.zip", bytes: archive });
      expect(status).toBe(422);
      expect(error).toMatch(/leads out of the archive/);
    },
  );

  test("an archive that unpacks to far more than it is, is refused before it is unpacked", async () => {
    const bomb = zipSync({ "a.nii": new Uint8Array(280_000_000) }, { level: 6 });
    expect(bomb.length).toBeLessThan(1_000_000);
    const before = process.memoryUsage().rss;
    const { status, error } = await upload({ name: "bomb.zip", bytes: bomb });
    expect(status).toBe(422);
    expect(error).toMatch(/would unpack to 0\.3 GiB, \d+ times its size/);
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
  });

  test("names of uploaded files lead nowhere", async () => {
    const { status } = await upload({ name: "../../../../evil.dcm", bytes: instance.bytes });
    expect(status).toBe(202);
    const all = await readdir(folder, { recursive: true });
    expect(all.filter((name) => name.includes("evil"))).toEqual([]);
  });

  test("more requests than stated are refused for a while, by each sender", async () => {
    const other = await serviceFolder();
    const slow = await startService(other, { http: { port: 0, requestsPerMinute: 12 } });
    const statuses: number[] = [];
    for (let n = 0; n < 14; n++) statuses.push((await slow.ask("/api/jobs", { token: "wrong" })).status);
    expect(statuses[0]).toBe(401);
    expect(statuses.at(-1)).toBe(429);
    const response = await slow.ask("/health/live");
    expect(response.status).toBe(429);
    expect(((await response.json()) as { error: string }).error).toMatch(/^Too many requests; try again in/);
    await slow.stop();
    await removeFolder(other);
    // Whoever guesses tokens has fewer tries.
    const tries: number[] = [];
    for (let n = 0; n < 22; n++) {
      const answer = await service.ask("/api/session", {
        ...{ method: "POST", token: null, headers: { "Content-Type": "application/json" } },
        body: JSON.stringify({ token: `lnsnet_${n}` }),
      });
      tries.push(answer.status);
    }
    expect(tries.at(-1)).toBe(429);
  });
});

/** The instance with pixel data of another length, which is its last element. */
function withPixels(bytes: Uint8Array, length: number): Uint8Array {
  const at = Buffer.from(bytes).lastIndexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57]));
  const header = Buffer.from(bytes.subarray(0, at + 12));
  header.writeUInt32LE(length, at + 8);
  return new Uint8Array(Buffer.concat([header, Buffer.alloc(length)]));
}
