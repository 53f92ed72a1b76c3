// Segmenting in the page as a person does it, beside what the command says of the same scan and the same clicks.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countOverlap, dice } from "@lnsnet/core";
import { readNifti, writeNifti } from "@lnsnet/core/formats";
import { generatePatient } from "@lnsnet/core/phantom";
import { crop, type Vector3, type Volume } from "@lnsnet/core/volume";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lnsnetIn } from "../../../packages/cli/src/command.test-helper.js";
import { middleOf } from "./display/plane.js";
import { describePage, openFile } from "./page.test-helper.js";
import {
  figuresOf,
  holding,
  nodeRows,
  type ShownPlane,
  savedMask,
  shownPlane,
} from "./page-actions.test-helper.js";

describePage(
  "segmenting",
  (pages) => {
    const scan = scanAroundNode();
    let page: Page;
    let folder: string;
    let axial: ShownPlane;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "lnsnet-segmenting-"));
      await writeFile(join(folder, "neck.nii.gz"), writeNifti(scan));
      page = await pages.open();
      page.on("dialog", (dialog) => dialog.accept());
      await openFile(page, "neck.nii.gz", writeNifti(scan));
      await page.getByText("neck.nii.gz is open.").waitFor();
      axial = await shownPlane(page, scan, "axial", middleOf(scan));
    });
    afterAll(() => rm(folder, { recursive: true }));

    /** What the command writes: the nodes and their mask. */
    async function predict(output: string, ...tokens: string[]) {
      const words = ["predict", "neck.nii.gz", "--output", output, "--json", "--numbered", "--no-pictures"];
      const { code, stdout, stderr } = await lnsnetIn(folder, [...words, ...tokens]);
      expect(stderr).not.toMatch(/Error/);
      expect(code).toBe(0);
      const mask = readNifti(await readFile(join(folder, output, "neck.nii.gz")), "neck.nii.gz");
      const { nodes } = JSON.parse(stdout) as { readonly nodes: readonly NodeJson[] };
      return { mask, nodes };
    }

    /** A whole pixel of the page near the middle of the scan, and the point there as the command takes it. */
    function target(rightMm: number, behindMm: number) {
      const [x, y, z] = middleOf(scan);
      const place = axial.pixelOf([x + rightMm, y + behindMm, z]).map(Math.round) as [number, number];
      return { place, words: axial.pointAt(...place).join(",") };
    }

    async function expectEqual(command: Awaited<ReturnType<typeof predict>>): Promise<void> {
      const { data } = await savedMask(page);
      expect(dice(countOverlap(isNode(data), isNode(command.mask.data)))).toBeGreaterThanOrEqual(0.999);
      const shown = await Promise.all(
        (await nodeRows(page).getByRole("button").allInnerTexts()).map((name) =>
          figuresOf(page, name.trim()),
        ),
      );
      const byVolume = (rows: readonly number[][]) => [...rows].sort((a, b) => b[2] - a[2] || b[0] - a[0]);
      const ofPage = byVolume(shown.map((row) => row.slice(0, 3).map(Number)));
      const own = byVolume(
        command.nodes.map((node) => [node.short_axis_mm, node.long_axis_mm, node.volume_ml]),
      );
      expect(ofPage).toHaveLength(own.length);
      ofPage.forEach((row, at) => {
        row.forEach((value, figure) => {
          expect(Math.abs(value - own[at][figure])).toBeLessThan(0.1);
        });
      });
    }

    test("a click outlines a node as the command does, and a second one corrects it as there", async () => {
      const inside = target(0, 0);
      await page.getByRole("button", { name: "Click a node" }).click();
      await page.mouse.click(...inside.place);
      await nodeRows(page).first().waitFor();
      await expectEqual(await predict("clicked", "--at", inside.words));
      const clicked = await savedMask(page);

      const wrong = target(3, 0);
      await holding(page, "Control", () => page.mouse.click(...wrong.place));
      await expect.poll(async () => isSame(await savedMask(page), clicked), { timeout: 60_000 }).toBe(false);
      await expectEqual(await predict("corrected", "--at", inside.words, "--not-at", wrong.words));
      await page.keyboard.press("Control+z");
      await expect.poll(async () => isSame(await savedMask(page), clicked), { timeout: 60_000 }).toBe(true);
      await page.keyboard.press("Control+z");
      await expect.poll(() => nodeRows(page).count()).toBe(0);
    });

    test("the slider of probability changes the outline at once, and one undo takes it back", async () => {
      await page.mouse.click(...target(0, 0).place);
      await nodeRows(page).first().waitFor();
      const name = ((await nodeRows(page).getByRole("button").first().textContent()) ?? "").trim();
      const volume = async () => Number((await figuresOf(page, name))[2]);
      const before = await volume();
      const slider = page.getByRole("slider", { name: /^From probability/ });
      await slider.fill("0.15");
      await expect.poll(volume).toBeGreaterThan(before);
      await page.getByRole("button", { name: "Undo: threshold" }).click();
      expect(await volume()).toBe(before);
      await slider.fill("0.9");
      await expect.poll(volume).toBeLessThan(before);
      await page.keyboard.press("Control+z");
      expect(await volume()).toBe(before);
      await page.keyboard.press("Control+z");
    });

    test("a search waits for the brush and can be stopped; all nodes that are found are those of the command", async () => {
      await page.keyboard.press("b");
      const stage = page.locator(".pane-axial .stage");
      // The brush moves at once: on a fast machine the whole search takes a moment.
      const searchWhileDrawing = async () => {
        await stage.hover();
        await page.getByRole("button", { name: "Find all nodes" }).focus();
        await page.keyboard.press("Enter");
        await stage.hover({ position: { x: 40, y: 40 } });
        await page.getByText("Looking for nodes … It waits while you draw or scroll.").waitFor();
      };
      await searchWhileDrawing();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByRole("button", { name: "Stop" }).waitFor({ state: "hidden" });
      while ((await nodeRows(page).count()) > 0) await page.keyboard.press("Control+z");
      await searchWhileDrawing();
      await page.getByText(/\d+ nodes? found/).waitFor();
      await expectEqual(await predict("found"));
    });
  },
  { areKept: true, usesModels: true },
);

