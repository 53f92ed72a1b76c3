// What Save writes comes back: dropped on its scan, every node is where it was, by its name.
import { countOverlap, dice } from "@lnsnet/core";
import { generatePatient } from "@lnsnet/core/phantom";
import type { Vector3, Volume } from "@lnsnet/core/volume";
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { ctFile } from "../../../packages/core/src/formats/dicom/ct.test-helper.js";
import { middleOf } from "./display/plane.js";
import { describePage, openFiles } from "./page.test-helper.js";
import { drop, filesOf, nodeRows, saved, savedMask, select, shownPlane } from "./page-actions.test-helper.js";

const { image } = generatePatient(2026, 60, {
  ...{ fieldMm: [96, 96, 90], inPlaneSpacingMm: [1.5, 1.5], sliceSpacingMm: [3, 3] },
  ...{ obliqueShare: 0, reversedShare: 0 },
});

describePage(
  "saving",
  (pages) => {
    let page: Page;
    let drawn: Volume;

    beforeAll(async () => {
      page = await pages.open();
      page.on("dialog", (dialog) => dialog.accept());
      await openFiles(page, dicomSeries(image));
      await page.getByText("Neck is open.").waitFor();
      const axial = await shownPlane(page, image);
      const [x, y, z] = middleOf(image);
      await page.keyboard.press("b");
      for (const right of [-20, 15]) {
        await page.getByRole("button", { name: "New node", exact: true }).click();
        await page.mouse.click(...axial.pixelOf([x + right, y, z]));
      }
      await select(page, "Node 1");
      await page.keyboard.press("F2");
      await page.getByRole("textbox", { name: "Name of the node" }).fill("Level II left");
      await page.keyboard.press("Enter");
      drawn = await savedMask(page);
    });

    test.each([
      ["DICOM SEG", "Level II left"],
      ["DICOM RTSTRUCT", "Level II left"],
      // A NIfTI file holds no names.
      ["NIfTI labels", "Node 1"],
    ])("%s is dropped on the scan again, and its nodes are in place", async (format, firstName) => {
      const { name, bytes } = await saved(page, format);
      while ((await nodeRows(page).count()) > 0) {
        await nodeRows(page).last().getByRole("button").click();
        await page.keyboard.press("Delete");
      }
      await drop(page, name, bytes);
      await page.getByText(`2 nodes of ${name} added.`).waitFor();
      await page.getByRole("button", { name: firstName, exact: true }).waitFor();
      const back = await savedMask(page);
      for (const number of [1, 2])
        expect(dice(countOverlap(only(drawn, number), only(back, number)))).toBeGreaterThan(0.999);
      await page.getByRole("button", { name: "Undo: nodes of a file" }).click();
      await expect.poll(() => nodeRows(page).count()).toBe(0);
      await page.getByRole("button", { name: "Redo: nodes of a file" }).click();
      await expect.poll(() => nodeRows(page).count()).toBe(2);
      if (firstName === "Node 1") return;
      // Dropped once more, there is nothing to add.
      await drop(page, name, bytes);
      await page.getByText(`0 nodes of ${name} added; 2 left out`).waitFor();
    });

    test("several formats are one zip; without their scan, drawn nodes are refused by a sentence", async () => {
      const zip = filesOf((await saved(page, "all")).bytes);
      expect(Object.keys(zip)).toEqual([
        ...["Neck-nodes.nii.gz", "Neck-seg.dcm", "Neck-rtstruct.dcm", "Neck-sr.dcm"],
        ...["Neck-picture-0.dcm", "Neck-picture-1.dcm", "Neck-picture-2.dcm"],
        ...["Neck-nodes.csv", "Neck-summary.html"],
      ]);
      const other = await pages.open();
      await drop(other, "Neck-seg.dcm", zip["Neck-seg.dcm"]);
      await other.getByText("Neck-seg.dcm holds drawn nodes, not a scan").waitFor();
    });
  },
  { areKept: true },
);

/** A scan as the slices of a CT. */
function dicomSeries({ size, spacingMm, originMm, data }: Volume<Int16Array>): Record<string, Uint8Array> {
  const pixels = size[0] * size[1];
  return Object.fromEntries(
    Array.from({ length: size[2] }, (_, k) => {
      const position: Vector3 = [originMm[0], originMm[1], originMm[2] + k * spacingMm[2]];
      const slice = data.slice(k * pixels, (k + 1) * pixels);
      const file = ctFile({
        SOPInstanceUID: `1.2.826.0.1.3680043.9.7433.${k + 1}`,
        InstanceNumber: `${k + 1}`,
        ImagePositionPatient: position.map((mm) => `${Number(mm.toFixed(3))}`),
        PixelSpacing: [`${spacingMm[1]}`, `${spacingMm[0]}`],
        Rows: size[1],
        Columns: size[0],
        PixelData: new Uint8Array(slice.buffer),
      });
      return [`slice-${k + 1}.dcm`, file];
    }),
  );
}

const only = ({ data }: Volume, number: number): Uint8Array =>
  Uint8Array.from(data, (value) => (value === number ? 1 : 0));
