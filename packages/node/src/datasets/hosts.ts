// The scans that nodes can be implanted into: of a data set with its drawn structures, or whatever CT a folder holds.
import { createHash } from "node:crypto";
import { dirname, join, relative, sep } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { isCtScan } from "@lnsnet/core/formats";
import { patientOfCase } from "@lnsnet/core/sampling";
import { foldedName } from "@lnsnet/core/text";
import { hashOfFile, isFile, isFolder, requirePath } from "../files/disk.js";
import { findImages, leftOutOf } from "../files/imaging.js";
import { cohortRecordName } from "./cohort-case.js";
import { caseId, listDataset, structuresBeside } from "./dataset.js";

/** Where a host and its drawn structures are. */
export interface HostFiles {
  /** A volume file, or the folder of a DICOM series. */
  readonly image: string;
  /** The UID of the series; null of a volume file. */
  readonly series: string | null;
  /** Planning targets, which hold the nodal levels. */
  readonly targets: string | null;
  /** Organs that no node lies in. */
  readonly organs: string | null;
}

interface HostScan {
  /** Of letters, digits, - and _; no other host has it. */
  readonly id: string;
  readonly patient: string;
  readonly subset: "Tr" | "Ts";
  /** Hash of its files; of a DICOM series, of its UID. */
  readonly content: string;
  readonly files: HostFiles;
}

/**
 * The hosts of a path. A data set in nnU-Net's layout keeps its division into training and test; labels are not needed.
 * Masks of the same name in `targetsTr` and `organsTr` (and Ts) beside `imagesTr` are its drawn structures, as OpenKBP
 * has them after conversion. Of another folder, every volume file and every CT series is a host to train on.
 *
 * Scans of a cohort that lnsnet made are none: their nodes would be without a label.
 *
 * @returns hosts in the order of their names, and sentences about what is no host
 * @throws InputError where there is none, or two would have one name
 */
export async function hostsAt(path: string): Promise<FoundHosts> {
  await requirePath(path);
  const found = await withoutCohorts(
    (await isFile(join(path, "dataset.json"))) ? await datasetHosts(path) : await otherHosts(path),
  );
  if (found.hosts.length === 0)
    throw new InputError(
      `${path} holds no CT to implant nodes into${found.leftOut.length > 0 ? ` (${found.leftOut[0]})` : ""}; give a folder of CT scans or a data set.`,
    );
  const known = new Map<string, HostScan>();
  for (const host of found.hosts) {
    const other = known.get(foldedName(host.id));
    if (other !== undefined)
      throw new InputError(
        `${host.files.image} and ${other.files.image} would both be the host ${host.id}; rename one of the two.`,
      );
    known.set(foldedName(host.id), host);
  }
  return found;
}

interface FoundHosts {
  readonly hosts: readonly HostScan[];
  readonly leftOut: readonly string[];
}

async function withoutCohorts({ hosts, leftOut }: FoundHosts): Promise<FoundHosts> {
  const cohorts = new Set<string>();
  const kept: HostScan[] = [];
  for (const host of hosts) {
    const cohort = dirname(dirname(host.files.image));
    if (host.files.series === null && (await isFile(join(cohort, cohortRecordName)))) cohorts.add(cohort);
    else kept.push(host);
  }
  const sentences = [...cohorts].map(
    (cohort) =>
      `${cohort} is left out: lnsnet made its scans, whose nodes would be without a label in new ones.`,
  );
  return { hosts: kept, leftOut: [...leftOut, ...sentences] };
}

async function datasetHosts(folder: string): Promise<FoundHosts> {
  const { dataset, problems } = await listDataset(folder);
  const hosts: HostScan[] = [];
  for (const [subset, cases] of [
    ["Tr", dataset.training],
    ["Ts", dataset.test],
  ] as const)
    for (const { id, imagePath } of cases) {
      const targets = await structuresBeside(imagePath, "targets");
      const organs = await structuresBeside(imagePath, "organs");
      const paths = [imagePath, targets, organs].filter((file) => file !== null);
      hosts.push({
        id: hostId(id),
        patient: patientOfCase(id, { named: dataset.patients }),
        subset,
        content: hashed((await Promise.all(paths.map(hashOfFile))).join(" ")),
        files: { image: imagePath, series: null, targets, organs },
      });
    }
  // Hosts need no labels, so what a training would refuse matters only where there is nothing else.
  return { hosts, leftOut: hosts.length === 0 ? problems : [] };
}

async function otherHosts(path: string): Promise<FoundHosts> {
  const found = await findImages(path);
  const { series, volumes } = found;
  const root = (await isFolder(path)) ? path : dirname(path);
  if (volumes.some(({ name }) => !name.startsWith(root)))
    throw new InputError(`${path} is an archive; unpack it and give the folder.`);
  const hosts: HostScan[] = [];
  for (const { name } of volumes) {
    const id = hostId(caseId(relative(root, name).replaceAll(sep, "_")));
    const files = { image: name, series: null, targets: null, organs: null };
    hosts.push({ id, patient: id, subset: "Tr", content: await hashOfFile(name), files });
  }
  const uids = new Set(series.filter(isCtScan).map(({ seriesInstanceUid }) => seriesInstanceUid));
  for (const uid of uids) {
    const content = hashed(uid);
    const id = `series-${content.slice(0, 12)}`;
    const files = { image: path, series: uid, targets: null, organs: null };
    hosts.push({ id, patient: id, subset: "Tr", content, files });
  }
  return { hosts, leftOut: leftOutOf(path, found) };
}

/** What a case is called by the name that its host has, which may hold any letter. */
const hostId = (name: string): string => name.replace(/[^A-Za-z0-9_-]+/g, "-");

const hashed = (text: string): string => createHash("sha256").update(text).digest("hex");
