// With a real PACS: a study goes from Orthanc to the service by C-STORE, and its results stand in Orthanc, by C-STORE and by STOW.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { indexOfPoint, readSeg } from "@lnsnet/core";
import { objectSummary } from "@lnsnet/core/formats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { freePort, noOrthanc, type Orthanc, startOrthanc } from "./orthanc.test-helper.js";
import {
  ballsMm,
  neckSeries,
  removeFolder,
  serviceFolder,
  startService,
  type TestedService,
  tinyRule,
} from "./service.test-helper.js";

// A machine that is busy with other work takes a minute for what takes seconds.
vi.setConfig({ testTimeout: 400_000 });

const isValidator = existsSync("/usr/bin/dciodvfy");

describe.skipIf(noOrthanc !== null)(
  `with Orthanc${noOrthanc === null ? "" : `: skipped, ${noOrthanc}`}`,
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
        sources: { orthanc: { url: `${orthanc.url}/dicom-web` } },
        sending: { backOff: { attempts: 2, firstSeconds: 0.1 } },
        rules: [
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
    /** The series of a study in Orthanc, but for the CT itself. */
    async function derived(studyUid: string): Promise<{ modality: string; bytes: Uint8Array }[]> {
      const found = await orthanc.post("/tools/lookup", studyUid);
      const [study] = (await found.json()) as { ID: string }[];
      if (study === undefined) return [];
      const series = await orthanc.get<Series[]>(`/studies/${study.ID}/series`);
      const others = series.filter(({ MainDicomTags }) => MainDicomTags.Modality !== "CT");
      return Promise.all(
        others.map(async ({ MainDicomTags, Instances }) => ({
          modality: MainDicomTags.Modality,
          bytes: await orthanc.file(Instances[0]),
        })),
      );
    }

    async function expectResults(studyUid: string): Promise<void> {
      const objects = await derived(studyUid);
      expect(objects.map(({ modality }) => modality).sort()).toEqual(["RTSTRUCT", "SEG", "SR"]);
      for (const { modality, bytes } of objects) {
        const summary = await objectSummary(bytes, modality);
        expect(summary?.regions.length).toBeGreaterThanOrEqual(2);
        if (!isValidator) continue;
        const file = join(folder, `${modality}.dcm`);
        await writeFile(file, bytes);
        const { stderr } = spawnSync("dciodvfy", [file], { encoding: "utf8" });
        expect(stderr.split("\n").filter((line) => line.startsWith("Error"))).toEqual([]);
      }
      const seg = objects.find(({ modality }) => modality === "SEG");
      const { segments, geometry } = await readSeg(seg?.bytes ?? new Uint8Array(), "SEG");
      for (const ball of ballsMm) {
        const [i, j, k] = indexOfPoint(geometry, ball).map(Math.round);
        const at = i + geometry.size[0] * (j + geometry.size[1] * k);
        expect(segments.filter(({ mask }) => mask()[at] === 1)).toHaveLength(1);
      }
    }

    test("a study that Orthanc sends is segmented and sent back by C-STORE", async () => {
      const ids: string[] = [];
      for (const { bytes } of neckSeries("1.2.840.11")) {
        const stored = (await (await orthanc.post("/instances", bytes)).json()) as { ID: string };
        ids.push(stored.ID);
      }
      await orthanc.post("/modalities/lnsnet/store", JSON.stringify({ Resources: ids, Synchronous: true }));
      const job = await service.jobWhen(
        ({ state, rule }) => rule === "tiny" && ["done", "failed"].includes(state),
      );
      expect(job).toMatchObject({ state: "done", files: 20, nodes: 2, sentence: null });
      expect(job.deliveries).toMatchObject([{ target: "pacs", state: "sent" }]);
      await expectResults("1.2.840.11.99");
    });

    test("results are sent by STOW", async () => {
      const parts = neckSeries("1.2.840.12").flatMap(({ bytes }) => [
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
      await expectResults("1.2.840.12.99");
    });

    test("a study is fetched from Orthanc on request, and nothing that is not there", async () => {
      for (const { bytes } of neckSeries("1.2.840.14")) await orthanc.post("/instances", bytes);
      const pull = (body: object) =>
        service.ask("/api/pull", {
          ...{ method: "POST", body: JSON.stringify({ source: "orthanc", ...body }) },
          headers: { "Content-Type": "application/json" },
        });
      const response = await pull({ study: "1.2.840.14.99" });
      expect(response.status).toBe(202);
      const { jobs, taken } = (await response.json()) as { jobs: string[]; taken: number };
      expect({ taken, jobs: jobs.length }).toEqual({ taken: 20, jobs: 1 });
      await service.jobWhen(({ id, state }) => id === jobs[0] && state === "done");
      const sentence = async (body: object) => ((await (await pull(body)).json()) as { error: string }).error;
      expect(await sentence({ study: "1.2.3.4.5" })).toMatch(/has no CT series of this study/);
      expect(await sentence({ accession: "*" })).toMatch(/is no accession number/);
      expect(await sentence({ source: "elsewhere" })).toBe(
        'There is no source "elsewhere"; the configuration has orthanc.',
      );
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
