// The page learns from nodes that a person corrected, and outlines another one better afterwards.
import { readFile } from "node:fs/promises";
import { readModel } from "@lnsnet/core";
import { writeNifti } from "@lnsnet/core/formats";
import { generatePatient } from "@lnsnet/core/phantom";
import type { Volume } from "@lnsnet/core/volume";
import { measureNodes, numberedComponents } from "@lnsnet/core/voxels";
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { describePage, openFile } from "./page.test-helper.js";
import { drop, nodeRows, select } from "./page-actions.test-helper.js";

const { image, label } = generatePatient(2026, 60, {
  ...{ fieldMm: [144, 144, 120], inPlaneSpacingMm: [1.5, 1.5], sliceSpacingMm: [3, 3] },
  ...{ obliqueShare: 0, reversedShare: 0 },
});

describePage(
  "learning",
  (pages) => {
    let page: Page;
    beforeAll(async () => {
      page = await pages.open();
      page.on("dialog", (dialog) => dialog.accept());
      await openFile(page, "neck.nii.gz", writeNifti(image));
      await page.getByText("neck.nii.gz is open.").waitFor();
      await drop(page, "nodes.nii.gz", writeNifti(largestNodes(4)));
      await page.getByText("4 nodes of nodes.nii.gz added.").waitFor();
      // A person who counts the capsule too.
      await page.getByLabel("by mm").fill("3");
      for (const n of [1, 2, 3, 4]) {
        await select(page, `Node ${n}`);
        await page.getByRole("button", { name: "Grow", exact: true }).click();
      }
      await page.locator("summary", { hasText: "Learn from nodes" }).click();
      await page.getByLabel("Held-out node").selectOption({ label: "Node 2" });
    });

    const outcome = () => page.getByRole("region", { name: "What was learned" });

    async function learn(): Promise<{ readonly before: number; readonly after: number }> {
      await page.getByRole("button", { name: "Fine-tune the model" }).click();
      await outcome().waitFor({ timeout: 200_000 });
      const [, before, after] = await outcome().getByRole("row").last().getByRole("cell").allInnerTexts();
      return { before: Number(before), after: Number(after) };
    }

    test("three corrected nodes teach it where to draw the border of a fourth; the model is kept, and saved as a file", async () => {
      const { before, after } = await learn();
      expect(after).toBeGreaterThan(before + 0.05);
      expect(
        await page.locator(".panel .chart svg path, .panel .chart svg polyline").count(),
      ).toBeGreaterThan(1);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Save the model" }).click(),
      ]);
      const bytes = await readFile(await download.path());
      expect(readModel(bytes, download.suggestedFilename()).plan.dataLabel).toMatch(
        /then 3 nodes of neck\.nii\.gz, corrected or drawn by a person$/,
      );
      await page.getByRole("button", { name: "Use it" }).click();
      await page.getByText(/^tuned-.+ is used from now on\.$/).waitFor();
      await page.getByText(/^In use: a model trained on .+ corrected or drawn by a person/).waitFor();
      await expect.poll(() => nodeRows(page).count()).toBe(4);
    });

    test("learning is stopped, and the model in use stays", async () => {
      const used = await page.getByText(/^In use: /).textContent();
      await page.getByRole("button", { name: "Teach a new model" }).click();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByRole("button", { name: "Stop" }).waitFor({ state: "hidden" });
      expect(await outcome().count()).toBe(0);
      expect(await page.getByText(/^In use: /).textContent()).toBe(used);
    });
  },
  { areKept: true, usesModels: true },
);

/** The largest nodes of the phantom, numbered from the largest. */
function largestNodes(count: number): Volume<Uint8Array> {
  const instances = numberedComponents(label);
  const ids = measureNodes(instances, image, "labels")
    .slice(0, count)
    .map(({ id }) => id);
  return { ...label, data: Uint8Array.from(instances.data, (number) => ids.indexOf(number) + 1) };
}
