// What is compared under one name each: networks, or variants of LNSNet.
import { InputError } from "@lnsnet/core/errors";
import type { Plan } from "@lnsnet/core/models";
import {
  lnsnetVariants,
  type NetworkSpecification,
  networkPresets,
  networkTitle,
  sizeForAll,
  sizeRule,
  takesSize,
  type VariedData,
} from "@lnsnet/core/networks";
import type { TrainingOptions } from "../training/options.js";

/** One of the networks of a comparison. */
export interface Compared {
  /** Of its folder, and on the command line. */
  readonly name: string;
  /** What tables call it. */
  readonly label: string;
  readonly network: NetworkSpecification;
  /** Where its training differs from that of the others. */
  readonly training?: Pick<TrainingOptions, "stationWeight">;
}

/** The first preset of each network. */
const mainPresets: ReadonlyMap<string, string> = new Map(
  Object.entries(networkPresets)
    .map(([preset, { name }]) => [name, preset] as const)
    .reverse(),
);

/** The networks that are compared where none are named: the first preset of each, LNSNet first. */
export const comparedByDefault: readonly string[] = Object.keys(networkPresets).filter((preset) =>
  [...mainPresets.values()].includes(preset),
);

/** @throws InputError where a name is no network, or is there twice; where there are fewer than two */
export function comparedNetworks(names: readonly string[]): Compared[] {
  return distinct(names, "networks", Object.keys(networkPresets)).map((name) => {
    const network = networkPresets[name];
    const title = networkTitle(network);
    const isMain = mainPresets.get(network.name) === name;
    return { name, network, label: isMain ? title : `${title} (${name})` };
  });
}

/**
 * A preset of LNSNet and its variants, all that the data allow or those that are named.
 *
 * @throws InputError where a name is no variant of it that the data allow, or is there twice
 */
export function comparedVariants(
  preset: string,
  names: readonly string[] | null,
  data: VariedData,
): Compared[] {
  const network = networkPresets[preset];
  if (network?.name !== "lnsnet") throw new InputError(`${preset} is no LNSNet, which alone has variants.`);
  const variants = lnsnetVariants(network.configuration, data);
  const known = variants.map(({ name }) => name);
  const chosen = names === null ? known : distinct(names, "variants", known);
  return [
    { name: preset, label: preset === "lnsnet" ? "LNSNet, default" : preset, network },
    ...variants
      .filter(({ name }) => chosen.includes(name))
      .map(({ name, label, configuration, stationWeight }) => ({
        ...{ name, label, network: { ...network, configuration } },
        ...(stationWeight === undefined ? {} : { training: { stationWeight } }),
      })),
  ];
}

function distinct(names: readonly string[], what: string, known: readonly string[]): readonly string[] {
  for (const [at, name] of names.entries()) {
    if (!known.includes(name))
      throw new InputError(
        `The option ${what} names "${name}", which is none of them; give some of ${known.join(", ")}.`,
      );
    if (names.indexOf(name) !== at)
      throw new InputError(`The option ${what} names ${name} twice; name each once.`);
  }
  return names;
}

/** The smallest patch that all take and that is at least `patchSize`. */
export const patchForAll = (compared: readonly Compared[], patchSize: Plan["patchSize"]): Plan["patchSize"] =>
  sizeForAll(
    compared.map(({ network }) => network),
    patchSize,
  );

/** @throws InputError where one does not take the patch, naming it and a patch that all take */
export function requirePatchForAll(compared: readonly Compared[], patchSize: Plan["patchSize"]): void {
  const other = compared.find(({ network }) => !takesSize(network, patchSize));
  if (other === undefined) return;
  throw new InputError(
    `The patch is ${patchSize.join(",")} voxels, and ${sizeRule(other.network)} (${other.name}); give the option patch ${patchForAll(compared, patchSize).join(",")}, which all that are compared take.`,
  );
}
