// The second date beside the first: planes linked through the alignment, nodes matched, changes and sums in a table.
import { readFile } from "node:fs/promises";
import { writeNifti } from "@lnsnet/core/formats";
import { generatePatient } from "@lnsnet/core/phantom";
import { movedGeometry, type RigidTransform, resample, turnAbout, type Volume } from "@lnsnet/core/volume";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { middleOf } from "./display/plane.js";
import { describePage, openFile, planePixels } from "./page.test-helper.js";
import { drag, nodeRows, shownPlane } from "./page-actions.test-helper.js";

/** A busy machine takes a while to paint. */
const patiently = { timeout: 30_000 };

const { image } = generatePatient(2026, 60, {
  ...{ inPlaneSpacingMm: [1.5, 1.5], sliceSpacingMm: [3, 3], obliqueShare: 0, reversedShare: 0 },
});
const first = image as Volume<Int16Array>;
const second = movedBy(turnAbout(middleOf(first), [0, 0, 0.08], [6, -4, 5]));

describePage("follow-up", (pages) => {
  test("a second date lies beside the first, linked with it, and its nodes are compared", async () => {
    const page = await pages.open({ width: 1366, height: 768 });
    page.on("dialog", (dialog) => dialog.accept());
    // The second date: the same node, larger, and one that is new.
    await openFile(page, "2024-06.nii.gz", writeNifti(second));
    await page.getByText("2024-06.nii.gz is open.").waitFor();
    await page.keyboard.press("b");
    await stroke(page, second, [0, 0], 30);
    await page.getByRole("button", { name: "New node", exact: true }).click();
    await stroke(page, second, [0, 100], 5);
    await page.getByText("Saved in this browser.").waitFor();

    await openFile(page, "2024-01.nii.gz", writeNifti(first));
    await page.getByText("2024-01.nii.gz is open.").waitFor();
    await stroke(page, first, [0, 0], 15);
    await page.getByText("Saved in this browser.").waitFor();
    await page.setInputFiles("#second-date", {
      ...{ name: "2024-06.nii.gz", mimeType: "application/octet-stream" },
      buffer: Buffer.from(writeNifti(second)),
    });
    const table = page.getByRole("table", { name: "Follow-up" });
    await table.waitFor({ timeout: 120_000 });
    await page.getByText("Its nodes are those that you outlined.").waitFor();

    const rows = await table.locator("tbody tr").allTextContents();
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatch(/^Node 1\d+\.\d\s→\s\d+\.\d \(\+\d+\s%\)/);
    expect(rows[1]).toMatch(/^New node 2–\s→\s\d+\.\d/);
    const numbers = (text: string) => [...text.matchAll(/(\d+\.\d+)/g)].map(([value]) => Number(value));
    const [shortFirst, shortSecond] = numbers(rows[0].slice("Node 1".length));
    const [shortNew] = numbers(rows[1].slice("New node 2".length));
    const sum = numbers((await table.locator("tfoot td").first().textContent()) ?? "");
    expect(sum[0]).toBeCloseTo(shortFirst, 1);
    expect(sum[1]).toBeCloseTo(shortSecond + shortNew, 0);

    // Both dates show the same anatomy, and go on to the next slices together.
    await expect.poll(() => likeness(page), { timeout: 30_000 }).toBeGreaterThan(0.95);
    const before = await planePixels(page, "Axial, first date");
    const beside = page.getByRole("region", { name: "Axial, second date" });
    await beside.hover();
    for (let n = 0; n < 6; n++) await page.mouse.wheel(0, 100);
    await expect
      .poll(async () => differ(before, await planePixels(page, "Axial, first date")), patiently)
      .toBeGreaterThan(0.05);
    await expect.poll(() => likeness(page), patiently).toBeGreaterThan(0.95);
    // Slices of different places are less alike: the alignment is what is seen.
    expect(correlation(before, await planePixels(page, "Axial, second date"))).toBeLessThan(0.93);
    // The crosshair of one moves that of the other.
    await page.keyboard.press("c");
    const box = await beside.boundingBox();
    if (box === null) throw new Error("The second date is not shown.");
    await page.mouse.click(box.x + box.width * 0.4, box.y + box.height * 0.45);
    const crosshairs = await page
      .locator(".pane-axial .crosshair .vertical:first-child")
      .evaluateAll((lines) => lines.map((line) => Number(line.getAttribute("x1"))));
    expect(crosshairs[0]).toBeCloseTo(crosshairs[1], 3);
    expect(crosshairs[0] / box.width).toBeCloseTo(0.4, 1);

    // A row goes to its node at both dates.
    await table.getByRole("button", { name: "New node 2" }).click();
    await expect.poll(() => coloured(page, "Axial, second date"), patiently).toBeGreaterThan(10);
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save the table (CSV)" }).click(),
    ]);
    expect(saved.suggestedFilename()).toBe("follow-up-2024-01.nii.gz-2024-06.nii.gz.csv");
    const [head, ...lines] = (await readFile(await saved.path(), "utf8")).trim().split("\n");
    expect(head).toMatch(/^node,first_date,second_date,short_axis_first_mm,/);
    expect(lines.map((line) => line.split(",")[0])).toEqual(["Node 1", "New node 2", "sum"]);
    for (const line of lines)
      expect(line).toMatch(/^[^,]+,2024-01\.nii\.gz,2024-06\.nii\.gz,.+,research use only$/);
    expect(Number(lines[0].split(",")[4])).toBeCloseTo(shortSecond, 1);

    // One plane of both dates alone, and back.
    await page.getByRole("button", { name: "Maximise Coronal, first date" }).click();
    await page.getByRole("region", { name: "Coronal, second date" }).waitFor();
    expect(await page.getByRole("region", { name: "Axial, second date" }).isVisible()).toBe(false);
    await page.keyboard.press("Escape");

    // The second date is corrected as the study that it is, beside the first one; then the pair is as before.
    await page.getByRole("button", { name: "Correct the second date" }).click();
    await page.getByRole("button", { name: "Back to the first date" }).waitFor();
    await expect.poll(() => nodeRows(page).count()).toBe(2);
    expect(await table.locator("tbody tr").allTextContents()).toEqual(rows);
    await expect.poll(() => likeness(page), patiently).toBeGreaterThan(0.95);
    await page.locator(".nodes-table").getByRole("button", { name: "Node 2", exact: true }).click();
    await page.getByLabel("by mm").fill("2");
    await page.getByRole("button", { name: "Grow", exact: true }).click();
    await page.getByRole("button", { name: "Undo: growing" }).waitFor();
    await page.getByText("Saved in this browser.").waitFor();
    await page.getByRole("button", { name: "Back to the first date" }).click();
    await page.getByRole("button", { name: "Correct the second date" }).waitFor();
    await expect.poll(() => nodeRows(page).count()).toBe(1);
    const corrected = await table.locator("tbody tr").allTextContents();
    expect(corrected[0]).toBe(rows[0]);
    const [grown] = numbers(corrected[1].slice("New node 2".length));
    expect(grown).toBeGreaterThan(shortNew + 0.5);

    // What changes here is compared when it is asked for.
    await page.getByRole("button", { name: "Node 1", exact: true }).first().click();
    await page.keyboard.press("Delete");
    await page.getByRole("button", { name: "Compare again" }).click();
    await expect
      .poll(() => table.locator("tbody th").allTextContents(), patiently)
      .toEqual(["New node 1", "New node 2"]);
    await page.getByRole("button", { name: "Close the second date" }).click();
    await page.getByRole("region", { name: "3D" }).waitFor();
    await expect.poll(() => nodeRows(page).count()).toBe(0);
  });

  test("another person's scan is no second date, and the page says why", async () => {
    const page = await pages.open();
    page.on("dialog", (dialog) => dialog.accept());
    await openFile(page, "2024-01.nii.gz", writeNifti(first));
    await page.getByText("2024-01.nii.gz is open.").waitFor();
    const block = { ...first, data: first.data.map((hu) => Math.min(hu, 90)) };
    await page.setInputFiles("#second-date", {
      ...{ name: "other.nii.gz", mimeType: "application/octet-stream" },
      buffer: Buffer.from(writeNifti(block)),
    });
    await page.getByText(/too little bone|could not be aligned/).waitFor({ timeout: 120_000 });
    await page.getByRole("region", { name: "3D" }).waitFor();
  });
});

