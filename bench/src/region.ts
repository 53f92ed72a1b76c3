// npm run check -- region FOLDER: the neck found in real scans, against what must lie in it.
import { existsSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { crop, InputError, pointOfIndex, reorientToLps, resample, type Volume } from "@lnsnet/core";
import { type MontageTile, montagePng, textTable } from "@lnsnet/core/reports";
import { gridWithSpacing } from "@lnsnet/core/volume";
import { ctProblem, findNeckRegion, type NeckRegion, type NoNeck } from "@lnsnet/core/voxels";
import { niftiOf, type RealScan, realScans } from "./real-scans.js";

const help = `npm run check -- region FOLDER [options]

Finds the neck in every scan of FOLDER (sub-folders as of npm run check -- scans) and counts the voxels of masks that lie outside:
OpenKBP's parotid glands and planning targets, and what is drawn on the submandibular tumour's scan. Exit code 1 where one
does, where a chest is taken for a neck or a neck refused, or where a scan is not taken for a CT.

  --picture FILE   write coronal slices of OpenKBP scans with the region outlined (PNG)
  --json           print JSON, with every scan
  --help           print this`;

/** OpenKBP scans of the picture: the skull limits the first, lungs the second, nothing the third. */
const pictured = ["kbp_017", "kbp_030", "kbp_070"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    picture: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(help);
else process.exitCode = await main(positionals[0]);

async function main(root: string | undefined): Promise<number> {
  if (root === undefined || !existsSync(root))
    throw new InputError("Name the folder of the scans: npm run check -- region FOLDER.");
  const results: Result[] = [];
  const tiles: MontageTile[] = [];
  for (const one of realScans(root)) {
    const scan = await one.read();
    const start = performance.now();
    const region = findNeckRegion(scan);
    const seconds = (performance.now() - start) / 1000;
    results.push({ ...(await resultOf(one, scan, region)), seconds });
    if (region.found !== "none" && pictured.includes(one.name))
      tiles.push(coronalTile(one.name, scan, region));
  }
  if (values.picture !== undefined) writeFileSync(values.picture, montagePng(tiles, tiles.length, 1));
  console.log(values.json ? JSON.stringify(results, null, 2) : tablesOf(results));
  return results.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

interface Result {
  readonly group: string;
  readonly name: string;
  readonly found: "neck" | "whole" | "none";
  readonly words: readonly string[];
  readonly hasLungs: boolean;
  readonly hasSkull: boolean;
  /** Share of the scan's volume in the region. */
  readonly keptShare: number;
  readonly masks: readonly MaskResult[];
  readonly failures: readonly string[];
  readonly seconds: number;
}

interface MaskResult {
  readonly name: string;
  readonly voxels: number;
  readonly outside: number;
  /** How far it reaches below the lungs' top and above the skull's lowest closed section; null without that landmark. */
  readonly belowLungTopMm: number | null;
  readonly aboveSkullMm: number | null;
}

async function resultOf(
  { group, name, hasNeck, masks }: RealScan,
  scan: Volume,
  region: NeckRegion | NoNeck,
): Promise<Omit<Result, "seconds">> {
  const problem = ctProblem(scan);
  const failures = problem === null ? [] : [`not taken for a CT: ${problem}`];
  if ((region.found !== "none") !== hasNeck) failures.push(hasNeck ? "refused" : "taken for a neck");
  const common = { group, name, found: region.found, failures };
  if (region.found === "none") {
    return { ...common, words: [region.reason], hasLungs: true, hasSkull: false, keptShare: 0, masks: [] };
  }
  const measured: MaskResult[] = [];
  for (const mask of masks) measured.push(maskResult(mask.name, await niftiOf(mask.path), region));
  for (const { name: mask, outside } of measured)
    if (outside > 0) failures.push(`${outside} voxels of ${mask} outside`);
  return {
    ...common,
    words: region.reasons,
    hasLungs: region.lungTopMm !== null,
    hasSkull: region.skullMm !== null,
    keptShare: region.body.data.reduce((sum, value) => sum + value, 0) / region.body.data.length,
    masks: measured,
  };
}

function maskResult(name: string, mask: Volume, { body, lungTopMm, skullMm }: NeckRegion): MaskResult {
  const inRegion = resample(body, mask, "nearest", 0).data;
  const [nx, ny] = mask.size;
  let [voxels, outside, lowMm, highMm] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  mask.data.forEach((label, at) => {
    if (label === 0) return;
    voxels++;
    if (inRegion[at] === 0) outside++;
    const z = pointOfIndex(mask, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))])[2];
    lowMm = Math.min(lowMm, z);
    highMm = Math.max(highMm, z);
  });
  return {
    name,
    voxels,
    outside,
    belowLungTopMm: lungTopMm === null ? null : lungTopMm - lowMm,
    aboveSkullMm: skullMm === null ? null : highMm - skullMm,
  };
}

