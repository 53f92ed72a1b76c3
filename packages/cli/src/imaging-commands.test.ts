// `lnsnet info`, `convert`, `measure` and `dataset import` as a user runs them, on a synthetic study.
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readVolume, writeNifti, writeVolume } from "@lnsnet/core/formats";
import { type Geometry, sameGeometry, type Volume } from "@lnsnet/core/volume";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CtSeries, ctFiles } from "../../node/src/dicom.test-helper.js";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

/** Turned by 3-4-5 about z, and stacked downwards: nothing that a careless reader gets right by luck. */
const grid: Geometry = {
  size: [20, 18, 12],
  spacingMm: [1, 1.5, 2.5],
  originMm: [-12.5, 30, 100],
  direction: [0.6, 0.8, 0, 0.8, -0.6, 0, 0, 0, -1],
};
const voxels = 20 * 18 * 12;
const hu = Int16Array.from({ length: voxels }, (_, n) => (n % 20 < 3 ? -1000 : ((n * 37) % 300) - 100));

/** Two bodies of 5 × 5 × 4 and 4 × 6 × 3 voxels. */
function nodes(): Volume<Uint8Array> {
  const data = new Uint8Array(voxels);
  const box = (value: number, [i, j, k]: readonly number[], [a, b, c]: readonly number[]) => {
    for (let z = k; z < k + c; z++)
      for (let y = j; y < j + b; y++) data.fill(value, i + 20 * (y + 18 * z), i + a + 20 * (y + 18 * z));
  };
  box(1, [4, 3, 2], [5, 5, 4]);
  box(2, [13, 9, 6], [4, 6, 3]);
  return { ...grid, data };
}

const neck: CtSeries = {
  ...grid,
  hu,
  patientId: "P-0815",
  seriesUid: "1.2.3.4",
  frameOfReferenceUid: "1.2.3.9",
};

let folder = "";
let session: LnsnetSession;
const lnsnet = (...tokens: string[]) => session.run(...tokens);
const inFolder = (...parts: string[]) => join(folder, ...parts);
const read = async (name: string) => readVolume(await readFile(inFolder(name)), name);

async function writeSeries(path: string, series: CtSeries): Promise<void> {
  await mkdir(inFolder(path), { recursive: true });
  for (const { name, bytes } of ctFiles(series)) await writeFile(inFolder(path, name), bytes);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-imaging-"));
  session = lnsnetSession(folder);
  await writeSeries("neck", neck);
  await writeSeries("other", {
    ...neck,
    seriesUid: "1.2.5.4",
    frameOfReferenceUid: "1.2.5.9",
    patientId: "P-4711",
  });
  await writeSeries("both/a", neck);
  await writeSeries("both/b", { ...neck, seriesUid: "1.2.6.4", description: "thorax" });
  await writeSeries("mr", { ...neck, modality: "MR" });
  await writeFile(inFolder("nodes.nii.gz"), writeNifti(nodes()));
  const binary = { ...grid, data: nodes().data.map((value) => Math.min(value, 1)) };
  await writeFile(inFolder("binary.mha"), writeVolume(binary, "binary.mha"));
  await writeFile(inFolder("moved.nii.gz"), writeNifti({ ...nodes(), originMm: [0, 0, 0] }));
  const files = Object.fromEntries(ctFiles(neck).map(({ name, bytes }) => [`study/${name}`, bytes]));
  await writeFile(inFolder("neck.zip"), zipSync(files, { level: 1 }));
  await writeFile(inFolder("outside.zip"), zipSync({ "../../evil.dcm": files["study/0.dcm"] }));
  const bomb = zipSync({ "a.dcm": new Uint8Array(10) });
  const view = new DataView(bomb.buffer, bomb.byteOffset);
  for (let at = 0; at < bomb.length - 4; at++)
    if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 2 ** 31, true);
  await writeFile(inFolder("bomb.zip"), bomb);
  const nifti = (change: (view: DataView) => void) => {
    const bytes = writeVolume({ ...grid, data: hu }, "x.nii");
    change(new DataView(bytes.buffer, bytes.byteOffset));
    return bytes;
  };
  await writeFile(
    inFolder("time.nii"),
    nifti((header) => {
      header.setInt16(40, 4, true);
      header.setInt16(46, 6, true);
      header.setInt16(48, 2, true);
    }),
  );
  await writeFile(
    inFolder("colour.nii"),
    nifti((header) => header.setInt16(70, 128, true)),
  );
  await writeFile(
    inFolder("flat.nii"),
    nifti((header) => {
      for (const row of [280, 296, 312]) header.setFloat32(row, 0, true);
    }),
  );
  const first = await readFile(inFolder("neck/0.dcm"));
  await writeFile(inFolder("cut.dcm"), first.subarray(0, first.length - 100));
  for (const format of ["seg", "rtstruct"]) {
    const made = await lnsnet(
      "convert",
      "nodes.nii.gz",
      "--reference",
      "neck",
      "--format",
      format,
      "--output",
      `${format}.dcm`,
    );
    expect(made, format).toMatchObject({ code: 0, stderr: "" });
  }
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

