// npm run bench -- viewer-pictures: pictures of the viewer, as a person sees it.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pointOfIndex, resample, type Vector3, type Volume, writeNifti } from "@lnsnet/core";
import { movedGeometry, type RigidTransform, transformed, turnAbout } from "@lnsnet/core/volume";
import type { Page } from "playwright-core";
import { examplePatient, withBuiltViewer, withServedViewer } from "./viewer-page.js";

const help = `npm run bench -- viewer-pictures [options]

Builds the viewer, opens it in Chromium, and writes viewer.png, the example with its largest node clicked, and
viewer-follow-up.png: the same phantom, turned and shifted, as a second date, with that node grown by 2 mm.

  --output FOLDER    where the pictures are written (docs/images)
  --browser PATH     the browser (/usr/bin/chromium)
  --help             print this`;

const { values } = parseArgs({
  options: {
    output: { type: "string", default: join(import.meta.dirname, "../../docs/images") },
    browser: { type: "string", default: "/usr/bin/chromium" },
    help: { type: "boolean", default: false },
  },
});

const { image, nodes } = examplePatient();
const [largest] = [...nodes].sort((a, b) => b.volumeMl - a.volumeMl);

/** A turn by 5° about the axis of the scanner, through the middle of the scan, and a shift. */
const middleMm = pointOfIndex(image, [image.size[0] / 2, image.size[1] / 2, image.size[2] / 2]);
const motion = turnAbout(middleMm, [0, 0, 0.09], [5, -4, 4]);

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const launch = {
    executablePath: values.browser,
    args: ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  };
  await withBuiltViewer((built) =>
    withServedViewer(built, launch, async ({ openPage }) => {
      await example(await openPage());
      await followUp(await openPage());
    }),
  );
}

/** The example with its largest node clicked. */
async function example(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Try the example" }).click();
  await page.getByText("Example neck is open.").waitFor();
  await clickNode(page, image, largest.centroidLpsMm);
  // All planes go to it.
  await page.locator(".nodes-table").getByRole("button", { name: "Node 1", exact: true }).click();
  await page.keyboard.press("c");
  await picture(page, "viewer.png");
}

/** Two dates of the phantom. The second is outlined first, as a study of its own. */
async function followUp(page: Page): Promise<void> {
  const second = { scan: movedBy(image, motion), name: "2024-06 phantom.nii.gz" };
  await open(page, "#files", second);
  await page.getByText(`${second.name} is open.`).waitFor();
  await clickNode(page, second.scan, transformed(motion, largest.centroidLpsMm));
  await page.getByLabel("by mm").fill("2");
  await page.getByRole("button", { name: "Grow", exact: true }).click();
  await page.getByRole("button", { name: "Undo: growing" }).waitFor();
  await page.getByText("Saved in this browser.").waitFor();
  const first = { scan: image, name: "2024-01 phantom.nii.gz" };
  await open(page, "#files", first);
  await page.getByText(`${first.name} is open.`).waitFor();
  await clickNode(page, image, largest.centroidLpsMm);
  await page.getByText("Saved in this browser.").waitFor();
  await open(page, "#second-date", second);
  const table = page.getByRole("table", { name: "Follow-up" });
  await table.waitFor();
  await table.getByRole("button").first().click();
  await table.scrollIntoViewIfNeeded();
  await page.keyboard.press("c");
  await picture(page, "viewer-follow-up.png");
}

/** The patient as they lie after a motion, on the first grid. */
function movedBy(scan: Volume<Int16Array>, motion: RigidTransform): Volume<Int16Array> {
  const { data } = resample(movedGeometry(scan, motion), scan, "linear", -1000);
  return { ...scan, data: Int16Array.from(data) };
}

async function open(
  page: Page,
  input: string,
  { name, scan }: { readonly name: string; readonly scan: Volume },
): Promise<void> {
  const file = {
    name,
    mimeType: "application/octet-stream",
    buffer: Buffer.from(writeNifti(scan)),
  };
  await page.setInputFiles(input, file);
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
