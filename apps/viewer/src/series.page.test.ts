// Several series: a list with pictures, of which one is chosen; what the planes offer is there and works.
import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { neckSlices, seriesFiles } from "./dicom-folders.test-helper.js";
import { describePage, openExample, openFile } from "./page.test-helper.js";

const early = seriesFiles(neckSlices(6));
const late = seriesFiles(neckSlices(9), {
  ...{ SeriesInstanceUID: "1.2.4", SeriesNumber: "8", SeriesDescription: "Late phase" },
});
const inFolder = (folder: string, files: typeof early) =>
  Object.fromEntries(files.map(({ name, bytes }) => [`${folder}/${name}`, bytes]));

describePage("series and planes", (pages) => {
  test("a zip of several series is a list with pictures; one is chosen by keyboard", async () => {
    const page = await pages.open();
    const zip = zipSync({
      ...inFolder("A", early),
      ...inFolder("B", late),
    });
    await openFile(page, "study.zip", zip);
    const dialog = page.getByRole("dialog", { name: "Which scan?" });
    await dialog.waitFor();
    const items = dialog.getByRole("listitem");
    expect(await items.count()).toBe(2);
    expect(await items.first().textContent()).toContain("CT, 6 slices");
    for (const item of await items.all()) {
      const greys = await item.locator("canvas").evaluate((element) => {
        // Runs in the page.
        const canvas = element as HTMLCanvasElement;
        return [...new Set(canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data)]
          .length;
      });
      expect(greys).toBeGreaterThan(20);
    }
    await items.filter({ hasText: "Late phase" }).getByRole("button").press("Enter");
    await page.getByText("Late phase is open.").waitFor();
    expect(await dialog.count()).toBe(0);
  });

  test("presets by keys, a scale bar of the length that it says, and each plane alone", async () => {
    const page = await pages.open();
    await openExample(page);
    const axial = page.getByRole("region", { name: "Axial", exact: true });
    for (const [key, name] of [
      ["2", "Bone"],
      ["3", "Lung"],
      ["4", "Brain"],
      ["1", "Soft tissue"],
    ]) {
      await page.keyboard.press(key);
      const preset = page.getByRole("button", { name, exact: true });
      await expect.poll(() => preset.getAttribute("aria-pressed"), { timeout: 30_000 }).toBe("true");
    }
    // Zoomed twice as far, the bar says half as many millimetres a pixel.
    const mmPerPixel = async () => {
      const label = (await axial.locator(".scale-bar text").textContent()) ?? "";
      const length = Number(label.replace(/[^\d.]/g, "")) * (label.endsWith("cm") ? 10 : 1);
      const path = (await axial.locator(".scale-bar path").getAttribute("d")) ?? "";
      return length / Number(/H([\d.]+)V/.exec(path)?.[1]);
    };
    await axial.locator(".scale-bar text").waitFor();
    const before = await mmPerPixel();
    await axial.locator(".stage").focus();
    await page.keyboard.press("+");
    await expect.poll(async () => before / (await mmPerPixel()), { timeout: 30_000 }).toBeCloseTo(1.25, 3);
    for (const plane of ["Axial", "Coronal", "Sagittal", "3D"]) {
      await page.getByRole("button", { name: `Maximise ${plane}`, exact: true }).click();
      const visible = await page.locator(".pane:visible").count();
      expect(visible, plane).toBe(1);
      await page.keyboard.press("Escape");
    }
    expect(await page.locator(".pane:visible").count()).toBe(4);
  });
});
