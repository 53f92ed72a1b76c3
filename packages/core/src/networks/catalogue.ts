// The table of networks, and functions that take any of them by its name.
import { z } from "zod";
import type { Value } from "../graph/graph.js";
import { input } from "../graph/operations/leaves.js";
import { type Shape, ShapeError } from "../graph/shape.js";
import { basicUnetNetwork } from "./basic-unet.js";
import { type BufferEntry, NetworkBuilder, type ParameterEntry } from "./builder.js";
import { lhuNetNetwork } from "./lhu-net.js";
import { lnsnetNetwork } from "./lnsnet.js";
import { mednextNetwork } from "./mednext.js";
import type { Network, NetworkOutputs, Size3 } from "./network.js";
import { nnunetNetwork } from "./nnunet.js";
import { nnunetResencNetwork } from "./nnunet-resenc.js";
import { partialUnetNetwork } from "./partial-unet.js";
import { residualUnetNetwork } from "./residual-unet.js";
import { segresnetNetwork } from "./segresnet.js";
import { swinUnetrNetwork } from "./swin-unetr.js";
import { unet2dNetwork } from "./unet2d.js";
import { unet3dNetwork } from "./unet3d.js";
import { unetrNetwork } from "./unetr.js";
import { uxNetNetwork } from "./ux-net.js";
import { vnetNetwork } from "./vnet.js";

/** Each network is one entry here and one file. Plans and checkpoints name it by its key. */
const table = {
  lnsnet: lnsnetNetwork,
  "partial-unet": partialUnetNetwork,
  unetr: unetrNetwork,
  vnet: vnetNetwork,
  segresnet: segresnetNetwork,
  nnunet: nnunetNetwork,
  "nnunet-resenc": nnunetResencNetwork,
  "ux-net": uxNetNetwork,
  "swin-unetr": swinUnetrNetwork,
  unet3d: unet3dNetwork,
  unet2d: unet2dNetwork,
  "basic-unet": basicUnetNetwork,
  "residual-unet": residualUnetNetwork,
  mednext: mednextNetwork,
  "lhu-net": lhuNetNetwork,
};

type Table = typeof table;
type Configurations = { readonly [Name in keyof Table]: z.infer<Table[Name]["schema"]> };

export type NetworkName = keyof Table;

/** A network and its configuration, as plan files and checkpoints state them. */
export type NetworkSpecification<Name extends NetworkName = NetworkName> = {
  [Key in Name]: { readonly name: Key; readonly configuration: Configurations[Key] };
}[Name];

const networks: { readonly [Name in NetworkName]: Network<Configurations[Name]> } = table;
const names = Object.keys(table) as NetworkName[];

/** Reads a specification; what its configuration leaves out takes its default. */
export const networkSchema = z.discriminatedUnion(
  "name",
  names.map((name) => z.object({ name: z.literal(name), configuration: networks[name].schema })) as never,
) as unknown as z.ZodType<NetworkSpecification>;

/** The presets of all networks, by the name that a person chooses. */
export const networkPresets: Readonly<Record<string, NetworkSpecification>> = Object.fromEntries(
  names.flatMap((name) =>
    Object.entries(networks[name].presets).map(([preset, configuration]) => [
      preset,
      { name, configuration } as NetworkSpecification,
    ]),
  ),
);

/** What tables and messages call a network. */
export const networkTitle = ({ name }: NetworkSpecification): string => networks[name].title;

/** What depth, height and width of an image must be multiples of. */
function sizeDivisor<Name extends NetworkName>(specification: NetworkSpecification<Name>): Size3 {
  return networks[specification.name].divisor(specification.configuration);
}

/** The sizes that a network takes, in words: "LNSNet needs multiples of 8 voxels". */
export function sizeRule<Name extends NetworkName>(specification: NetworkSpecification<Name>): string {
  const [depth, height, width] = sizeDivisor(specification);
  const multiples =
    depth === height && height === width
      ? `${depth} voxels`
      : `${depth}, ${height} and ${width} voxels along depth, height and width`;
  return `${networks[specification.name].title} needs multiples of ${multiples}`;
}

/** Whether a network takes images of this depth, height and width. */
export function takesSize<Name extends NetworkName>(
  specification: NetworkSpecification<Name>,
  size: Shape,
): boolean {
  const divisor = sizeDivisor(specification);
  return size.length === 3 && size.every((length, axis) => length > 0 && length % divisor[axis] === 0);
}

/** The smallest size that every one of the networks takes and that is at least `size` along each axis. */
export function sizeForAll(specifications: readonly NetworkSpecification[], size: Size3): Size3 {
  const divisors = specifications.map((specification) => sizeDivisor(specification));
  const along = (axis: 0 | 1 | 2): number => {
    const multiple = divisors.map((divisor) => divisor[axis]).reduce(leastCommonMultiple, 1);
    return multiple * Math.ceil(size[axis] / multiple);
  };
  return [along(0), along(1), along(2)];
}

function leastCommonMultiple(a: number, b: number): number {
  let multiple = a;
  while (multiple % b !== 0) multiple += a;
  return multiple;
}

/**
 * Builds a network on an image [N, inputs, D, H, W].
 *
 * @throws ShapeError where it does not take the size
 */
export function buildNetwork<Name extends NetworkName>(
  specification: NetworkSpecification<Name>,
  image: Value,
  builder: NetworkBuilder,
): NetworkOutputs {
  if (!takesSize(specification, image.shape.slice(2)))
    throw new ShapeError(`${sizeRule(specification)}, not ${image.shape.slice(2)}`);
  return networks[specification.name].build(image, specification.configuration, builder);
}

/** Whether a parameter belongs to the network's head. */
export const isOfHead = ({ name }: NetworkSpecification, parameter: string): boolean =>
  networks[name].head.some((start) => parameter.startsWith(`${start}.`));

/** What a network is made of. */
export interface NetworkParts {
  /** In the order in which the network makes them. */
  readonly parameters: readonly ParameterEntry[];
  /** Running statistics, which training moves and inference reads. */
  readonly buffers: readonly BufferEntry[];
}

/** Parameters and running statistics of a network for patches of one size; some networks have parameters for each place in it. */
export function partsOf(specification: NetworkSpecification, patchSize: Shape): NetworkParts {
  const builder = new NetworkBuilder(false);
  buildNetwork(specification, input("image", [1, specification.configuration.inputs, ...patchSize]), builder);
  return builder;
}