describe("lnsnet info", () => {
  test("lists every series with its grid, and what is no image", async () => {
    await mkdir(inFolder("listed"));
    await copyFile(inFolder("seg.dcm"), inFolder("listed/seg.dcm"));
    await symlink(inFolder("both"), inFolder("listed/link"));
    const { code, stdout } = await lnsnet("info", "both", "--json");
    expect(code).toBe(0);
    const { series } = JSON.parse(stdout);
    expect(series.map((candidate: { description: string }) => candidate.description)).toEqual([
      "neck",
      "thorax",
    ]);
    expect(series[0]).toMatchObject({ number: 1, modality: "CT", slices: 12, uid: "1.2.3.4", problems: [] });
    expect(series[0].geometry.size).toEqual([20, 18, 12]);
    expect(series[0].geometry.spacing_mm.map((value: number) => value.toFixed(6))).toEqual([
      "1.000000",
      "1.500000",
      "2.500000",
    ]);
    const listed = await lnsnet("info", "listed");
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(/^SEG: .*seg\.dcm/);
    expect(listed.stdout).toMatch(/refers to 12 images or objects of the series 1\.2\.3\.4/);
    expect(listed.stdout).toMatch(/no image: .*link/);
  });

  test("a file that cannot be read is a problem of its own beside others, alone it is refused", async () => {
    await mkdir(inFolder("mixed"));
    for (const name of ["time.nii", "nodes.nii.gz"]) await copyFile(inFolder(name), inFolder("mixed", name));
    const { code, stdout } = await lnsnet("info", "mixed", "--json");
    expect(code).toBe(0);
    const [fine, unreadable] = JSON.parse(stdout).volumes;
    expect(fine).toMatchObject({ type: "uint8", problems: [] });
    expect(unreadable).toMatchObject({
      geometry: null,
      problems: [expect.stringMatching(/20 × 18 × 6 × 2/)],
    });
    expect(await lnsnet("info", "time.nii")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^lnsnet: time\.nii .*20 × 18 × 6 × 2/),
    });
  });
});

