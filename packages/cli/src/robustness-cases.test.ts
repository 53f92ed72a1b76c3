// Files made to break readers, through the commands: a sentence that names the file, at once and in little memory.
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeNifti } from "@lnsnet/core/formats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

const fixtures = fileURLToPath(new URL("../../../fixtures/", import.meta.url));
const robustness = join(fixtures, "robustness-cases");

let folder = "";
let session: LnsnetSession;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-robust-"));
  session = lnsnetSession(folder);
  const scan = {
    size: [50, 50, 4],
    spacingMm: [1, 1, 3],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    data: new Int16Array(10_000),
  } as const;
  await writeFile(join(folder, "scan.nii"), writeNifti(scan, { compress: false }));
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

let outputs = 0;
/** Runs a command; "OUT" becomes a path that nothing stands at. */
const lnsnet = (...tokens: string[]) => {
  const output = `out-${outputs++}`;
  return session.run(...tokens.map((token) => token.replace("OUT", output)));
};

/** The commands that read a file of such a name. */
function commandsFor(path: string): string[][] {
  if (/\.(fcsv|mrk\.json)$/.test(path)) return [["convert", path, "--output", "OUT.fcsv"]];
  if (path.endsWith(".safetensors")) return [["export", "--model", path, "--output", "OUT.onnx"]];
  const image = [
    ["info", path],
    ["info", path, "--json"],
    ["convert", path, "--output", "OUT.nii"],
  ];
  const labels = [
    ["convert", path, "--reference", "scan.nii", "--output", "OUT.nii"],
    ["measure", path, "--csv", "OUT.csv"],
  ];
  return /\/(rt|seg|roi|nifti|fuzz-seg)/.test(path) ? [...image, ...labels] : image;
}

const foldersIn = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