function tablesOf(results: readonly Result[]): string {
  const groups = [...new Set(results.map(({ group }) => group))];
  const scanRows = groups.map((group) => {
    const all = results.filter((result) => result.group === group);
    const count = (isCounted: (result: Result) => boolean) => all.filter(isCounted).length;
    const percent = (shares: readonly number[]) => {
      const ends = [Math.min(...shares), Math.max(...shares)].map((share) => (100 * share).toFixed(0));
      return [...new Set(ends)].join(" to ");
    };
    return {
      group,
      scans: all.length,
      lungs: count(({ hasLungs }) => hasLungs),
      skull: count(({ hasSkull }) => hasSkull),
      none: count(({ found }) => found === "none"),
      kept: percent(all.map(({ keptShare }) => keptShare)),
      seconds: Math.max(...all.map(({ seconds }) => seconds)),
    };
  });
  const maskRows = groups.flatMap((group) => {
    const all = results.filter((result) => result.group === group).flatMap(({ masks }) => masks);
    return [...new Set(all.map(({ name }) => name))].map((mask) => {
      const of = all.filter(({ name }) => name === mask);
      const most = (values: readonly (number | null)[]) => {
        const known = values.filter((value) => value !== null);
        return known.length === 0 ? null : Math.max(...known);
      };
      return {
        mask: `${group}: ${mask}`,
        voxels: of.reduce((sum, { voxels }) => sum + voxels, 0),
        outside: of.reduce((sum, { outside }) => sum + outside, 0),
        below: most(of.map(({ belowLungTopMm }) => belowLungTopMm)),
        above: most(of.map(({ aboveSkullMm }) => aboveSkullMm)),
      };
    });
  });
  const whole = (value: number) => value.toFixed(0);
  const scanTable = textTable(
    [
      { key: "group", title: "scans of" },
      { key: "scans", title: "scans", format: whole },
      { key: "lungs", title: "with lungs", format: whole },
      { key: "skull", title: "with skull", format: whole },
      { key: "none", title: "no neck", format: whole },
      { key: "kept", title: "kept, %" },
      { key: "seconds", title: "longest, s", format: (value: number) => value.toFixed(2) },
    ],
    scanRows,
  );
  const maskTable = textTable(
    [
      { key: "mask", title: "mask" },
      { key: "voxels", title: "voxels", format: whole },
      { key: "outside", title: "outside", format: whole },
      { key: "below", title: "furthest below lungs' top, mm", format: whole },
      { key: "above", title: "above skull's lowest section, mm", format: whole },
    ],
    maskRows,
  );
  const failures = results.flatMap(({ name, failures }) => failures.map((failure) => `${name}: ${failure}`));
  return [scanTable, maskTable, ...failures].join("\n\n");
}

/** A coronal slice through the middle of the region, at 1.5 mm, head up. */
function coronalTile(name: string, scan: Volume, region: NeckRegion): MontageTile {
  const grid = gridWithSpacing(reorientToLps(scan), [1.5, 1.5, 1.5]);
  const middleMm = (region.lowMm[1] + region.highMm[1]) / 2;
  const plane = Math.round((middleMm - grid.originMm[1]) / 1.5);
  const [width, , height] = grid.size;
  const slice = crop(
    { ...grid, data: new Uint8Array(width * grid.size[1] * height) },
    [0, plane, 0],
    [width, 1, height],
  );
  const headUp = (data: ArrayLike<number>) =>
    Float32Array.from(
      { length: data.length },
      (_, at) => data[(at % width) + width * (height - 1 - Math.floor(at / width))],
    );
  const hu = headUp(resample(scan, slice, "linear", -1000).data);
  return {
    name,
    width,
    height,
    grey: hu.map((value) => (value + 250) / 750),
    mask: headUp(resample(region.body, slice, "nearest", 0).data),
  };
}
