// Clicked points as they are typed or stored, as points in the patient.
import { InputError, pointOfIndex, readMarkups, type Vector3 } from "@lnsnet/core";
import { type ClicksOf, readBytes } from "@lnsnet/node";
import { threeNumbers } from "./arguments.js";

/** The options that name points in nodes. */
export const clickArguments = {
  at: {
    type: "string",
    description: "segment only the nodes at these points, x,y,z in LPS mm, separated by semicolons",
    valueHint: "X,Y,Z;…",
  },
  "at-voxel": {
    type: "string",
    description: "the same by voxel indices from 0, as the file stores them",
    valueHint: "I,J,K;…",
  },
  points: {
    type: "string",
    description: "the same by a 3D Slicer markups file (.mrk.json or .fcsv)",
    valueHint: "FILE",
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
}

/**
 * The points that the options name; null where none does.
 *
 * @throws InputError where they cannot be read, or several options name points
 */
export async function clicksFrom(values: ClickValues): Promise<ClicksOf | null> {
  const given = (["at", "at-voxel", "points"] as const).filter((name) => values[name] !== undefined);
  if (given.length > 1)
    throw new InputError(
      `${given.map((name) => `--${name}`).join(" and ")} both name points; give one of them.`,
    );
  if (values.at !== undefined) {
    const points = pointsOf(values.at, "--at");
    return () => points;
  }
  if (values["at-voxel"] !== undefined) {
    const indices = pointsOf(values["at-voxel"], "--at-voxel");
    return (scan) => indices.map((index) => pointOfIndex(scan, index));
  }
  if (values.points === undefined) return null;
  const text = new TextDecoder().decode(await readBytes(values.points));
  const markups = readMarkups(text, values.points);
  if (markups.length === 0)
    throw new InputError(`${values.points} holds no point; place one in each node and save it again.`);
  return () => markups.map(({ pointLpsMm }) => pointLpsMm);
}

function pointsOf(text: string, name: string): Vector3[] {
  const farMm = 1e5;
  return text.split(";").map((part) => threeNumbers(part, name, -farMm, farMm));
}
