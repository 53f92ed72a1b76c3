// Worker threads run the built code, so this tests what `npm run build` made.
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { writeNifti } from "@lnsnet/core/formats";
import { type BatchPlan, drawBatch, prepareCase } from "@lnsnet/core/sampling";
import { defaultAugmentation, type Prepared } from "@lnsnet/core/transforms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDataset } from "../../dist/datasets/dataset.js";
import { type BatchLoader, createBatchLoader, fillCache, prepareCases } from "../../dist/training/loading.js";

const axes = { originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
const window = { lowHu: -200, highHu: 300 };

function plan(): BatchPlan {
  const size = 24;
  const label = new Uint8Array(size ** 3);
  label.fill(1, 5000, 5010);
  const hu = Int16Array.from(label, (_, n) => (n * 7919) % 400);
  const prepared: Prepared = { ...axes, size: [size, size, size], spacingMm: [1, 1, 1], hu };
  return {
    cases: [prepareCase("a", prepared, label)],
    seed: 3,
    batchSize: 2,
    sampler: { patchSize: [8, 8, 16], foregroundShare: 0.5, window, augmentation: defaultAugmentation },
  };
}

async function using<T>(loader: BatchLoader, work: (loader: BatchLoader) => Promise<T>): Promise<T> {
  try {
    return await work(loader);
  } finally {
    await loader.close();
  }
}

describe("createBatchLoader", () => {
  test.each([1, 2, 3])("%d threads give the batches that one function gives", async (threads) => {
    const made = plan();
    await using(createBatchLoader(made, { threads, ahead: 3 }), async (loader) => {
      for (let step = 0; step < 7; step++) expect(await loader.next(step)).toEqual(drawBatch(made, step));
    });
  });

  test("starts anywhere, and jumps", async () => {
    const made = plan();
    await using(createBatchLoader(made, { threads: 2 }), async (loader) => {
      for (const step of [100, 101, 3, 4, 102, 101])
        expect(await loader.next(step)).toEqual(drawBatch(made, step));
    });
  });

  test("has the next batches ready after the main thread was busy", async () => {
    await using(createBatchLoader(plan(), { ahead: 4 }), async (loader) => {
      // The first batch shows how fast this machine is just now.
      const began = performance.now();
      await loader.next(0);
      const firstMs = performance.now() - began;
      let waitedMs = 0;
      for (let step = 1; step <= 2; step++) {
        const end = performance.now() + 2 * firstMs;
        while (performance.now() < end);
        await loader.next(step);
        waitedMs += performance.now() - end;
      }
      expect(waitedMs).toBeLessThan(firstMs);
    });
  });

  test("hands on what goes wrong in a thread", async () => {
    await using(createBatchLoader({ ...plan(), cases: [] }), async (loader) => {
      await expect(loader.next(0)).rejects.toThrow(/no case/);
    });
  });
});

describe("prepareCases", () => {
  const grid = { ...axes, size: [8, 8, 4], spacingMm: [1, 1, 2] } as const;
  /** A scan of one value: the letter's code. */
  const image = (letter: string) =>
    writeNifti({ ...grid, data: new Int16Array(256).fill(letter.charCodeAt(0)) });
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lnsnet-loading-"));
    for (const name of ["imagesTr", "labelsTr"]) await mkdir(join(folder, name));
    await writeFile(join(folder, "dataset.json"), JSON.stringify({ labels: { background: 0, node: 1 } }));
    for (const id of ["a", "b", "c"]) {
      const label = Uint8Array.from({ length: 256 }, (_, n) => (n === 9 || n === 200 ? 1 : 0));
      await writeFile(join(folder, `imagesTr/${id}_0000.nii.gz`), image(id));
      await writeFile(join(folder, `labelsTr/${id}.nii.gz`), writeNifti({ ...grid, data: label }));
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("gives the cases in order, in shared memory", async () => {
    const dataset = await openDataset(folder);
    const cases = await prepareCases(dataset, dataset.training, { spacingMm: [1, 1, 2], window });
    expect(cases.map((scan) => scan.id)).toEqual(["a", "b", "c"]);
    expect(cases.map((scan) => scan.hu[0])).toEqual([97, 98, 99]);
    expect([...cases[2].foreground]).toEqual([9, 200]);
    expect([...cases[2].componentOffsets]).toEqual([0, 1, 2]);
    for (const name of ["hu", "label", "foreground", "componentOffsets"] as const) {
      expect(cases[0][name].buffer).toBeInstanceOf(SharedArrayBuffer);
    }
  });

  test("hands on an InputError as one", async () => {
    const dataset = await openDataset(folder);
    const broken = [{ ...dataset.training[0], imagePath: join(folder, "none.nii.gz") }];
    const failure = prepareCases(dataset, broken, { spacingMm: [1, 1, 2], window });
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(/none\.nii\.gz does not exist/);
  });

  test("gives the same patches from the cache, which is written once and refused when a scan has changed", async () => {
    const dataset = await openDataset(folder);
    const cacheFolder = join(folder, "cache");
    await mkdir(cacheFolder);
    const options = { spacingMm: [1.5, 1, 2], window, cacheFolder } as const;
    await expect(prepareCases(dataset, dataset.training, options)).rejects.toThrow(
      /cache does not hold the case/,
    );
    expect(await fillCache(dataset, dataset.training, options)).toBe(3);
    expect(await fillCache(dataset, dataset.training, options)).toBe(0);

    const cached = await prepareCases(dataset, dataset.training, options);
    const anew = await prepareCases(dataset, dataset.training, { ...options, cacheFolder: null });
    expect(cached).toEqual(anew);
    for (const { hu, label } of cached)
      expect([hu.buffer, label.buffer].every((buffer) => buffer instanceof SharedArrayBuffer)).toBe(true);
    const planOf = (cases: typeof anew): BatchPlan => ({ ...plan(), cases });
    for (let step = 0; step < 3; step++)
      expect(drawBatch(planOf(cached), step)).toEqual(drawBatch(planOf(anew), step));

    await utimes(dataset.training[0].imagePath, new Date(0), new Date(0));
    expect(await prepareCases(dataset, dataset.training, options)).toEqual(anew);
    await writeFile(dataset.training[1].imagePath, image("x"));
    await expect(prepareCases(dataset, dataset.training, options)).rejects.toThrow(/another state of b/);
    const otherSpacing = { ...options, spacingMm: [1, 1, 1] } as const;
    await expect(prepareCases(dataset, dataset.training, otherSpacing)).rejects.toThrow(/another state of/);
    expect(await fillCache(dataset, dataset.training, options)).toBe(1);
    const withChange = await prepareCases(dataset, dataset.training, options);
    expect(withChange.map((scan) => scan.hu[0])).toEqual([97, 120, 99]);
  });

  test("stops when asked to", async () => {
    const dataset = await openDataset(folder);
    const controller = new AbortController();
    const options = { spacingMm: [1, 1, 2], window } as const;
    const running = prepareCases(dataset, dataset.training, options, { signal: controller.signal });
    controller.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
  });
});
