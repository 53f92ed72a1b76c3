// The sound files that the fuzz check damages, and what the command is asked to do with each: real ones of fixtures, and of our own writing.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import {
  type NetworkSpecification,
  networkPresets,
  writeFcsv,
  writeMarkupsJson,
  writeModel,
  writeNifti,
} from "@lnsnet/core";
import { writeSafetensors } from "@lnsnet/core/formats";
import { sizeOf } from "@lnsnet/core/graph";
import { partsOf } from "@lnsnet/core/networks";

/** A file or folder with what is done to it. */
export interface Seed {
  readonly name: string;
  /** The group it is counted in, such as "DICOM CT". */
  readonly format: string;
  /** Files by path; the first ones are damaged. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly damaged: readonly string[];
  /** Commands, one of which is run; "OUT" stands for the path of what is written. */
  readonly commands: readonly (readonly string[])[];
  /** The command whose written file holds all that was read, to see whether a file cut short lost something; null where a cut cannot be seen. */
  readonly whole: readonly string[] | null;
  /** Whether the content is packed by gzip after it was damaged, so that damage is reached behind the checksum. */
  readonly packed: boolean;
  /** Whether every cut of it is tried. */
  readonly everyCut: boolean;
}

/** All seeds; about fifty. */
export function fuzzSeeds(): Seed[] {
  return [
    ...ctSeeds(),
    ...segmentationSeeds(),
    ...volumeSeeds(),
    ...zipSeeds(),
    ...modelSeeds(),
    ...textSeeds(),
  ];
}

const fixtures = fileURLToPath(new URL("../../fixtures", import.meta.url));
const fixture = (...path: readonly string[]): Uint8Array =>
  new Uint8Array(readFileSync(join(fixtures, ...path)));
const namesIn = (...path: readonly string[]): string[] => readdirSync(join(fixtures, ...path)).sort();

function seed(
  name: string,
  format: string,
  files: Readonly<Record<string, Uint8Array>>,
  commands: Seed["commands"],
  further: Partial<Pick<Seed, "damaged" | "whole" | "packed" | "everyCut">> = {},
): Seed {
  const all = new Map(Object.entries(files));
  return {
    name,
    format,
    files: all,
    damaged: [...all.keys()].slice(0, 1),
    commands,
    whole: commands.find(([command]) => command === "convert") ?? null,
    packed: false,
    everyCut: false,
    ...further,
  };
}

const imageCommands = (path: string): Seed["commands"] => [
  ["convert", path, "--output", "OUT.nii"],
  ["info", path],
];

function ctSeeds(): Seed[] {
  const small = [
    "jpeg-50",
    "jpeg-lossless-57-negative",
    "jpeg-2000-91",
    "jpeg-ls-80",
    "rle",
    "deflated",
    "implicit",
  ];
  const syntaxes = namesIn("dicom-ct", "syntaxes")
    .filter((name) => name.endsWith(".dcm"))
    .map((name) =>
      seed(name, "DICOM CT", { "x.dcm": fixture("dicom-ct", "syntaxes", name) }, imageCommands("x.dcm"), {
        everyCut: small.includes(name.slice(0, -4)),
      }),
    );
  const slices = (folder: string, count: number): Record<string, Uint8Array> =>
    Object.fromEntries(
      namesIn(...folder.split("/"))
        .slice(0, count)
        .map((name) => [`s/${name}`, fixture(...folder.split("/"), name)]),
    );
  const series = slices("imaging-cases/ct-control", 4);
  return [
    ...syntaxes,
    seed(
      "tilted",
      "DICOM CT",
      { "x.dcm": fixture("dicom-ct", "tilted-uneven", "04.dcm") },
      imageCommands("x.dcm"),
    ),
    seed(
      "explicit slice",
      "DICOM CT",
      { "x.dcm": fixture("imaging-cases", "ct-control", "IM0001.dcm") },
      imageCommands("x.dcm"),
      {
        everyCut: true,
      },
    ),
    seed(
      "enhanced, RLE",
      "DICOM CT",
      { "x.dcm": fixture("imaging-cases", "enh-rle-extended-offset-table-OV", "e.dcm") },
      imageCommands("x.dcm"),
    ),
    seed("series", "DICOM series", series, imageCommands("s"), { damaged: Object.keys(series) }),
  ];
}

