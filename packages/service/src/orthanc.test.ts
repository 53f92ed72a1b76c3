// With a real PACS: studies come from Orthanc by every way, and what stands in Orthanc afterwards shows the nodes where they are.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { objectSummary, readSeg } from "@lnsnet/core/formats";
import { indexOfPoint, type Vector3 } from "@lnsnet/core/volume";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { pythonWith } from "../../../bench/src/python.js";
import { freePort, noOrthanc, type Orthanc, startOrthanc } from "./orthanc.test-helper.js";
import {
  ballsMm,
  jobOfSeries,
  neckSeries,
  radiiMm,
  removeFolder,
  serviceFolder,
  startService,
  type TestedService,
  tinyRule,
  today,
} from "./service.test-helper.js";

// A machine that is busy with other work takes a minute for what takes seconds.
vi.setConfig({ testTimeout: 400_000 });

const isValidator = existsSync("/usr/bin/dciodvfy");
const python = pythonWith("numpy, pydicom");
const lacking = [
  ...(isValidator ? [] : ["dciodvfy (apt-get install dicom3tools)"]),
  ...(python === null ? ["a Python with pydicom"] : []),
];

describe.skipIf(noOrthanc !== null)(
  `with Orthanc${noOrthanc !== null ? `: skipped, ${noOrthanc}` : lacking.length > 0 ? ` (not read back by ${lacking.join(" and ")})` : ""}`,
  () => {
    let folder = "";
    let orthanc: Orthanc;
    let service: TestedService;

    beforeAll(async () => {
      folder = await serviceFolder();
      await mkdir(join(folder, "storage"));
      const dicomPort = await freePort();
      orthanc = await startOrthanc(folder, { title: "LNSNET", port: dicomPort });
      service = await startService(folder, {
        dicom: { port: dicomPort, allow: [{ title: "ORTHANC", address: "127.0.0.1" }] },
        targets: {
          pacs: { kind: "c-store", host: "127.0.0.1", port: orthanc.dicomPort, title: "ORTHANC" },
          web: { kind: "stow", url: `${orthanc.url}/dicom-web` },
          share: { kind: "folder", path: "share" },
          dead: {
            kind: "c-store",
            host: "127.0.0.1",
            port: await freePort(),
            title: "NOBODY",
            timeoutSeconds: 2,
          },
        },
        sources: {
          orthanc: { kind: "dicomweb", url: `${orthanc.url}/dicom-web` },
          node: { kind: "c-move", host: "127.0.0.1", port: orthanc.dicomPort, title: "ORTHANC" },
        },
        pull: [
          ...[
            ["orthanc", "by web"],
            ["node", "by node"],
          ].map(([source, SeriesDescription]) => ({
            ...{ name: SeriesDescription, source, when: { SeriesDescription }, everySeconds: 0.5, days: 0 },
          })),
        ],
        sending: { backOff: { attempts: 2, firstSeconds: 0.1 } },
        rules: [
          {
            ...{ ...tinyRule, name: "from the folder", targets: ["pacs"] },
            when: { Modality: "CT", Source: "watched folder" },
          },
          { ...tinyRule, name: "to the web", when: { Modality: "CT", Source: "STOW" }, targets: ["web"] },
          {
            ...tinyRule,
            name: "to a dead end",
            when: { Modality: "CT", Source: "upload" },
            targets: ["dead", "share"],
          },
          { ...tinyRule, targets: ["sender"] },
        ],
      });
    });
    afterAll(async () => {
      await service?.stop();
      await orthanc?.stop();
      await removeFolder(folder);
    });

    type Series = {
      readonly ID: string;
      readonly MainDicomTags: { readonly Modality: string };
      readonly Instances: string[];
    };
    /** Every instance of a study in Orthanc. */
    async function instancesOf(studyUid: string): Promise<{ modality: string; bytes: Uint8Array }[]> {
      const found = await orthanc.post("/tools/lookup", studyUid);
      const [study] = (await found.json()) as { ID: string }[];
      if (study === undefined) return [];
      const series = await orthanc.get<Series[]>(`/studies/${study.ID}/series`);
      const instances = series.flatMap(({ MainDicomTags, Instances }) =>
        Instances.map(async (id) => ({ modality: MainDicomTags.Modality, bytes: await orthanc.file(id) })),
      );
      return Promise.all(instances);
    }

    /** What Orthanc has of a study is valid, and shows the nodes where they are. @param ct the files of the CT */
    async function expectResults(
      studyUid: string,
      ct: readonly { readonly bytes: Uint8Array }[],
    ): Promise<void> {
      const derived = (await instancesOf(studyUid)).filter(({ modality }) => modality !== "CT");
      const modalities = derived.map(({ modality }) => modality).sort();
      expect(modalities).toEqual(["OT", "OT", "OT", "RTSTRUCT", "SEG", "SR"]);
      const study = join(folder, `study ${studyUid}`);
      await mkdir(study);
      for (const [n, { bytes }] of [...ct, ...derived].entries())
        await writeFile(join(study, `${n}.dcm`), bytes);
      for (const { modality, bytes } of derived) {
        const summary = await objectSummary(bytes, modality);
        if (modality !== "OT") expect(summary?.regions.length).toBeGreaterThanOrEqual(2);
      }
      if (isValidator)
        for (const n of derived.keys()) {
          const { stderr } = spawnSync("dciodvfy", [join(study, `${ct.length + n}.dcm`)], {
            encoding: "utf8",
          });
          expect(stderr.split("\n").filter((line) => line.startsWith("Error"))).toEqual([]);
        }
      const seg = derived.find(({ modality }) => modality === "SEG");
      const { segments, geometry } = await readSeg(seg?.bytes ?? new Uint8Array(), "SEG");
      for (const ball of ballsMm) {
        const [i, j, k] = indexOfPoint(geometry, ball).map(Math.round);
        const at = i + geometry.size[0] * (j + geometry.size[1] * k);
        expect(segments.filter(({ mask }) => mask()[at] === 1)).toHaveLength(1);
      }
      if (python !== null) expectReadBack(python, study, studyUid);
      await rm(study, { recursive: true });
    }

    test("a study that Orthanc sends is segmented and sent back by C-STORE", async () => {
      const ids: string[] = [];
      const ct = neckSeries("1.2.840.11");
      for (const { bytes } of ct) {
        const stored = (await (await orthanc.post("/instances", bytes)).json()) as { ID: string };
        ids.push(stored.ID);
      }
      await orthanc.post("/modalities/lnsnet/store", JSON.stringify({ Resources: ids, Synchronous: true }));
      const job = await service.jobWhen(
        ({ state, rule }) => rule === "tiny" && ["done", "failed"].includes(state),
      );
      expect(job).toMatchObject({ state: "done", files: 20, nodes: 2, sentence: null });
      expect(job.deliveries).toMatchObject([{ target: "pacs", state: "sent" }]);
      await expectResults("1.2.840.11.99", ct);
    });

    test("a study that comes by STOW goes back by STOW", async () => {
      const ct = neckSeries("1.2.840.12");
      const parts = ct.flatMap(({ bytes }) => [
        Buffer.from("--x\r\nContent-Type: application/dicom\r\n\r\n"),
        bytes,
        Buffer.from("\r\n"),
      ]);
      const response = await service.ask("/dicom-web/studies", {
        ...{ method: "POST", body: Buffer.concat([...parts, Buffer.from("--x--")]) },
        headers: { "Content-Type": 'multipart/related; type="application/dicom"; boundary=x' },
      });
      expect(response.status).toBe(200);
      const job = await service.jobWhen(
        ({ state, rule }) => rule === "to the web" && ["done", "failed"].includes(state),
      );
      expect(job).toMatchObject({ state: "done", nodes: 2, sentence: null });
      await expectResults("1.2.840.12.99", ct);
    });

    test("a study in the watched folder is sent by C-STORE", async () => {
      const ct = neckSeries("1.2.840.15");
      for (const { name, bytes } of ct) await writeFile(join(folder, "watched", name), bytes);
      const job = await service.jobWhen(
        ({ state, rule }) => rule === "from the folder" && ["done", "failed"].includes(state),
      );
      expect(job).toMatchObject({ state: "done", nodes: 2, sentence: null });
      await expectResults("1.2.840.15.99", ct);
    });

    const pull = async (body: object) => {
      const response = await service.ask("/api/pull", {
        ...{ method: "POST", body: JSON.stringify(body) },
        headers: { "Content-Type": "application/json" },
      });
      const answer = (await response.json()) as { jobs: string[]; taken: number; error?: string };
      return { status: response.status, ...answer };
    };

    test.each([
      ["orthanc", "1.2.840.14", "pull", "orthanc"],
      ["node", "1.2.840.16", "C-STORE", "ORTHANC"],
    ])("a study is fetched on request, from the source %s", async (source, uid, way, from) => {
      const accession = `A${uid.slice(-2)}`;
      for (const { bytes } of neckSeries(uid, "CT", { accessionNumber: accession }))
        await orthanc.post("/instances", bytes);
      const first = await pull({ source, accession });
      expect(first).toMatchObject({ status: 202, taken: 20 });
      expect(first.jobs).toHaveLength(1);
      const job = await service.jobWhen(({ id, state }) => id === first.jobs[0] && state === "done");
      expect(job).toMatchObject({ files: 20, nodes: 2, source: { way, from } });
      // Asked for again by its UID, nothing new is done.
      expect(await pull({ source, study: `${uid}.99` })).toMatchObject({ status: 202, jobs: first.jobs });
      expect((await service.jobs()).find(({ id }) => id === job.id)).toEqual(job);
      const sentence = async (body: object) => (await pull({ source, ...body })).error;
      expect(await sentence({ study: "1.2.3.4.5" })).toMatch(/has no CT series of this study/);
      expect(await sentence({ accession: "A99" })).toMatch(/has no CT series of this study/);
      expect(await sentence({ accession: "*" })).toMatch(/is no accession number/);
      expect(await sentence({ source: "elsewhere" })).toBe(
        'There is no source "elsewhere"; the configuration has orthanc, node.',
      );
    });

    test.each([
      ["by web", "1.2.840.17"],
      ["by node", "1.2.840.18"],
    ])("a rule fetches what is new, %s, and nothing twice", async (description, uid) => {
      const study = { description, studyDate: today() };
      const ct = neckSeries(uid, "CT", study);
      for (const { bytes } of ct.slice(0, 18)) await orthanc.post("/instances", bytes);
      for (const { bytes } of neckSeries(`${uid}.5`, "CT", { ...study, description: "another" }))
        await orthanc.post("/instances", bytes);
      const isOurs = ({ id }: { id: string }) => id === jobOfSeries(uid);
      const first = await service.jobWhen((job) => isOurs(job) && job.state === "done");
      expect(first.files).toBe(18);
      // Late slices are fetched too, and the whole series is segmented anew.
      for (const { bytes } of ct.slice(18)) await orthanc.post("/instances", bytes);
      await service.jobWhen((job) => isOurs(job) && job.state === "done" && job.files === 20);
      await service.ask(`/api/jobs/${first.id}`, { method: "DELETE" });
      await new Promise((resolve) => setTimeout(resolve, 2500));
      const jobs = await service.jobs();
      expect(jobs.filter(isOurs)).toEqual([]);
      expect(jobs.filter(({ id }) => id === jobOfSeries(`${uid}.5`))).toEqual([]);
    });

    test("a PACS that does not know where to send is told in a sentence", async () => {
      const other = await serviceFolder();
      const stranger = await startService(other, {
        dicom: { port: 0, title: "STRANGER", allow: [{ title: "ORTHANC" }] },
        sources: { node: { kind: "c-move", host: "127.0.0.1", port: orthanc.dicomPort, title: "ORTHANC" } },
      });
      for (const { bytes } of neckSeries("1.2.840.19")) await orthanc.post("/instances", bytes);
      const response = await stranger.ask("/api/pull", {
        ...{ method: "POST", body: JSON.stringify({ source: "node", study: "1.2.840.19.99" }) },
        headers: { "Content-Type": "application/json" },
      });
      expect(((await response.json()) as { error: string }).error).toMatch(
        /^The source node answered with status 0x.*whether it knows the address and port of "STRANGER"\.$/,
      );
      await stranger.stop();
      await removeFolder(other);
    });

    test("a dead target is told, and the others have the results", async () => {
      await service.upload(neckSeries("1.2.840.13"));
      const job = await service.jobWhen(({ state, rule }) => rule === "to a dead end" && state === "failed");
      expect(job.sentence).toMatch(
        /^Not sent to dead: The target dead \(NOBODY at 127\.0\.0\.1:\d+\) did not answer/,
      );
      expect(job.deliveries.map(({ target, state }) => [target, state])).toEqual([
        ["dead", "failed"],
        ["share", "sent"],
      ]);
      expect(
        existsSync(
          join(folder, "share", job.results.find(({ name }) => name.endsWith(".seg.dcm"))?.name ?? ""),
        ),
      ).toBe(true);
    });
  },
);

