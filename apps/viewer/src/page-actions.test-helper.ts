// What a person does in the viewer, as tests do it: click and draw in planes, save, read the table.
import { readFile } from "node:fs/promises";
import { readNifti } from "@lnsnet/core/formats";
import type { Geometry, Vector3, Volume } from "@lnsnet/core/volume";
import { unzipSync } from "fflate";
import type { Locator, Page } from "playwright-core";
import {
  atDepthOf,
  fittingScale,
  middleOf,
  type PlaneName,
  type PlaneView,
  patientPlanes,
  pixelOfPoint,
  pointOfPixel,
} from "./display/plane.js";
import { planes } from "./interface/texts.js";

/** A plane as it shows a whole scan, with the crosshair at a point. */
export interface ShownPlane {
  /** Where a point (LPS mm) is on the page. */
  readonly pixelOf: (pointMm: Vector3) => readonly [x: number, y: number];
  /** The point at a place of the page. */
  readonly pointAt: (x: number, y: number) => Vector3;
}

/** @param scan the one that is open @param depthMm a point of the slice that is shown; its middle by default */
export async function shownPlane(
  page: Page,
  scan: Geometry,
  plane: PlaneName = "axial",
  depthMm: Vector3 = middleOf(scan),
): Promise<ShownPlane> {
  const axes = patientPlanes[plane];
  const { left, top, width, height } = await stageOf(page, plane).evaluate((stage) => {
    const { left, top } = stage.getBoundingClientRect();
    return { left, top, width: stage.clientWidth, height: stage.clientHeight };
  });
  const shown: PlaneView = {
    axes,
    centreMm: atDepthOf(middleOf(scan), depthMm, axes),
    mmPerPixel: fittingScale(scan, axes, width, height),
    width,
    height,
  };
  return {
    pixelOf: (pointMm) => {
      const [x, y] = pixelOfPoint(shown, pointMm);
      return [left + x, top + y];
    },
    pointAt: (x, y) => pointOfPixel(shown, x - left, y - top),
  };
}

/** The picture of a plane, which takes mouse and keys. */
export const stageOf = (page: Page, plane: PlaneName): Locator =>
  page.getByRole("region", { name: planes[plane], exact: true }).locator(".stage");

/** Drags with the left button from place to place of the page. */
export async function drag(
  page: Page,
  ...places: readonly (readonly [x: number, y: number])[]
): Promise<void> {
  const [from, ...others] = places;
  await page.mouse.move(...from);
  await page.mouse.down();
  for (const to of others) await page.mouse.move(...to, { steps: 6 });
  await page.mouse.up();
}

/** Does something while keys are held down. */
export async function holding(page: Page, key: string, act: () => Promise<void>): Promise<void> {
  await page.keyboard.down(key);
  await act();
  await page.keyboard.up(key);
}

/** The rows of the table of nodes. */
export const nodeRows = (page: Page): Locator => page.locator(".nodes-table tbody tr");

/** The row of a node. */
const nodeRow = (page: Page, name: string): Locator =>
  nodeRows(page).filter({ has: page.getByRole("button", { name, exact: true }) });

/** Selects a node by its row. */
export async function select(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

/** Waits until all nodes are measured. */
export async function measured(page: Page): Promise<void> {
  // Measuring begins a moment after the last change.
  await page.waitForTimeout(150);
  await page.locator("tr[aria-busy=true]").first().waitFor({ state: "detached" });
}

/** The figures of a node's row: short and long axis in mm, volume in mL, HU, side, probability, size class. */
export async function figuresOf(page: Page, name: string): Promise<readonly string[]> {
  await measured(page);
  const [, ...cells] = await nodeRow(page, name).getByRole("cell").allTextContents();
  return cells;
}

/** What Save writes in one format, or in all of them as a zip. */
export async function saved(
  page: Page,
  format: string,
): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const panel = page.locator("details", { hasText: "NIfTI labels" });
  if ((await panel.getAttribute("open")) === null) await panel.locator("summary").first().click();
  const offered = await panel.locator("label").evaluateAll((labels) =>
    labels.map((label) => ({
      name: label.textContent?.trim() ?? "",
      isChosen: label.querySelector("input")?.checked,
    })),
  );
  for (const { name, isChosen } of offered) {
    const isWanted = format === "all" || format === name;
    if (isChosen !== isWanted) await panel.getByLabel(name, { exact: true }).setChecked(isWanted);
  }
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    panel.getByRole("button", { name: "Save", exact: true }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** The labels as Save writes them: the number of the node in each voxel. */
export async function savedMask(page: Page): Promise<Volume> {
  const { name, bytes } = await saved(page, "NIfTI labels");
  return readNifti(bytes, name);
}

/** Drops a file on the page. */
export const drop = (page: Page, name: string, bytes: Uint8Array): Promise<void> =>
  dropFiles(page, { [name]: bytes });

/** Drops several files on the page at once. */
export async function dropFiles(page: Page, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const encoded = Object.entries(files).map(
    ([name, bytes]) => [name, Buffer.from(bytes).toString("base64")] as const,
  );
  const transfer = await page.evaluateHandle((dropped) => {
    // Runs in the page.
    const data = new DataTransfer();
    for (const [name, base64] of dropped)
      data.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name));
    return data;
  }, encoded);
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
}

/** The files of a zip by name. */
export const filesOf = (zip: Uint8Array): Readonly<Record<string, Uint8Array>> => unzipSync(zip);

/** How many voxels of two masks differ. */
export function differing(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let voxels = Math.abs(a.length - b.length);
  for (let at = 0; at < Math.min(a.length, b.length); at++) if (a[at] !== b[at]) voxels++;
  return voxels;
}

/** How many voxels have a number. */
export function voxelsOf({ data }: Volume, number: number): number {
  let voxels = 0;
  for (const value of data) if (value === number) voxels++;
  return voxels;
}