describe.each(foldersIn(robustness))("%s", (name) => {
  test.each(readdirSync(join(robustness, name)))(
    "%s ends at once, in little memory, in safe and short print, by its name where it is refused",
    async (file) => {
      for (const tokens of commandsFor(join(robustness, name, file))) {
        const { code, stdout, stderr, seconds, peakBytes } = await lnsnet(...tokens);
        expect({ tokens, code, stderr }).toMatchObject({ code: code === 0 ? 0 : 2 });
        expect(stdout + stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
        if (!tokens.includes("--json")) expect((stdout + stderr).length).toBeLessThan(5000);
        if (code === 2) expect(stdout + stderr).toContain(file);
        expect(seconds).toBeLessThan(5);
        expect(peakBytes).toBeLessThan(2 ** 30);
      }
    },
  );
});

test("every folder of cases is named by a test", () => {
  const packages = fileURLToPath(new URL("../../", import.meta.url));
  const texts = readdirSync(packages, { recursive: true, encoding: "utf8" })
    .filter((path) => /^(core|node|cli)[/\\]src[/\\].*\.test\.ts$/.test(path))
    .map((path) => readFileSync(join(packages, path), "utf8"))
    .join("\n");
  const named = (folder: string) => new RegExp(`["'\`/]${folder}["'\`/]`).test(texts);
  const cases = [...foldersIn(robustness), ...foldersIn(join(fixtures, "imaging-cases"))];
  expect(cases.filter((folder) => !named(folder))).toEqual([]);
});

describe("what is found in", () => {
  test.each([
    ["mha-spaces/a.mha", /dimensions x \(NDims 3\)/],
    ["nrrd-parens/a.nrrd", /space directions \(\(\(.*three vectors of three numbers/],
    ["nrrd-spaces/a.nrrd", /space origin \( .*three numbers such as/],
    ["nrrd-origin-parens/a.nrrd", /space origin \(1,1,\(1,1,.*three numbers such as/],
    ["fcsv-quotes/a.fcsv", /places its point 1 at \(NaN\)/],
    ["fcsv-quotes/b.fcsv", /position status a,/],
    ["json-types/position.mrk.json", /point 1 at \(an object, 0, 0\)/],
    ["json-types/symbol.mrk.json", /coordinate system an object/],
    ["nifti-spacing/big.nii.gz", /spacing of 1000000020040877.*from 0\.0001 to 1000/],
    ["nifti-spacing/large.nii.gz", /spacing of 10000 × 10000 × 10000 mm/],
    ["nifti-spacing/tiny.nii.gz", /spacing of 9\.99.*e-21/],
    ["safetensors-deep/dtype.safetensors", /tensor "a" as \[\[\[…\]\]\], and one of/],
    ["safetensors-deep/shape.safetensors", /tensor "a" of the shape \[\[\[…\]\]\]/],
    ["model-nan/nan.safetensors", /a number in boundary\.depthwise\.weight that is NaN or infinite/],
    ["zip-crc/stored-damaged.zip", /"a\.dcm", which is damaged \(its checksum/],
    ["fuzz-zip/0-stored.zip", /which is damaged \(its checksum/],
    ["zip-names/abs.zip", /"\/tmp\/x\.dcm", a name that leads out/],
    ["zip-names/back.zip", /a name that leads out/],
    ["zip-names/dotdot.zip", /a name that leads out/],
    ["zip-names/drive.zip", /a name that leads out/],
    ["zip-names/symlink.zip", /link\.dcm is not a DICOM file/],
    ["zip-sizes/deflate-usize-200MB.zip", /its checksum or length does not match/],
    ["zip-sizes/deflate-usize-4GB.zip", /would unpack to 3\.7 GiB/],
    ["zip-sizes/encrypted.zip", /which is encrypted/],
    ["zip-sizes/method99.zip", /compressed by the unknown method 99/],
    ["zip-sizes/offset.zip", /"a\.dcm", which is damaged;/],
    ["zip-sizes/size-beyond.zip", /"a\.dcm", which is damaged;/],
    ["zip-sizes/usize-small.zip", /its checksum or length does not match/],
  ])("%s is said", async (path, message) => {
    const [first] = commandsFor(join(robustness, path));
    const { code, stderr } = await lnsnet(...first);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test.each([
    "zip-crc/sound",
    "zip-names/constructor",
    "zip-names/esc",
    "zip-names/nl",
    "zip-names/proto",
    "zip-names/proto2",
    "zip-names/unicode",
  ])("%s.zip is one series of a slice", async (name) => {
    const { code, stdout } = await lnsnet("info", join(robustness, `${name}.zip`));
    expect(code).toBe(0);
    expect(stdout).toContain("4×4×1 voxels of 1×1×1 mm");
  });

  test("fuzz-zip/0-a.zip is the entries that are sound, and the damaged ones by name", async () => {
    const { code, stdout } = await lnsnet("info", join(robustness, "fuzz-zip/0-a.zip"));
    expect(code).toBe(0);
    expect(stdout).toContain("volume: mtk-oblique.mha");
    expect(stdout).toMatch(/"23x38x3\.dcm", which is damaged/);
  });
});

test.each([
  ["fuzz-seg/0-liver_nonbyte_aligned_j2k.dcm", /an item of \(0062,000A\) is longer than its sequence/],
  ["fuzz-seg/1-seg.dcm", /an item of \(0062,000A\) is longer than its sequence/],
  ["fuzz-seg/0-sparse-labelmap-noppv.dcm", /2 frames so far apart that their grid would be/],
])("%s is refused by measure", async (path, message) => {
  const { code, stderr } = await lnsnet("measure", join(robustness, path));
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

test.each(["dense", "far", "zfar"])(
  "rt-far: of %s.dcm what lies on the scan is measured, and the rest is said",
  async (name) => {
    const path = join(robustness, "rt-far", `${name}.dcm`);
    const { code, stdout, stderr } = await lnsnet("measure", path, "--image", "scan.nii");
    expect(code).toBe(0);
    expect(stdout).toMatch(/1 {2}LN/);
    expect(stderr).toContain("1 contour wholly or partly outside the grid");
  },
);

// They lie at one place, so that each is measured by itself.
test.each([
  ["GTVn", String.raw`\u001b]0;owned\u0007\u001b[31mGTVn`, String.raw`"\u001b]0;owned\u0007\u001b[31mGTVn"`],
  ["calc", `=cmd|"/c calc"!A1 node`, `"'=cmd|""/c calc""!A1 node"`],
  ["script", "<script>alert(1)</script> LN", "<script>alert(1)</script> LN"],
])(
  "roi-names: %s is written out on the terminal, and no formula in the table",
  async (roi, printed, field) => {
    const path = join(robustness, "roi-names", "evil.dcm");
    const csv = `${roi}.csv`;
    const { code, stdout } = await lnsnet("measure", path, "--image", "scan.nii", "--roi", roi, "--csv", csv);
    expect(code).toBe(0);
    expect(stdout).toContain(printed);
    expect(readFileSync(join(folder, csv), "utf8")).toContain(`\n1,${field},`);
    const tokens = ["--reference", "scan.nii", "--roi", roi, "--output", "OUT.nii"];
    for (const printing of [await lnsnet("info", path), await lnsnet("convert", path, ...tokens)]) {
      expect(printing.code).toBe(0);
      expect(printing.stdout).toContain(printed);
      expect(printing.stdout + printing.stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
    }
  },
);

describe("the cases of imaging that are volume files", () => {
  const imaging = (path: string) => join(fixtures, "imaging-cases", path);

  test.each([
    [
      "nii-gz-zero-padding/x.nii.gz",
      "24×20×12 voxels of 0.9×1.1×2.5 mm from (-10, -30, 100) mm, stored LPS",
      "",
    ],
    ["mha-zlib-padded/x.mha", "24×20×12 voxels of 0.9×1.1×2.5 mm from (5, 6, 7) mm", ""],
    [
      "nii-sform-zero-qform-valid/x.nii.gz",
      "24×20×12 voxels of 0.9×1.1×2.5 mm from (-10, -30, 100) mm, stored LPS",
      "note: The sform is all zeros although its code is positive; the qform is used.",
    ],
  ])("%s is read", async (path, geometry, note) => {
    const { code, stdout } = await lnsnet("info", imaging(path));
    expect(code).toBe(0);
    expect(stdout).toContain(geometry);
    expect(stdout).toContain(note);
    expect((await lnsnet("convert", imaging(path), "--output", "OUT.nii.gz")).code).toBe(0);
  });

  test.each([
    [
      "nii-pair/x.hdr",
      /x\.hdr is the header of a NIfTI pair \(\.hdr and \.img\).*convert the pair to \.nii\.gz/,
    ],
    ["nii-pair", /x\.hdr is the header of a NIfTI pair/],
    [
      "nii-negative-pixdim-qform/x.nii",
      /voxel spacing of 0\.899.* × 1\.1.* × -2\.5 mm, and three positive numbers/,
    ],
  ])("%s is refused in its own words", async (path, message) => {
    for (const tokens of [
      ["info", imaging(path)],
      ["convert", imaging(path), "--output", "OUT.nii"],
    ]) {
      const { code, stderr } = await lnsnet(...tokens);
      expect(code).toBe(2);
      expect(stderr).toMatch(message);
    }
  });
});

describe("the cases of imaging that are labels", () => {
  const imaging = (path: string) => join(fixtures, "imaging-cases", path);

  test("lab-almost: 0.99999988 is the label 1", async () => {
    const { code, stdout } = await lnsnet("measure", imaging("lab-almost/l.nii.gz"), "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout).nodes).toHaveLength(2);
  });

  test("rt-trailing-backslash-big is read, and no sentence holds its contours", async () => {
    const tokens = ["--reference", imaging("ct-control"), "--output", "OUT.nii"];
    const { code, stdout, stderr } = await lnsnet(
      "convert",
      imaging("rt-trailing-backslash-big/RS.dcm"),
      ...tokens,
    );
    expect(code).toBe(0);
    expect(stdout).toContain("1  GTVn");
    expect((stdout + stderr).length).toBeLessThan(400);
  });

  test("import-labelmap-palette is imported, each of its segments a node", async () => {
    const tokens = ["--output", "palette", "--roi", "/./"];
    const { code, stdout } = await lnsnet("dataset", "import", imaging("import-labelmap-palette"), ...tokens);
    expect(code).toBe(0);
    expect(stdout).toContain("1 case imported");
    const imported = join(folder, "palette/instancesTr/case_0001.nii.gz");
    const { nodes } = JSON.parse((await lnsnet("measure", imported, "--json")).stdout);
    expect(nodes.map(({ voxels }: { voxels: number }) => voxels)).toEqual([64, 48]);
  });
});
