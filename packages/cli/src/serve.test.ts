// lnsnet serve as whoever sets it up uses it: rules are tried, tokens are made, and a mistake in the configuration is a sentence.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ctFiles } from "../../node/src/dicom.test-helper.js";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

let folder = "";
let session: LnsnetSession;

const configuration = `
data: data
dicom: { allow: [{ title: PACS }] }
targets:
  share: { kind: folder, path: share }
rules:
  - { name: scouts, when: { SeriesDescription: /scout/i }, discard: true }
  - { name: from the ward, when: { CallingAETitle: WARD }, outputs: [seg, sc], targets: [share], priority: 5 }
  - { name: uploads, when: { Source: upload, Modality: CT }, offPeak: true, outputs: [] }
  - { name: everything else, discard: true }
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-serve-"));
  await writeFile(join(folder, "service.yaml"), configuration);
  for (const [name, description, modality] of [
    ["neck.dcm", "neck", "CT"],
    ["scout.dcm", "Scout lateral", "CT"],
    ["mr.dcm", "neck", "MR"],
  ]) {
    const [{ bytes }] = ctFiles({
      ...{
        size: [2, 2, 1],
        spacingMm: [1, 1, 1],
        originMm: [0, 0, 0],
        direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      },
      ...{
        hu: [0, 0, 0, 0],
        patientId: "P",
        seriesUid: "1.2",
        frameOfReferenceUid: "1.3",
        description,
        modality,
      },
    });
    await writeFile(join(folder, name), bytes);
  }
  session = lnsnetSession(folder);
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

const serve = (...words: string[]) => session.run("serve", "--config", "service.yaml", ...words);

describe("--test-rule", () => {
  test.each([
    [
      "neck.dcm",
      [],
      '"uploads" decides: segment, write no DICOM objects, send to nobody, priority 0, in off-peak hours.',
    ],
    [
      "neck.dcm",
      ["--calling-title", "WARD"],
      '"from the ward" decides: segment, write seg, sc, send to share, priority 5.',
    ],
    ["neck.dcm", ["--calling-title", "PACS"], 'The rule "everything else" says that it is not segmented.'],
    ["scout.dcm", [], 'The rule "scouts" says that it is not segmented.'],
    ["mr.dcm", [], 'The rule "everything else" says that it is not segmented.'],
  ])("%s %j", async (file, words, decision) => {
    const { code, stdout, stderr } = await serve("--test-rule", file, ...words);
    expect(code, stderr).toBe(0);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(decision);
  });

  test("says of each rule why it does not hold", async () => {
    const { stdout } = await serve("--test-rule", "mr.dcm");
    expect(stdout.trimEnd().split("\n").slice(0, 4)).toEqual([
      'scouts: does not hold, since SeriesDescription is "neck" and "/scout/i" was wanted',
      'from the ward: does not hold, since CallingAETitle is missing and "WARD" was wanted',
      'uploads: does not hold, since Modality is "MR" and "CT" was wanted',
      "everything else: holds",
    ]);
  });

  test("refuses what is no DICOM file", async () => {
    const { code, stderr } = await serve("--test-rule", "service.yaml");
    expect(code).toBe(2);
    expect(stderr).toMatch(/service\.yaml/);
  });
});

test("--new-token prints a token, of which only the hash is kept", async () => {
  const { code, stdout } = await serve("--new-token", "view", "--user", "Ward 3", "--days", "30");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^lnsnet_[\w-]{43}\n$/);
  const kept = await readFile(join(folder, "data/tokens.json"), "utf8");
  expect(kept).not.toContain(stdout.trim());
  expect((await serve("--new-token", "view")).stderr).toMatch(/needs --user NAME/);
  expect((await serve("--new-token", "view", "--user", "Ward 3")).stderr).toMatch(
    /There is a token called "Ward 3"/,
  );
});

test.each([
  ["rules: [{ name: a, targets: [nowhere] }]", /sends to "nowhere", which is no target/],
  ["rules: [{ name: a, outputs: [pdf] }]", /"rules\.0\.outputs\.0"/],
  ["http: { port: 99999 }", /"http\.port"/],
  ["http: { tls: { certificate: none.pem, key: none.key } }", /none\.pem does not exist; check its name/],
  ["sources: { a: { kind: c-move, host: b, port: 104, title: C } }", /there is none; add the entry dicom/],
  ["pull: [{ name: new, source: nowhere }]", /asks "nowhere", which is no source; the sources are none/],
  [
    "sources: { a: { kind: dicomweb, url: 'http://a' } }\npull: [{ name: new, source: a, when: { PatientID: 1 } }]",
    /no such attribute; give one of StudyDate/,
  ],
  ["dicom: { allow: [] }", /"dicom\.allow"/],
  ["a: b: c", /is not YAML/],
])("%s is refused with a sentence that names it", async (text, sentence) => {
  await writeFile(join(folder, "wrong.yaml"), text);
  const { code, stderr } = await session.run("serve", "--config", "wrong.yaml", "--test-rule", "neck.dcm");
  expect(code).toBe(2);
  expect(stderr).toMatch(sentence);
  expect(stderr).toMatch(/^(lnsnet: )?.*wrong\.yaml|none\.pem/m);
});
