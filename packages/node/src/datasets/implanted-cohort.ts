// Real CT with implanted nodes as a data set: several cases of each host, by seed and name alone.
import { createHash } from "node:crypto";
import { InputError } from "@lnsnet/core/errors";
import { implantLabels } from "@lnsnet/core/phantom";
import type { Vector3 } from "@lnsnet/core/volume";
import type { Job } from "../work/job.js";
import { type CohortOptions, type WrittenCohort, writeCohort } from "./cohort.js";
import type { CohortCase } from "./cohort-case.js";
import { type HostFiles, hostsAt } from "./hosts.js";

/** What is implanted: the same values and hosts give the same voxels. */
export interface ImplantedCohort {
  readonly seed: number;
  /** Cases that are made of each host. */
  readonly repeats: number;
  /** Hosts that are coarser along an axis are interpolated to this. */
  readonly spacingMm: Vector3;
}

/** A host with implanted nodes. */
export interface ImplantedCase extends CohortCase {
  readonly host: string;
  /** Stands for the host's files as they were. */
  readonly content: string;
}

/** Options as the cohort's record keeps them. */
export type ImplantOptions = {
  readonly seed: number;
  readonly repeats: number;
  /** Such as "1.5,1.5,1.5". */
  readonly spacing: string;
};

/**
 * Implants nodes into every host of a path and writes the cases as a data set, or goes on with it. A case is called
 * HOST_implanted_scan_1, so that every division by patient keeps the cases of a host together; `dataset.json` names
 * the patients too. Hosts without a place for a node, and those that cannot be read, are left out with the reason.
 *
 * @throws InputError as `hostsAt` and {@link writeCohort}
 */
export async function writeImplantedCohort(
  hostsPath: string,
  folder: string,
  { seed, repeats, spacingMm }: ImplantedCohort,
  options: CohortOptions = {},
  job: Job = {},
): Promise<WrittenCohort<ImplantedCase>> {
  const { hosts, leftOut } = await hostsAt(hostsPath);
  for (const sentence of leftOut) job.log?.(sentence);
  const byId = new Map(hosts.map((host) => [host.id, host]));
  const hostOf = (id: string) => {
    const host = byId.get(id);
    if (host === undefined)
      throw new InputError(`There is no host ${id}; implant into those of ${hostsPath}.`);
    return host;
  };
  const cases = hosts.flatMap(({ id: host, subset, content }) =>
    Array.from(
      { length: repeats },
      (_, n): ImplantedCase => ({ id: `${host}_implanted_scan_${n + 1}`, subset, host, content }),
    ),
  );
  const cohort = {
    command: "lnsnet implant",
    options: { seed, repeats, spacing: spacingMm.join(",") },
    cases,
    sourceOf: ({ host }: ImplantedCase): HostFiles => hostOf(host).files,
    datasetOf: (made: readonly ImplantedCase[]) => ({
      name: `LNSNet implanted ${seed}`,
      description: `Implanted, research use only: real CT with synthetic lymph nodes, implanted by lnsnet with seed ${seed}; no drawn node of a patient. Tissue of the hosts that looks like a node is to be ignored.`,
      channel_names: { "0": "CT" },
      labels: implantLabels,
      patients: Object.fromEntries(made.map(({ id, host }) => [id, hostOf(host).patient])),
      numTraining: made.filter(({ subset }) => subset === "Tr").length,
      numTest: made.filter(({ subset }) => subset === "Ts").length,
      file_ending: ".nii.gz" as const,
    }),
    worker: new URL("./implant-worker.js", import.meta.url),
  };
  return writeCohort(folder, cohort, options, job);
}

/** The place of a case in its seed's stream, by its name: hosts may come and go. */
export const indexOfCase = (id: string): number =>
  createHash("sha256").update(id).digest().readUInt32BE() >>> 1;
