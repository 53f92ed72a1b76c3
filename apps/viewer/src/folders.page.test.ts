// DICOM folders in the page: right side up and left on the right, by pixels read back from the canvas; nodes come back in place.
// LNSNET_SCANS=FOLDER opens the folders of a collection of scans (npm run check -- viewer-folders FOLDER).
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { countOverlap, dice, InputError, readNifti } from "@lnsnet/core";
import { imagesAmong, readChosen } from "@lnsnet/core/formats";
import { labelsOfObject } from "@lnsnet/core/results";
import { indexOfPoint, type Matrix3, resample, type Vector3, type Volume } from "@lnsnet/core/volume";
import { requireCt } from "@lnsnet/core/voxels";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { type DicomFolder, foldersOf, namedFiles, smallFolders } from "./dicom-folders.test-helper.js";
import {
  atDepthOf,
  fittingScale,
  middleOf,
  type PlaneName,
  type PlaneView,
  patientPlanes,
  planeNames,
  pointOfPixel,
  snapped,
} from "./display/plane.js";
import { windowPresets } from "./display/window-presets.js";
import { planes as planeTitles } from "./interface/texts.js";
import { describePage, openFile, planePixels } from "./page.test-helper.js";
import { drag, filesOf, shownPlane } from "./page-actions.test-helper.js";

const scans = process.env.LNSNET_SCANS;
const folders = scans === undefined ? smallFolders() : foldersOf(scans);

describePage("DICOM folders", (pages) => {
  test("lie in the page as the library reads them, or are refused by its sentence", {
    timeout: 1_200_000,
  }, async () => {
    const shared = await pages.open();
    const told: string[] = [];
    for (const folder of folders) {
      const expected = await asTheLibraryReads(folder);
      // Where a scan is open, a SEG is told about as one that was drawn on another scan.
      const page = typeof expected === "string" ? await pages.open() : shared;
      await page.keyboard.press("1");
      await openFolder(page, folder);
      if (typeof expected === "string") {
        await page.locator(".notice.error").waitFor();
        const sentence = (await page.locator(".notice.error").textContent()) ?? "";
        // The page shows which series it is; the library's sentence begins with it.
        const reason = /is a DICOM (SEG|RTSTRUCT)/.test(expected)
          ? "holds drawn nodes, not a scan"
          : expected.replace(/^CT series .* cannot be read: /, "");
        expect.soft(sentence.replaceAll(/lnsnet-folder-\w+\//g, ""), folder.name).toContain(reason);
        told.push(`${folder.name}: refused: ${expected}`);
        await page.close();
        continue;
      }
      await page.locator(".notice.done", { hasText: "is open." }).waitFor();
      const shares = await unlikeShares(page, expected);
      for (const { plane, here, mirrored } of shares) {
        expect.soft(here, `${folder.name}, ${plane}`).toBeLessThan(0.005);
        expect.soft(mirrored, `${folder.name}, ${plane}, mirrored`).toBeGreaterThan(0.02);
      }
      await expectLetters(page);
      told.push(
        `${folder.name}: ${shares.map(({ plane, here }) => `${plane} ${(100 * here).toFixed(2)} %`).join(", ")}`,
      );
    }
    if (scans !== undefined) process.stdout.write(`pixels unlike the library's:\n${told.join("\n")}\n`);
  });

  test.each(folders.slice(0, 4))(
    "$name: a node that is drawn and saved comes back in place, from SEG and from RTSTRUCT",
    async (folder) => {
      const scan = await asTheLibraryReads(folder);
      if (typeof scan === "string") throw new Error(scan);
      const page = await pages.open();
      page.on("dialog", (dialog) => dialog.accept());
      await openFolder(page, folder);
      await page.locator(".notice.done", { hasText: "is open." }).waitFor();
      await page.keyboard.press("b");
      const middle = middleOf(scan.volume);
      const axial = await shownPlane(page, scan.volume, "axial", snapped(scan.volume, middle));
      const [x, y] = axial.pixelOf(middle);
      await drag(page, [x, y], [x + 30, y + 12]);
      await page.locator(".nodes-table tbody tr").waitFor();
      const files = filesOf(await savedZip(page, ["NIfTI labels", "DICOM SEG", "DICOM RTSTRUCT"]));
      const file = (ending: string) =>
        Object.entries(files).find(([name]) => name.endsWith(ending))?.[1] ?? new Uint8Array();
      const drawn = readNifti(file(".nii.gz"), "nodes");
      const [i, j, k] = indexOfPoint(drawn, axial.pointAt(x + 15, y + 6)).map(Math.round);
      expect(drawn.data[i + drawn.size[0] * (j + drawn.size[1] * k)], folder.name).toBe(1);
      const choice = { reference: { ...scan, problems: [] }, pattern: null };
      for (const [ending, least] of [
        ["seg.dcm", 1],
        ["rtstruct.dcm", 0.99],
      ] as const) {
        const { volume } = await labelsOfObject(file(ending), ending, choice);
        const overlap = countOverlap(Uint8Array.from(drawn.data), Uint8Array.from(volume.data));
        expect(dice(overlap), `${folder.name}, ${ending}`).toBeGreaterThanOrEqual(least);
      }
    },
  );
});

/** What Save writes in several formats. */
async function savedZip(page: Page, formats: readonly string[]): Promise<Uint8Array> {
  const panel = page.locator("details.panel", { hasText: "NIfTI labels" });
  await panel.locator("summary").click();
  for (const box of await panel.getByRole("checkbox").all()) await box.setChecked(false);
  for (const format of formats) await panel.getByLabel(format, { exact: true }).setChecked(true);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    panel.getByRole("button", { name: "Save", exact: true }).click(),
  ]);
  return new Uint8Array(await readFile(await download.path()));
}

