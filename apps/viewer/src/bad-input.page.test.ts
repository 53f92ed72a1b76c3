// What cannot be opened, and what goes wrong with the machine: a sentence, the page goes on, and nothing is lost.
import { gzipSync } from "node:zlib";
import { writeNifti } from "@lnsnet/core/formats";
import type { Volume } from "@lnsnet/core/volume";
import { zipSync } from "fflate";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { fixture } from "../../../packages/core/src/formats/dicom/ct.test-helper.js";
import { seriesFiles } from "./dicom-folders.test-helper.js";
import { describePage, openExample, openFile, planePixels } from "./page.test-helper.js";

const small: Volume<Int16Array> = {
  ...{
    size: [40, 40, 10],
    spacingMm: [2, 2, 3],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  },
  data: Int16Array.from({ length: 40 * 40 * 10 }, (_, at) => ((at * 7919) % 251) - 130),
};
const nifti = writeNifti(small);
const [slice] = seriesFiles(small);
const damagedZip = zipSync({ "slice.dcm": slice.bytes });
damagedZip[60] ^= 0xff;

const cases: readonly (readonly [file: string, bytes: () => Uint8Array, sentence: RegExp])[] = [
  ["letter.txt", () => Buffer.from("Dear colleague"), /letter\.txt is not a DICOM file/],
  ["empty.dcm", () => new Uint8Array(), /empty\.dcm/],
  ["picture.nii.gz", () => Buffer.from("\x89PNG\r\n\x1a\n".repeat(50), "latin1"), /picture\.nii\.gz/],
  ["cut.nii.gz", () => nifti.subarray(0, nifti.length / 2), /cut\.nii\.gz.*(cut short|damaged)/],
  ["cut.dcm", () => slice.bytes.subarray(0, slice.bytes.length / 2), /cut\.dcm.*cut short/],
  ["cut-jpeg.dcm", () => fixture("syntaxes/jpeg-ls-80.dcm").subarray(0, 3000), /cut-jpeg\.dcm|damaged/],
  ["damaged.zip", () => damagedZip, /damaged/],
  [
    "mr.dcm",
    () => seriesFiles(small, { Modality: "MR", SOPClassUID: "1.2.840.10008.5.1.4.1.1.4" })[0].bytes,
    /MR/,
  ],
  ["large.nii.gz", gigabyteOfVoxels, /large\.nii\.gz has 1024 × 1024 × 512 voxels, 537 million/],
];

describePage(
  "bad input",
  (pages) => {
    test("each is a sentence, and the scan with its node stays open", async () => {
      const page = await pages.open();
      page.on("dialog", (dialog) => dialog.accept());
      await openFile(page, "small.nii.gz", nifti);
      await page.getByText("small.nii.gz is open.").waitFor();
      await page.getByRole("button", { name: "New node", exact: true }).click();
      for (const [name, bytes, sentence] of cases) {
        await openFile(page, name, bytes());
        const notice = page.locator(".notice.error", { hasText: sentence });
        await notice.waitFor({ timeout: 30_000 }).catch(async () => {
          throw new Error(`${name}: the page tells: ${await page.locator(".status").textContent()}`);
        });
        // A sentence, not a fault of ours.
        expect(await notice.textContent(), name).not.toMatch(/did not expect|undefined|Error:/);
        expect(await notice.textContent(), name).toMatch(/\.$/);
        await page.getByRole("button", { name: "Node 1", exact: true }).waitFor();
      }
      await page.getByRole("button", { name: "New node", exact: true }).click();
      await page.getByText("2 nodes").waitFor();
      await page.getByText("Saved in this browser.").waitFor();
      await page.reload();
      await page.getByText("2 nodes").waitFor();
    });

    test("the 3D view comes back when the graphics card was reset, and the planes stay", async () => {
      const page = await pages.open();
      await openExample(page);
      const isDrawn = async () => new Set((await planePixels(page, "Axial")).grey).size > 50;
      await expect.poll(isDrawn, { timeout: 60_000 }).toBe(true);
      await expect.poll(() => coloursOf3D(page), { timeout: 60_000 }).toBeGreaterThan(5);
      const browser = await page.context().browser()?.newBrowserCDPSession();
      await browser?.send("Browser.crashGpuProcess");
      await page.getByText("The graphics card was reset.").waitFor();
      expect(await isDrawn()).toBe(true);
      await page.getByText("The graphics card was reset.").waitFor({ state: "detached" });
      await expect.poll(() => coloursOf3D(page), { timeout: 60_000 }).toBeGreaterThan(5);
    });
  },
  { draws3D: true },
);

describePage("without WebGL", (pages) => {
  test("planes and nodes work, and a sentence stands in place of the 3D view", async () => {
    const page = await pages.open();
    page.on("dialog", (dialog) => dialog.accept());
    await openFile(page, "small.nii.gz", nifti);
    await page.getByText("This browser draws no 3D").waitFor();
    const greys = async () => new Set((await planePixels(page, "Axial")).grey).size;
    await expect.poll(greys, { timeout: 60_000 }).toBeGreaterThan(3);
    await page.getByRole("button", { name: "New node", exact: true }).click();
    await page.getByText("1 node").waitFor();
  });
});

/** How many colours the 3D view shows. */
function coloursOf3D(page: Page): Promise<number> {
  return page.evaluate(() => {
    // Runs in the page.
    const drawn = document.querySelector<HTMLCanvasElement>(".pane-3d canvas");
    const copy = document.createElement("canvas");
    copy.width = 64;
    copy.height = 64;
    const context = copy.getContext("2d");
    if (drawn === null || context === null) return 0;
    context.drawImage(drawn, 0, 0, 64, 64);
    return new Set(context.getImageData(0, 0, 64, 64).data).size;
  });
}

/** A sound file of 1024 × 1024 × 512 voxels of 16 bits: its gzip has a member for the header, and 16 equal ones of 64 MiB. */
function gigabyteOfVoxels(): Uint8Array {
  const header = Buffer.from(
    writeNifti({ ...small, size: [1, 1, 1], data: Int16Array.of(0) }, { compress: false }),
  );
  [3, 1024, 1024, 512].forEach((n, at) => {
    header.writeInt16LE(n, 40 + 2 * at);
  });
  const tissue = Int16Array.from({ length: 32 * 2 ** 20 }, (_, at) => (at % 7 === 0 ? -100 : 40));
  const part = gzipSync(new Uint8Array(tissue.buffer), { level: 1 });
  return Buffer.concat([gzipSync(header.subarray(0, 352)), ...new Array<Buffer>(16).fill(part)]);
}
