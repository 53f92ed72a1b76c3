// A running service for tests: a folder of its own, a tiny model that marks what is dense, and a small CT to send it.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeModel } from "@lnsnet/core/models";
import { pointOfIndex, type Vector3 } from "@lnsnet/core/volume";
import { readConfiguration, runService, type Scope, type ServiceAddresses, tokensOf } from "@lnsnet/service";
import { densityModel } from "../../node/src/density-model.test-helper.js";
import { type CtSeries, ctFiles } from "../../node/src/dicom.test-helper.js";

const grid = {
  size: [60, 50, 20],
  spacingMm: [1.2, 1.2, 2.5],
  originMm: [-30, -30, 100],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
} as const;

/** Where the balls of {@link neckSeries} are, LPS mm. */
export const ballsMm: readonly Vector3[] = [
  pointOfIndex(grid, [18, 24, 10]),
  pointOfIndex(grid, [42, 26, 9]),
];

/** Radii of the balls, in the same order. */
export const radiiMm: readonly number[] = [8, 6];

/** A CT series of soft tissue with two dense balls, as files. Equal UIDs give equal bytes. */
export function neckSeries(
  seriesUid: string,
  modality = "CT",
  study: Pick<CtSeries, "description" | "accessionNumber" | "studyDate"> = {},
): { name: string; bytes: Uint8Array }[] {
  const [nx, ny, nz] = grid.size;
  const hu = Array.from({ length: nx * ny * nz }, (_, at) => {
    const index: Vector3 = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
    if (index[1] > 45) return -1000;
    const [x, y, z] = pointOfIndex(grid, index);
    const isNode = ballsMm.some((c, n) => Math.hypot(x - c[0], y - c[1], z - c[2]) <= radiiMm[n]);
    return (isNode ? 140 : -20) + Math.round(20 * Math.sin(at * 1.7));
  });
  return ctFiles({
    ...{ ...grid, ...study, hu, seriesUid, modality, patientId: "P1" },
    frameOfReferenceUid: `${seriesUid}.9`,
  });
}

/** The id of the job of a series. */
export const jobOfSeries = (uid: string): string =>
  `series-${createHash("sha256").update(uid).digest("hex").slice(0, 16)}`;

/** As DICOM writes it, in this machine's time zone. */
export function today(): string {
  const now = new Date();
  const parts = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("");
}

interface JobAnswer {
  readonly id: string;
  readonly state: string;
  readonly files: number;
  readonly nodes: number | null;
  readonly rule: string | null;
  readonly sentence: string | null;
  readonly source: { readonly way: string; readonly from: string };
  readonly results: readonly { readonly name: string; readonly sha256: string }[];
  readonly deliveries: readonly {
    readonly target: string;
    readonly state: string;
    readonly sentence: string | null;
  }[];
}

/** A service that runs in this process. */
export interface TestedService {
  readonly folder: string;
  readonly addresses: ServiceAddresses;
  readonly tokens: { readonly view: string; readonly submit: string; readonly administer: string };
  readonly log: readonly string[];
  /** Every route, such as "GET /api/jobs/:id". */
  readonly routes: readonly string[];
  /** A request with a token, or without. */
  ask(path: string, options?: RequestInit & { readonly token?: string | null }): Promise<Response>;
  upload(files: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Promise<Response>;
  jobs(): Promise<readonly JobAnswer[]>;
  /** The job of that place in the list, the newest first, when it is as wanted. */
  jobWhen(isAsWanted: (job: JobAnswer) => boolean, seconds?: number): Promise<JobAnswer>;
  stop(): Promise<void>;
}

/** A new folder with the model in it. */
export async function serviceFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lnsnet-service-"));
  await writeFile(join(folder, "model.safetensors"), writeModel(densityModel([2, 2, 2]), false));
  await mkdir(join(folder, "watched"));
  return folder;
}

/** The tiny model for every CT. */
export const tinyRule = { name: "tiny", when: { Modality: "CT" }, model: "model.safetensors" };

/** The same with the SEG alone, which spares a quarter of a study's time; of {@link startService} where a test states none. */
export const quickRule = { ...tinyRule, outputs: ["seg"] };

/** @param configuration over the defaults of tests; written as the YAML that JSON is */
export async function startService(folder: string, configuration: object = {}): Promise<TestedService> {
  const file = join(folder, "service.yaml");
  const complete = {
    ...{ data: "data", watch: ["watched"], rules: [quickRule] },
    http: { port: 0, requestsPerMinute: 100_000 },
    receiving: { quietSeconds: 0.5, watchEverySeconds: 0.1 },
    segmenting: { threads: 1, device: "cpu" },
    ...configuration,
  };
  await writeFile(file, JSON.stringify(complete));
  const stop = new AbortController();
  const log: string[] = [];
  const routes: string[] = [];
  let running: Promise<void> = Promise.resolve();
  const addresses = await new Promise<ServiceAddresses>((onListening, reject) => {
    running = readConfiguration(file).then((read) =>
      runService(read, {
        ...{ signal: stop.signal, onListening },
        log: (fields) => log.push(JSON.stringify(fields)),
        onRoute: (method, path) => routes.push(`${method} ${path}`),
      }),
    );
    running.catch(reject);
  });
  const ask: TestedService["ask"] = (path, { token = administer, headers, ...options } = {}) =>
    fetch(`${addresses.http}${path}`, {
      ...options,
      headers: { ...headers, ...(token === null ? {} : { Authorization: `Bearer ${token}` }) },
    });
  // A later start of the same folder has no first token; its caller brings what it knows.
  const administer: string = addresses.firstToken ?? known.get(folder) ?? "";
  known.set(folder, administer);
  const stored = await tokensOf(await readConfiguration(file));
  const made = (scope: Scope) => stored.create(`${scope} ${crypto.randomUUID()}`, scope, null);
  const jobs = async () => (await (await ask("/api/jobs")).json()) as JobAnswer[];
  return {
    ...{ folder, addresses, log, routes, ask, jobs },
    tokens: { view: await made("view"), submit: await made("submit"), administer },
    upload(files) {
      const form = new FormData();
      for (const { name, bytes } of files) form.append("files", new Blob([new Uint8Array(bytes)]), name);
      return ask("/api/jobs", { method: "POST", body: form });
    },
    async jobWhen(isAsWanted, seconds = 240) {
      const until = performance.now() + 1000 * seconds;
      for (;;) {
        const all = await jobs();
        const found = all.find(isAsWanted);
        if (found !== undefined) return found;
        if (performance.now() > until)
          throw new Error(`No job became as wanted: ${JSON.stringify(all, null, 1)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stop() {
      stop.abort();
      await running;
    },
  };
}

const known = new Map<string, string>();

export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });
