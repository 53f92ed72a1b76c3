// The page is worked with by keys alone, and by fingers.
import { writeNifti } from "@lnsnet/core/formats";
import { generatePatient } from "@lnsnet/core/phantom";
import type { CDPSession, Page } from "playwright-core";
import { expect, test } from "vitest";
import { describePage, openFile } from "./page.test-helper.js";
import { figuresOf, nodeRows, savedMask, stageOf, voxelsOf } from "./page-actions.test-helper.js";

const { image } = generatePatient(2026, 60, {
  ...{ fieldMm: [96, 96, 90], inPlaneSpacingMm: [1.5, 1.5], sliceSpacingMm: [3, 3] },
  ...{ obliqueShare: 0, reversedShare: 0 },
});

describePage("without a mouse", (pages) => {
  async function openNeck(page: Page): Promise<void> {
    await openFile(page, "neck.nii.gz", writeNifti(image));
    await page.getByText("neck.nii.gz is open.").waitFor();
  }

  test("the wheel goes on from the moment at which a plane is there", async () => {
    const page = await pages.open();
    // Runs in the page.
    await page.evaluate(() => {
      new MutationObserver((_, observer) => {
        const stage = document.querySelector(".pane-axial .stage");
        if (stage === null) return;
        observer.disconnect();
        document.body.dataset.before = document.querySelector(".pane-axial .pane-title")?.textContent ?? "";
        stage.dispatchEvent(new WheelEvent("wheel", { deltaY: 300, bubbles: true, cancelable: true }));
      }).observe(document.body, { childList: true, subtree: true });
    });
    await openNeck(page);
    const before = await page.evaluate(() => document.body.dataset.before);
    expect(before).toMatch(/^Axial/);
    await expect.poll(() => page.locator(".pane-axial .pane-title").textContent()).not.toBe(before);
  });

  test("by keys alone: planes, tools, drawing, table, saving", async () => {
    const page = await pages.open();
    await openNeck(page);
    const title = () => page.locator(".pane-axial .pane-title").textContent();
    await tabTo(page, /^Axial plane of the scan/);
    const first = await title();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("PageUp");
    expect(await title()).not.toBe(first);
    const bar = () => page.locator(".pane-axial .scale-bar text").textContent();
    const wide = await bar();
    for (let n = 0; n < 6; n++) await page.keyboard.press("+");
    expect(await bar()).not.toBe(wide);
    await page.keyboard.press("f");
    expect(await bar()).toBe(wide);

    // The brush draws where the crosshair stands; the other planes move it there.
    await page.keyboard.press("b");
    await page.keyboard.press("Enter");
    const drawn = voxelsOf(await savedMask(page), 1);
    expect(drawn).toBeGreaterThan(5);
    await tabTo(page, /^Sagittal plane of the scan/);
    for (let n = 0; n < 2; n++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Control+Enter");
    expect(voxelsOf(await savedMask(page), 1)).toBeLessThan(drawn);
    await tabTo(page, /^Undo: eraser/);
    await page.keyboard.press("Enter");
    expect(voxelsOf(await savedMask(page), 1)).toBe(drawn);

    await tabTo(page, /^Node 1$/);
    await page.keyboard.press("F2");
    await page.locator("input:focus").waitFor();
    await page.keyboard.type("Level Ib");
    await page.keyboard.press("Enter");
    expect(await figuresOf(page, "Level Ib")).toHaveLength(7);
    await tabTo(page, /^Level Ib$/);
    await page.keyboard.press("Delete");
    await expect.poll(() => nodeRows(page).count()).toBe(0);
    await page.keyboard.press("Control+z");
    await expect.poll(() => nodeRows(page).count()).toBe(1);

    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys and mouse" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  });

  test("by fingers on a tablet: one draws or moves the crosshair, two zoom and pan", async () => {
    const page = await pages.open({ width: 820, height: 1180, hasTouch: true });
    await openNeck(page);
    const fingers = await page.context().newCDPSession(page);
    const box = await stageOf(page, "axial").boundingBox();
    if (box === null) throw new Error("the axial plane is not shown");
    const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;

    const sagittal = page.locator(".pane-sagittal .pane-title");
    const before = await sagittal.textContent();
    await touch(fingers, [[at(0.5, 0.5)], [at(0.35, 0.5)]]);
    expect(await sagittal.textContent()).not.toBe(before);

    const bar = () => page.locator(".pane-axial .scale-bar text").textContent();
    const wide = await bar();
    await touch(fingers, [
      [at(0.45, 0.5), at(0.55, 0.5)],
      [at(0.3, 0.5), at(0.7, 0.5)],
      [at(0.15, 0.5), at(0.85, 0.5)],
    ]);
    expect(await bar()).not.toBe(wide);

    await page.getByRole("button", { name: "Brush (B)" }).tap();
    await touch(fingers, [[at(0.4, 0.4)], [at(0.5, 0.4)], [at(0.6, 0.4)]]);
    await expect.poll(() => nodeRows(page).count()).toBe(1);
    const drawn = voxelsOf(await savedMask(page), 1);
    expect(drawn).toBeGreaterThan(20);
    // A second finger means zooming: what the first one drew is taken back.
    await touch(fingers, [[at(0.3, 0.7)], [at(0.3, 0.7), at(0.6, 0.7)], [at(0.2, 0.7), at(0.7, 0.7)]]);
    expect(voxelsOf(await savedMask(page), 1)).toBe(drawn);
    await page.getByRole("slider", { name: "Axial slice" }).fill("3");
    await page.locator(".pane-axial .pane-title", { hasText: /^Axial\s+4 \/ 30/ }).waitFor();
  });
});

/** Goes on with the Tab key until what has the focus has a name. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let n = 0; n < 120; n++) {
    const focused = await page.evaluate(() => {
      const { activeElement: element } = document;
      return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
    });
    if (name.test(focused.trim())) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`The Tab key does not lead to ${name}.`);
}

/** Puts fingers on the page, moves them from place to place, and lifts them. */
async function touch(
  fingers: CDPSession,
  moves: readonly (readonly (readonly [x: number, y: number])[])[],
): Promise<void> {
  let down = 0;
  for (const places of moves) {
    const touchPoints = places.map(([x, y], id) => ({ x, y, id }));
    const type = places.length > down ? "touchStart" : "touchMove";
    await fingers.send("Input.dispatchTouchEvent", { type, touchPoints });
    down = places.length;
  }
  await fingers.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
}
