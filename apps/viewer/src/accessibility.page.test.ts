// axe-core finds nothing to mend in the page's main states (WCAG 2.2 A and AA, and its best practices), at laptop and tablet width.
import axeCore from "axe-core";
import { zipSync } from "fflate";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { neckSlices, seriesFiles } from "./dicom-folders.test-helper.js";
import { describePage, openFile } from "./page.test-helper.js";
import { drag } from "./page-actions.test-helper.js";

const { source: axe } = axeCore;

const series = seriesFiles(neckSlices(6));
const other = seriesFiles(neckSlices(4), { SeriesInstanceUID: "1.2.4", SeriesDescription: "Late phase" });
const zip = zipSync(Object.fromEntries([...series, ...other].map(({ bytes }, at) => [`IM${at}`, bytes])));

describePage(
  "accessibility",
  (pages) => {
    test.each([
      ["laptop", 1366, 768],
      ["tablet", 820, 1180],
    ])("%s", async (_, width, height) => {
      const page = await pages.open({ width, height });
      page.on("dialog", (dialog) => dialog.accept());
      await page.getByRole("button", { name: "Try the example" }).waitFor();
      await expectNothing(page, "welcome");

      await openFile(page, "study.zip", zip);
      await page.getByRole("dialog", { name: "Which scan?" }).waitFor();
      await expectNothing(page, "choice of a scan");
      await page
        .getByRole("dialog")
        .getByRole("button", { name: /Late phase/ })
        .click();
      await page.getByText("Late phase is open.").waitFor();
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keys and mouse" }).waitFor();
      await expectNothing(page, "cheat sheet");
      await page.keyboard.press("Escape");

      await page.keyboard.press("b");
      const box = await page.locator(".pane-axial .stage").boundingBox();
      if (box === null) throw new Error("The axial plane is not shown.");
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      await drag(page, [x, y], [x + 20, y]);
      await page.locator(".nodes-table tbody tr").waitFor();
      for (const summary of await page.locator("details.panel > summary").all()) await summary.click();
      await page.getByText("Saved in this browser.").waitFor();
      await expectNothing(page, "drawing, with every panel open");
      await openFile(page, "letter.txt", Buffer.from("no scan"));
      await page.locator(".notice.error").waitFor();
      await expectNothing(page, "an error");
    });
  },
  { draws3D: true },
);

interface Finding {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

async function expectNothing(page: Page, state: string): Promise<void> {
  await page.evaluate(axe);
  const found = (await page.evaluate(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) => violations)",
  )) as readonly Finding[];
  const told = found.map(({ id, help, nodes }) => ({
    ...{ id, help },
    where: nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)}: ${failureSummary}`),
  }));
  expect(told, state).toEqual([]);
}