function segmentationSeeds(): Seed[] {
  const commands = (path: string): Seed["commands"] => [
    ["convert", path, "--output", "OUT.nii"],
    ["info", path],
    ["measure", path],
  ];
  const segs = namesIn("dicom-seg")
    .filter((name) => name.endsWith(".dcm.gz"))
    .map((name) =>
      seed(
        name,
        "DICOM SEG",
        { "x.dcm": new Uint8Array(gunzipSync(fixture("dicom-seg", name))) },
        commands("x.dcm"),
      ),
    );
  const cases = ["seg-korean-iso2022ir149", "seg-labelmap-palette", "seg-single-frame-thickness-5"].map(
    (folder) =>
      seed(folder, "DICOM SEG", { "x.dcm": fixture("imaging-cases", folder, "seg.dcm") }, commands("x.dcm"), {
        everyCut: folder === "seg-single-frame-thickness-5",
      }),
  );
  const ct = Object.fromEntries(
    namesIn("imaging-cases", "rt-uneven-3-then-6", "ct").map((name) => [
      `ct/${name}`,
      fixture("imaging-cases", "rt-uneven-3-then-6", "ct", name),
    ]),
  );
  // What the contours of roi-names lie on, in a format that states no frame of reference.
  const drawnOn = writeNifti(
    {
      size: [50, 50, 4],
      spacingMm: [1, 1, 3],
      originMm: [0, 0, 0],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      data: new Int16Array(10_000),
    },
    { compress: false },
  );
  return [
    ...segs,
    ...cases,
    seed(
      "structures",
      "RTSTRUCT",
      { "RS.dcm": fixture("imaging-cases", "rt-uneven-3-then-6", "RS.dcm"), ...ct },
      [
        ["convert", "RS.dcm", "--reference", "ct", "--output", "OUT.nii"],
        ["info", "RS.dcm"],
        ["measure", "RS.dcm", "--image", "ct"],
      ],
    ),
    seed(
      "structures on a volume",
      "RTSTRUCT",
      { "RS.dcm": fixture("robustness-cases", "roi-names", "evil.dcm"), "ct.nii": drawnOn },
      [["convert", "RS.dcm", "--reference", "ct.nii", "--output", "OUT.nii"]],
      { everyCut: true },
    ),
    seed("rtstruct_pydicom", "RTSTRUCT", { "x.dcm": fixture("dicom-seg", "rtstruct_pydicom.dcm") }, [
      ["info", "x.dcm"],
      ["convert", "x.dcm", "--output", "OUT.nii"],
    ]),
  ];
}

function volumeSeeds(): Seed[] {
  const formats: Readonly<Record<string, string>> = { nii: "NIfTI", nrrd: "NRRD", mha: "MetaImage" };
  // Not the NRRD of text: where its last number is cut short, nothing tells.
  const everyCut = ["no-orientation.nii", "qform-only.nii.gz", "itk-oblique.nrrd", "itk-oblique.mha"];
  const single = namesIn("volumes")
    .filter((name) => /\.(nii|nii\.gz|nrrd|mha)$/.test(name))
    .flatMap((name) => {
      const format = formats[/\.(nii|nrrd|mha)/.exec(name)?.[1] ?? ""];
      const bytes = fixture("volumes", name);
      const plain = seed(name, format, { [name]: bytes }, imageCommands(name), {
        everyCut: everyCut.includes(name),
      });
      if (!name.endsWith(".gz")) return [plain];
      const content = new Uint8Array(gunzipSync(bytes));
      return [
        plain,
        seed(`${name}, damaged within`, format, { [name]: content }, imageCommands(name), { packed: true }),
      ];
    });
  const pairs = (["mhd", "nhdr"] as const).map((ending) =>
    seed(
      `pair .${ending}`,
      ending === "mhd" ? "MetaImage" : "NRRD",
      {
        [`detached.${ending}`]: fixture("volumes", `detached.${ending}`),
        "detached.raw": fixture("volumes", "detached.raw"),
      },
      imageCommands(`detached.${ending}`),
      // Not the NRRD: it has its voxels at the end of the file, wherever that is (byte skip −1).
      { damaged: [`detached.${ending}`, "detached.raw"], everyCut: ending === "mhd" },
    ),
  );
  const seg = seed(
    "segmentation of Slicer",
    "NRRD",
    { "x.seg.nrrd": fixture("dicom-seg", "odd_size.nrrd") },
    [
      ["convert", "x.seg.nrrd", "--output", "OUT.nii"],
      ["measure", "x.seg.nrrd"],
    ],
  );
  return [...single, ...pairs, seg];
}

