// Segmenting in the page as a person does it, and the same by the library on onnxruntime-node.
import { readFile } from "node:fs/promises";
import { countOverlap, dice, openPredictor as openOn, segment } from "@lnsnet/core";
import { readNifti, writeNifti } from "@lnsnet/core/formats";
import { readModel } from "@lnsnet/core/models";
import { nodeRuntime } from "@lnsnet/core/node";
import { generatePatient } from "@lnsnet/core/phantom";
import { crop, type Vector3, type Volume } from "@lnsnet/core/volume";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { middleOf } from "./display/plane.js";
import { describePage, openFile } from "./page.test-helper.js";

describePage("segmenting", (pages) => {
  test("a click outlines a node as the library does; a second one corrects it; both are undone", async () => {
    const scan = scanAroundNode();
    const page = await pages.open();
    page.on("dialog", (dialog) => dialog.accept());
    await openFile(page, "neck.nii.gz", writeNifti(scan));
    await page.getByText("neck.nii.gz is open.").waitFor();
    await page.getByRole("button", { name: "Click a node" }).click();
    await clickPlane(page, [0.5, 0.5]);
    const row = page.getByRole("row", { name: /Node \d+/ });
    await row.first().waitFor();
    await expect.poll(() => page.locator("tr[aria-busy=true]").count(), { timeout: 60_000 }).toBe(0);

    const saved = await savedMask(page);
    const middle = middleOf(scan);
    const model = await readFile(new URL("../../../packages/models/clicker.safetensors", import.meta.url));
    const predictor = await openOn([readModel(model, "clicker.safetensors")], nodeRuntime);
    const { instances, nodes } = await segment(scan, predictor, { at: [middle] });
    await predictor.release();
    expect(nodes).toHaveLength(1);
    // The mouse clicks the middle of a pixel, which lies up to half a pixel beside the middle of the scan.
    const overlap = countOverlap(Uint8Array.from(saved.data), Uint8Array.from(instances.data));
    expect(dice(overlap)).toBeGreaterThan(0.99);
    const cells = await row.first().getByRole("cell").allTextContents();
    expect(cells.join(" ")).toContain(nodes[0].shortAxisMm.toFixed(1));

    await clickPlane(page, [0.5, 0.5], ["Control"]);
    await page.getByRole("button", { name: /^Undo/ }).first().waitFor();
    await expect
      .poll(async () => isSame((await savedMask(page)).data, saved.data), { timeout: 60_000 })
      .toBe(false);
    await page.keyboard.press("Control+z");
    await expect
      .poll(async () => isSame((await savedMask(page)).data, saved.data), { timeout: 60_000 })
      .toBe(true);
    await page.keyboard.press("Control+z");
    await expect.poll(() => row.count()).toBe(0);
  });

  test("all nodes are found, and a search can be stopped", async () => {
    const page = await pages.open();
    page.on("dialog", (dialog) => dialog.accept());
    await openFile(page, "neck.nii.gz", writeNifti(scanAroundNode()));
    await page.getByText("neck.nii.gz is open.").waitFor();
    await page.getByRole("button", { name: "Find all nodes" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Stop" }).waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Find all nodes" }).click();
    await page.getByText(/\d+ nodes found/).waitFor();
    expect(await page.getByRole("row", { name: /Node \d+/ }).count()).toBeGreaterThan(0);
  });
});

/** A phantom cut so that the middle of the scan, where the planes cross at first, is the middle of its largest node. */
function scanAroundNode(): Volume<Int16Array> {
  const { image, instances } = generatePatient(2026, 60, {
    fieldMm: [96, 96, 90],
    inPlaneSpacingMm: [1.5, 1.5],
    sliceSpacingMm: [3, 3],
    obliqueShare: 0,
    reversedShare: 0,
  });
  const [width, height] = instances.size;
  const voxels = new Map<number, Vector3[]>();
  instances.data.forEach((value, at) => {
    const place: Vector3 = [at % width, Math.floor(at / width) % height, Math.floor(at / (width * height))];
    if (value > 0) voxels.set(value, [...(voxels.get(value) ?? []), place]);
  });
  const [largest] = [...voxels.values()].sort((a, b) => b.length - a.length);
  const mean = (axis: number) => largest.reduce((sum, place) => sum + place[axis], 0) / largest.length;
  const centre = [0, 1, 2].map((axis) => Math.round(mean(axis)));
  const reach = centre.map((at, axis) => Math.min(at, instances.size[axis] - 1 - at));
  const start = centre.map((at, axis) => at - reach[axis]) as unknown as Vector3;
  const size = reach.map((length) => 2 * length + 1) as unknown as Vector3;
  return crop(image, start, size) as Volume<Int16Array>;
}

/** Clicks in the axial plane, at shares of its width and height. */
async function clickPlane(
  page: Page,
  [x, y]: readonly [number, number],
  keys: readonly "Control"[] = [],
): Promise<void> {
  const canvas = page.getByRole("region", { name: "Axial" }).locator("canvas");
  const box = await canvas.boundingBox();
  if (box === null) throw new Error("the axial plane is not shown");
  for (const key of keys) await page.keyboard.down(key);
  await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
  for (const key of keys) await page.keyboard.up(key);
}

/** The labels as Save writes them. */
async function savedMask(page: Page): Promise<Volume> {
  const panel = page.locator("details", { hasText: "NIfTI labels" });
  if ((await panel.getAttribute("open")) === null) await panel.locator("summary").first().click();
  await page.getByLabel("CSV table").setChecked(false);
  await page.getByLabel("NIfTI labels").setChecked(true);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    panel.getByRole("button", { name: "Save", exact: true }).click(),
  ]);
  return readNifti(await readFile(await download.path()), "saved labels");
}

const isSame = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, at) => value === b[at]);
