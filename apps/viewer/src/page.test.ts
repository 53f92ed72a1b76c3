// The page in a real browser: the example and files are open in three planes, right side up.
import { writeNifti } from "@lnsnet/core/formats";
import { type Geometry, type Matrix3, pointOfIndex, type Volume } from "@lnsnet/core/volume";
import { expect, test } from "vitest";
import { fittingScale, middleOf, type PlaneName, patientPlanes } from "./display/plane.js";
import { describePage, openExample, openFile, planePixels } from "./page.test-helper.js";
import { figuresOf } from "./page-actions.test-helper.js";

describePage(
  "the viewer",
  (pages) => {
    test("opens the example in three planes, with research use always in sight", async () => {
      const page = await pages.open();
      await page.getByText("Research use only, not a medical device").waitFor();
      await openExample(page);
      await page.getByText("phantom", { exact: true }).waitFor();
      expect(await page.getByText("Research use only, not a medical device").isVisible()).toBe(true);
      for (const plane of ["Axial", "Coronal", "Sagittal"] as const) {
        await expect
          .poll(async () => new Set((await planePixels(page, plane)).grey).size, { timeout: 60_000 })
          .toBeGreaterThan(50);
      }
    });

    test("computes on several threads and works without a network after the first load, from any web server", async () => {
      const page = await pages.open({ isPlainServer: true });
      await page.getByText("opens without a network too").waitFor();
      await page.context().setOffline(true);
      await page.reload();
      await openExample(page);
      await page.getByText(/Model clicker.+\b[2-8] threads\./).waitFor();
      await expect
        .poll(async () => new Set((await planePixels(page, "Axial")).grey).size, { timeout: 60_000 })
        .toBeGreaterThan(50);
    });

    test("who begins before the page has its threads is offered them, and loses nothing", async () => {
      const page = await pages.open({ isHasty: true });
      await openExample(page);
      await page.keyboard.press("b");
      await page.getByRole("region", { name: "Axial" }).locator(".stage").click();
      await page.getByText(/\b1 thread\./).waitFor();
      // Without shared memory the page itself reads what is measured and saved.
      const alone = await figuresOf(page, "Node 1");
      expect(Number.parseFloat(alone[0])).toBeGreaterThan(3);
      await page.getByRole("button", { name: "Load again" }).click();
      await page.getByText(/[2-8] threads\./).waitFor();
      await page.getByRole("button", { name: "Node 1", exact: true }).waitFor();
      expect(await figuresOf(page, "Node 1")).toEqual(alone);
    });

    test("keys choose windows and tools, and the cheat sheet tells which", async () => {
      const page = await pages.open();
      await openExample(page);
      await page.keyboard.press("2");
      await expect
        .poll(() => page.getByRole("button", { name: "Bone", exact: true }).getAttribute("aria-pressed"), {
          timeout: 20_000,
        })
        .toBe("true");
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keys and mouse" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "hidden" });
    });

    test.each([
      ["upright", [1, 0, 0, 0, 1, 0, 0, 0, 1]],
      ["mirrored", [-1, 0, 0, 0, 1, 0, 0, 0, -1]],
      ["oblique", obliqueDirection()],
    ] as const)("shows a file's %s grid as it lies in the patient", async (name, direction) => {
      const marked = markedBlock(direction);
      const page = await pages.open();
      await openFile(page, `${name}.nii.gz`, writeNifti(marked));
      await page.getByText(`${name}.nii.gz is open.`).waitFor();
      await page.keyboard.press("2");
      // The arms lie to the left, behind and above the middle; in every plane they must be on the side of their letters.
      for (const [plane, right, down] of [
        ["Axial", leftMm, behindMm],
        ["Coronal", leftMm, -aboveMm],
        ["Sagittal", behindMm, -aboveMm],
      ] as const) {
        const error = async () => {
          const arms = brightReach(marked, plane, await planePixels(page, plane));
          return Math.hypot(arms.right - right, arms.down - down);
        };
        await expect.poll(error, { timeout: 60_000 }).toBeLessThan(1.6);
      }
    });
  },
  { draws3D: true, usesModels: true },
);

/** How far bright arms reach from the middle of the scan towards the patient's left, back and head. */
const [leftMm, behindMm, aboveMm] = [30, 20, 24];

/** A rim of fat: the page opens only what can be a CT. */
const fatHu = -90;

/** Rz(10°)·Rx(20°): turned to the side and tilted. */
function obliqueDirection(): Matrix3 {
  const [c, s, d, t] = [10, 20].flatMap((degrees) => {
    const angle = (degrees * Math.PI) / 180;
    return [Math.cos(angle), Math.sin(angle)];
  });
  return [c, -s * d, s * t, s, c * d, -c * t, 0, t, d];
}

/** A block of soft tissue in air with three bright arms, which meet in the middle of the grid. */
function markedBlock(direction: Matrix3): Volume<Int16Array> {
  const size = [91, 81, 61] as const;
  const grid: Geometry = { size, spacingMm: [1.2, 1.2, 1.8], originMm: [-20, 30, -400], direction };
  const [x, y, z] = middleOf(grid);
  const data = new Int16Array(size[0] * size[1] * size[2]);
  for (let n = 0; n < data.length; n++) {
    const i = n % size[0];
    const j = Math.floor(n / size[0]) % size[1];
    const k = Math.floor(n / (size[0] * size[1]));
    const [px, py, pz] = pointOfIndex(grid, [i, j, k]);
    const [left, behind, above] = [px - x, py - y, pz - z];
    const isOnArm =
      (left >= 0 && left <= leftMm && Math.hypot(behind, above) < 2.5) ||
      (behind >= 0 && behind <= behindMm && Math.hypot(left, above) < 2.5) ||
      (above >= 0 && above <= aboveMm && Math.hypot(left, behind) < 2.5);
    const isInside = i > 3 && i < size[0] - 4 && j > 3 && j < size[1] - 4;
    data[n] = isOnArm ? 2000 : !isInside ? -1000 : j < 8 ? fatHu : 30;
  }
  return { ...grid, data };
}

/** How far bright pixels reach from the middle of a plane, in mm; of two opposite ways, the farther. */
function brightReach(
  scan: Geometry,
  plane: "Axial" | "Coronal" | "Sagittal",
  { width, height, grey }: { readonly width: number; readonly height: number; readonly grey: Uint8Array },
): { readonly right: number; readonly down: number } {
  const axes = patientPlanes[plane.toLowerCase() as PlaneName];
  const mmPerPixel = fittingScale(scan, axes, width, height);
  const reach = { right: 0, down: 0 };
  for (let at = 0; at < grey.length; at++) {
    if (grey[at] < 165) continue;
    const right = ((at % width) + 0.5 - width / 2) * mmPerPixel;
    const down = (Math.floor(at / width) + 0.5 - height / 2) * mmPerPixel;
    if (Math.abs(right) > Math.abs(reach.right)) reach.right = right;
    if (Math.abs(down) > Math.abs(reach.down)) reach.down = down;
  }
  return reach;
}
