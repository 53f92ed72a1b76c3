// Stations as a second target of training: in which part of the neck each node lies, where the data set knows it. This
// project's reading of an idea (station-aware training); the head that tells them apart is in no model that is saved.
import { InputError } from "@lnsnet/core/errors";
import type { Plan } from "@lnsnet/core/models";
import type { PreparedCase } from "@lnsnet/core/sampling";
import { type LabelScheme, labelSchemeOf } from "@lnsnet/core/transforms";
import type { Volume } from "@lnsnet/core/volume";
import { nodesBeside } from "../datasets/cohort-case.js";
import type { Case, Dataset } from "../datasets/dataset.js";
import { readScan } from "../files/imaging.js";

/**
 * The names of the stations of all nodes, sorted.
 *
 * @throws InputError where the network or the labels know no stations, or a case does not say where its nodes lie
 */
export async function stationNames(cases: readonly Case[], plan: Plan): Promise<string[]> {
  const { classes, ignored } = labelSchemeOf(plan);
  if (plan.network.name !== "lnsnet")
    throw new InputError(
      "The option stations is given, and of all networks LNSNet alone has a head for them; leave it out, or choose lnsnet (the option network).",
    );
  if (classes.length > 1 || ignored !== null || plan.clickMaps !== undefined)
    throw new InputError(
      "The option stations is given, and it needs labels of one class without ignored voxels, and a network that is not for clicks; leave it out, or choose a class (the option foreground).",
    );
  const names = new Set<string>();
  for (const scan of cases) for (const station of (await stationsOfNodes(scan)).values()) names.add(station);
  return [...names].sort();
}

/** Whether the first case to train on says in which station each of its nodes lies. */
export async function hasStations({ training }: Pick<Dataset, "training">): Promise<boolean> {
  return stationsOfNodes(training[0]).then(
    () => true,
    () => false,
  );
}

/** The station of each node of a case, by its number in the case's instances. @throws InputError where they are not known */
async function stationsOfNodes({ id, instancesPath }: Case): Promise<Map<number, string>> {
  const nodes = instancesPath === null ? null : await nodesBeside(instancesPath);
  const stations = new Map(
    (nodes ?? []).flatMap(({ node, station }) =>
      typeof node === "number" && typeof station === "string" ? [[node, station] as const] : [],
    ),
  );
  if (nodes === null || stations.size < nodes.length)
    throw new InputError(
      `The option stations is given, and the case ${id} does not say in which station each node lies, as phantoms of this lnsnet do; leave the option out, or make the phantoms again.`,
    );
  return stations;
}

/**
 * Target numbers of a case whose label is 0 and 1: 0 for background, then 1 for the first station, 2 for the second, …
 *
 * @throws InputError where the instances do not say of which node a voxel is
 */
export async function stationTargets(
  scan: Case,
  label: Volume<Uint8Array>,
  names: readonly string[],
): Promise<Volume<Uint8Array>> {
  const stations = await stationsOfNodes(scan);
  const instances = (await readScan(scan.instancesPath ?? "")).data;
  const data = label.data.map((value, voxel) => {
    if (value === 0) return 0;
    const station = stations.get(instances[voxel]);
    if (station === undefined)
      throw new InputError(
        `${scan.instancesPath} does not say of which node each voxel of ${scan.labelPath} is, and the option stations needs it; make the phantoms again.`,
      );
    return 1 + names.indexOf(station);
  });
  return { ...label, data };
}

/** The classes of such target numbers: the foreground as a whole, then each station. */
export function stationScheme(plan: Plan, names: readonly string[]): LabelScheme {
  const [foreground] = labelSchemeOf(plan).classes;
  const stations = names.map((name, at) => ({ name, values: [at + 1], writtenAs: at + 1 }));
  const whole = { ...foreground, values: stations.flatMap(({ values }) => values) };
  return { kind: "overlapping", classes: [whole, ...stations], ignored: null };
}

/** A case as one without stations, whose label is 0 and 1. */
export const withoutStations = (scan: PreparedCase): PreparedCase => ({
  ...scan,
  label: scan.label.map((number) => Math.min(number, 1)),
});

/** The network with a head for stations. */
export const withStationHead = ({ network }: Plan, names: readonly string[]): Plan["network"] =>
  network.name === "lnsnet" && names.length > 0
    ? { ...network, configuration: { ...network.configuration, stations: names.length } }
    : network;
