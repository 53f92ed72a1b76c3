// The structures of a case that can be clicked: all that is drawn of it, whatever it is.
import { InputError } from "@lnsnet/core/errors";
import type { StructureLayer } from "@lnsnet/core/sampling";
import { IGNORED, targetTable } from "@lnsnet/core/transforms";
import type { IntegerVoxelArray, Volume } from "@lnsnet/core/volume";
import { readLabelVolume } from "../files/imaging.js";
import { type Case, loadCase, structuresBeside } from "./dataset.js";
import { classNames, type DatasetLabels } from "./foreground.js";

/** What of a data set is not to be learned: names of its classes, and values of its organs. */
export interface LeftOutStructures {
  readonly classes: readonly string[];
  readonly organs: readonly number[];
}

/** A layer of structures on a scan's own grid, or on that of its organs. */
export interface DrawnLayer extends Omit<StructureLayer, "data"> {
  readonly volume: Volume<IntegerVoxelArray>;
}

/**
 * What {@link drawnLayers} is to leave out, from names such as "parotid" for a class and "organs:3" for a value of the
 * masks in `organsTr`.
 *
 * @throws InputError where there is no class of a name, or a value is no whole number above 0
 */
export function leftOutStructures(names: readonly string[], labels: DatasetLabels): LeftOutStructures {
  const known = classNames(labels);
  const classes: string[] = [];
  const organs: number[] = [];
  for (const name of names) {
    const [, value] = /^organs:([1-9]\d{0,4})$/.exec(name) ?? [];
    if (value !== undefined) organs.push(Number(value));
    else if (known.includes(name)) classes.push(name);
    else
      throw new InputError(
        `The option leave-out names "${name}", and the data set has ${known.join(", ")}; give some of these, or values of its organs such as organs:1.`,
      );
  }
  return { classes, organs };
}

/** The files of a case's structures beside its label. */
export async function structureFiles({ imagePath, instancesPath }: Case): Promise<string[]> {
  return [await structuresBeside(imagePath, "organs"), instancesPath].filter((path) => path !== null);
}

/**
 * The drawn structures of a case, in the order in which they are laid over each other: organs beside the image
 * (`organsTr`), a structure for each value; then its instances, or where it has none the connected components of its
 * label. Voxels to be ignored are none.
 *
 * @throws InputError as {@link loadCase}, and where organs or instances are no labels
 */
export async function drawnLayers(
  of: Case,
  labels: DatasetLabels,
  { classes, organs }: LeftOutStructures,
): Promise<{ readonly channels: readonly Volume[]; readonly layers: readonly DrawnLayer[] }> {
  const { channels, label } = await loadCase(of, labels);
  const layers: DrawnLayer[] = [];
  const organsPath = await structuresBeside(of.imagePath, "organs");
  if (organsPath !== null) {
    const drawn = await readLabelVolume(organsPath);
    const data = drawn.data.map((value) => (organs.includes(value) ? 0 : value));
    layers.push({ volume: { ...drawn, data }, byValue: true });
  }
  if (label === null) return { channels, layers };
  // Where classes overlap, a number stands for a set of them; it is left out with any of its classes.
  const { classesOf } = targetTable(labels.scheme);
  const isLeftOut = (number: number) =>
    number === 0 ||
    number === IGNORED ||
    classesOf[number].some((position) => classes.includes(labels.scheme.classes[position].name));
  if (of.instancesPath === null) {
    const data = label.data.map((number) => (isLeftOut(number) ? 0 : number));
    return { channels, layers: [...layers, { volume: { ...label, data }, byValue: false }] };
  }
  const instances = await readLabelVolume(of.instancesPath);
  if (instances.data.length !== label.data.length)
    throw new InputError(
      `${of.instancesPath} has ${instances.size.join("×")} voxels, and its label ${label.size.join("×")}; write both on the same grid.`,
    );
  const data = instances.data.map((value, at) => (isLeftOut(label.data[at]) ? 0 : value));
  return { channels, layers: [...layers, { volume: { ...instances, data }, byValue: true }] };
}