/** The patient as they lie after a motion, scanned on the first grid again. */
function movedBy(motion: RigidTransform): Volume<Int16Array> {
  const { data } = resample(movedGeometry(first, motion), first, "linear", -1000);
  return { ...first, data: Int16Array.from(data) };
}

/** Draws with the brush in the axial plane, from a place beside the middle of the page's plane to the right. */
async function stroke(
  page: Page,
  scan: Volume,
  [right, down]: readonly [number, number],
  length: number,
): Promise<void> {
  const count = await nodeRows(page).count();
  const [x, y] = (await shownPlane(page, scan)).pixelOf(middleOf(scan));
  await drag(page, [x + right, y + down], [x + right + length, y + down]);
  if (count === 0) await nodeRows(page).first().waitFor();
}

/** How alike the axial planes of both dates are: the correlation of their grey values where neither is outside. */
async function likeness(page: Page): Promise<number> {
  return correlation(
    await planePixels(page, "Axial, first date"),
    await planePixels(page, "Axial, second date"),
  );
}

type Pixels = Awaited<ReturnType<typeof planePixels>>;

function correlation(a: Pixels, b: Pixels): number {
  const pairs: [number, number][] = [];
  for (let at = 0; at < a.grey.length; at++)
    if (a.grey[at] > 0 && b.grey[at] > 0) pairs.push([a.grey[at], b.grey[at]]);
  const mean = (side: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[side], 0) / pairs.length;
  const [ma, mb] = [mean(0), mean(1)];
  const sum = (of: (p: number, q: number) => number) =>
    pairs.reduce((total, [p, q]) => total + of(p - ma, q - mb), 0);
  return sum((p, q) => p * q) / Math.sqrt(sum((p) => p * p) * sum((_, q) => q * q));
}

/** The share of pixels that differ. */
const differ = (a: { readonly grey: Uint8Array }, b: { readonly grey: Uint8Array }): number =>
  a.grey.reduce((count, value, at) => count + (Math.abs(value - b.grey[at]) > 8 ? 1 : 0), 0) / a.grey.length;

/** How many pixels of a plane have a colour, as those of nodes do. */
function coloured(page: Page, plane: string): Promise<number> {
  const canvas = page.getByRole("region", { name: plane, exact: true }).locator("canvas");
  return canvas.evaluate((element) => {
    // Runs in the page.
    const drawn = element as HTMLCanvasElement;
    const { data } = drawn.getContext("2d")?.getImageData(0, 0, drawn.width, drawn.height) ?? { data: [] };
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if (Math.abs(data[at] - data[at + 1]) > 20) count++;
    return count;
  });
}
