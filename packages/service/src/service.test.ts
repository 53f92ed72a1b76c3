// The service as its users meet it: studies by upload, watched folder and STOW become results; nothing is lost, nobody gets in.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readSeg, readVolume, writeNifti } from "@lnsnet/core/formats";
import { indexOfPoint } from "@lnsnet/core/volume";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  ballsMm,
  jobOfSeries,
  neckSeries,
  removeFolder,
  serviceFolder,
  startService,
  type TestedService,
  tinyRule,
} from "./service.test-helper.js";

// A machine that is busy with other work takes a minute for what takes seconds.
vi.setConfig({ testTimeout: 400_000 });

const withViewer = { viewer: "viewer", rules: [tinyRule] };
let folder = "";
let service: TestedService;

beforeAll(async () => {
  folder = await serviceFolder();
  await mkdir(join(folder, "viewer"));
  await writeFile(join(folder, "viewer/index.html"), "<!doctype html>");
  service = await startService(folder, withViewer);
});
afterAll(async () => {
  await service.stop();
  await removeFolder(folder);
});

const resultOf = async (id: string, name: string) =>
  new Uint8Array(await (await service.ask(`/api/jobs/${id}/results/${name}`)).arrayBuffer());

describe("a study", () => {
  test("that is uploaded is segmented; its results show the right place", async () => {
    const events = await service.ask("/api/events");
    const response = await service.upload(neckSeries("1.2.840.1"));
    expect(response.status).toBe(202);
    const { jobs, taken, refused } = (await response.json()) as {
      jobs: string[];
      taken: number;
      refused: unknown[];
    };
    expect({ jobs: jobs.length, taken, refused }).toEqual({ jobs: 1, taken: 20, refused: [] });
    const job = await service.jobWhen(
      ({ id, state }) => id === jobs[0] && (state === "done" || state === "failed"),
    );
    expect(job).toMatchObject({ state: "done", nodes: 2, rule: "tiny", files: 20 });
    const endings = job.results.map(({ name }) => name.replace(/^series-[0-9a-f]+\./, "")).sort();
    expect(endings).toEqual([
      ...["csv", "json", "nii.gz", "png", "rtstruct.dcm"],
      ...["sc-0.dcm", "sc-1.dcm", "sc-2.dcm", "seg.dcm", "sr.dcm"],
    ]);
    const nifti = job.results.find(({ name }) => name.endsWith(".nii.gz"))?.name ?? "";
    const mask = readVolume(await resultOf(job.id, nifti), nifti);
    for (const ball of ballsMm) {
      const [i, j, k] = indexOfPoint(mask, ball).map(Math.round);
      expect(mask.data[i + mask.size[0] * (j + mask.size[1] * k)]).toBe(1);
    }
    const seg = await readSeg(await resultOf(job.id, nifti.replace("nii.gz", "seg.dcm")), "seg");
    expect(seg.segments).toHaveLength(2);
    // The events that came meanwhile tell of every state.
    const reader = events.body?.getReader();
    let text = "";
    while (!text.includes('"done"')) text += new TextDecoder().decode((await reader?.read())?.value);
    await reader?.cancel();
    for (const state of ["receiving", "queued", "running", "done"])
      expect(text).toContain(`"state":"${state}"`);
    expect(text).toMatch(/"progress":\{"stage":/);
  });

  test("is given out again as it came", async () => {
    const [first] = neckSeries("1.2.840.1");
    const at = `/api/jobs/${jobOfSeries("1.2.840.1")}/files`;
    const listed = (await (await service.ask(at)).json()) as { name: string }[];
    expect(listed).toHaveLength(20);
    const files = listed.map(async ({ name }) => (await service.ask(`${at}/${name}`)).arrayBuffer());
    const bytes = (await Promise.all(files)).map((file) => Buffer.from(file));
    expect(bytes.some((file) => file.equals(first.bytes))).toBe(true);
  });

  test("that comes twice, by whichever way, is one job with one result", async () => {
    const before = await service.jobs();
    const archive = zipSync(
      Object.fromEntries(neckSeries("1.2.840.1").map(({ name, bytes }) => [name, bytes])),
    );
    await service.upload([{ name: "study.zip", bytes: archive }]);
    expect(await service.jobs()).toEqual(before);
  });

  test("in the watched folder is taken after a quiet time, and late slices open it again", async () => {
    const files = neckSeries("1.2.840.2");
    const write = (part: typeof files) =>
      Promise.all(part.map(({ name, bytes }) => writeFile(join(folder, "watched", `b-${name}`), bytes)));
    await write(files.slice(0, 18));
    const first = await service.jobWhen(({ files, state }) => files === 18 && state === "done");
    await write(files.slice(18));
    const second = await service.jobWhen(
      ({ id, files, state }) => id === first.id && files === 20 && state === "done",
    );
    expect(second.nodes).toBe(2);
    const sha256 = (job: typeof first) => job.results.find(({ name }) => name.endsWith(".nii.gz"))?.sha256;
    expect(sha256(second)).not.toBe(sha256(first));
  });

  test("as NIfTI is segmented without DICOM objects", async () => {
    const data = new Int16Array(40 ** 3).map((_, at) => {
      const x = at % 40;
      if (x > 34) return -1000;
      return (x > 15 && x < 22 ? 140 : -20) + Math.round(20 * Math.sin(at * 1.7));
    });
    const volume = { data, size: [40, 40, 40], spacingMm: [2, 2, 2], originMm: [0, 0, 0] } as const;
    const bytes = writeNifti({ ...volume, direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] });
    await service.upload([{ name: "../../neck.nii", bytes }]);
    const job = await service.jobWhen(({ id, state }) => id.startsWith("file-") && state === "done");
    expect(job.results.map(({ name }) => name)).toContain("neck.nii.gz");
    expect(job.results.filter(({ name }) => name.endsWith(".dcm"))).toEqual([]);
  });

  test("that comes by STOW is answered with its instances", async () => {
    const files = neckSeries("1.2.840.3");
    const response = await service.ask("/dicom-web/studies", stowRequest(files.map(({ bytes }) => bytes)));
    expect(response.status).toBe(200);
    const body = (await response.json()) as { "00081199": { Value: unknown[] } };
    expect(body["00081199"].Value).toHaveLength(20);
    const job = await service.jobWhen(({ id, state }) => id === jobOfSeries("1.2.840.3") && state === "done");
    expect(job.nodes).toBe(2);
  });

  test("that no rule wants is told, and none of its files is kept", async () => {
    await service.upload(neckSeries("1.2.840.4", "MR"));
    const job = await service.jobWhen(({ state }) => state === "discarded");
    expect(job.sentence).toBe("No rule fits it, so it is not segmented.");
    expect(await readdir(join(folder, "data/jobs", job.id, "input"))).toEqual([]);
  });

  test("that is no image is refused with the reason", async () => {
    const response = await service.upload([
      { name: "letter.txt", bytes: new TextEncoder().encode("Dear colleague") },
    ]);
    expect(response.status).toBe(422);
    expect(((await response.json()) as { error: string }).error).toMatch(/^letter\.txt/);
  });
});