interface ReadBack {
  readonly studies: readonly string[];
  readonly frames: readonly string[];
  readonly patients: readonly string[];
  readonly segments: readonly { readonly centroid: Vector3; readonly voxels: number; readonly hu: number }[];
  readonly rois: readonly {
    readonly middle: Vector3;
    readonly extent: Vector3;
    readonly onSlices: boolean;
  }[];
  readonly numbers: readonly (readonly [meaning: string, value: number, unit: string])[];
  readonly pictures: readonly {
    readonly title: string;
    readonly outline: number;
    readonly middle: number;
    readonly sources: number;
  }[];
}

/** As pydicom reads it, everything belongs to one study and lies on the balls. */
function expectReadBack(python: string, study: string, studyUid: string): void {
  const script = fileURLToPath(new URL("./read-back.test-helper.py", import.meta.url));
  const { stdout, stderr } = spawnSync(python, [script, study], { encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  const found = JSON.parse(stdout) as ReadBack;
  expect(found.studies).toEqual([studyUid]);
  expect(found.frames).toHaveLength(1);
  expect(found.patients).toEqual(["P1"]);
  const distance = (a: Vector3, b: Vector3) => Math.hypot(...a.map((at, axis) => at - b[axis]));
  for (const [n, ball] of ballsMm.entries()) {
    const segment = found.segments.filter(({ centroid }) => distance(centroid, ball) < 1);
    expect(segment).toHaveLength(1);
    expect(segment[0].hu).toBeGreaterThan(120);
    const roi = found.rois.filter(({ middle }) => distance(middle, ball) < 2);
    expect(roi).toHaveLength(1);
    expect(roi[0].onSlices).toBe(true);
    for (const extent of roi[0].extent.slice(0, 2)) expect(Math.abs(extent - 2 * radiiMm[n])).toBeLessThan(3);
    // The report measures what the segment holds, in mL; voxels are 1.2 × 1.2 × 2.5 mm.
    const volumeMl = (segment[0].voxels * 1.2 * 1.2 * 2.5) / 1000;
    expect(
      found.numbers.some(
        ([meaning, value]) => meaning === "Volume" && Math.abs(value - volumeMl) < 0.02 * volumeMl,
      ),
    ).toBe(true);
  }
  expect(found.segments).toHaveLength(2);
  expect(found.rois).toHaveLength(2);
  // All nodes, then each, the largest first: in the middle of 150 mm, as wide as it is.
  expect(found.pictures.map(({ title }) => title)).toEqual(["All nodes", "Lymph node 1", "Lymph node 2"]);
  for (const { sources } of found.pictures) expect(sources).toBe(20);
  for (const [n, { outline, middle }] of found.pictures.slice(1).entries()) {
    expect(middle).toBeCloseTo(0.5, 1);
    expect(Math.abs(150 * outline - 2 * radiiMm[n])).toBeLessThan(3);
  }
}
