// The page in a real browser: built, served, opened, a phantom chosen; its nodes are those of Node's runtime.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  evaluateCase,
  openPredictor,
  readNifti,
  segment,
  shippedModel,
  type Volume,
  writeNifti,
} from "lnsnet";
import { type Browser, chromium, type Page } from "playwright-core";
import { build, type PreviewServer, preview } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noBrowser, systemBrowser } from "../../packages/core/src/runtime/browser.test-helper.js";
import { examplePatient } from "../patient.test-helper.js";

if (noBrowser !== null) process.stderr.write(`The page is not tested: ${noBrowser}.\n`);

// Some seconds at rest.
describe.skipIf(noBrowser !== null)("the page", { timeout: 300_000 }, () => {
  const { image } = examplePatient();
  const scanFile = {
    name: "scan.nii.gz",
    mimeType: "application/gzip",
    buffer: Buffer.from(writeNifti(image)),
  };
  const requested = new Set<string>();
  let site: string;
  let server: PreviewServer;
  let browser: Browser;
  let page: Page;
  let origin: string;

  beforeAll(async () => {
    site = await mkdtemp(join(tmpdir(), "lnsnet-page-"));
    const root = import.meta.dirname;
    const common = { root, configFile: join(root, "vite.config.ts"), logLevel: "error" as const };
    await build({ ...common, build: { outDir: site } });
    server = await preview({ ...common, build: { outDir: site }, preview: { host: "127.0.0.1", port: 0 } });
    const [address] = server.resolvedUrls?.local ?? [];
    origin = new URL(address).origin;
    browser = await chromium.launch({
      ...systemBrowser,
      args: ["--no-sandbox"],
    });
  }, 300_000);
  beforeEach(async () => {
    page = await browser.newPage();
    // The test's own time is the limit.
    page.setDefaultTimeout(0);
    page.on("request", (request) => requested.add(`${request.method()} ${new URL(request.url()).origin}`));
    await page.goto(origin);
  });
  afterEach(() => page.close());
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(site, { recursive: true });
  });

  test("finds the nodes that Node's runtime finds, on several threads, and sends nothing anywhere", async () => {
    expect(await page.evaluate("crossOriginIsolated")).toBe(true);
    await page.setInputFiles("#files", scanFile);
    await page.locator("#picture").waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator("#mask").dispatchEvent("click"),
    ]);
    const found = readNifti(await readFile(await download.path()), "the page's mask");

    const predictor = await openPredictor([await shippedModel()]);
    const expected = await segment(image, predictor).finally(() => predictor.release());
    expect(expected.nodes.length).toBeGreaterThan(2);
    expect(evaluateCase(binary(expected.instances), binary(found)).dsc).toBeGreaterThan(0.999);
    const volumes = await page.locator("#table tbody tr td:nth-child(2)").allTextContents();
    expect(volumes).toHaveLength(expected.nodes.length);
    for (const [index, { volumeMl }] of expected.nodes.entries())
      expect(Math.abs(Number(volumes[index]) - volumeMl)).toBeLessThan(0.02);
    expect(await page.locator("#picture").evaluate("picture.decode().then(() => picture.naturalWidth)")).toBe(
      1200,
    );
    expect([...requested]).toEqual([`GET ${origin}`]);
  });

  test("Stop ends it between two patches", async () => {
    await page.setInputFiles("#files", scanFile);
    await page.waitForFunction("progress.value > 0 && progress.value < progress.max");
    await page.locator("#stop").dispatchEvent("click");
    await page.getByText("Stopped.").waitFor();
    expect(await page.locator("#picture").isHidden()).toBe(true);
    expect(await page.locator("#files").isEnabled()).toBe(true);
  });

  test("says what is wrong with a file", async () => {
    await page.setInputFiles("#files", { ...scanFile, name: "notes.nii.gz", buffer: Buffer.from("no scan") });
    await page.getByText("notes.nii.gz").waitFor();
    expect(await page.locator("#status").textContent()).toMatch(/^notes\.nii\.gz .+; .+\.$/);
  });
});

const binary = (instances: Volume): Volume<Uint8Array> => ({
  ...instances,
  data: Uint8Array.from(instances.data, (id) => (id > 0 ? 1 : 0)),
});
