// Editing in the page as a person does it: brushing, undo and redo, renaming; and a reload loses nothing.
import { expect, test } from "vitest";
import { describePage, openExample } from "./page.test-helper.js";
import { drag, figuresOf, nodeRows, select, stageOf } from "./page-actions.test-helper.js";

describePage("editing", (pages) => {
  test("brush, undo ten steps, redo them, rename, and find all of it after a reload", async () => {
    const page = await pages.open();
    // Leaving warns, since nothing was exported.
    page.on("dialog", (dialog) => dialog.accept());
    await openExample(page);
    await page.keyboard.press("b");
    const box = await stageOf(page, "axial").boundingBox();
    if (box === null) throw new Error("the axial plane is not shown");
    const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
    for (let n = 0; n < 10; n++) await drag(page, at(0.4 + 0.015 * n, 0.5), at(0.42 + 0.015 * n, 0.52));
    const painted = await figuresOf(page, "Node 1");
    expect(painted[2]).toMatch(/^\d+\.\d\d$/);
    for (let n = 0; n < 10; n++) await page.keyboard.press("Control+z");
    await expect.poll(() => nodeRows(page).count()).toBe(0);
    for (let n = 0; n < 10; n++) await page.keyboard.press("Control+Shift+z");
    expect(await figuresOf(page, "Node 1")).toEqual(painted);

    await select(page, "Node 1");
    await page.keyboard.press("F2");
    await page.getByRole("textbox", { name: "Name of the node" }).fill("Level II left");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Undo: name" }).click();
    await page.getByRole("button", { name: "Redo: name" }).click();
    await page.getByText("Saved in this browser.").waitFor();

    await page.reload();
    await page.getByRole("button", { name: "Level II left", exact: true }).waitFor();
    expect(await figuresOf(page, "Level II left")).toEqual(painted);
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

  test("a scan is seen before it is known whether its nodes are kept; a stroke begun too early is refused", async () => {
    const page = await pages.open();
    page.on("dialog", (dialog) => dialog.accept());
    await openExample(page);
    await page.getByRole("button", { name: "New node", exact: true }).click();
    await page.getByText("Saved in this browser.").waitFor();
    await page.evaluate(() => {
      // Runs in the page: no digest is ready before the test says so, as with a large scan.
      const digest = crypto.subtle.digest.bind(crypto.subtle);
      const told = new Promise((resolve) => addEventListener("digest", resolve));
      crypto.subtle.digest = async (...of) => {
        await told;
        return digest(...of);
      };
    });
    await page.getByRole("button", { name: "Try the example" }).click();
    const early = page.locator(".notice.error", { hasText: "Nodes can be drawn in a moment" });
    await page.getByText("No node yet.").waitFor();
    await page.keyboard.press("b");
    const draw = () => stageOf(page, "axial").click();
    await draw();
    await early.waitFor();
    await expect.poll(() => nodeRows(page).count()).toBe(0);
    await page.locator(".saving-line", { hasText: "still looking" }).waitFor();
    await page.evaluate(() => dispatchEvent(new Event("digest")));
    await page.getByText("Example neck is open.").waitFor();
    await expect.poll(() => nodeRows(page).count()).toBe(1);
    await draw();
    await page.getByText("2 nodes").waitFor();
    await page.getByText("Saved in this browser.").waitFor();
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