interface ReadScan {
  readonly volume: Volume;
  readonly source: Awaited<ReturnType<typeof readChosen>>["source"];
}

/** What `lnsnet` reads of a folder; a sentence where it refuses. */
async function asTheLibraryReads(folder: DicomFolder): Promise<ReadScan | string> {
  const { series, others } = await imagesAmong(namedFiles(folder));
  const [only] = series;
  if (only === undefined) return others[0].reason;
  try {
    const { volume, source } = await readChosen(only);
    requireCt(volume, only.description || `Series ${only.number ?? "without number"}`);
    return { volume, source };
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

/** Opens a folder by its dialog. What was told before is told anew first, so that nothing of it is left. */
async function openFolder(page: Page, { files }: DicomFolder): Promise<void> {
  await openFile(page, "letter.txt", Buffer.from("no scan"));
  await page.locator(".notice.error", { hasText: "letter.txt" }).waitFor();
  const folder = await mkdtemp(join(tmpdir(), "lnsnet-folder-"));
  try {
    for (const { name, bytes } of files) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), bytes);
    }
    await page.setInputFiles("#folder", folder);
    await page.locator(".notice", { hasText: "letter.txt" }).waitFor({ state: "detached" });
    await page.locator(".notice.error, .notice.done").waitFor();
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface UnlikeShare {
  readonly plane: string;
  /** Of the pixels within the scan, the share that differ from the library's by more than 3 of 255. */
  readonly here: number;
  /** The same where left and right change places. */
  readonly mirrored: number;
}

async function unlikeShares(page: Page, { volume }: ReadScan): Promise<UnlikeShare[]> {
  // A plane of a single slice is a line on the screen.
  const shown = planeNames.filter((plane) => plane === "axial" || volume.size[2] > 1);
  const shares: UnlikeShare[] = [];
  for (const plane of shown) {
    const title = planeTitles[plane];
    let share = { inside: 0, here: 1, mirrored: 1 };
    let expected: { readonly view: PlaneView; readonly grey: Int16Array } | null = null;
    // Planes are painted in the next frames.
    for (let attempt = 0; attempt < 40 && share.here > 0.005; attempt++) {
      await page.waitForTimeout(50);
      const { width, height, grey } = await planePixels(page, title);
      if (expected?.view.width !== width || expected.view.height !== height) {
        const view = wholeView(volume, plane, width, height);
        expected = { view, grey: greyOf(volume, view) };
      }
      share = shareUnlike(grey, expected.grey, expected.view);
    }
    // A plane that cuts a single tilted slice shows a line of it.
    if (share.inside > 500) shares.push({ plane, ...share });
  }
  return shares;
}

/** A plane of so many pixels as it shows a whole scan through its middle. */
function wholeView(volume: Volume, plane: PlaneName, width: number, height: number): PlaneView {
  const axes = patientPlanes[plane];
  const middle = middleOf(volume);
  return {
    axes,
    centreMm: atDepthOf(middle, snapped(volume, middle), axes),
    mmPerPixel: fittingScale(volume, axes, width, height),
    width,
    height,
  };
}

/** The library's own resampling at the pixels of a plane, in grey values; −1 outside of the scan. */
function greyOf(volume: Volume, view: PlaneView): Int16Array {
  const { axes, mmPerPixel, width, height } = view;
  const { right: r, down: d } = axes;
  const n: Vector3 = [r[1] * d[2] - r[2] * d[1], r[2] * d[0] - r[0] * d[2], r[0] * d[1] - r[1] * d[0]];
  const direction: Matrix3 = [r[0], d[0], n[0], r[1], d[1], n[1], r[2], d[2], n[2]];
  const originMm = pointOfPixel(view, 0.5, 0.5);
  const grid = {
    size: [width, height, 1],
    spacingMm: [mmPerPixel, mmPerPixel, 1],
    originMm,
    direction,
  } as const;
  const { data } = resample(volume, grid, "linear", 0);
  const [{ centreHu, widthHu }] = windowPresets;
  return Int16Array.from(data, (hu, at) => {
    const index = indexOfPoint(volume, pointOfPixel(view, (at % width) + 0.5, Math.floor(at / width) + 0.5));
    const isInside = index.every((value, axis) => value > -1e-6 && value < volume.size[axis] - 1 + 1e-6);
    const share = (hu - centreHu) / widthHu + 0.5;
    return isInside ? Math.round(255 * Math.min(1, Math.max(0, share))) : -1;
  });
}

function shareUnlike(
  grey: Uint8Array,
  expected: Int16Array,
  { width }: PlaneView,
): Omit<UnlikeShare, "plane"> & { readonly inside: number } {
  const [inside, here, mirrored] = [0, 0, 0].map(() => ({ count: 0 }));
  for (let at = 0; at < expected.length; at++) {
    if (expected[at] < 0) continue;
    inside.count++;
    if (Math.abs(grey[at] - expected[at]) > 3) here.count++;
    const opposite = at - (at % width) + (width - 1 - (at % width));
    if (Math.abs(grey[opposite] - expected[at]) > 3) mirrored.count++;
  }
  const share = ({ count }: { readonly count: number }) => count / Math.max(1, inside.count);
  return { inside: inside.count, here: share(here), mirrored: share(mirrored) };
}

/** Letters at the left and right edge, and above and below, as radiologists read them. */
async function expectLetters(page: Page): Promise<void> {
  for (const [plane, letters] of [
    ["Axial", ["A", "P", "R", "L"]],
    ["Coronal", ["S", "I", "R", "L"]],
    ["Sagittal", ["S", "I", "A", "P"]],
  ] as const) {
    const texts = page.getByRole("region", { name: plane, exact: true }).locator(".letters text");
    const outermost = async () => {
      const places = await texts.evaluateAll((elements) =>
        elements.map((element) => {
          const { left, top } = element.getBoundingClientRect();
          return { letter: element.textContent, left, top };
        }),
      );
      const by = (key: "left" | "top") =>
        [...places].sort((a, b) => a[key] - b[key]).map(({ letter }) => letter);
      return [by("top")[0], by("top")[3], by("left")[0], by("left")[3]];
    };
    // They come with the next frame.
    await expect.poll(outermost).toEqual(letters);
  }
}
