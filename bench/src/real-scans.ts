// The real scans that checks read, with what is drawn on them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { chooseSeries, listSeries, readNifti, readSeries, type Volume } from "@lnsnet/core";
import { filesIn } from "./scan-check.js";

/** A scan, what is drawn on it, and whether it has a neck. */
export interface RealScan {
  readonly group: string;
  readonly name: string;
  readonly hasNeck: boolean;
  /** Whether it may have been trained on. */
  readonly isForTraining: boolean;
  readonly masks: readonly DrawnMask[];
  read(): Promise<Volume>;
}

interface DrawnMask {
  readonly name: string;
  readonly path: string;
  /** Whether it is what was to be irradiated: the tumour, its nodes and where nodes may be. */
  readonly isTarget: boolean;
}

/** The scans in the folder, in the sub-folders as of npm run check -- scans; those that are missing are left out. */
export function realScans(root: string): RealScan[] {
  const openKbp = ["Tr", "Ts"].flatMap((subset) => {
    const folder = join(root, "openkbp", `images${subset}`);
    return niftiIn(folder).map((path): RealScan => {
      const name = basename(path, "_0000.nii.gz");
      const mask = (mask: string, kind: string) => ({
        name: mask,
        path: join(root, `openkbp/${kind}${subset}/${name}.nii.gz`),
        isTarget: mask === "targets",
      });
      const masks = [mask("parotids", "labels"), mask("targets", "targets")];
      const isForTraining = subset === "Tr";
      return { group: "OpenKBP", name, hasNeck: true, isForTraining, masks, read: () => niftiOf(path) };
    });
  });
  const single = (folder: string, image: string, hasNeck: boolean, masks: readonly string[] = []) => ({
    group: folder,
    name: folder,
    hasNeck,
    isForTraining: false,
    masks: masks.map((name) => ({
      name,
      path: join(root, folder, `${name}.nii.gz`),
      isTarget: name === "ptv",
    })),
    read: () =>
      image.endsWith(".nii.gz") ? niftiOf(join(root, folder, image)) : seriesOf(join(root, folder, image)),
  });
  const others: readonly RealScan[] = [
    single("ct-neck-submandibular", "ct.nii.gz", true, ["oar", "ptv"]),
    single("ct-head-neck", "cranium.nii.gz", true),
    single("ct-head-tilted-uneven", "", true),
    single("rtstruct-neck-4-slices", "Image.nii.gz", true),
    single("rtstruct-ibsi1-lung", "dicom/image", false),
  ];
  return [...openKbp, ...others.filter(({ name }) => existsSync(join(root, name)))];
}

function niftiIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".nii.gz"))
    .sort()
    .map((name) => join(folder, name));
}

export async function niftiOf(path: string): Promise<Volume> {
  return readNifti(new Uint8Array(readFileSync(path)), path);
}

async function seriesOf(folder: string): Promise<Volume> {
  return (await readSeries(chooseSeries(await listSeries(filesIn(folder)), undefined))).volume;
}
