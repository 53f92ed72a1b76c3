// Reads and writes named points as 3D Slicer's markups: .mrk.json, and the older .fcsv.
import { InputError } from "../errors.js";
import { shown } from "../text.js";
import type { Vector3 } from "../volume/volume.js";
import { swapRasLps } from "./place.js";
import { numberOf } from "./stored-voxels.js";

/** A point with its label. */
export interface NamedPoint {
  readonly name: string;
  readonly pointLpsMm: Vector3;
}

/**
 * The points of a markups file in LPS mm, in the order of the file: the control points of every markup in a .mrk.json (point lists,
 * lines, curves, planes alike), or the rows of an .fcsv. Points that are not placed (`positionStatus` other than
 * "defined") are left out. Text that begins as JSON is read as .mrk.json.
 *
 * Source: 3D Slicer's developer guide, "Markups", and its schema markups-schema-v1.0.3.json. As in Slicer, a markup
 * without `coordinateSystem` is in LPS, and the codes 0 and 1 of older files mean RAS and LPS.
 *
 * @param name The file, for messages.
 * @throws InputError where the text is neither, a coordinate is not a finite number, the coordinate system is neither
 * LPS nor RAS (an .fcsv must state it, since older files are in RAS), the unit is not mm, or the status of a position
 * is unknown
 */
export function readMarkups(text: string, name: string): NamedPoint[] {
  // Either may begin with a byte-order mark.
  const content = text.replace(/^\uFEFF/, "");
  return content.trimStart().startsWith("{") ? pointsOfJson(content, name) : pointsOfFcsv(content, name);
}

/** A .mrk.json with a single list of points, in LPS mm. The same points always give the same text. */
export function writeMarkupsJson(points: readonly NamedPoint[], listName = "Points"): string {
  const controlPoints = points.map(({ name, pointLpsMm }, n) => ({
    id: `${n + 1}`,
    label: name,
    position: pointLpsMm,
    positionStatus: "defined",
  }));
  const markup = {
    type: "Fiducial",
    name: listName,
    coordinateSystem: "LPS",
    coordinateUnits: "mm",
    controlPoints,
  };
  return `${JSON.stringify({ "@schema": schemaId, markups: [markup] }, null, 2)}\n`;
}

/** An .fcsv of points, in LPS mm, as Slicer 4.11 and later read it. The same points always give the same text. */
export function writeFcsv(points: readonly NamedPoint[]): string {
  const rows = points.map(
    ({ name, pointLpsMm }, n) => `${n + 1},${pointLpsMm.join(",")},0,0,0,1,1,1,0,${quoted(name)},,`,
  );
  return [
    "# Markups fiducial file version = 5.0",
    "# CoordinateSystem = LPS",
    `# columns = ${fcsvColumns.join(",")}`,
    ...rows,
    "",
  ].join("\n");
}

/** The identifier that Slicer itself writes. It is only a name: nothing is downloaded. */
const schemaId =
  "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#";

/** Fixed since Slicer 4.4; Slicer 5.2 and later append the status of the position (2 is "defined"). */
const fcsvColumns = "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID".split(",");
const statusColumn = fcsvColumns.length;

function pointsOfJson(text: string, name: string): NamedPoint[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw new InputError(
      `${name} is not JSON, and a markups file of 3D Slicer was expected (.mrk.json); save it again.`,
      { cause },
    );
  }
  const markups = fieldOf(file, "markups");
  if (!Array.isArray(markups)) {
    throw new InputError(
      `${name} has no list of markups, and a markups file of 3D Slicer was expected (.mrk.json); save the points from Slicer.`,
    );
  }
  return markups.flatMap((markup: unknown) => pointsOfMarkup(markup, name));
}

