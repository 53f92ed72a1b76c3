// `lnsnet dataset check`, `dataset fingerprint` and `preprocess` as a user runs them.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import type { Volume } from "@lnsnet/core/volume";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

const geometry = {
  size: [16, 12, 10],
  spacingMm: [1, 1, 2],
  originMm: [-8, -6, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
} as const;
const voxels = 16 * 12 * 10;

/** Air with a block of soft tissue; another seed is another patient. */
function scan(seed: number, change: (hu: number) => number = (hu) => hu): Volume {
  const data = Float32Array.from({ length: voxels }, (_, n) =>
    change(n % 16 < 4 ? -1000 : ((n * 7919 + seed * 104729) % 200) + (n % 97 === 0 ? 1200 : -60)),
  );
  return { ...geometry, data };
}

/** A body of 6 × 6 × 4 voxels, 6 × 6 × 8 mm, and single voxels apart from it. */
function label(specks = 0, value = 1): Volume {
  const data = new Uint8Array(voxels);
  for (let k = 3; k < 7; k++)
    for (let j = 2; j < 8; j++) data.fill(value, 6 + 16 * (j + 12 * k), 12 + 16 * (j + 12 * k));
  for (let n = 0; n < specks; n++) data[14 + 16 * (4 * n)] = value;
  return { ...geometry, data };
}

/** The body in two halves that touch, 72 voxels of each value. */
function twoClasses(first = 1, second = 2): Volume {
  const whole = label();
  return {
    ...whole,
    data: Uint8Array.from(whole.data, (value, n) => (value === 0 ? 0 : n % 16 < 9 ? first : second)),
  };
}

let folder = "";
let session: LnsnetSession;
const lnsnet = (tokens: readonly string[]) => session.run(...tokens);

async function writeDataset(
  name: string,
  files: Readonly<Record<string, Volume | string>>,
  description: object = {},
): Promise<void> {
  for (const part of ["imagesTr", "labelsTr", "instancesTr", "imagesTs", "labelsTs"])
    await mkdir(join(folder, name, part), { recursive: true });
  const content = {
    name,
    labels: { background: 0, "lymph node": 1 },
    channel_names: { 0: "CT" },
    ...description,
  };
  await writeFile(join(folder, name, "dataset.json"), JSON.stringify(content));
  for (const [path, file] of Object.entries(files))
    await writeFile(join(folder, name, `${path}.nii.gz`), typeof file === "string" ? file : writeNifti(file));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-datasets-"));
  session = lnsnetSession(folder);
  await writeDataset("good", {
    "imagesTr/a_0000": scan(1),
    "labelsTr/a": label(),
    "imagesTr/b_0000": scan(2),
    "labelsTr/b": label(),
    "imagesTs/c_0000": scan(3),
  });
  await writeDataset(
    "classes",
    {
      "imagesTr/a_0000": scan(1),
      "labelsTr/a": twoClasses(),
      "instancesTr/a": twoClasses(7, 5),
      "imagesTr/b_0000": scan(2),
      "labelsTr/b": twoClasses(),
    },
    { labels: { background: 0, GTVp: 1, GTVn: 2 } },
  );
  await writeDataset(
    "ignoring",
    {
      "imagesTr/a_0000": scan(1),
      "labelsTr/a": label(2),
      "imagesTr/b_0000": scan(2),
      "labelsTr/b": twoClasses(1, 255),
    },
    { labels: { background: 0, "lymph node": 1, ignore: 255 } },
  );
  const fine = (seed: number) => ({ image: scan(seed), label: label() });
  const cases: Record<string, { image: Volume | string; label?: Volume; instances?: Volume }> = {
    "Tr/fine": fine(1),
    "Tr/twin": fine(1),
    "Tr/P7_scan1": fine(2),
    "Ts/P7_scan2": fine(3),
    "Tr/here": fine(4),
    "Ts/there": fine(4),
    "Tr/moved": { image: scan(5), label: { ...label(), originMm: [-8, -6, 2] } },
    "Tr/unnamed": { image: scan(6), label: label(0, 3) },
    "Tr/empty": { image: scan(7), label: { ...geometry, data: new Uint8Array(voxels) } },
    "Tr/specks": { image: scan(8), label: label(3) },
    "Tr/stored": { image: scan(9, (hu) => hu + 1024), label: label() },
    "Tr/normalised": { image: scan(10, (hu) => hu / 1000), label: label() },
    "Tr/clipped": { image: scan(11, (hu) => Math.min(hu, 100)), label: label() },
    "Tr/nan": { image: scan(12, () => Number.NaN), label: label() },
    "Tr/text": { image: "no image", label: label() },
    "Tr/thick": {
      image: { ...scan(13), spacingMm: [1, 1, 5] },
      label: { ...label(), spacingMm: [1, 1, 5] },
    },
    "Tr/turned": {
      image: { ...scan(14), direction: [1, 0, 0, 0, 1, 0, 0, 0, -1] },
      label: { ...label(), direction: [1, 0, 0, 0, 1, 0, 0, 0, -1] },
    },
    "Tr/torn": { ...fine(16), instances: label(1, 2) },
    "Tr/alone": { image: scan(15) },
  };
  await writeDataset(
    "bad",
    Object.fromEntries(
      Object.entries(cases).flatMap(([place, datasetCase]) => {
        const [subset, id] = place.split("/");
        const image = [`images${subset}/${id}_0000`, datasetCase.image] as const;
        const label =
          datasetCase.label === undefined ? [] : [[`labels${subset}/${id}`, datasetCase.label] as const];
        const instances =
          datasetCase.instances === undefined
            ? []
            : [[`instances${subset}/${id}`, datasetCase.instances] as const];
        return [image, ...label, ...instances];
      }),
    ),
    { numTraining: 3 },
  );
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

interface Found {
  readonly severity: string;
  readonly case: string | null;
  readonly kind: string;
  readonly message: string;
}

describe("lnsnet dataset check", () => {
  test("has nothing to say of a good data set", async () => {
    const { code, stdout } = await lnsnet(["dataset", "check", "good"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "3 cases: 0 errors, 0 warnings.\n" });
  });

  test("finds every problem of a bad one and no other, and ends with code 2", async () => {
    const { code, stdout } = await lnsnet(["dataset", "check", "bad", "--json"]);
    expect(code).toBe(2);
    const { findings, errors, warnings }: { findings: Found[]; errors: number; warnings: number } =
      JSON.parse(stdout);
    const rows = findings.map(({ severity, case: id, kind }) => `${severity} ${id} ${kind}`).sort();
    expect(rows).toEqual(
      [
        "error null layout",
        "error null layout",
        "error P7_scan1 train-test-leak",
        "error here train-test-leak",
        "error moved geometry-mismatch",
        "error nan unreadable",
        "error normalised implausible-hu",
        "error stored implausible-hu",
        "error text unreadable",
        "error torn instances-mismatch",
        "error unnamed unknown-value",
        "warning clipped implausible-hu",
        "warning empty empty-label",
        "warning fine duplicate-image",
        "warning specks small-nodes",
        "warning thick spacing-outlier",
        "warning turned orientation-mix",
      ].sort(),
    );
    expect([errors, warnings]).toEqual([11, 6]);
    const messageOf = (id: string | null) =>
      findings.find((importedCase) => importedCase.case === id)?.message;
    expect(messageOf(null)).toMatch(/has no label for alone/);
    expect(messageOf("moved")).toMatch(/from \(-8, -6, 2\) mm.*from \(-8, -6, 0\) mm/);
    expect(messageOf("specks")).toMatch(/^3 of 4 connected components have a short axis below 3 mm/);
    expect(messageOf("stored")).toMatch(/rescale intercept/);
    expect(messageOf("here")).toBe("here (training), there (test) have the same voxels.");
    expect(messageOf("thick")).toMatch(/1×1×5 mm.*median of 1×1×2 mm/);
  });

  test("prints a table", async () => {
    const { code, stdout } = await lnsnet(["dataset", "check", "bad"]);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^severity +case +kind +what was found\n/);
    expect(stdout).toMatch(/error +moved +geometry-mismatch +bad\/labelsTr\/moved/);
    expect(stdout).toContain("19 cases: 11 errors, 6 warnings.");
  });
});

describe("lnsnet dataset fingerprint", () => {
  test("writes what the scans are like, as JSON and as a page without links", async () => {
    const { code, stdout } = await lnsnet(["dataset", "fingerprint", "good", "--output", "print", "--json"]);
    expect(code).toBe(0);
    expect((await readdir(join(folder, "print"))).sort()).toEqual(["fingerprint.html", "fingerprint.json"]);
    const fingerprint = JSON.parse(await readFile(join(folder, "print/fingerprint.json"), "utf8"));
    expect(JSON.parse(stdout)).toEqual(fingerprint);
    expect(fingerprint.cases).toEqual({ training: 2, test: 1, unreadable: 0 });
    expect(fingerprint.spacing_mm[2]).toEqual({ lowest: 2, p25: 2, median: 2, p75: 2, highest: 2 });
    expect(fingerprint.extent_mm.map((axis: { median: number }) => axis.median)).toEqual([16, 12, 20]);
    expect(fingerprint.orientations).toEqual({ LPS: 3 });
    // Two bodies of 6 × 6 × 4 voxels of 2 mm³.
    expect(fingerprint.nodes.total).toBe(2);
    expect(fingerprint.nodes.volume_ml.median).toBeCloseTo(0.288, 9);
    expect(fingerprint.hu.foreground.voxels).toBe(2 * 144);
    expect(fingerprint.hu.body.p5).toBeGreaterThan(-60);
    expect(fingerprint.scans[2]).toMatchObject({ case: "c", subset: "test", nodes: null });
    const page = await readFile(join(folder, "print/fingerprint.html"), "utf8");
    expect(page).toContain("Fingerprint of good");
    expect(page.match(/<svg /g)?.length).toBe(6);
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)|NaN/);
  });
});

