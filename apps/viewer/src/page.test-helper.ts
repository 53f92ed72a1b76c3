// Gives tests the viewer in a real browser: built once, served as static files, opened as a person opens it.
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, describe, expect, vi } from "vitest";
import { noBrowser, systemBrowser } from "../../../packages/core/src/runtime/browser.test-helper.js";

const app = join(import.meta.dirname, "..");
const site = join(app, "dist", "site");
/** WebGL by a renderer in software. */
export const browserFlags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
const flagsWithoutWebGl = ["--no-sandbox", "--disable-gpu", "--disable-software-rasterizer"];

/** What a test of the page works with. */
export interface ViewerPages {
  /** Opens the page in a browser that has never seen it. */
  open(options?: OpenOptions): Promise<Page>;
  /** Where it is served, with threads. */
  origin(): string;
  /** Errors in the console that a test expects are taken out before it ends. */
  readonly consoleErrors: string[];
}

interface OpenOptions {
  /** 1120 × 720 pixels by default: the processor draws, and a larger window takes it three times as long. */
  readonly width?: number;
  readonly height?: number;
  readonly hasTouch?: boolean;
  /**
   * Whether the page comes from a plain web server, so that its service worker gives it threads and keeps its files, which
   * takes the processor some seconds; false by default: the server sends the headers for threads, and there is no such worker.
   */
  readonly isPlainServer?: boolean;
  /** Whether to go on before a page of a plain server has its threads, as a person who begins at once does; false by default. */
  readonly isHasty?: boolean;
}

interface PageTestOptions {
  /** Whether pages stay open from test to test, so that tests go on with one page; false by default. */
  readonly areKept?: boolean;
  /** Whether the browser draws in 3D, which takes most of the time of a test, since its processor does it; false by default. */
  readonly draws3D?: boolean;
  /** Whether the models that ship with the page come, which takes the processor seconds for each page; false by default. */
  readonly usesModels?: boolean;
}

/**
 * Tests of the page, left out where there is no browser. After each test every page is closed, and it fails where a
 * page asked another origin for anything or wrote an error to the console.
 */
export function describePage(
  name: string,
  tests: (pages: ViewerPages) => void,
  { areKept = false, draws3D = false, usesModels = false }: PageTestOptions = {},
): void {
  if (noBrowser !== null) {
    process.stderr.write(`"${name}" is not tested: ${noBrowser}.\n`);
    describe.skip(name, () => {});
    return;
  }
  // What tests share is opened in hooks, which have a limit of their own.
  vi.setConfig({ hookTimeout: 240_000 });
  describe(name, { timeout: 240_000 }, () => {
    const contexts: BrowserContext[] = [];
    const foreignRequests = new Set<string>();
    const consoleErrors: string[] = [];
    const slow = { serviceWorkerMs: 0 };
    let plain: Server;
    let isolating: Server;
    let browser: Browser;
    const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    beforeAll(async () => {
      await buildOnce();
      plain = await serve({}, slow);
      isolating = await serve(isolation, slow);
      browser = await chromium.launch({
        ...systemBrowser,
        args: draws3D ? browserFlags : flagsWithoutWebGl,
      });
    }, 240_000);
    const closeAll = () => Promise.all(contexts.splice(0).map((context) => context.close()));
    afterEach(async () => {
      if (!areKept) await closeAll();
      expect([...foreignRequests]).toEqual([]);
      expect(consoleErrors.splice(0)).toEqual([]);
    });
    afterAll(async () => {
      await closeAll();
      await browser?.close();
      plain?.close();
      isolating?.close();
    });

    tests({
      consoleErrors,
      origin: () => originOf(isolating),
      async open({
        width = 1120,
        height = 720,
        hasTouch = false,
        isHasty = false,
        isPlainServer = isHasty,
      } = {}) {
        const origin = originOf(isPlainServer ? plain : isolating);
        const context = await browser.newContext({
          viewport: { width, height },
          hasTouch,
          serviceWorkers: isPlainServer ? "allow" : "block",
        });
        contexts.push(context);
        // Never answered, as in a slow network.
        if (!usesModels) await context.route("**/*.safetensors", () => undefined);
        context.on("request", (request) => {
          const url = new URL(request.url());
          if (url.origin !== origin && !["blob:", "data:"].includes(url.protocol))
            foreignRequests.add(request.url());
        });
        const page = await context.newPage();
        // Some seconds at rest.
        page.setDefaultTimeout(90_000);
        page.on("console", (message) => {
          if (message.type() === "error") consoleErrors.push(`${message.text()} (${message.location().url})`);
        });
        page.on("pageerror", (error) => consoleErrors.push(error.message));
        slow.serviceWorkerMs = isHasty ? 2000 : 0;
        await page.goto(origin);
        // A first visit to a plain server is loaded once more.
        while (!isHasty && !(await page.evaluate("crossOriginIsolated").catch(() => false)))
          await setTimeout(50);
        await page.getByRole("main").waitFor();
        return page;
      },
    });
  });
}