function zipSeeds(): Seed[] {
  const names = ["zip-crc/sound.zip", "zip-names/constructor.zip", "zip-names/unicode.zip"];
  return names.map((name) =>
    seed(name, "zip", { "x.zip": fixture("robustness-cases", ...name.split("/")) }, imageCommands("x.zip"), {
      everyCut: name === "zip-crc/sound.zip",
    }),
  );
}

function modelSeeds(): Seed[] {
  const preset = networkPresets["lnsnet-small"];
  if (preset.name !== "lnsnet") throw new Error("lnsnet-small is no preset of lnsnet.");
  const network: NetworkSpecification = {
    ...preset,
    configuration: { ...preset.configuration, stages: [4, 4], depths: [1, 0], decoderDepth: 0 },
  };
  const { parameters, buffers } = partsOf(network, [16, 16, 16]);
  const weights = new Map(
    [...parameters, ...buffers].map(({ name, shape }) => [name, new Float32Array(sizeOf(shape)).fill(0.1)]),
  );
  const plan = {
    network,
    patchSize: [16, 16, 16],
    spacingMm: [1, 1, 2],
    window: { lowHu: -160, highHu: 240 },
    foreground: "lymph node",
    dataLabel: "phantom",
  } as const;
  const vector = (length: number) => ({
    dtype: "F32" as const,
    shape: [length],
    data: new Float32Array(length),
  });
  const state = writeSafetensors(new Map(["theta", "m", "v", "average"].map((name) => [name, vector(20)])), {
    kind: "lnsnet-training-state",
    step: "5",
    history: "{}",
    run: "",
  });
  const commands = [["export", "--model", "x.safetensors", "--output", "OUT.onnx"]];
  const model = writeModel({ plan, steps: 5, weights }, true);
  return [
    seed("model", "safetensors", { "x.safetensors": model }, commands, { whole: commands[0] }),
    seed("state", "safetensors", { "x.safetensors": state }, commands, {
      everyCut: true,
      whole: commands[0],
    }),
  ];
}

function textSeeds(): Seed[] {
  const points = [
    { name: "node 1", pointLpsMm: [10.5, -20.25, 30] },
    { name: 'left, "II"', pointLpsMm: [-1.5, 2, 3e-2] },
  ] as const;
  const text = (content: string) => new Uint8Array(Buffer.from(content));
  const image = (id: string) => gzipSync(new Uint8Array(gunzipSync(fixture("volumes", `${id}.nii.gz`))));
  const dataset = {
    name: "trial",
    labels: { background: 0, node: 1 },
    channel_names: { 0: "CT" },
    numTraining: 1,
    file_ending: ".nii.gz",
  };
  return [
    seed(
      "points.fcsv",
      "markups",
      { "p.fcsv": text(writeFcsv(points)) },
      [["convert", "p.fcsv", "--output", "OUT.mrk.json"]],
      {
        whole: null,
      },
    ),
    seed(
      "points.mrk.json",
      "markups",
      { "p.mrk.json": text(writeMarkupsJson(points)) },
      [["convert", "p.mrk.json", "--output", "OUT.fcsv"]],
      { everyCut: true },
    ),
    seed(
      "dataset.json",
      "JSON",
      {
        "d/dataset.json": text(JSON.stringify(dataset, null, 1)),
        "d/imagesTr/a_0000.nii.gz": new Uint8Array(image("qform-only")),
        "d/labelsTr/a.nii.gz": new Uint8Array(image("qform-only")),
      },
      [["dataset", "check", "d"]],
      { damaged: ["d/dataset.json"], whole: null },
    ),
  ];
}
