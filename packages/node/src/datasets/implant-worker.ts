// Worker thread: implants nodes into one host and writes the case.
import { InputError } from "@lnsnet/core/errors";
import { type ImplantedNode, implantNodes, prepareHost } from "@lnsnet/core/phantom";
import type { Vector3, Volume } from "@lnsnet/core/volume";
import { requireCt } from "@lnsnet/core/voxels";
import { readImage, readLabelVolume } from "../files/imaging.js";
import { type Outcome, outcomeOf } from "../work/outcome.js";
import { type CohortTask, leaveOutCase, type NodeRow, writeCohortCase } from "./cohort-case.js";
import type { HostFiles } from "./hosts.js";
import { type ImplantedCase, type ImplantOptions, indexOfCase } from "./implanted-cohort.js";

export function run({
  folder,
  case: of,
  options,
  source,
}: CohortTask<ImplantedCase, ImplantOptions, HostFiles>): Promise<Outcome<null>> {
  return outcomeOf(async () => {
    const found = await scanOf(source).catch((error: unknown) => {
      if (error instanceof InputError) return error.message;
      throw error;
    });
    const made = typeof found === "string" ? found : implanted(found, of, options);
    if (typeof made === "string") await leaveOutCase(folder, of, made);
    else await writeCohortCase(folder, of, made, "lnsnet implant: implanted nodes, research use only");
    return null;
  });
}

interface HostVolumes {
  readonly scan: Volume;
  readonly targets: Volume | null;
  readonly organs: Volume | null;
}

async function scanOf({ image, series, targets, organs }: HostFiles): Promise<HostVolumes> {
  const { volume } = await readImage(image, series ?? undefined);
  requireCt(volume, image);
  const structure = async (path: string | null) => (path === null ? null : await readLabelVolume(path));
  return { scan: volume, targets: await structure(targets), organs: await structure(organs) };
}

/** The case; where nothing can be implanted, the reason. */
function implanted(
  { scan, targets, organs }: HostVolumes,
  { id, host }: ImplantedCase,
  options: ImplantOptions,
) {
  const coarsestMm = options.spacing.split(",").map(Number) as unknown as Vector3;
  const prepared = prepareHost(scan, { targets, organs }, coarsestMm);
  if (prepared === null)
    return `The host ${host} has no place for a node: no soft tissue in its targets or in the neck, clear of bone, air and organs.`;
  const { image, label, instances, nodes } = implantNodes(prepared, options.seed, indexOfCase(id));
  if (nodes.length === 0) return `No node fits into the soft tissue of the host ${host}.`;
  return { images: [image], label, instances, nodes: nodes.map(rowOf) };
}

function rowOf(node: ImplantedNode): NodeRow {
  return {
    node: node.id,
    origin: "implanted",
    kind: node.kind,
    short_axis_mm: node.shortAxisMm,
    long_axis_mm: node.longAxisMm,
    volume_ml: node.volumeMl,
    x_lps_mm: node.centreLpsMm[0],
    y_lps_mm: node.centreLpsMm[1],
    z_lps_mm: node.centreLpsMm[2],
  };
}