describe("lnsnet preprocess", () => {
  test("writes once, then trains from it", async () => {
    const tokens = ["preprocess", "good", "--output", "cache", "--spacing", "0.75,0.75,1.25", "--json"];
    expect(JSON.parse((await lnsnet(tokens)).stdout)).toMatchObject({ cases: 2, written: 2 });
    expect(JSON.parse((await lnsnet(tokens)).stdout)).toMatchObject({ cases: 2, written: 0 });
    const train = ["train", "good", "--cache", "cache", "--output", "run", "--network", "lnsnet-small"];
    const few = ["--patch", "16,16,16", "--steps", "1", "--validate-every", "0", "--json"];
    const trained = await lnsnet([...train, ...few]);
    expect(trained.code, trained.stderr).toBe(0);
    const otherWindow = await lnsnet([...train, ...few, "--window", "0,100"]);
    expect(otherWindow.code).toBe(2);
    expect(otherWindow.stderr).toMatch(/cache was made with --window -160,240/);
  });
});

describe("several classes, as HECKTOR has them", () => {
  test("are no problem of a data set", async () => {
    const { code, stdout } = await lnsnet(["dataset", "check", "classes", "--json"]);
    expect(code, stdout).toBe(0);
    expect((await lnsnet(["dataset", "check", "classes", "--foreground", "GTVn"])).code).toBe(0);
    expect((await lnsnet(["dataset", "check", "classes", "--foreground", "bone"])).code).toBe(2);
  });

  test("are measured together, or one of them with its own instances", async () => {
    const tokens = ["dataset", "fingerprint", "classes", "--json", "--output"];
    const both = JSON.parse((await lnsnet([...tokens, "classes-print"])).stdout);
    expect(both.nodes.total).toBe(4);
    expect(
      both.classes.map(({ name, nodes }: { name: string; nodes: { total: number } }) => [name, nodes.total]),
    ).toEqual([
      ["GTVp", 2],
      ["GTVn", 2],
    ]);
    const { stdout } = await lnsnet([...tokens, "class-print", "--foreground", "GTVn"]);
    const { nodes, hu } = JSON.parse(stdout);
    // Half of the body, 72 voxels of 2 mm³, in each of two scans.
    expect(nodes.total).toBe(2);
    expect(nodes.volume_ml.median).toBeCloseTo(0.144, 9);
    expect(hu.foreground.voxels).toBe(144);
  });

  test("are trained together or one alone, and a cache is of what was chosen", async () => {
    const few = ["--network", "lnsnet-small", "--patch", "16,16,16", "--steps", "1", "--validate-every", "0"];
    const cache = ["preprocess", "classes", "--output", "classes-cache", "--spacing", "0.75,0.75,1.25"];
    expect((await lnsnet([...cache, "--foreground", "GTVn"])).code).toBe(0);
    const cached = ["train", "classes", ...few, "--cache", "classes-cache"];
    const right = await lnsnet([...cached, "--output", "node", "--foreground", "GTVn"]);
    expect(right.code, right.stderr).toBe(0);
    const record = JSON.parse(await readFile(join(folder, "node/training.json"), "utf8"));
    expect(record.foreground).toBe("GTVn");
    for (const other of [["--foreground", "GTVp"], []]) {
      const wrong = await lnsnet([...cached, "--output", "other", ...other]);
      expect(wrong.code).toBe(2);
      expect(wrong.stderr).toMatch(/classes-cache holds another state of [ab]/);
    }
    const both = await lnsnet([
      "train",
      "classes",
      "--spacing",
      "0.75,0.75,1.25",
      ...few,
      "--output",
      "both",
    ]);
    expect(both.code, both.stderr).toBe(0);
    expect(JSON.parse(await readFile(join(folder, "both/training.json"), "utf8"))).toMatchObject({
      foreground: "GTVp, GTVn",
      network: { configuration: { classes: 3 } },
    });
  });

  test("are imported by name alone", async () => {
    const tokens = ["dataset", "import", "classes", "--output", "imported"];
    const merged = await lnsnet(tokens);
    expect(merged.code).toBe(2);
    expect(merged.stderr).toMatch(/classes has 2 classes.*such as --roi GTVn/);
    const { code, stdout, stderr } = await lnsnet([...tokens, "--roi", "/^GTVn$/", "--json"]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).imported).toMatchObject([{ components: 1 }, { components: 1 }]);
  });
});