describe("lnsnet convert", () => {
  test("a series to every volume format, one after the other: voxels and place stay", async () => {
    let from = "neck";
    for (const name of ["a.nii.gz", "b.nrrd", "c.mha", "d.nii"]) {
      expect(await lnsnet("convert", from, "--output", name)).toMatchObject({ code: 0, stderr: "" });
      from = name;
    }
    expect(voxelsInPlace(await read("d.nii"), hu)).toBe(voxels);
  });

  test("a zip archive is read as its folder is", async () => {
    expect(await lnsnet("convert", "neck.zip", "--output", "zip.nrrd")).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect(voxelsInPlace(await read("zip.nrrd"), hu)).toBe(voxels);
  });

  test("a series is chosen by number, UID or description", async () => {
    for (const wanted of ["2", "1.2.6.4", "THORAX"])
      expect((await lnsnet("convert", "both", "--series", wanted, "--output", `${wanted}.nii.gz`)).code).toBe(
        0,
      );
  });

  test.each(["seg", "rtstruct"])("labels to %s and back are the same labels", async (format) => {
    const made = await lnsnet(
      "convert",
      `${format}.dcm`,
      "--reference",
      "neck",
      "--output",
      `${format}.nii.gz`,
    );
    expect(made, made.stderr).toMatchObject({ code: 0 });
    const labels = await read(`${format}.nii.gz`);
    expect(voxelsInPlace(labels, nodes().data)).toBe(voxels);
  });

  test("a pattern takes some of the labels", async () => {
    const tokens = [
      "convert",
      "seg.dcm",
      "--reference",
      "neck",
      "--output",
      "one.nii.gz",
      "--roi",
      "/node 2$/i",
    ];
    expect((await lnsnet(...tokens)).stdout).toContain("one.nii.gz: 1 label\n");
    const labels = await read("one.nii.gz");
    expect(labels.data.filter((value) => value !== 0).length).toBe(4 * 6 * 3);
  });

  test("points of 3D Slicer, there and back", async () => {
    const text =
      "# Markups fiducial file version = 4.11\n# CoordinateSystem = RAS\n# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n1,1,-2,3,0,0,0,1,1,1,0,node a,,\n";
    await writeFile(inFolder("points.fcsv"), text);
    expect((await lnsnet("convert", "points.fcsv", "--output", "points.mrk.json")).code).toBe(0);
    const [markup] = JSON.parse(await readFile(inFolder("points.mrk.json"), "utf8")).markups;
    expect(markup).toMatchObject({
      coordinateSystem: "LPS",
      controlPoints: [{ label: "node a", position: [-1, 2, 3] }],
    });
    expect((await lnsnet("convert", "points.mrk.json", "--output", "back.fcsv")).code).toBe(0);
    expect(await readFile(inFolder("back.fcsv"), "utf8")).toMatch(/,-1,2,3,.*node a/);
  });

  test("one value becomes a segment for each component", async () => {
    await lnsnet("convert", "binary.mha", "--reference", "neck", "--format", "seg", "--output", "binary.dcm");
    const { stdout } = await lnsnet(
      "convert",
      "binary.dcm",
      "--reference",
      "neck",
      "--output",
      "binary.nii.gz",
    );
    expect(stdout).toContain("2 labels");
  });

  test.each(["seg", "rtstruct"])(
    "an anonymous %s names no patient, date or UID of the source",
    async (format) => {
      const tokens = [
        "convert",
        "nodes.nii.gz",
        "--reference",
        "neck",
        "--format",
        format,
        "--anonymize",
        "--salt",
        "x",
      ];
      const output = `anonymous-${format}.dcm`;
      expect((await lnsnet(...tokens, "--output", output)).code).toBe(0);
      const text = new TextDecoder("latin1").decode(await readFile(inFolder(output)));
      const known = new TextDecoder("latin1").decode(await readFile(inFolder(`${format}.dcm`)));
      for (const secret of ["P-0815", "Doe", "20240102", "1.2.3.4", "1.2.3.9"]) {
        expect(known, secret).toContain(secret);
        expect(text, secret).not.toContain(secret);
      }
      expect(text).not.toContain(
        String(new Date().getFullYear()).concat(String(new Date().getMonth() + 1).padStart(2, "0")),
      );
      expect(text).toContain("YES");
    },
  );
});

describe("lnsnet measure", () => {
  test.each(["nodes.nii.gz", "seg.dcm", "rtstruct.dcm"])(
    "%s: two nodes of known volume, each with its HU",
    async (labels) => {
      const { code, stdout } = await lnsnet("measure", labels, "--image", "neck", "--json");
      expect(code).toBe(0);
      const { nodes: measured } = JSON.parse(stdout);
      expect(measured.map((node: { volume_ml: number }) => node.volume_ml.toFixed(6))).toEqual([
        "0.375000",
        "0.270000",
      ]);
      expect(measured[0].short_axis_mm).toBeGreaterThan(4);
      expect(measured[0].hu_mean).toBeGreaterThan(-101);
    },
  );

  test("--csv writes the table, names and all, beside what is printed", async () => {
    const { code, stdout } = await lnsnet("measure", "seg.dcm", "--csv", "nodes.csv");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^node\s+name\s+volume \(mL\)/);
    const [header, ...rows] = (await readFile(inFolder("nodes.csv"), "utf8")).trimEnd().split("\n");
    expect(header).toMatch(/^id,name,volume_ml,/);
    expect(rows.map((row) => row.split(",").slice(0, 2))).toEqual([
      ["1", "Lymph node 1"],
      ["2", "Lymph node 2"],
    ]);
  });
});

