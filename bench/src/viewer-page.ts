// The built viewer in Chromium, for benches that act in it as a person does.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generatePatient } from "@lnsnet/core/phantom";
import { type Browser, chromium, type Page } from "playwright-core";
import { build, preview } from "vite";

/** The patient of the page's example. */
export const examplePatient = () =>
  generatePatient(2026, 60, {
    ...{ inPlaneSpacingMm: [1, 1], sliceSpacingMm: [2, 2], obliqueShare: 0, reversedShare: 0 },
  });

const app = join(import.meta.dirname, "../../apps/viewer");

/** A folder that is removed at the end, and in it the built site. */
export interface BuiltViewer {
  readonly folder: string;
  readonly site: string;
}

/** The site on a server, and the browser. */
export interface ServedViewer extends BuiltViewer {
  readonly browser: Browser;
  /** A page that has its threads and all its files, as at a second visit. */
  openPage(script?: string): Promise<Page>;
}

const settingsOf = ({ site }: BuiltViewer) => ({
  ...{ root: app, configFile: join(app, "vite.config.ts") },
  build: { outDir: site, emptyOutDir: true },
});

/** Builds the viewer for as long as the work takes. */
export async function withBuiltViewer(work: (viewer: BuiltViewer) => Promise<void>): Promise<void> {
  process.env.NODE_ENV = "production";
  const folder = await mkdtemp(join(tmpdir(), "lnsnet-viewer-"));
  const viewer = { folder, site: join(folder, "site") };
  try {
    await build({ ...settingsOf(viewer), logLevel: "error" });
    await work(viewer);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Serves a built viewer, and opens a browser, for as long as the work takes.
 *
 * @param executablePath the browser
 * @param args given to it
 */
export async function withServedViewer(
  viewer: BuiltViewer,
  { executablePath, args }: { readonly executablePath: string; readonly args: readonly string[] },
  work: (served: ServedViewer) => Promise<void>,
): Promise<void> {
  const server = await preview({ ...settingsOf(viewer), preview: { port: 0 } });
  try {
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", ...args] });
    const openPage = async (script?: string) => {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      page.setDefaultTimeout(300_000);
      page.on("dialog", (dialog) => dialog.accept());
      if (script !== undefined) await page.addInitScript({ path: script });
      await page.goto(server.resolvedUrls?.local[0] ?? "");
      await page.getByText("opens without a network too").waitFor();
      if (!(await page.evaluate("crossOriginIsolated"))) throw new Error("the page has no threads");
      return page;
    };
    try {
      await work({ ...viewer, browser, openPage });
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}
