// All that the model cards of the shipped models state of phantoms, implanted nodes, clicks and times, measured again.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runLnsnet } from "./command.js";

/** Test hosts with implanted nodes, made where they do not stand yet. */
export async function implantedTestHosts(root: string, folder: string, threads: string): Promise<string> {
  const hosts = join(folder, "hosts");
  if (!existsSync(join(hosts, "dataset.json"))) {
    mkdirSync(hosts, { recursive: true });
    const openKbp = resolve(root, "openkbp");
    for (const part of ["imagesTs", "organsTs", "targetsTs"])
      if (!existsSync(join(hosts, part))) symlinkSync(join(openKbp, part), join(hosts, part));
    const { numTraining: _, ...description } = JSON.parse(
      readFileSync(join(openKbp, "dataset.json"), "utf8"),
    );
    writeFileSync(join(hosts, "dataset.json"), JSON.stringify({ ...description, numTraining: 0 }));
  }
  await runLnsnet(folder, ["implant", "hosts", "--output", "implanted", "--seed", "1", "--threads", threads]);
  return join(folder, "implanted");
}

/**
 * Prints the finder's figures on the phantoms of docs/phantom.md, the clicker's on all that its card names, and the time of
 * a wide scan and of a neck.
 *
 * @param root folder of the real scans
 * @param folder cohorts and masks are kept here, and not made again
 */
export async function printShippedFigures(root: string, folder: string, threads: string): Promise<void> {
  const phantoms = join(folder, "phantoms");
  const cohort = ["--training", "60", "--test", "10", "--seed", "2026", "--threads", threads];
  await runLnsnet(folder, ["phantom", "--output", "phantoms", ...cohort]);
  // Masks that stand there may be another model's.
  rmSync(join(folder, "phantom-masks"), { recursive: true, force: true });
  const masks = ["--output", "phantom-masks", "--no-pictures", "--threads", threads];
  await runLnsnet(folder, ["predict", join(phantoms, "imagesTs"), ...masks]);
  console.log("\nThe finder on ten phantoms:");
  const { stdout } = await runLnsnet(folder, [
    ...["evaluate", join(phantoms, "labelsTs"), "phantom-masks", "--nodes"],
  ]);
  console.log(stdout);
  const neck = resolve(root, "ct-neck-submandibular");
  const lung = resolve(root, "rtstruct-ibsi1-lung", "nifti");
  for (const [what, words] of [
    ["The clicker on nodes of ten phantoms:", [phantoms]],
    [
      "The clicker on OpenKBP parotids of the test set, on which it was never trained:",
      [resolve(root, "openkbp"), "--truth", "organsTs", "--values", "1,2"],
    ],
    [
      "The clicker on the planning target of a submandibular tumour:",
      ["--image", join(neck, "ct.nii.gz"), "--mask", join(neck, "ptv.nii.gz")],
    ],
    [
      "The clicker on the tumour of a lung (IBSI 1):",
      ["--image", join(lung, "image", "phantom.nii.gz"), "--mask", join(lung, "mask", "mask.nii.gz")],
    ],
  ] as const) {
    console.log(`\n${what}`);
    await runScript(["check", "clicks", ...words]);
  }
  console.log("\nTimes, which want a machine at rest:");
  await runScript(["bench", "wide", "--threads", threads]);
}

/** Runs another bench or check, which prints to this terminal. */
function runScript(words: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [runner, ...words], { stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${words.slice(0, 2).join(" ")} ended with code ${code}`));
    });
  });
}

const runner = fileURLToPath(new URL("./run.js", import.meta.url));