describe("lnsnet dataset import", () => {
  test("DICOM studies, without identifiers; goes on; a case that fails is listed", async () => {
    for (const [patient, series] of [
      ["P-0815", "neck"],
      ["P-4711", "other"],
    ]) {
      await mkdir(inFolder("studies", patient, "ct"), { recursive: true });
      for (const name of await readdir(inFolder(series)))
        await copyFile(inFolder(series, name), inFolder("studies", patient, "ct", name));
      // The second patient's folder holds the first one's contours.
      await copyFile(inFolder("rtstruct.dcm"), inFolder("studies", patient, "rs.dcm"));
    }
    const tokens = [
      "dataset",
      "import",
      "studies",
      "--output",
      "imported",
      "--keep-mapping",
      "mapping.csv",
      "--json",
    ];
    const first = await lnsnet(...tokens);
    expect(first.code).toBe(2);
    const result = JSON.parse(first.stdout);
    expect(result.imported).toEqual([
      {
        case: "case_0001",
        patient: 1,
        subset: "training",
        components: 2,
        rois: ["Lymph node 1", "Lymph node 2"],
      },
    ]);
    expect(result.failed).toEqual([
      {
        origin: expect.stringContaining("P-4711"),
        reason: expect.stringMatching(/series .* not in its folder/),
      },
    ]);
    expect(JSON.parse((await lnsnet(...tokens, "--force")).stdout)).toMatchObject({ imported: [], kept: 1 });

    expect((await readdir(inFolder("imported"))).sort()).toEqual([
      ".import-salt",
      "dataset.json",
      "imagesTr",
      "import.json",
      "instancesTr",
      "labelsTr",
    ]);
    const instances = await read("imported/instancesTr/case_0001.nii.gz");
    expect(voxelsInPlace(instances, nodes().data)).toBe(voxels);
    const label = await read("imported/labelsTr/case_0001.nii.gz");
    expect(label.data).toEqual(instances.data.map((value) => Math.min(value, 1)));
    expect(voxelsInPlace(await read("imported/imagesTr/case_0001_0000.nii.gz"), hu)).toBe(voxels);
    for (const name of ["import.json", "dataset.json"])
      expect(await readFile(inFolder("imported", name), "utf8")).not.toMatch(/0815|4711|Doe|1\.2\.3/);
    expect(await readFile(inFolder("mapping.csv"), "utf8")).toMatch(/case_0001,P-0815,/);
    expect((await lnsnet("dataset", "check", "imported")).code).toBe(0);
  });

  test("TCIA CT Lymph Nodes, and SEG chosen by a pattern; patients drawn for testing", async () => {
    const copySeries = async (from: string, ...to: string[]) => {
      await mkdir(inFolder(...to), { recursive: true });
      for (const name of await readdir(inFolder(from)))
        await copyFile(inFolder(from, name), inFolder(...to, name));
    };
    await copySeries("neck", "tcia", "CT Lymph Nodes", "MED_LYMPH_001", "study", "series");
    await mkdir(inFolder("tcia/MASKS/MED_LYMPH_001"), { recursive: true });
    await writeFile(inFolder("tcia/MASKS/MED_LYMPH_001/MED_LYMPH_001_mask.nii.gz"), writeNifti(nodes()));
    const tcia = await lnsnet("dataset", "import", "tcia", "--output", "from-tcia", "--json");
    expect(JSON.parse(tcia.stdout)).toMatchObject({ imported: [{ components: 2 }], failed: [] });
    expect(voxelsInPlace(await read("from-tcia/instancesTr/case_0001.nii.gz"), nodes().data)).toBe(voxels);

    await copySeries("neck", "segs", "ct");
    await copyFile(inFolder("seg.dcm"), inFolder("segs/seg.dcm"));
    const tokens = [
      "dataset",
      "import",
      "segs",
      "--output",
      "from-segs",
      "--layout",
      "seg",
      "--roi",
      "node 1",
      "--test-share",
      "1",
    ];
    const segs = await lnsnet(...tokens, "--json");
    expect(JSON.parse(segs.stdout).imported).toMatchObject([
      { subset: "test", components: 1, rois: ["Lymph node 1"] },
    ]);
    expect(await readdir(inFolder("from-segs"))).toContain("imagesTs");
  });

  test("HECKTOR, LNQ and an nnU-Net data set", async () => {
    const scan: Volume = { ...grid, data: hu };
    await mkdir(inFolder("hecktor"));
    await writeFile(inFolder("hecktor/CHUM-001__CT.nii.gz"), writeNifti(scan));
    await writeFile(inFolder("hecktor/CHUM-001__PT.nii.gz"), writeNifti(scan));
    await writeFile(inFolder("hecktor/CHUM-001.nii.gz"), writeNifti(nodes()));
    const hecktor = JSON.parse(
      (await lnsnet("dataset", "import", "hecktor", "--output", "from-hecktor", "--json")).stdout,
    );
    // Label 1 is the primary tumour.
    expect(hecktor.imported).toMatchObject([{ components: 1, rois: ["GTVn"] }]);
    const label = await read("from-hecktor/labelsTr/case_0001.nii.gz");
    expect(label.data.filter((value) => value !== 0).length).toBe(4 * 6 * 3);

    await mkdir(inFolder("lnq"));
    await writeFile(inFolder("lnq/lnq2023-train-case_0001-ct.nrrd"), writeVolume(scan, "x.nrrd"));
    await writeFile(inFolder("lnq/lnq2023-train-case_0001-seg.nrrd"), writeVolume(nodes(), "x.nrrd"));
    const lnq = JSON.parse(
      (await lnsnet("dataset", "import", "lnq", "--output", "from-lnq", "--json")).stdout,
    );
    expect(lnq.imported).toMatchObject([{ components: 2 }]);

    const again = await lnsnet(
      "dataset",
      "import",
      "from-lnq",
      "--output",
      "again",
      "--test-share",
      "1",
      "--json",
    );
    // What the collection divides stays divided.
    expect(JSON.parse(again.stdout).imported).toMatchObject([{ subset: "training", components: 2 }]);
    const other = await lnsnet("dataset", "import", "lnq", "--output", "again", "--layout", "lnq");
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/holds an import with --layout auto/);
  });
});

