// npm run bench -- viewer: how long a person waits for the viewer, how long it keeps the page from answering, what it weighs.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { extname, join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { InputError, pointOfIndex, resample, type Vector3, type Volume, writeNifti } from "@lnsnet/core";
import { generatePatient } from "@lnsnet/core/phantom";
import { textTable } from "@lnsnet/core/reports";
import { medianOf } from "@lnsnet/core/statistics";
import type { Matrix3 } from "@lnsnet/core/volume";
import type { Browser, Page } from "playwright-core";
import { type LongestTask, longestTask, type TraceEvent } from "./main-thread.js";
import { examplePatient, type ServedViewer, withBuiltViewer, withServedViewer } from "./viewer-page.js";

const help = `npm run bench -- viewer [options]

Builds the viewer, opens it in Chromium as a person does, and measures: the example, a click, reading and scrolling
512×512×300 voxels, the longest task of the page's main thread while it computes and while a person brushes in
512×512×500 voxels, and what the page weighs. Wants a machine at rest, 6 GB of memory, and Chromium.

  --browser PATH     the browser (/usr/bin/chromium)
  --weight           only what the page weighs
  --parts NAMES      of example, large and long, with commas (all)
  --traces FOLDER    keep the traces of the main thread, for the performance panel of Chromium
  --help             print this`;

