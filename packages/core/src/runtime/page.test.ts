// The runtime of browsers in a browser's page: WebGPU, by the software adapter that Chromium brings, beside WebAssembly.
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { networkPresets } from "../networks/catalogue.js";
import { drawnNetwork } from "../networks/drawn-network.test-helper.js";
import { noBrowser, systemBrowser } from "./browser.test-helper.js";
import type { DeviceChoice } from "./types.js";

if (noBrowser !== null) process.stderr.write(`WebGPU in a page is not tested: ${noBrowser}.\n`);

const adapter = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--ignore-gpu-blocklist",
];

describe.skipIf(noBrowser !== null)("in a page", { timeout: 300_000 }, () => {
  let server: ViteDevServer;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    server = await createServer({
      root: fileURLToPath(new URL("../..", import.meta.url)),
      configFile: false,
      logLevel: "error",
      optimizeDeps: { exclude: ["onnxruntime-web"] },
      server: { host: "127.0.0.1", port: 0 },
    });
    await server.listen();
    browser = await chromium.launch({
      ...systemBrowser,
      args: ["--no-sandbox", ...adapter],
    });
    page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(`${server.resolvedUrls?.local[0]}package.json`);
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const { model, image } = drawnNetwork(networkPresets["lnsnet-small"], [16, 16, 16]);

  interface Answer {
    readonly deviceNote: string;
    readonly logits: number[];
  }

  /** Runs the network in the page, in two sessions at once, as a page with several models does. Text goes there, and what is a module there must not be one here. */
  function runInPage(device: DeviceChoice): Promise<Answer> {
    const bytes = Buffer.from(model(device === "webgpu" ? "webgpu" : "cpu")).toString("base64");
    const given = { device, bytes, shape: image.shape, data: [...image.data] };
    return page.evaluate(`(async ({ device, bytes, shape, data }) => {
      const { webRuntime } = await import("/src/runtime/web.ts");
      const model = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
      const answers = await Promise.all([1, 2].map(async () => {
        const session = await webRuntime.createSession(model, { device });
        const { logits } = await session.run({ image: { shape, data: Float32Array.from(data) } });
        await session.release();
        return { deviceNote: session.deviceNote, logits: [...logits.data] };
      }));
      if (JSON.stringify(answers[0]) !== JSON.stringify(answers[1])) throw new Error("two sessions at once differ");
      return answers[0];
    })(${JSON.stringify(given)})`);
  }

  test("WebGPU gives WebAssembly's logits, with every node there", async (context) => {
    const isThere = await page.evaluate(
      "navigator.gpu?.requestAdapter().then((adapter) => adapter !== null)",
    );
    if (isThere !== true) context.skip("this browser has no adapter");
    const expected = await runInPage("cpu");
    const found = await runInPage("webgpu");
    expect(found.deviceNote).toBe("WebGPU is used, as requested.");
    expect(Math.max(...expected.logits.map(Math.abs))).toBeGreaterThan(0.1);
    const gap = Math.max(...expected.logits.map((value, at) => Math.abs(value - found.logits[at])));
    expect(gap).toBeLessThan(1e-4);
  });

  test("a graphics card that is lost is replaced by the CPU, which the session says", async (context) => {
    const isThere = await page.evaluate(
      "navigator.gpu?.requestAdapter().then((adapter) => adapter !== null)",
    );
    if (isThere !== true) context.skip("this browser has no adapter");
    const expected = await runInPage("cpu");
    // In a page of its own, since onnxruntime-web does not forget its device.
    const lost = await browser.newPage();
    lost.setDefaultTimeout(0);
    await lost.goto(page.url());
    const bytes = Buffer.from(model("webgpu")).toString("base64");
    const given = { bytes, shape: image.shape, data: [...image.data] };
    const found = (await lost.evaluate(`(async ({ bytes, shape, data }) => {
      const devices = [];
      const request = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (...wanted) {
        const device = await request.apply(this, wanted);
        devices.push(device);
        return device;
      };
      const { webRuntime } = await import("/src/runtime/web.ts");
      const model = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
      const session = await webRuntime.createSession(model, { device: "webgpu" });
      const input = () => ({ image: { shape, data: Float32Array.from(data) } });
      await session.run(input());
      const before = session.deviceNote;
      for (const device of devices) device.destroy();
      const { logits } = await session.run(input());
      return { before, deviceNote: session.deviceNote, logits: [...logits.data] };
    })(${JSON.stringify(given)})`)) as Answer & { readonly before: string };
    expect(found.before).toBe("WebGPU is used, as requested.");
    expect(found.deviceNote).toBe("The graphics card stopped, so the CPU is used.");
    const gap = Math.max(...expected.logits.map((value, at) => Math.abs(value - found.logits[at])));
    expect(gap).toBeLessThan(1e-5);
  });

  test("auto leaves an adapter in software alone", async () => {
    const { deviceNote } = await runInPage("auto");
    expect(deviceNote).toBe("The CPU is used, the fastest device found.");
  });
});
