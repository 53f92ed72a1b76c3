// Clicks as they are typed or stored, as points in the patient.
import { InputError } from "@lnsnet/core/errors";
import { readMarkups } from "@lnsnet/core/formats";
import { pointOfIndex, type Vector3, type Volume } from "@lnsnet/core/volume";
import { readBytes } from "@lnsnet/node/files";
import type { ClicksOf, PlacedClick } from "@lnsnet/node/segmenting";
import { threeNumbers } from "./arguments.js";

/** The options that name points in nodes. */
export const clickArguments = {
  at: {
    type: "string",
    description:
      "segment only the node at these points, x,y,z in LPS mm, separated by semicolons; a model that was not trained with clicks takes each point for a node of its own",
    valueHint: "X,Y,Z;…",
  },
  "at-voxel": {
    type: "string",
    description: "the same by voxel indices from 0, as the file stores them",
    valueHint: "I,J,K;…",
  },
  points: {
    type: "string",
    description:
      'the same by a 3D Slicer markups file (.mrk.json or .fcsv); points of one name are in one node, and "not NAME" lies beside it',
    valueHint: "FILE",
  },
  "not-at": {
    type: "string",
    description:
      "points beside the node that were taken for it: they correct what the other points find, or a node that stands in the output",
    valueHint: "X,Y,Z;…",
  },
  "not-at-voxel": {
    type: "string",
    description: "the same by voxel indices",
    valueHint: "I,J,K;…",
  },
  class: {
    type: "string",
    description:
      "the class of the nodes at these points, for a model of several; by default, at each point the most probable one",
    valueHint: "NAME",
  },
} as const;

export interface ClickValues {
  readonly at?: string | undefined;
  readonly "at-voxel"?: string | undefined;
  readonly points?: string | undefined;
  readonly "not-at"?: string | undefined;
  readonly "not-at-voxel"?: string | undefined;
}

/**
 * The clicks that the options name; null where none does.
 *
 * @throws InputError where they cannot be read, or several options name points of a kind
 */
export async function clicksFrom(values: ClickValues): Promise<ClicksOf | null> {
  requireOne(values, ["at", "at-voxel", "points"]);
  requireOne(values, ["not-at", "not-at-voxel"]);
  const parts: ClicksOf[] = [];
  const { at, points, "at-voxel": atVoxel, "not-at": notAt, "not-at-voxel": notAtVoxel } = values;
  if (at !== undefined) parts.push(typed(pointsOf(at, "--at"), true, inMm));
  if (atVoxel !== undefined) parts.push(typed(pointsOf(atVoxel, "--at-voxel"), true, pointOfIndex));
  if (points !== undefined) parts.push(await clicksOfMarkups(points));
  if (notAt !== undefined) parts.push(typed(pointsOf(notAt, "--not-at"), false, inMm));
  if (notAtVoxel !== undefined)
    parts.push(typed(pointsOf(notAtVoxel, "--not-at-voxel"), false, pointOfIndex));
  return parts.length === 0 ? null : (scan) => parts.flatMap((clicksOf) => clicksOf(scan));
}

/** @throws InputError where several of the options are given */
function requireOne(values: ClickValues, names: readonly (keyof ClickValues)[]): void {
  const given = names.filter((name) => values[name] !== undefined);
  if (given.length > 1)
    throw new InputError(
      `${given.map((name) => `--${name}`).join(" and ")} both name points; give one of them.`,
    );
}

/** Points of one node, wherever a model knows such. */
function typed(
  points: readonly Vector3[],
  isPositive: boolean,
  pointIn: (scan: Volume, point: Vector3) => Vector3,
): ClicksOf {
  return (scan) => points.map((point) => ({ pointMm: pointIn(scan, point), isPositive, node: "typed" }));
}

const inMm = (_: Volume, pointMm: Vector3): Vector3 => pointMm;

/** Points beside a node are called "not NAME", "-NAME" or "not" alone. */
const negativeName = /^\s*(?:not\b|-)\s*/i;

/** @throws InputError where the file cannot be read, or holds no point */
async function clicksOfMarkups(path: string): Promise<ClicksOf> {
  const markups = readMarkups(new TextDecoder().decode(await readBytes(path)), path);
  if (markups.length === 0)
    throw new InputError(`${path} holds no point; place one in each node and save it again.`);
  const clicks = markups.map(
    ({ name, pointLpsMm: pointMm }): PlacedClick => ({
      pointMm,
      isPositive: !negativeName.test(name),
      node: name.replace(negativeName, "").trim(),
    }),
  );
  return () => clicks;
}

function pointsOf(text: string, name: string): Vector3[] {
  const farMm = 1e5;
  return text.split(";").map((part) => threeNumbers(part, name, -farMm, farMm));
}