function pointsOfMarkup(markup: unknown, name: string): NamedPoint[] {
  const controlPoints = fieldOf(markup, "controlPoints") ?? [];
  if (!Array.isArray(controlPoints)) {
    throw new InputError(
      `${name} has a markup whose controlPoints are not a list, and a list of points was expected; save it again.`,
    );
  }
  const toLps = toLpsFrom(fieldOf(markup, "coordinateSystem") ?? "LPS", name);
  // Either a word, or a code of three parts: value, scheme, meaning.
  const stated = fieldOf(markup, "coordinateUnits") ?? "mm";
  const unit = Array.isArray(stated) ? stated[0] : stated;
  if (unit !== "mm" && unit !== "") {
    throw new InputError(`${name} has points in ${shown(unit)}, and mm was expected; save them in mm.`);
  }
  return controlPoints
    .filter((point: unknown) => (fieldOf(point, "positionStatus") ?? "defined") === "defined")
    .map((point: unknown, n: number) => {
      const label = fieldOf(point, "label");
      const pointName = typeof label === "string" ? label : "";
      const position = fieldOf(point, "position");
      const numbers = Array.isArray(position) ? position : [];
      return { name: pointName, pointLpsMm: toLps(checkedPoint(numbers, pointName || `${n + 1}`, name)) };
    });
}

function pointsOfFcsv(text: string, name: string): NamedPoint[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const header = lines.filter((line) => line.startsWith("#"));
  if (!header.some((line) => /^#\s*Markups fiducial file/i.test(line))) {
    throw new InputError(
      `${name} is not a markups file of 3D Slicer, and .mrk.json or .fcsv of Slicer 4 or later was expected; save the points from Slicer.`,
    );
  }
  const system = header.map((line) => /^#\s*CoordinateSystem\s*=\s*(\S+)/i.exec(line)?.[1]).find(Boolean);
  const toLps = toLpsFrom(system ?? "(none stated)", name);
  return lines
    .filter((line) => !line.startsWith("#"))
    .map(fieldsOfRow)
    .filter((fields) => isPlaced(fields[statusColumn], name))
    .map((fields, n) => {
      const pointName = fields[fcsvColumns.indexOf("label")] ?? "";
      const numbers = fields.slice(1, 4).map(numberOf);
      return { name: pointName, pointLpsMm: toLps(checkedPoint(numbers, pointName || `${n + 1}`, name)) };
    });
}

/** Whether a position is placed: status 2 of Slicer's 0 to 3; older files have no status. @throws InputError for any other status */
function isPlaced(status = "", name: string): boolean {
  if (/^[0-3]?$/.test(status)) return status === "" || status === "2";
  throw new InputError(
    `${name} has a row with the position status ${shown(status)}, and a number from 0 to 3 was expected; save the points again.`,
  );
}

/** The fields of a row. A field in quotes may hold commas, and doubled quotes stand for a quote. */
function fieldsOfRow(row: string): string[] {
  const fields: string[] = [];
  let start = 0;
  while (start <= row.length) {
    const close = row[start] === '"' ? closingQuote(row, start + 1) : -1;
    // A quote that is never closed is an ordinary character.
    const comma = row.indexOf(",", Math.max(start, close));
    const end = comma === -1 ? row.length : comma;
    fields.push(close === -1 ? row.slice(start, end) : row.slice(start + 1, close).replaceAll('""', '"'));
    start = end + 1;
  }
  return fields;
}

/** The index of the quote that closes a field; −1 if there is none. */
function closingQuote(row: string, from: number): number {
  let at = row.indexOf('"', from);
  while (at !== -1 && row[at + 1] === '"') at = row.indexOf('"', at + 2);
  return at;
}

/** A row is one line, so line breaks in a name become spaces. */
function quoted(name: string): string {
  const line = name.replace(/[\r\n]+/g, " ");
  return /[",]/.test(line) ? `"${line.replace(/"/g, '""')}"` : line;
}

function toLpsFrom(system: unknown, name: string): (point: Vector3) => Vector3 {
  switch (shown(system).toUpperCase()) {
    case "LPS":
    case "1":
      return (point) => point;
    case "RAS":
    case "0":
      return swapRasLps;
    default:
      throw new InputError(
        `${name} has points in the coordinate system ${shown(system)}, and LPS or RAS was expected; state it in the file.`,
      );
  }
}

function checkedPoint(numbers: readonly unknown[], point: string, name: string): Vector3 {
  const [x, y, z] = numbers.map((value) => (typeof value === "number" ? value : Number.NaN));
  if (numbers.length === 3 && [x, y, z].every(Number.isFinite)) return [x, y, z];
  throw new InputError(
    `${name} places its point ${shown(point)} at (${shown(numbers).slice(1, -1)}), and three finite numbers were expected; correct or remove the point.`,
  );
}

/** A property of what may be an object. */
function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([k]) => k === key)?.[1]
    : undefined;
}
