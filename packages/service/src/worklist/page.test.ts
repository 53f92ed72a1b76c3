// The worklist in a real browser, as a person uses it: sign in, upload, watch, download; on a laptop and on a phone.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { noBrowser } from "../../../core/src/runtime/browser.test-helper.js";
import { launchBrowser } from "../browser.test-helper.js";
import {
  neckSeries,
  removeFolder,
  serviceFolder,
  startService,
  type TestedService,
} from "../service.test-helper.js";

// A machine that is busy with other work takes a minute for what takes seconds.
vi.setConfig({ testTimeout: 400_000 });

const skipped = noBrowser === null ? "" : `: skipped, ${noBrowser}`;

describe.skipIf(noBrowser !== null)(`the worklist in a browser${skipped}`, () => {
  let folder = "";
  let service: TestedService;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = await serviceFolder();
    service = await startService(folder);
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.on("pageerror", ({ message }) => complaints.push(message));
    page.on("request", (request) => {
      if (!request.url().startsWith(service.addresses.http) && !request.url().startsWith("data:"))
        complaints.push(`asked for ${request.url()}`);
    });
    page.setDefaultTimeout(240_000);
    await page.goto(service.addresses.http);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await removeFolder(folder);
  });

  /** Pictures for a person to look at, where they are asked for. */
  async function picture(name: string): Promise<void> {
    const to = process.env.LNSNET_PICTURES;
    if (to !== undefined) await page.screenshot({ path: join(to, `${name}.png`), fullPage: true });
  }

  test("refuses a wrong token in a sentence, and lets a right one in", async () => {
    await page.fill("#token", "wrong");
    await page.click("button[type=submit]");
    await page.waitForFunction(() => document.querySelector("#message")?.textContent !== "");
    expect(await page.textContent("#message")).toBe("This token is not known, or has ended.");
    await picture("sign-in");
    await page.fill("#token", service.tokens.submit);
    await page.click("button[type=submit]");
    await page.waitForSelector("#upload");
    expect(await page.textContent("body")).toContain("Research use only");
    expect(await page.textContent("#jobs")).toContain("Nothing was received yet");
  });

  test("shows an upload from its beginning to its results without a reload", async () => {
    await mkdir(join(folder, "chosen"));
    const paths = await Promise.all(
      neckSeries("1.2.840.21").map(async ({ name, bytes }) => {
        const path = join(folder, "chosen", name);
        await writeFile(path, bytes);
        return path;
      }),
    );
    await page.setInputFiles("#files", paths);
    await page.click("#upload button");
    await page.waitForSelector("li.job .state.running");
    await page.waitForSelector("li.job .state.done", { timeout: 240_000 });
    expect(await page.textContent("#message")).toBe("Taken: 20.");
    const job = await page.textContent("li.job");
    expect(job).toContain("2 nodes");
    expect(job).toContain("rule “tiny”");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=seg.dcm")]);
    const bytes = await readFile(await download.path());
    expect(bytes.subarray(128, 132).toString()).toBe("DICM");
  });

  test("shows why something was refused or discarded, and what was cancelled can be tried again", async () => {
    await service.upload(neckSeries("1.2.840.22", "MR"));
    await page.waitForSelector("li.job .state.discarded");
    expect(await page.textContent("li.job:has(.state.discarded) .why")).toMatch(/^No rule fits it/);
    await service.upload(neckSeries("1.2.840.23"));
    await page.click("li.job:has(.state.running) >> text=Cancel");
    await page.waitForSelector("li.job .state.cancelled");
    await page.click("li.job:has(.state.cancelled) >> text=Try again");
    await page.waitForFunction(() => document.querySelectorAll("li.job .state.done").length === 2, null, {
      timeout: 240_000,
    });
    await page.setInputFiles("#files", {
      name: "letter.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("no"),
    });
    await page.click("#upload button");
    await page.waitForFunction(() =>
      document.querySelector("#message")?.textContent?.startsWith("letter.txt"),
    );
    await picture("worklist");
  });

  test("fits a phone, and can be used by keyboard", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.reload();
    await page.waitForSelector("li.job");
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(360);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("sign-out");
    await picture("worklist-phone");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#sign-in");
    expect(complaints).toEqual([]);
  });
});
