// npm run bench -- look-alikes COHORT MASKS: what a finder marks in training hosts and is most likely no node, as masks.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InputError, labelComponents, readNifti, resample, type Volume, writeNifti } from "@lnsnet/core";
import { maskWhere } from "@lnsnet/core/volume";

const help = `npm run bench -- look-alikes COHORT MASKS [options]

Writes the look-alikes of a training (lookalikesTr, docs/training.md): connected components that a finder marked in scans of
COHORT, which lnsnet implant made, and that touch neither an implanted node nor ignored tissue. Hosts hold real nodes that nobody
labelled, and most of these lie in the planning targets, so components of which a tenth or more lies there are left out.
All scans of a host get the look-alikes of the one that was segmented, where they do not touch the scan's own nodes.

COHORT holds labelsTr; MASKS is the output of lnsnet predict for the first scan of each host.

  --targets FOLDER   planning targets of the hosts, NAME.nii.gz
  --output FOLDER    where the masks are written (COHORT/lookalikesTr)
  --help             print this`;

/** Of a component's voxels, in the planning targets. */
const leastShareInTargets = 0.1;
const scanOfHost = /^(.+)_implanted_scan_(\d+)\.nii\.gz$/;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    targets: { type: "string" },
    output: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help || positionals.length !== 2) console.log(help);
else main(positionals[0], positionals[1]);

function main(cohort: string, masks: string): void {
  if (values.targets === undefined)
    throw new InputError("Name the folder of the planning targets by the option targets.");
  const output = values.output ?? join(cohort, "lookalikesTr");
  mkdirSync(output, { recursive: true });
  const scans = readdirSync(join(cohort, "labelsTr")).filter((name) => scanOfHost.test(name));
  let [marked, kept] = [0, 0];
  for (const first of scans) {
    const [, host, repeat] = scanOfHost.exec(first) ?? [];
    if (repeat !== "1" || !existsSync(join(masks, first))) continue;
    const found = read(join(masks, first));
    const labels = read(join(cohort, "labelsTr", first));
    const targets = resample(read(join(values.targets, `${host}.nii.gz`)), found, "nearest", 0);
    const components = labelComponents(
      maskWhere(found.data, (value) => value !== 0),
      found.size,
      26,
    );
    const isLookAlike = lookAlikesAmong(components, labels, targets);
    const mask = maskWhere(components.labels, (label) => label !== 0 && isLookAlike[label]);
    for (const name of scans.filter((scan) => scanOfHost.exec(scan)?.[1] === host))
      writeFileSync(join(output, name), writeNifti({ ...found, data: mask }));
    marked += components.count;
    kept += isLookAlike.filter(Boolean).length;
  }
  console.log(`${kept} look-alikes of ${marked} components: ${output}.`);
}

/** For each component's label, whether it is a look-alike; false for the background. */
function lookAlikesAmong(
  { labels, count }: ReturnType<typeof labelComponents>,
  truth: Volume,
  targets: Volume,
): boolean[] {
  const sizes = new Float64Array(count + 1);
  const [touching, inTargets] = [new Float64Array(count + 1), new Float64Array(count + 1)];
  labels.forEach((label, at) => {
    sizes[label]++;
    if (truth.data[at] !== 0) touching[label]++;
    if (targets.data[at] !== 0) inTargets[label]++;
  });
  return Array.from(
    sizes,
    (size, label) => label !== 0 && touching[label] === 0 && inTargets[label] / size < leastShareInTargets,
  );
}

function read(path: string): Volume {
  return readNifti(readFileSync(path), path);
}