/** Opens the example and waits until it can be drawn in. */
export async function openExample(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Try the example" }).click();
  await page.getByText("Example neck is open.").waitFor();
}

/** Opens a file as if it had been chosen in the file dialog. */
export async function openFile(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  await openFiles(page, { [name]: bytes });
}

/** Opens several files at once, by their names. */
export async function openFiles(page: Page, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  await page.setInputFiles(
    "#files",
    Object.entries(files).map(([name, bytes]) => ({
      name,
      mimeType: "application/octet-stream",
      buffer: Buffer.from(bytes),
    })),
  );
}

/** The grey values of a plane's canvas, row by row. */
export async function planePixels(
  page: Page,
  plane: string,
): Promise<{ readonly width: number; readonly height: number; readonly grey: Uint8Array }> {
  const canvas = page.getByRole("region", { name: plane, exact: true }).locator("canvas");
  const { width, height, grey } = await canvas.evaluate((element: unknown) => {
    // Runs in the page; the tests' compiler knows no DOM.
    const drawn = element as {
      width: number;
      height: number;
      getContext(kind: "2d"): {
        getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
      };
    };
    const { data } = drawn.getContext("2d").getImageData(0, 0, drawn.width, drawn.height);
    // A letter for each value: a list of numbers would take seconds to come over.
    let values = "";
    for (let at = 1; at < data.length; at += 4) values += String.fromCharCode(data[at]);
    return { width: drawn.width, height: drawn.height, grey: values };
  });
  return { width, height, grey: Uint8Array.from(Buffer.from(grey, "latin1")) };
}

/** The folder of the built page. */
export async function builtSite(): Promise<string> {
  await buildOnce();
  return site;
}

/** Builds the page if its sources are newer than what is built; of several test files at once, one builds. */
async function buildOnce(): Promise<void> {
  const lock = join(app, "dist", "building");
  await mkdir(join(app, "dist"), { recursive: true });
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch {
      const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: Date.now() }));
      // Whoever builds is done in less, or was killed.
      if (Date.now() - mtimeMs > 180_000) await rm(lock, { recursive: true, force: true });
      await setTimeout(300);
    }
  }
  try {
    const stamp = join(site, ".sources");
    const sources = await newestChange([
      join(app, "src"),
      join(app, "index.html"),
      join(app, "vite.config.ts"),
      join(app, "../../packages/core/dist"),
      join(app, "../../packages/web/dist"),
      join(app, "../../packages/models"),
    ]);
    if ((await readFile(stamp, "utf8").catch(() => "")) === String(sources)) return;
    // The test runner's own would build a page for development, which keeps nothing for use without a network.
    const { NODE_ENV } = process.env;
    process.env.NODE_ENV = "production";
    await build({ root: app, configFile: join(app, "vite.config.ts"), logLevel: "error" });
    process.env.NODE_ENV = NODE_ENV;
    await writeFile(stamp, String(sources));
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function newestChange(paths: readonly string[]): Promise<number> {
  const times = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(path);
      if (!found.isDirectory()) return found.mtimeMs;
      const inside = (await readdir(path)).filter((name) => !/\.test(-helper)?\.ts$/.test(name));
      return newestChange(inside.map((name) => join(path, name)));
    }),
  );
  return Math.max(0, ...times);
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

/** What gives a page threads. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Any web server: files with their types, and no header beyond those given. */
async function serve(
  headers: Readonly<Record<string, string>>,
  slow: { readonly serviceWorkerMs: number },
): Promise<Server> {
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = join(site, normalize(pathname === "/" ? "/index.html" : decodeURIComponent(pathname)));
    const waitMs = pathname.endsWith("service-worker.js") ? slow.serviceWorkerMs : 0;
    setTimeout(waitMs)
      .then(() => readFile(path))
      .then(
        (bytes) => {
          response.setHeader("Content-Type", types[extname(path)] ?? "application/octet-stream");
          response.end(bytes);
        },
        () => {
          response.statusCode = 404;
          response.end();
        },
      );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
