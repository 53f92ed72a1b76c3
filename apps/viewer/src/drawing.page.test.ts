// Drawing and correcting nodes in the page as a person does it, beside what the library says of the same strokes.
import { writeNifti } from "@lnsnet/core/formats";
import { type Geometry, pointOfIndex, type Vector3, type Volume } from "@lnsnet/core/volume";
import { dilate, erode } from "@lnsnet/core/voxels";
import type { Page } from "playwright-core";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { middleOf, patientPlanes } from "./display/plane.js";
import { describePage, openFile } from "./page.test-helper.js";
import {
  differing,
  drag,
  figuresOf,
  holding,
  measured,
  nodeRows,
  type ShownPlane,
  savedMask,
  select,
  shownPlane,
  stageOf,
  voxelsOf,
} from "./page-actions.test-helper.js";
import { type Brush, brushMask } from "./study/brush.js";

/** Soft tissue, darker on the patient's right; behind a layer of fat, so that it can be a CT. */
const grid: Geometry = {
  size: [100, 100, 40],
  spacingMm: [1, 1, 2],
  originMm: [-50, -50, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
const darkHu = 40;
const brightHu = 120;
const scan: Volume<Int16Array> = {
  ...grid,
  data: Int16Array.from({ length: 100 * 100 * 40 }, (_, at) =>
    Math.floor(at / 100) % 100 < 4 ? -90 : at % 100 < 50 ? darkHu : brightHu,
  ),
};
const middle = middleOf(grid);
/** The slice that is shown at first, counted from the feet. */
const shownSlice = 20;

describePage(
  "drawing",
  (pages) => {
    let page: Page;
    let axial: ShownPlane;

    beforeAll(async () => {
      page = await pages.open();
      page.on("dialog", (dialog) => dialog.accept());
      await openFile(page, "halves.nii.gz", writeNifti(scan));
      await page.getByText("halves.nii.gz is open.").waitFor();
      // One plane is enough here, and the others would be drawn anew by the processor after every stroke.
      await page.getByRole("button", { name: "Maximise Axial" }).click();
    });

    beforeEach(async () => {
      while ((await nodeRows(page).count()) > 0) {
        await nodeRows(page).last().getByRole("checkbox").setChecked(true);
        await nodeRows(page).last().getByRole("button").click();
        const unlock = page.getByRole("button", { name: "Unlock", exact: true });
        if (await unlock.isVisible()) await unlock.click();
        await page.keyboard.press("Delete");
      }
      await showAll();
      await page.getByRole("button", { name: "Brush (B)" }).click();
      await page.getByRole("button", { name: "Sphere" }).click();
      await page.getByRole("checkbox", { name: "Only HU" }).setChecked(false);
      await setRadius(6);
    });

    /** The whole scan, at the slice of the first picture: to select a node moves planes. */
    async function showAll(): Promise<void> {
      await page.getByRole("button", { name: "Fit the whole scan into the planes (F)" }).click();
      await page.getByRole("slider", { name: "Axial slice" }).fill(String(grid.size[2] - 1 - shownSlice));
      // Measured anew, since a notice that came or went changes the height of the planes.
      axial = await shownPlane(page, grid, "axial", pointOfIndex(grid, [50, 50, shownSlice]));
    }

    async function setRadius(mm: number): Promise<void> {
      const label = page.getByText(/^Radius \d/);
      const now = async () => Number(/[\d.]+/.exec((await label.textContent()) ?? "")?.[0]);
      while ((await now()) !== mm) await page.keyboard.press((await now()) < mm ? "]" : "[");
    }

    /** The whole pixel nearest to a point, which the mouse can point at, and the point there. */
    function target(rightMm: number, behindMm: number, from: Vector3 = middle) {
      const [x, y] = axial.pixelOf([from[0] + rightMm, from[1] + behindMm, from[2]]);
      const place = [Math.round(x), Math.round(y)] as const;
      return { place, point: axial.pointAt(...place) };
    }

    /** The voxels that a brush of the library covers, as a mask of the scan. */
    function covered(brush: Partial<Brush>, fromMm: Vector3, toMm = fromMm): Uint8Array {
      const all = new Uint8Array(scan.data.length);
      const box = brushMask(scan, { radiusMm: 6, planeNormal: null, limits: null, ...brush }, fromMm, toMm);
      if (box === null) return all;
      const { start, size, data } = box;
      data.forEach((value, at) => {
        const [i, j, k] = [
          at % size[0],
          Math.floor(at / size[0]) % size[1],
          Math.floor(at / size[0] / size[1]),
        ];
        if (value !== 0) all[start[0] + i + 100 * (start[1] + j + 100 * (start[2] + k))] = 1;
      });
      return all;
    }

    const isNode = async () => (await savedMask(page)).data.map((value) => (value === 0 ? 0 : 1));

    test("a touch of the sphere brush is a ball of that radius in mm; Ctrl erases from it", async () => {
      const { place, point } = target(0, 0);
      await page.mouse.click(...place);
      const ball = covered({}, point);
      expect(differing(await isNode(), ball)).toBe(0);
      expect(ball.reduce((sum, value) => sum + value, 0) * 2).toBeGreaterThan(
        0.9 * (4 / 3) * Math.PI * 6 ** 3,
      );
      const beside = target(5, 0);
      await holding(page, "Control", () => page.mouse.click(...beside.place));
      const hole = covered({}, beside.point);
      expect(
        differing(
          await isNode(),
          ball.map((value, at) => (hole[at] === 1 ? 0 : value)),
        ),
      ).toBe(0);
      await page.getByRole("button", { name: "Undo: eraser" }).waitFor();
    });

    test("only HU within the limits are painted; inverted, only those outside", async () => {
      const { place, point } = target(0, 0);
      await page.getByRole("checkbox", { name: "Only HU" }).setChecked(true);
      await page.getByLabel("from", { exact: true }).fill("0");
      await page.getByLabel("to", { exact: true }).fill("80");
      await page.getByLabel("to", { exact: true }).press("Tab");
      const limits = { lowHu: 0, highHu: 80, invert: false };
      await page.mouse.click(...place);
      const dark = await isNode();
      expect(differing(dark, covered({ limits }, point))).toBe(0);
      expect(scan.data.every((hu, at) => dark[at] === 0 || hu === darkHu)).toBe(true);
      await page.getByRole("button", { name: "New node", exact: true }).click();
      await page.getByRole("checkbox", { name: "outside" }).setChecked(true);
      await page.mouse.click(...place);
      const bright = covered({ limits: { ...limits, invert: true } }, point);
      expect(
        differing(
          await isNode(),
          dark.map((value, at) => value | bright[at]),
        ),
      ).toBe(0);
      await page.getByRole("checkbox", { name: "outside" }).setChecked(false);
    });

    test("a node drawn in two slices is drawn in those between them", async () => {
      await page.getByRole("button", { name: "Circle" }).click();
      const { place, point } = target(0, 0);
      await page.mouse.click(...place);
      await stageOf(page, "axial").focus();
      for (let n = 0; n < 4; n++) await page.keyboard.press("ArrowDown");
      await page.mouse.click(...place);
      const circle = covered({ planeNormal: patientPlanes.axial.away }, point).reduce((a, b) => a + b, 0);
      expect(voxelsOf(await savedMask(page), 1)).toBe(2 * circle);
      await page.getByRole("button", { name: "Interpolate" }).click();
      expect(voxelsOf(await savedMask(page), 1)).toBe(5 * circle);
      for (let n = 0; n < 4; n++) await page.keyboard.press("ArrowUp");
    });

    test("a closed outline is filled by a click in it, and holes are filled by a button", async () => {
      await page.getByRole("button", { name: "Circle" }).click();
      await setRadius(2);
      const corners = [
        [-10, -10],
        [10, -10],
        [10, 10],
        [-10, 10],
        [-10, -10],
      ].map(([right, behind]) => target(right, behind).place);
      await drag(page, ...corners);
      const outline = voxelsOf(await savedMask(page), 1);
      await page.keyboard.press("g");
      await page.mouse.click(...target(0, 0).place);
      const filled = voxelsOf(await savedMask(page), 1);
      // About 17 × 17 voxels of 1 mm lie within the outline.
      expect(filled - outline).toBeGreaterThan(220);
      expect(filled - outline).toBeLessThan(350);
      await page.keyboard.press("Control+z");
      await page.getByRole("button", { name: "Fill holes" }).click();
      expect(voxelsOf(await savedMask(page), 1)).toBe(filled);
      await page.mouse.click(...target(30, 30).place);
      await page.getByText("No closed outline lies around this point").waitFor();
    });

    test("grows and shrinks by mm", async () => {
      await page.mouse.click(...target(0, 0).place);
      const ball = Uint8Array.from(await isNode());
      await page.getByLabel("by mm").fill("2.5");
      await page.getByRole("button", { name: "Grow", exact: true }).click();
      const size = { radiusMm: 2.5, spacingMm: grid.spacingMm };
      const grown = dilate(ball, grid.size, size);
      expect(differing(await isNode(), grown)).toBe(0);
      await page.getByRole("button", { name: "Shrink" }).click();
      expect(differing(await isNode(), erode(grown, grid.size, size))).toBe(0);
    });

    test("a node is cut by a line, and made one again; parts that lie apart become nodes of their own", async () => {
      await page.mouse.click(...target(0, 0).place);
      const whole = voxelsOf(await savedMask(page), 1);
      await page.getByRole("button", { name: "Cut by a line" }).click();
      await drag(page, target(1, -12).place, target(1, 12).place);
      const cut = await savedMask(page);
      expect(voxelsOf(cut, 1) + voxelsOf(cut, 2)).toBe(whole);
      expect(Math.abs(voxelsOf(cut, 1) - voxelsOf(cut, 2))).toBeLessThan(whole / 2);
      await select(page, "Node 1");
      await page.getByLabel("Merge with …").selectOption({ label: "Node 1 b" });
      expect(voxelsOf(await savedMask(page), 1)).toBe(whole);
      await expect.poll(() => nodeRows(page).count()).toBe(1);

      await showAll();
      await page.getByRole("button", { name: "Brush (B)" }).click();
      const beside = target(30, 0);
      await page.mouse.click(...beside.place);
      await page.getByRole("button", { name: "Split parts" }).click();
      await expect.poll(() => nodeRows(page).count()).toBe(2);
      const apart = await savedMask(page);
      const added = covered({}, beside.point).reduce((sum, value) => sum + value, 0);
      expect([voxelsOf(apart, 1), voxelsOf(apart, 2)].sort()).toEqual([whole, added].sort());
    });

    test("an end of an axis is dragged, or moved by keys; it is marked as edited, and measured again when asked", async () => {
      await page.mouse.click(...target(0, 0).place);
      const before = await figuresOf(page, "Node 1");
      const axis = page.getByRole("button", { name: /^Long axis of Node 1/ }).first();
      const end = await axis.boundingBox();
      if (end === null) throw new Error("the long axis is not shown");
      const from = [end.x + end.width / 2, end.y + end.height / 2] as const;
      await drag(page, from, [from[0] + 40, from[1]]);
      const after = await figuresOf(page, "Node 1");
      expect(after[1]).toMatch(/edited$/);
      expect(after[0]).toBe(before[0]);
      expect(Number.parseFloat(after[1])).not.toBe(Number.parseFloat(before[1]));
      await page
        .getByRole("button", { name: /^Long axis of Node 1.+edited/ })
        .first()
        .focus();
      for (let n = 0; n < 30; n++) await page.keyboard.press("ArrowLeft");
      expect((await figuresOf(page, "Node 1"))[1]).not.toBe(after[1]);
      await page.getByRole("button", { name: "Measure axes again" }).click();
      expect(await figuresOf(page, "Node 1")).toEqual(before);
    });

    test("what is hidden or locked is not changed, and a sentence says why", async () => {
      await page.mouse.click(...target(0, 0).place);
      const before = voxelsOf(await savedMask(page), 1);
      await page.getByRole("checkbox", { name: "Show Node 1" }).setChecked(false);
      await page.mouse.click(...target(8, 0).place);
      await page.getByText("Node 1 is hidden; show it to change it.").waitFor();
      await page.getByRole("button", { name: "Grow", exact: true }).click();
      await page.getByText("Node 1 is hidden; show it to change it.").waitFor();
      await page.getByRole("checkbox", { name: "Show Node 1" }).setChecked(true);
      await page.getByRole("button", { name: "Lock", exact: true }).click();
      await holding(page, "Control", () => page.mouse.click(...target(4, 0).place));
      await page.getByText("Node 1 is locked; unlock it to change it.").waitFor();
      expect(voxelsOf(await savedMask(page), 1)).toBe(before);
      expect(await page.getByRole("button", { name: /^(Long|Short) axis/ }).count()).toBe(0);
    });

    test("ten steps of ten kinds are undone one by one, and done again", async () => {
      const button = (name: string) => () => page.getByRole("button", { name, exact: true }).click();
      const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
        ["brush", () => page.mouse.click(...target(0, 0).place)],
        ["growing", button("Grow")],
        ["eraser", () => holding(page, "Control", () => page.mouse.click(...target(6, 0).place))],
        ["shrinking", button("Shrink")],
        ["new node", button("New node")],
        ["brush", () => page.mouse.click(...target(25, 0).place)],
        ["name", () => rename("Node 2", "Level III")],
        ["showing and hiding", () => page.getByRole("checkbox", { name: "Show Node 1" }).setChecked(false)],
        ["lock", button("Lock")],
        ["deletion", () => deleteUnlocked()],
      ];
      async function rename(from: string, to: string): Promise<void> {
        await select(page, from);
        await page.keyboard.press("F2");
        await page.getByRole("textbox", { name: "Name of the node" }).fill(to);
        await page.keyboard.press("Enter");
      }
      /** The first node, which is hidden and not locked. */
      async function deleteUnlocked(): Promise<void> {
        await select(page, "Node 1");
        await page.keyboard.press("Delete");
      }
      /** Everything that a person sees of the nodes. */
      async function seen(): Promise<string> {
        if ((await nodeRows(page).count()) === 0) return "no node";
        await measured(page);
        const shown = await page.locator(".nodes-table").textContent();
        const boxes = await nodeRows(page).getByRole("checkbox").all();
        const isShown = await Promise.all(boxes.map((box) => box.isChecked()));
        const { data } = await savedMask(page);
        return `${shown} ${isShown} ${Buffer.from(Uint8Array.from(data)).toString("base64")}`;
      }
      const states = [await seen()];
      for (const [kind, act] of steps) {
        await act();
        await page.getByRole("button", { name: `Undo: ${kind}` }).waitFor();
        states.push(await seen());
      }
      expect(new Set(states).size).toBe(states.length);
      for (let at = steps.length - 1; at >= 0; at--) {
        await page.keyboard.press("Control+z");
        await page.getByRole("button", { name: `Redo: ${steps[at][0]}` }).waitFor();
        expect(await seen()).toBe(states[at]);
      }
      for (let at = 1; at < states.length; at++) {
        await page.keyboard.press("Control+Shift+z");
        expect(await seen()).toBe(states[at]);
      }
    });
  },
  { areKept: true },
);