describe("voxels that nobody judged", () => {
  test("are left out of training, and are an error of the import alone", async () => {
    const checked = await lnsnet(["dataset", "check", "ignoring", "--json"]);
    expect(checked.code, checked.stdout).toBe(0);
    const few = ["--network", "lnsnet-small", "--patch", "16,16,16", "--steps", "1"];
    few.push("--spacing", "0.75,0.75,1.25", "--validate-every", "0");
    const trained = await lnsnet(["train", "ignoring", "--output", "ignoring-run", ...few]);
    expect(trained.code, trained.stderr).toBe(0);
    const imported = await lnsnet(["dataset", "import", "ignoring", "--output", "ignoring-import", "--json"]);
    expect(imported.code).toBe(2);
    expect(JSON.parse(imported.stdout).failed).toMatchObject([
      { reason: expect.stringMatching(/72 voxels/) },
    ]);
  });
});

test.each<[string[], RegExp]>([
  [["dataset"], /no command "dataset"/],
  [["dataset", "fly"], /no command "dataset fly"/],
  [["dataset", "check"], /needs DATASET/],
  [["dataset", "check", "none"], /none does not exist/],
  [["dataset", "fingerprint", "bad"], /has no label for alone/],
  [["preprocess", "good", "--output", "new", "--spacing", "0,1,1"], /--spacing is "0"/],
  [["train", "good", "--cache", "good"], /good\/cache\.json does not exist/],
])("lnsnet %j ends with code 2 and one line", async (tokens, message) => {
  const { code, stdout, stderr } = await lnsnet(tokens);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^lnsnet: [^\n]+\n$/);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(await readdir(folder)).not.toContain("new");
});

test("lnsnet dataset --help lists its commands", async () => {
  const { code, stdout } = await lnsnet(["dataset", "--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain("  dataset check ");
  expect(stdout).not.toContain("  train ");
});
