// Editing in the page as a person does it: brushing, undo and redo, renaming; and a reload loses nothing.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { describePage, openExample } from "./page.test-helper.js";

describePage("editing", (pages) => {
  test("brush, undo ten steps, redo them, rename, and find all of it after a reload", async () => {
    const page = await pages.open();
    // Leaving warns, since nothing was exported.
    page.on("dialog", (dialog) => dialog.accept());
    await openExample(page);
    await page.keyboard.press("b");
    for (let n = 0; n < 10; n++) await drag(page, [0.4 + 0.015 * n, 0.5], [0.42 + 0.015 * n, 0.52]);
    const row = page.getByRole("row", { name: /Node \d+/ });
    const cells = () => row.getByRole("cell").allTextContents();
    const painted = await settled(page, cells);
    expect(painted[3]).toMatch(/^\d+\.\d\d$/);
    for (let n = 0; n < 10; n++) await page.keyboard.press("Control+z");
    await expect.poll(() => row.count()).toBe(0);
    for (let n = 0; n < 10; n++) await page.keyboard.press("Control+Shift+z");
    expect(await settled(page, cells)).toEqual(painted);

    await page.getByRole("button", { name: /^Node \d+$/ }).click();
    await page.keyboard.press("F2");
    await page.getByRole("textbox", { name: "Name of the node" }).fill("Level II left");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Undo: name" }).click();
    await page.getByRole("button", { name: "Redo: name" }).click();
    await page.getByText("Saved in this browser.").waitFor();

    await page.reload();
    await page.getByRole("button", { name: "Level II left", exact: true }).waitFor();
    const again = () => page.getByRole("row", { name: "Level II left" }).getByRole("cell").allTextContents();
    expect(await settled(page, again)).toEqual(painted);
  });

  test("a second tab on the same study may only read, until the first is closed", async () => {
    const page = await pages.open();
    await openExample(page);
    await page.getByRole("button", { name: "New node", exact: true }).click();
    await page.getByText("Saved in this browser.").waitFor();
    const second = await page.context().newPage();
    await second.goto(pages.origin());
    await openExample(second);
    await second
      .getByText(/open in another tab/)
      .first()
      .waitFor();
    await second.getByRole("button", { name: /^Node \d+$/ }).waitFor();
    await page.close();
    await second.getByText("Saved in this browser.").waitFor();
    await second.getByRole("button", { name: "New node", exact: true }).click();
    await second.getByText("2 nodes").waitFor();
  });

  test("a full storage is a sentence, and the page goes on", async () => {
    const page = await pages.open();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin: pages.origin(), quotaSize: 1000 });
    await openExample(page);
    await page.getByRole("button", { name: "New node", exact: true }).click();
    await page
      .getByText(/storage is full|no room|did not save/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: "New node", exact: true }).click();
    await page.getByText("2 nodes").waitFor();
  });
});

/** The figures of a row when they no longer change. */
async function settled(page: Page, cells: () => Promise<string[]>): Promise<string[]> {
  for (let before = ""; ; ) {
    // Measuring begins a moment after the last change.
    await page.waitForTimeout(500);
    await page.locator("tr[aria-busy=true]").first().waitFor({ state: "detached" });
    const texts = await cells();
    if (texts.join() === before) return texts;
    before = texts.join();
  }
}

/** Drags in the axial plane, by shares of its width and height. */
async function drag(
  page: Page,
  from: readonly [number, number],
  to: readonly [number, number],
): Promise<void> {
  const stage = page.getByRole("region", { name: "Axial" }).locator(".stage");
  const box = await stage.boundingBox();
  if (box === null) throw new Error("The axial plane is not shown.");
  const at = ([x, y]: readonly [number, number]) => [box.x + x * box.width, box.y + y * box.height] as const;
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at(to), { steps: 4 });
  await page.mouse.up();
}
