import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hostsAt } from "./hosts.js";

let root = "";
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "lnsnet-hosts-")));
});
afterEach(() => rm(root, { recursive: true }));

const volume = writeNifti({
  size: [4, 3, 2],
  spacingMm: [1, 1, 2],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  data: new Int16Array(24),
});
async function write(path: string, content: Uint8Array | object) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content instanceof Uint8Array ? content : JSON.stringify(content));
}
const labels = { background: 0, node: 1 };

test("structures lie beside the images, also those that a joined data set names, whatever a case is called", async () => {
  for (const file of ["imagesTr/p_00001_0000", "labelsTr/p_00001", "organsTr/p_00001"])
    await write(`inner/${file}.nii.gz`, volume);
  await write("inner/dataset.json", { labels });
  const files = {
    images: ["../inner/imagesTr/p_00001_0000.nii.gz"],
    label: "../inner/labelsTr/p_00001.nii.gz",
  };
  await write("joined/dataset.json", { labels, dataset: { other: files } });
  for (const [folder, id] of [
    ["inner", "p_00001"],
    ["joined", "other"],
  ]) {
    const { hosts } = await hostsAt(join(root, folder));
    expect(hosts).toMatchObject([
      { id, files: { organs: join(root, "inner/organsTr/p_00001.nii.gz"), targets: null } },
    ]);
  }
});

test("a cohort that lnsnet made is no host, alone or in a joined data set", async () => {
  await write("cohort/imagesTr/made_0000.nii.gz", volume);
  await write("cohort/labelsTr/made.nii.gz", volume);
  await write("cohort/cohort.json", {});
  await write("scans/a.nii.gz", volume);
  const { hosts, leftOut } = await hostsAt(root);
  expect(hosts.map(({ id }) => id)).toEqual(["scans_a"]);
  expect(leftOut.join()).toMatch(/cohort is left out: lnsnet made its scans/);
  const files = { images: ["../cohort/imagesTr/made_0000.nii.gz"], label: "../cohort/labelsTr/made.nii.gz" };
  await write("joined/dataset.json", { labels, dataset: { made: files } });
  await expect(hostsAt(join(root, "joined"))).rejects.toThrow(
    /joined holds no CT to implant nodes into \(.*cohort is left out/,
  );
});