const { values } = parseArgs({
  options: {
    browser: { type: "string", default: "/usr/bin/chromium" },
    weight: { type: "boolean", default: false },
    parts: { type: "string", default: "example,large,long" },
    traces: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const recorder = join(import.meta.dirname, "../viewer/recorder.js");

/** What is asked of the page. */
interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: "s" | "ms" | "MB";
  readonly goal: number | null;
}

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const launch = {
    executablePath: values.browser,
    // As where there is no graphics card: the processor puts the page together, and draws the 3D view.
    args: ["--disable-gpu-compositing", "--enable-unsafe-swiftshader"],
  };
  await withBuiltViewer(async (built) => {
    const weights = await weighed(built.site);
    console.log(table(weights.figures));
    console.log(`\nThe largest files, gzip:\n${weights.largest}\n`);
    if (!values.weight) await withServedViewer(built, launch, measure);
  });
}

async function measure(viewer: ServedViewer): Promise<void> {
  const before = loadavg();
  for (const part of values.parts.split(",")) console.log(`${table(await partOf(part)(viewer))}\n`);
  const load = (averages: number[]) => averages.map((value) => value.toFixed(1)).join(", ");
  console.log(`\nLoad of the machine (1, 5, 15 minutes): ${load(before)} before, ${load(loadavg())} after.`);
}

/** What is measured in the browser. @throws InputError where there is no such part */
function partOf(name: string): (viewer: ServedViewer) => Promise<Figure[]> {
  if (name === "example") return example;
  if (name === "large") return spikeScan;
  if (name === "long") return longScan;
  throw new InputError(`There is no part "${name}"; give example, large or long.`);
}

function table(figures: readonly Figure[]): string {
  return textTable(
    [
      { key: "what" as const, title: "what" },
      { key: "value" as const, title: "measured" },
      { key: "goal" as const, title: "goal" },
    ],
    figures.map(({ what, value, unit, goal }) => {
      const digits = unit === "ms" ? 0 : 2;
      return {
        what,
        value: `${value.toFixed(digits)} ${unit}`,
        goal: goal === null ? "" : `at most ${goal} ${unit}${value <= goal ? "" : " (missed)"}`,
      };
    }),
  );
}

/** What the built page weighs when a web server compresses it. */
async function weighed(site: string): Promise<{ readonly figures: Figure[]; readonly largest: string }> {
  const names = (await readdir(site, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map(({ parentPath, name }) => join(parentPath, name));
  const files = await Promise.all(
    names.map(async (path) => {
      const bytes = await readFile(path);
      return { name: path.slice(site.length + 1), mb: gzipSync(bytes).length / 1e6, kind: kindOf(path) };
    }),
  );
  const of = (kind: ReturnType<typeof kindOf>) =>
    files.filter((file) => file.kind === kind).reduce((sum, { mb }) => sum + mb, 0);
  const largest = files.sort((a, b) => b.mb - a.mb).slice(0, 8);
  return {
    figures: [
      { what: "page without models and WebAssembly, gzip", value: of("page"), unit: "MB", goal: 2.5 },
      {
        what: "onnxruntime-web's WebAssembly, both builds, gzip",
        value: of("onnxruntime"),
        unit: "MB",
        goal: null,
      },
      { what: "WebAssembly of DICOM's codecs, gzip", value: of("codecs"), unit: "MB", goal: null },
      { what: "models, gzip", value: of("models"), unit: "MB", goal: null },
    ],
    largest: largest.map(({ name, mb }) => `  ${mb.toFixed(2)} MB  ${name}`).join("\n"),
  };
}

function kindOf(path: string): "page" | "onnxruntime" | "codecs" | "models" {
  if (extname(path) === ".safetensors") return "models";
  if (extname(path) !== ".wasm") return "page";
  return path.includes("ort-wasm") ? "onnxruntime" : "codecs";
}

/** Milliseconds from what is done until an expression holds in the page. */
async function timed(page: Page, isSeen: string, act: () => Promise<unknown>): Promise<number> {
  await page.evaluate(`recorder.recordUntil(() => ${isSeen})`);
  await act();
  return Number(await page.evaluate("recorder.recorded"));
}

async function example({ browser, openPage }: ServedViewer): Promise<Figure[]> {
  const page = await openPage(recorder);
  const ready = await timed(page, 'recorder.isPainted("axial")', () =>
    page.getByRole("button", { name: "Try the example" }).click(),
  );
  await page.getByText(/^Model clicker/).waitFor();
  const deviceNote = await page.getByText(/^Model clicker/).textContent();
  console.log(`\n${deviceNote}\n`);
  await page.keyboard.press("n");
  const stage = page.locator(".pane-axial .stage");
  const clicks = (await exampleNodes(page)).map(({ pixel, slices }) => async () => {
    await stage.focus();
    for (let n = 0; n < Math.abs(slices); n++)
      await page.keyboard.press(slices > 0 ? "ArrowDown" : "ArrowUp");
    const count = Number(await page.evaluate("recorder.nodes()"));
    const ms = await timed(page, `recorder.nodes() > ${count}`, () => page.mouse.click(...pixel));
    await page.locator("tr[aria-busy=true]").first().waitFor({ state: "detached" });
    return ms / 1000;
  });
  const [first, ...others] = [await clicks[0](), await clicks[1](), await clicks[2]()];
  const computing = await traced(browser, page, "click", async () => {
    await clicks[3]();
  });
  await page.close();
  return [
    {
      what: "the example, from the click on its button to its picture",
      value: ready / 1000,
      unit: "s",
      goal: 5,
    },
    { what: "the first click in a node to its outline", value: first, unit: "s", goal: 1.5 },
    { what: `a further click, median of ${others.length}`, value: medianOf(others), unit: "s", goal: 1.5 },
    { what: "longest task while a click is computed", value: computing.wallMs, unit: "ms", goal: 100 },
  ];
}

/** Where to click in the axial plane of the example, and how many slices further down that is, node by node. */
async function exampleNodes(
  page: Page,
): Promise<{ readonly pixel: readonly [number, number]; readonly slices: number }[]> {
  const { image, nodes } = examplePatient();
  const box = await page.locator(".pane-axial .stage").boundingBox();
  if (box === null) throw new Error("the axial plane is not shown");
  const { size, spacingMm } = image;
  const middle = pointOfIndex(image, [(size[0] - 1) / 2, (size[1] - 1) / 2, (size[2] - 1) / 2]);
  const mmPerPixel = Math.max((size[0] * spacingMm[0]) / box.width, (size[1] * spacingMm[1]) / box.height);
  // The crosshair stands on the nearest slice.
  let slice = Math.round((size[2] - 1) / 2);
  return [...nodes]
    .sort((a, b) => b.volumeMl - a.volumeMl)
    .slice(0, 4)
    .map(({ centroidLpsMm: [x, y, z] }) => {
      const wanted = Math.round((z - image.originMm[2]) / spacingMm[2]);
      const slices = slice - wanted;
      slice = wanted;
      const right = (x - middle[0]) / mmPerPixel;
      const down = (y - middle[1]) / mmPerPixel;
      return { pixel: [box.x + box.width / 2 + right, box.y + box.height / 2 + down], slices };
    });
}

/** The volume of the comparison with Cornerstone3D: 512 × 512 × 300, turned and tilted. */
async function spikeScan({ folder, openPage }: ServedViewer): Promise<Figure[]> {
  const path = join(folder, "spike.nii");
  const [c, s] = [Math.cos(Math.PI / 18), Math.sin(Math.PI / 18)];
  const [d, t] = [Math.cos(Math.PI / 9), Math.sin(Math.PI / 9)];
  const direction: Matrix3 = [c, -s * d, s * t, s, c * d, -c * t, 0, t, d];
  await writeFile(path, writeNifti({ ...largeScan(300), direction }, { compress: false }));
  const page = await openPage(recorder);
  const opened = await timed(page, 'recorder.isPainted("axial")', () => page.setInputFiles("#files", path));
  await page.locator(".pane-axial .stage").focus();
  const scrolls: number[] = [];
  for (let n = 0; n < 30; n++) {
    const title = await page.evaluate('recorder.titleOf("axial")');
    scrolls.push(
      await timed(page, `recorder.titleOf("axial") !== ${JSON.stringify(title)}`, () =>
        page.keyboard.press("ArrowDown"),
      ),
    );
  }
  await page.close();
  return [
    {
      what: "512×512×300 from a file to its first picture (157 MB read, hashed)",
      value: opened / 1000,
      unit: "s",
      goal: null,
    },
    {
      what: "a slice further there, all three planes, median of 30",
      value: medianOf(scrolls),
      unit: "ms",
      goal: null,
    },
  ];
}

/** The longest tasks of the main thread in a scan of 500 slices. */
async function longScan({ browser, folder, openPage }: ServedViewer): Promise<Figure[]> {
  const path = join(folder, "long.nii");
  await writeFile(path, writeNifti(largeScan(500), { compress: false }));
  const page = await openPage(recorder);
  const tasks = (what: string, work: () => Promise<void>) => traced(browser, page, what, work);
  const opening = await tasks("open", async () => {
    await page.setInputFiles("#files", path);
    await page.getByText("long.nii is open.").waitFor();
    await page.waitForTimeout(3000);
  });
  await page.getByText(/^Model clicker/).waitFor();
  await page.keyboard.press("b");
  for (let n = 0; n < 8; n++) await page.keyboard.press("]");
  const brushing = await tasks("brush", async () => {
    for (let row = 0; row < 4; row++) await brush(page, 0.35 + 0.08 * row);
    await page.waitForTimeout(1500);
  });
  const undoing = await tasks("undo", async () => {
    for (const key of ["Control+z", "Control+z", "Control+Shift+z", "Control+Shift+z"]) {
      await page.keyboard.press(key);
      await page.waitForTimeout(600);
    }
  });
  const computing = await tasks("find", async () => {
    await page.getByRole("button", { name: "Find all nodes" }).click();
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.locator(".pane-axial .stage").focus();
    for (let n = 0; n < 20; n++) {
      await page.keyboard.press("ArrowUp");
      await page.waitForTimeout(400);
    }
    await brush(page, 0.7);
  });
  await page.close();
  const figures = (what: string, { wallMs, processorMs }: LongestTask): Figure[] => [
    { what: `512×512×500: longest task while ${what}`, value: wallMs, unit: "ms", goal: 100 },
    { what: "  of it processor time", value: processorMs, unit: "ms", goal: null },
  ];
  return [
    ...figures("a file is opened", opening),
    ...figures("brushing with 8 mm", brushing),
    ...figures("undoing and redoing strokes", undoing),
    ...figures("all nodes are searched, scrolling and brushing", computing),
  ];
}

/** A stroke across the axial plane in 40 moves, a third of a second after the pointer came there. */
async function brush(page: Page, row: number): Promise<void> {
  const box = await page.locator(".pane-axial .stage").boundingBox();
  if (box === null) throw new Error("the axial plane is not shown");
  const y = box.y + row * box.height;
  await page.mouse.move(box.x + 0.3 * box.width, y);
  // A person sees where the brush stands before pressing.
  await page.waitForTimeout(300);
  await page.mouse.down();
  for (let n = 1; n <= 40; n++) {
    await page.mouse.move(box.x + (0.3 + 0.01 * n) * box.width, y + 2 * (n % 3));
    await page.waitForTimeout(16);
  }
  await page.mouse.up();
}

/** Does something, and finds the longest task of the page's main thread meanwhile. */
async function traced(
  browser: Browser,
  page: Page,
  name: string,
  work: () => Promise<void>,
): Promise<LongestTask> {
  process.stderr.write(`${name}\n`);
  const categories = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "v8.execute"];
  await browser.startTracing(page, { categories });
  let bytes: Buffer;
  try {
    await work();
  } finally {
    bytes = await browser.stopTracing();
  }
  if (values.traces !== undefined) {
    await mkdir(values.traces, { recursive: true });
    await writeFile(join(values.traces, `${name}.json`), bytes);
  }
  const { traceEvents } = JSON.parse(bytes.toString()) as { readonly traceEvents: readonly TraceEvent[] };
  return longestTask(traceEvents);
}

/** A phantom on 512 × 512 voxels and as many slices as are asked for. */
function largeScan(slices: number): Volume<Int16Array> {
  const { image } = generatePatient(2026, 60, { obliqueShare: 0, reversedShare: 0 });
  const size: Vector3 = [512, 512, slices];
  const spacing = (axis: 0 | 1 | 2) => (image.size[axis] * image.spacingMm[axis]) / size[axis];
  const grid = { ...image, size, spacingMm: [spacing(0), spacing(1), spacing(2)] as const };
  const { data } = resample(image, grid, "linear", -1000);
  return { ...grid, data: Int16Array.from(data) };
}
