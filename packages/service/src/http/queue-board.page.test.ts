// The queues on Redis in a real browser, as an administrator sees them: with the page's own files alone, and nothing broken.
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noBrowser } from "../../../core/src/runtime/browser.test-helper.js";
import { launchBrowser } from "../browser.test-helper.js";
import { noRedis, type Redis, startRedis } from "../redis.test-helper.js";
import { removeFolder, serviceFolder, startService, type TestedService } from "../service.test-helper.js";

const missing = noRedis ?? noBrowser;

describe.skipIf(missing !== null)(
  `queues in a browser${missing === null ? "" : `: skipped, ${missing}`}`,
  () => {
    let folder = "";
    let redis: Redis;
    let service: TestedService;
    let browser: Browser;

    beforeAll(async () => {
      folder = await serviceFolder();
      redis = await startRedis(folder);
      service = await startService(folder, { queue: redis.url });
      browser = await launchBrowser();
    });
    afterAll(async () => {
      await browser?.close();
      await service?.stop();
      await redis?.stop();
      await removeFolder(folder);
    });

    test("an administrator goes from the worklist to the queues, and opens one", async () => {
      const complaints: string[] = [];
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      page.on("pageerror", ({ message }) => complaints.push(message));
      page.on("console", (message) => {
        if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
      });
      page.on("request", (request) => {
        if (!request.url().startsWith(service.addresses.http) && !request.url().startsWith("data:"))
          complaints.push(`asked for ${request.url()}`);
      });
      await page.goto(service.addresses.http);
      await page.fill("#token", service.tokens.administer);
      await page.click("button[type=submit]");
      await page.click('a[href="/queue/"]');
      await page.getByText("lnsnet-studies").first().waitFor();
      await page.getByText("lnsnet-studies").first().click();
      await page.waitForURL(/\/queue\/queue\/lnsnet-studies/);
      await page.reload();
      await page.getByText("lnsnet-studies").first().waitFor();
      const to = process.env.LNSNET_PICTURES;
      if (to !== undefined) await page.screenshot({ path: join(to, "queue.png"), fullPage: true });
      expect(complaints).toEqual([]);
    });
  },
);
