// Checks of DICOM CT: transfer syntaxes, a tilted series, malformed files, and the NIfTI twins of other converters.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  chooseSeries,
  InputError,
  indexOfPoint,
  listSeries,
  type NamedFile,
  readNifti,
  readSeries,
  reorientToLps,
  sameGeometry,
  type Volume,
} from "@lnsnet/core";
import { filesIn, namedFile, require, type ScanCheck, SkippedCheck } from "./scan-check.js";

export const dicomCtChecks: readonly ScanCheck[] = [
  { folder: "dicom-transfer-syntaxes", name: "every syntax against the uncompressed slice", run: syntaxes },
  { folder: "dicom-assorted", name: "every CT reads or says why not", run: assorted },
  { folder: "ct-head-tilted-uneven", name: "resampled slices lie where their tags say", run: tilted },
  { folder: "ct-head-tilted-uneven", name: "copies by dcmtk give the same voxels", run: copies },
  { folder: "rtstruct-ibsi1-lung", name: "image against its NIfTI twin", run: ibsiTwin },
  { folder: "rtstruct-neck-4-slices", name: "image against its NIfTI twin", run: neckTwin },
];

async function volumeOf(files: readonly NamedFile[]): Promise<Volume> {
  const listing = await listSeries(files);
  return (await readSeries(chooseSeries(listing, undefined))).volume;
}

function greatestDifference(a: Volume, b: Volume): number {
  require(a.data.length === b.data.length, `${a.data.length} voxels against ${b.data.length}`);
  let greatest = 0;
  for (let n = 0; n < a.data.length; n++) greatest = Math.max(greatest, Math.abs(a.data[n] - b.data[n]));
  return greatest;
}

/** The largest differences in HU that lossy copies may have, by their UID. */
const lossy: Readonly<Record<string, number>> = {
  "1.2.840.10008.1.2.4.50": 65,
  "1.2.840.10008.1.2.4.81": 1,
  "1.2.840.10008.1.2.4.91": 5,
};

async function syntaxes(folder: string): Promise<string> {
  const uncompressed = await volumeOf([namedFile(join(folder, "CTImage.dcm"))]);
  const measured: string[] = [];
  for (const file of filesIn(folder, /^CTImage\.dcm_/)) {
    const uid = /_(1\.[\d.]*\d)\.dcm$/.exec(file.name)?.[1] ?? "";
    try {
      const difference = greatestDifference(await volumeOf([file]), uncompressed);
      require(difference <= (lossy[uid] ?? 0), `${file.name} differs by ${difference} HU`);
      measured.push(`${uid.slice(18) || "1.2"}: ${difference}`);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      require(/\.4\.5[135]$/.test(uid), error.message);
      measured.push(`${uid.slice(18)}: refused`);
    }
  }
  return `largest HU differences: ${measured.join(", ")}`;
}

async function assorted(folder: string): Promise<string> {
  let [read, refused] = [0, 0];
  for (const file of filesIn(folder)) {
    try {
      await volumeOf([file]);
      read++;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refused++;
    }
  }
  require(read === 9, `${read} files were read, not 9`);
  return `${read} CT read, ${refused} segmentations told apart`;
}

/** In a grid plane that lies in a slice, HU are the slice's, shifted by the tilt: linear between its rows. */
async function tilted(folder: string): Promise<string> {
  const files = filesIn(folder);
  const volume = await volumeOf(files);
  const [columns, rows, planes] = volume.size;
  let greatest = 0;
  for (const [n, plane] of [
    [0, 0],
    [files.length - 1, planes - 1],
  ]) {
    const slice = await volumeOf([files[n]]);
    const first = indexOfPoint(volume, slice.originMm);
    require(Math.abs(first[0]) < 1e-3 && Math.abs(first[2] - plane) < 1e-3, `slice ${n} begins at ${first}`);
    const offset = first[1];
    const at = (i: number, j: number) => slice.data[i + slice.size[0] * j];
    for (let j = Math.ceil(offset - 1e-6); j < Math.min(rows, offset + slice.size[1] - 1); j++) {
      const row = Math.max(0, j - offset);
      const low = Math.floor(row);
      for (let i = 0; i < columns; i++) {
        const high = Math.min(low + 1, slice.size[1] - 1);
        const expected = at(i, low) * (1 - (row - low)) + at(i, high) * (row - low);
        greatest = Math.max(greatest, Math.abs(expected - volume.data[i + columns * (j + rows * plane)]));
      }
    }
  }
  // Half a unit is rounding; the rest is what a shift of 1e-4 pixel makes of 4000 HU.
  require(greatest < 1, `a voxel differs by ${greatest} HU from its slice`);
  return `grid ${volume.size.join(" × ")}, largest difference ${greatest.toFixed(2)} HU (rounding)`;
}

const compressors: Readonly<Record<string, readonly string[]>> = {
  implicit: ["dcmconv", "+ti"],
  "big endian": ["dcmconv", "+tb"],
  deflated: ["dcmconv", "+td"],
  RLE: ["dcmcrle"],
  "JPEG lossless 57, predictor 2": ["dcmcjpeg", "+el", "+sv", "2"],
  "JPEG lossless 57, predictor 4": ["dcmcjpeg", "+el", "+sv", "4"],
  "JPEG lossless 57, predictor 5": ["dcmcjpeg", "+el", "+sv", "5"],
  "JPEG lossless 57, predictor 7": ["dcmcjpeg", "+el", "+sv", "7"],
  "JPEG lossless 70": ["dcmcjpeg", "+e1"],
  "JPEG-LS": ["dcmcjpls", "+el"],
  "RLE in fragments of 64 kB": ["dcmcrle", "+fs", "64"],
  "JPEG-LS in fragments of 16 kB": ["dcmcjpls", "+el", "+fs", "16"],
};

async function copies(folder: string): Promise<string> {
  if (spawnSync(compressors.implicit[0], ["--version"]).error !== undefined)
    throw new SkippedCheck("needs dcmtk");
  const original = await volumeOf(filesIn(folder));
  const work = mkdtempSync(join(tmpdir(), "lnsnet-copies-"));
  try {
    for (const [name, [program, ...options]] of Object.entries(compressors)) {
      for (const file of readdirSync(folder).filter((entry) => entry.endsWith(".dcm"))) {
        const { status, stderr } = spawnSync(program, [...options, join(folder, file), join(work, file)]);
        require(status === 0, `${program} failed: ${stderr}`);
      }
      const difference = greatestDifference(await volumeOf(filesIn(work)), original);
      require(difference === 0, `${name} differs by ${difference} HU`);
    }
  } finally {
    rmSync(work, { recursive: true });
  }
  return `equal: ${Object.keys(compressors).join(", ")}`;
}

async function ibsiTwin(folder: string): Promise<string> {
  const [twin] = readdirSync(join(folder, "nifti", "image"));
  return compareWithTwin(
    await volumeOf(filesIn(join(folder, "dicom", "image"))),
    join(folder, "nifti", "image", twin),
  );
}

async function neckTwin(folder: string): Promise<string> {
  return compareWithTwin(await volumeOf(filesIn(folder, /^CT_/)), join(folder, "Image.nii.gz"));
}

function compareWithTwin(volume: Volume, path: string): string {
  const twin = reorientToLps(readNifti(new Uint8Array(readFileSync(path)), path));
  const ours = reorientToLps(volume);
  require(sameGeometry(ours, twin), "the grids differ");
  const difference = greatestDifference(ours, twin);
  require(difference === 0, `HU differ by up to ${difference}`);
  return `same grid ${ours.size.join(" × ")}, all voxels equal`;
}
