// A person's own model in the page: an imported nnU-Net segments as the library does; what does not fit is refused by a sentence.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { countOverlap, dice, openPredictor, segment, type Volume, writeModel } from "@lnsnet/core";
import { writeNifti } from "@lnsnet/core/formats";
import { readModel, readNnunetModel } from "@lnsnet/core/models";
import { nodeRuntime } from "@lnsnet/core/node";
import { generatePatient } from "@lnsnet/core/phantom";
import { crop } from "@lnsnet/core/volume";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { densityModel } from "../../../packages/node/src/density-model.test-helper.js";
import { describePage, openFile } from "./page.test-helper.js";
import { dropFiles, nodeRows, savedMask } from "./page-actions.test-helper.js";

const fixture = (path: string) =>
  new Uint8Array(readFileSync(new URL(`../../../fixtures/nnunet/${path}`, import.meta.url)));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What `lnsnet import nnunet` writes of a fold. */
function imported(folder: string): Uint8Array {
  const json = (name: string) => ({
    path: name,
    content: JSON.parse(text(fixture(`${folder}/${name}`))) as unknown,
  });
  const { model } = readNnunetModel({
    plans: json("plans.json"),
    dataset: json("dataset.json"),
    checkpoint: { path: "checkpoint_final.pth", bytes: fixture(`${folder}/fold_0/checkpoint_final.pth`) },
    mirrored: false,
  });
  return writeModel(model, false);
}

const finder = new Uint8Array(
  readFileSync(createRequire(import.meta.url).resolve("@lnsnet/models/finder.safetensors")),
);

const { image } = generatePatient(2026, 60, {
  ...{ fieldMm: [90, 90, 90], inPlaneSpacingMm: [2, 2], sliceSpacingMm: [4, 4] },
  ...{ obliqueShare: 0, reversedShare: 0 },
});
// Random weights find bits and pieces everywhere: so few that the page has numbers for all.
const scan = crop(image, [8, 8, 6], [26, 26, 10]) as Volume<Int16Array>;

/** Soft tissue with two balls that are denser. */
const balls: Volume<Int16Array> = {
  ...{ size: [32, 32, 24], spacingMm: [2, 2, 2], originMm: [-30, -30, 0] },
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  data: Int16Array.from({ length: 32 * 32 * 24 }, (_, at) => {
    const [x, y, z] = [at % 32, Math.floor(at / 32) % 32, Math.floor(at / 1024)];
    const isInBall = Math.hypot(x - 9, y - 15, z - 12) < 5 || Math.hypot(x - 23, y - 15, z - 12) < 4;
    return (isInBall ? 140 : -20) + Math.round(20 * Math.sin(at * 1.7));
  }),
};

describePage("a person's own model", (pages) => {
  test("the files of an nnU-Net are opened as they are", async () => {
    const page = await opened(pages.open());
    await openModel(page, {
      "plans.json": fixture("plain/plans.json"),
      "dataset.json": fixture("plain/dataset.json"),
      "checkpoint_final.pth": fixture("plain/fold_0/checkpoint_final.pth"),
    });
    await page.getByText("checkpoint_final.pth is used from now on.").waitFor();
  });

  test("several models dropped together are averaged, and tell of each node how far they differ", async () => {
    const page = await opened(pages.open(), balls);
    const models = [8, 0.5].map((steepness) => densityModel([2, 2, 2], steepness));
    const [first, second] = models.map((model) => writeModel(model, false));
    await dropFiles(page, { "first.safetensors": first, "second.safetensors": second });
    await page.getByText("2 models are used together from now on.").waitFor();
    expect(await page.locator(".models").textContent()).toContain("first.safetensors, second.safetensors");
    const predictor = await openPredictor(models, nodeRuntime);
    const { nodes } = await segment(balls, predictor);
    await predictor.release();
    expect(nodes).toHaveLength(2);
    expect(nodes[0].ensembleDisagreement).toBeGreaterThan(0.02);
    await page.getByRole("button", { name: "Find all nodes" }).click();
    await page.getByText(/\d+ nodes found/).waitFor({ timeout: 120_000 });
    await page.getByRole("columnheader", { name: "± ens." }).waitFor();
    const shown = await nodeRows(page).evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll("td")].slice(6, 8).map((cell) => Number(cell.textContent))),
    );
    const byProbability = (a: readonly number[], b: readonly number[]) => a[0] - b[0];
    expect(shown.sort(byProbability).flat()).toEqual(
      nodes
        .map((node) => [node.meanProbability, node.ensembleDisagreement ?? Number.NaN])
        .sort(byProbability)
        .flat()
        .map((value) => expect.closeTo(value, 1.5)),
    );
  });
});

