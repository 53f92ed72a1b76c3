// A study of the service in the viewer: the worklist's link opens it with its nodes, for whoever is signed in alone.
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noBrowser, systemBrowser } from "../../../packages/core/src/runtime/browser.test-helper.js";
import {
  neckSeries,
  removeFolder,
  serviceFolder,
  startService,
  type TestedService,
} from "../../../packages/service/src/service.test-helper.js";
import { browserFlags, builtSite } from "./page.test-helper.js";
import { nodeRows } from "./page-actions.test-helper.js";

describe.skipIf(noBrowser !== null)("a study of the service", { timeout: 240_000 }, () => {
  let folder = "";
  let service: TestedService;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    const viewer = await builtSite();
    folder = await serviceFolder();
    service = await startService(folder, { viewer });
    browser = await chromium.launch({
      ...systemBrowser,
      args: browserFlags,
    });
    page = await browser.newPage();
    page.setDefaultTimeout(90_000);
    page.on("pageerror", ({ message }) => complaints.push(message));
    page.on("console", (message) => {
      // Being refused is told by the browser too.
      if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.origin !== service.addresses.http && !["blob:", "data:"].includes(url.protocol))
        complaints.push(`asked for ${request.url()}`);
    });
    await service.upload(neckSeries("1.2.840.21"));
    await service.jobWhen(({ state }) => state === "done");
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await removeFolder(folder);
  });

  test("is opened from the worklist with the nodes that were found", async () => {
    await page.goto(service.addresses.http);
    await page.fill("#token", service.tokens.view);
    await page.click("button[type=submit]");
    await page.getByRole("link", { name: "Open in the viewer" }).click();
    await page.getByText(/2 nodes of .+ added\./).waitFor();
    await expect.poll(() => nodeRows(page).count()).toBe(2);
    // Threads need the headers that the service sends, already at the first visit.
    expect(await page.evaluate("crossOriginIsolated")).toBe(true);
  });

  test("and again after a reload, with what the person did to it", async () => {
    page.on("dialog", (dialog) => dialog.accept());
    await nodeRows(page).first().getByRole("button").click();
    await page.keyboard.press("Delete");
    await page.getByText("Saved in this browser.").waitFor();
    await page.reload();
    await page.getByText("1 node", { exact: true }).waitFor();
  });

  test("is closed to whoever is not signed in, and the page says where to sign in", async () => {
    const address = page.url();
    await page.context().clearCookies();
    await page.goto(address);
    await page.getByText("You are not signed in to the service that holds this study.").waitFor();
    await page.getByRole("link", { name: "Sign in on the worklist" }).click();
    await page.locator("#token").waitFor();
    const id = new URL(address).searchParams.get("job");
    for (const path of [`/api/jobs/${id}/files`, `/api/jobs/${id}/files/x`])
      expect((await service.ask(path, { token: null })).status).toBe(401);
    expect(complaints).toEqual([]);
  });

  test("a job that is not there is a sentence", async () => {
    await page.fill("#token", service.tokens.view);
    await page.click("button[type=submit]");
    await page.getByRole("link", { name: "Open in the viewer" }).waitFor();
    await page.goto(`${service.addresses.http}/viewer/?job=series-0000000000000000`);
    await page.getByText("The service has no job series-0000000000000000").waitFor();
  });
});
