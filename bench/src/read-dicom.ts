// npm run bench -- dicom FOLDER: how long and how much memory it takes to read a DICOM CT series.
import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { chooseSeries, InputError, listSeries, readSeries } from "@lnsnet/core";
import { filesIn } from "./scan-check.js";

const help = `npm run bench -- dicom FOLDER

Reads the DICOM CT series of FOLDER and prints the time and the largest memory that this takes.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", default: false } },
});
if (values.help) console.log(help);
else await main(positionals[0]);

async function main(folder: string | undefined): Promise<void> {
  if (folder === undefined)
    throw new InputError("Name a folder of DICOM files: npm run bench -- dicom FOLDER.");
  const start = performance.now();
  const listing = await listSeries(filesIn(folder, /./));
  const listed = performance.now();
  const series = chooseSeries(listing, undefined);
  const { volume } = await readSeries(series);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage();
  console.log(
    `${readdirSync(folder).length} files, ${volume.size.join(" × ")}, ${series.transferSyntax}: ` +
      `${seconds.toFixed(1)} s (of that the headers ${((listed - start) / 1000).toFixed(1)} s), ` +
      `${((user + system) / 1e6).toFixed(1)} s of processor time, ` +
      `peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
  );
}