describePage(
  "beside the shipped models",
  (pages) => {
    test("an imported nnU-Net tells its data and terms, and finds what the library finds with it", async () => {
      const page = await opened(pages.open());
      const bytes = imported("plain");
      await openModel(page, { "model.safetensors": bytes });
      await page.getByText("model.safetensors is used from now on.").waitFor();
      const panel = page.locator("details.panel", { hasText: "Open your own model" });
      // The panel is drawn a moment after the sentence.
      const told = () => panel.textContent();
      await expect.poll(told, { timeout: 30_000 }).toContain("its weights keep the licence of their authors");
      const model = readModel(bytes, "model.safetensors");
      expect(await panel.textContent()).toContain(`trained on ${model.plan.dataLabel}`);

      await page.getByRole("button", { name: "Find all nodes" }).click();
      await page.getByText(/\d+ nodes found/).waitFor({ timeout: 120_000 });
      const predictor = await openPredictor([model], nodeRuntime);
      const { instances, nodes } = await segment(scan, predictor);
      await predictor.release();
      expect(nodes.length).toBeGreaterThan(0);
      const saved = await savedMask(page);
      const isNode = (data: ArrayLike<number>) => Uint8Array.from(data, (number) => (number === 0 ? 0 : 1));
      // WebAssembly rounds otherwise than Node: where two classes are as probable, a voxel may fall to the other.
      expect(dice(countOverlap(isNode(instances.data), isNode(saved.data)))).toBeGreaterThan(0.999);
      expect(Math.abs((await nodeRows(page).count()) - nodes.length)).toBeLessThanOrEqual(3);
      // Several classes: each node says what it is.
      const names = await nodeRows(page).getByRole("button").allTextContents();
      for (const { className } of nodes)
        expect(names.some((name) => name.startsWith(className ?? "none"))).toBe(true);

      const isUsed = page.locator(".models strong", { hasText: "model.safetensors" });
      expect(await isUsed.count()).toBe(1);
      await page.getByRole("button", { name: "Use the shipped model again" }).click();
      await isUsed.waitFor({ state: "detached" });
    });

    test("what does not fit is refused by a sentence, and the shipped models go on", async () => {
      const page = await opened(pages.open());
      const plain = fixture("plain/fold_0/checkpoint_final.pth");
      for (const [files, sentence] of [
        [{ "weights.onnx": Buffer.from("onnx") }, /weights\.onnx is no model that can be opened here/],
        [{ "model.safetensors": Buffer.from("no model") }, /model\.safetensors/],
        [{ "model.safetensors": imported("residual") }, /looks at 2 images of a patient together/],
        [{ "checkpoint_final.pth": plain }, /plans\.json is not there/],
        [
          { "a.safetensors": imported("plain"), "finder.safetensors": finder },
          /Models that are used together must use the same preprocessing/,
        ],
      ] as const) {
        await openModel(page, files);
        const notice = page.locator(".notice.error", { hasText: sentence });
        await notice.waitFor();
        expect(await notice.textContent()).not.toMatch(/did not expect/);
      }
      for (const name of ["clicker.safetensors", "finder.safetensors"])
        await page.locator(".models strong", { hasText: name }).waitFor();
    });
  },
  { usesModels: true },
);

async function opened(page: Promise<Page>, volume = scan): Promise<Page> {
  const shown = await page;
  shown.on("dialog", (dialog) => dialog.accept());
  await openFile(shown, "neck.nii.gz", writeNifti(volume));
  await shown.getByText("neck.nii.gz is open.").waitFor();
  await shown.getByText("Models", { exact: true }).click();
  return shown;
}

async function openModel(page: Page, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  await page.setInputFiles(
    "#own-model",
    Object.entries(files).map(([name, bytes]) => ({
      name,
      mimeType: "application/octet-stream",
      buffer: Buffer.from(bytes),
    })),
  );
}