/** Instances as the body of a STOW request. */
function stowRequest(instances: readonly Uint8Array[], boundary = "limit") {
  const parts = instances.flatMap((bytes) => [
    Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
    bytes,
    Buffer.from("\r\n"),
  ]);
  return {
    method: "POST",
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    headers: { "Content-Type": `multipart/related; type="application/dicom"; boundary=${boundary}` },
  };
}

describe("a restart", () => {
  test("keeps what is done, and goes on with what was not", async () => {
    const done = await service.jobs();
    await service.upload(neckSeries("1.2.840.5"));
    await service.stop();
    service = await startService(folder, withViewer);
    const job = await service.jobWhen(({ id, state }) => id === jobOfSeries("1.2.840.5") && state === "done");
    expect(job.nodes).toBe(2);
    const again = await service.jobs();
    for (const before of done) expect(again).toContainEqual(before);
  });

  test("of a second service on the same folder is refused", async () => {
    await expect(startService(folder)).rejects.toThrow(/is being written to by lnsnet serve/);
  });
});

describe("access", () => {
  type Needs = "nothing" | "view" | "submit" | "administer";
  /** Every route with what it needs, and a place at it where the route stands for many. */
  const rows: readonly (readonly [route: string, needs: Needs, place?: string])[] = [
    ["GET /", "nothing"],
    ["GET /assets/*", "nothing", "/assets/worklist.css"],
    ["GET /viewer/*", "nothing", "/viewer/index.html"],
    ["GET /health/live", "nothing"],
    ["GET /health/ready", "nothing"],
    ["GET /api/openapi.json", "nothing"],
    ["POST /api/session", "nothing"],
    ["DELETE /api/session", "nothing"],
    ["GET /worklist/rows", "view"],
    ["GET /metrics", "view"],
    ["GET /api/jobs", "view"],
    ["GET /api/jobs/:id", "view"],
    ["GET /api/jobs/:id/results/:name", "view"],
    ["GET /api/jobs/:id/files", "view"],
    ["GET /api/jobs/:id/files/:name", "view"],
    ["GET /api/events", "view"],
    ["POST /api/jobs", "submit"],
    ["POST /api/pull", "submit"],
    ["POST /dicom-web/studies", "submit"],
    ["POST /dicom-web/studies/:study", "submit"],
    ["POST /api/jobs/:id/cancel", "submit"],
    ["POST /api/jobs/:id/retry", "submit"],
    ["DELETE /api/jobs/:id", "administer"],
    ["GET /api/tokens", "administer"],
    ["POST /api/tokens", "administer"],
    ["DELETE /api/tokens/:name", "administer"],
  ];
  const scopes = ["view", "submit", "administer"] as const;
  /** What is got can be asked for by HEAD too, but for the stream of events. */
  const headOf = (route: string) =>
    route.startsWith("GET ") && route !== "GET /api/events" ? [route.replace("GET", "HEAD")] : [];

  test("the table holds every route that the server has, and no other", () => {
    const expected = rows.flatMap(([route]) => [route, ...headOf(route)]);
    expect([...new Set(service.routes)].sort()).toEqual(expected.sort());
  });

  const asked = rows.flatMap(([route, needs, place]) =>
    [route, ...headOf(route)].map((each) => {
      const [method, path] = each.split(" ");
      const at = (place ?? path).replace(":id", "series-0000000000000000").replace(/:\w+/, "1.2");
      return [method, at, needs] as const;
    }),
  );

  test.each(asked)("%s %s needs %s", async (method, path, needs) => {
    const statusWith = async (token: string | null, headers: Record<string, string> = {}) => {
      const stop = new AbortController();
      const response = await service.ask(path, { method, token, headers, signal: stop.signal });
      stop.abort();
      return response.status;
    };
    if (needs === "nothing") {
      for (const token of [null, "lnsnet_wrong", service.tokens.view]) {
        const status = await statusWith(token);
        expect(status < 500 && status !== 401 && status !== 403).toBe(true);
      }
      return;
    }
    const expired = await expiredToken();
    for (const token of [null, "", "lnsnet_wrong", `${service.tokens.administer}x`, expired])
      expect(await statusWith(token)).toBe(401);
    // Nor by the ways in which a browser or a proxy says who asks.
    expect(await statusWith(null, { Cookie: "lnsnet_session=wrong" })).toBe(401);
    expect(await statusWith(null, { "X-Forwarded-User": "somebody" })).toBe(401);
    expect(await statusWith(null, { Authorization: `Basic ${btoa("a:b")}` })).toBe(401);
    for (const scope of scopes) {
      const isEnough = scopes.indexOf(scope) >= scopes.indexOf(needs);
      const status = await statusWith(service.tokens[scope]);
      if (isEnough) expect(status !== 401 && status !== 403).toBe(true);
      else expect(status).toBe(403);
    }
  });

  /** A token that may administer, and has ended. */
  async function expiredToken(): Promise<string> {
    const response = await service.ask("/api/tokens", {
      ...{ method: "POST", headers: { "Content-Type": "application/json" } },
      body: JSON.stringify({ name: crypto.randomUUID(), scope: "administer", days: 1e-9 }),
    });
    return ((await response.json()) as { token: string }).token;
  }

  test("a session lets a browser in, and is not believed on other pages' requests", async () => {
    const signIn = await service.ask("/api/session", {
      ...{ method: "POST", token: null, body: JSON.stringify({ token: service.tokens.submit }) },
      headers: { "Content-Type": "application/json" },
    });
    expect(signIn.status).toBe(204);
    const cookie = signIn.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    const Cookie = cookie.split(";")[0];
    const page = await service.ask("/", { token: null, headers: { Cookie } });
    expect(await page.text()).toContain("worklist.js");
    const cancel = (headers: Record<string, string>) =>
      service.ask("/api/jobs/series-0000000000000000/cancel", {
        method: "POST",
        token: null,
        headers: { Cookie, ...headers },
      });
    expect((await cancel({})).status).toBe(403);
    expect((await cancel({ Origin: "http://elsewhere.example" })).status).toBe(403);
    expect((await cancel({ Origin: service.addresses.http })).status).toBe(404);
    await service.ask("/api/session", { method: "DELETE", token: null, headers: { Cookie } });
    expect((await service.ask("/api/jobs", { token: null, headers: { Cookie } })).status).toBe(401);
  });

  test("nothing that is kept or logged names the patient or a token", async () => {
    const audit = await readFile(join(folder, "data/audit.jsonl"), "utf8");
    expect(audit).toContain('"action":"upload"');
    const [job] = await service.jobs();
    const record = await readFile(join(folder, "data/jobs", job.id, "record.jsonl"), "utf8");
    const tokens = await readFile(join(folder, "data/tokens.json"), "utf8");
    for (const text of [audit, record, tokens, service.log.join("\n")]) {
      expect(text).not.toMatch(/Doe|P1\b/);
      for (const token of Object.values(service.tokens)) expect(text).not.toContain(token);
    }
  });

  test("files outside a result are not to be had", async () => {
    const job = await service.jobWhen(({ state }) => state === "done");
    for (const name of [
      "..%2Frecord.jsonl",
      "..%2F..%2F..%2Ftokens.json",
      "%2Fetc%2Fpasswd",
      ".predict-salt",
    ])
      for (const kind of ["results", "files"])
        expect((await service.ask(`/api/jobs/${job.id}/${kind}/${name}`)).status).toBe(404);
    for (const path of ["/assets/../src/index.ts", "/assets/%2e%2e/package.json"])
      expect((await service.ask(path)).status).toBe(404);
  });
});