/** A node as the command prints it. */
interface NodeJson {
  readonly short_axis_mm: number;
  readonly long_axis_mm: number;
  readonly volume_ml: number;
}

/** A phantom cut so that the middle of the scan, where the planes cross at first, is the middle of its largest node. */
function scanAroundNode(): Volume<Int16Array> {
  const { image, instances } = generatePatient(2026, 60, {
    fieldMm: [96, 96, 90],
    inPlaneSpacingMm: [1.5, 1.5],
    sliceSpacingMm: [3, 3],
    obliqueShare: 0,
    reversedShare: 0,
  });
  const [width, height] = instances.size;
  const voxels = new Map<number, Vector3[]>();
  instances.data.forEach((value, at) => {
    const place: Vector3 = [at % width, Math.floor(at / width) % height, Math.floor(at / (width * height))];
    if (value > 0) voxels.set(value, [...(voxels.get(value) ?? []), place]);
  });
  const [largest] = [...voxels.values()].sort((a, b) => b.length - a.length);
  const mean = (axis: number) => largest.reduce((sum, place) => sum + place[axis], 0) / largest.length;
  const centre = [0, 1, 2].map((axis) => Math.round(mean(axis)));
  const reach = centre.map((at, axis) => Math.min(at, instances.size[axis] - 1 - at));
  const start = centre.map((at, axis) => at - reach[axis]) as unknown as Vector3;
  const size = reach.map((length) => 2 * length + 1) as unknown as Vector3;
  return crop(image, start, size) as Volume<Int16Array>;
}

const isNode = (data: ArrayLike<number>): Uint8Array =>
  Uint8Array.from(data, (number) => (number === 0 ? 0 : 1));

const isSame = (a: Volume, b: Volume): boolean => Buffer.compare(isNode(a.data), isNode(b.data)) === 0;
