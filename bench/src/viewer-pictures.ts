// npm run bench -- viewer-pictures: the picture of the viewer in README, as a person sees it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Vector3, Volume } from "@lnsnet/core";
import { generatePatient } from "@lnsnet/core/phantom";
import { chromium, type Page } from "playwright-core";
import { build, preview } from "vite";

const help = `npm run bench -- viewer-pictures [options]

Builds the viewer, opens it in Chromium, clicks the largest node of the example, and writes viewer.png.

  --output FOLDER    where the picture is written (docs/images)
  --browser PATH     the browser (/usr/bin/chromium)
  --help             print this`;

const { values } = parseArgs({
  options: {
    output: { type: "string", default: join(import.meta.dirname, "../../docs/images") },
    browser: { type: "string", default: "/usr/bin/chromium" },
    help: { type: "boolean", default: false },
  },
});

const app = join(import.meta.dirname, "../../apps/viewer");

/** The patient of the page's example. */
const { image, nodes } = generatePatient(2026, 60, {
  ...{ inPlaneSpacingMm: [1, 1], sliceSpacingMm: [2, 2], obliqueShare: 0, reversedShare: 0 },
});
const [largest] = [...nodes].sort((a, b) => b.volumeMl - a.volumeMl);

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  process.env.NODE_ENV = "production";
  const folder = await mkdtemp(join(tmpdir(), "lnsnet-viewer-"));
  const page = {
    root: app,
    configFile: join(app, "vite.config.ts"),
    build: { outDir: join(folder, "site") },
  };
  await build({ ...page, logLevel: "error" });
  const server = await preview({ ...page, preview: { port: 0 } });
  const browser = await chromium.launch({
    executablePath: values.browser,
    args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  });
  try {
    const open = async () => {
      const opened = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      opened.setDefaultTimeout(120_000);
      opened.on("dialog", (dialog) => dialog.accept());
      await opened.goto(server.resolvedUrls?.local[0] ?? "");
      await opened.getByText("opens without a network too").waitFor();
      return opened;
    };
    await example(await open());
  } finally {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true });
  }
}

/** The example with its largest node clicked. */
async function example(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Try the example" }).click();
  await page.getByText("Example neck is open.").waitFor();
  await clickNode(page, image, largest.centroidLpsMm);
  await page.keyboard.press("c");
  await picture(page, "viewer.png");
}

/** Clicks in a node, in its axial slice, where the whole scan is shown. */
async function clickNode(page: Page, scan: Volume, [x, y, z]: Vector3): Promise<void> {
  const { size, spacingMm, originMm } = scan;
  await page.keyboard.press("f");
  const slices = page.getByRole("slider", { name: "Axial slice" });
  await slices.fill(String(size[2] - 1 - Math.round((z - originMm[2]) / spacingMm[2])));
  const box = await page.locator(".pane-axial .stage").first().boundingBox();
  if (box === null) throw new Error("The axial plane is not shown.");
  const mmPerPixel = Math.max((size[0] * spacingMm[0]) / box.width, (size[1] * spacingMm[1]) / box.height);
  const fromMiddle = (point: number, axis: 0 | 1) =>
    (point - originMm[axis] - ((size[axis] - 1) / 2) * spacingMm[axis]) / mmPerPixel;
  const rows = page.locator(".nodes-table tbody tr");
  const before = await rows.count();
  await page.keyboard.press("n");
  await page.mouse.click(box.x + box.width / 2 + fromMiddle(x, 0), box.y + box.height / 2 + fromMiddle(y, 1));
  await rows.nth(before).waitFor();
  await page.locator("tr[aria-busy=true]").first().waitFor({ state: "detached" });
}

/** The 3D view is drawn after the planes. */
async function picture(page: Page, name: string): Promise<void> {
  await page.mouse.move(2, 2);
  await page.waitForTimeout(3000);
  await page.screenshot({ path: join(values.output, name) });
  console.log(join(values.output, name));
}