test.each<[string[], RegExp]>([
  [["convert", "mr", "--output", "new.nii.gz"], /modality is MR, and CT is expected/],
  [["convert", "both", "--output", "new.nii.gz"], /2 series were found.*1: CT.*2: CT/],
  [["convert", "both", "--series", "9", "--output", "new.nii.gz"], /No series fit "9"/],
  [
    ["convert", "rtstruct.dcm", "--reference", "other", "--output", "new.nii.gz"],
    /frame of reference 1\.2\.3\.9.*1\.2\.5\.9/,
  ],
  [
    ["convert", "rtstruct.dcm", "--reference", "both", "--series", "2", "--output", "new.nii.gz"],
    /drawn on the series 1\.2\.3\.4/,
  ],
  [
    ["convert", "seg.dcm", "--reference", "other", "--output", "new.nii.gz"],
    /frame of reference 1\.2\.3\.9.*1\.2\.5\.9/,
  ],
  [["convert", "rtstruct.dcm", "--output", "new.nii.gz"], /no grid of their own/],
  [
    ["convert", "seg.dcm", "--roi", "spleen", "--output", "new.nii.gz"],
    /no ROI that matches.*"Lymph node 1"/,
  ],
  [["convert", "bomb.zip", "--output", "new.nii.gz"], /bomb\.zip would unpack to 2\.0 GiB/],
  [["convert", "outside.zip", "--output", "new.nii.gz"], /outside\.zip holds "\.\.\/\.\.\/evil\.dcm"/],
  [["convert", "time.nii", "--output", "new.nii.gz"], /20 × 18 × 6 × 2/],
  [["convert", "colour.nii", "--output", "new.nii.gz"], /colour/],
  [["convert", "flat.nii", "--output", "new.nii.gz"], /flat\.nii/],
  [["convert", "cut.dcm", "--output", "new.nii.gz"], /cut short or damaged/],
  [["convert", "neck", "--output", "new.png"], /--output is new\.png.*\.nii\.gz/],
  [["convert", "nodes.nii.gz", "--output", "new.dcm"], /give --format seg or rtstruct/],
  [["convert", "nodes.nii.gz", "--format", "seg", "--output", "new.dcm"], /needs --reference/],
  [
    ["convert", "moved.nii.gz", "--reference", "neck", "--format", "seg", "--output", "new.dcm"],
    /does not have the same geometry/,
  ],
  [["measure", "moved.nii.gz", "--image", "neck"], /does not have the same geometry/],
  [["dataset", "import", "none", "--output", "new"], /none does not exist/],
])("lnsnet %j: one sentence, exit code 2, nothing written", async (tokens, message) => {
  const { code, stdout, stderr } = await lnsnet(...tokens);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^lnsnet: [^\n]+\n$/);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect((await readdir(folder)).filter((name) => name.startsWith("new"))).toEqual([]);
});

/** How many voxels have the expected value; none where the volume does not lie on the study's grid. */
function voxelsInPlace(volume: Volume, expected: ArrayLike<number>): number {
  if (!sameGeometry(volume, grid)) return 0;
  let count = 0;
  for (let n = 0; n < volume.data.length; n++) if (volume.data[n] === expected[n]) count++;
  return count;
}
