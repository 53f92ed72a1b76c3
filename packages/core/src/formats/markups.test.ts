// Markups of 3D Slicer: examples of its developer guide, older headers, round trips, and what is refused.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { type NamedPoint, readMarkups, writeFcsv, writeMarkupsJson } from "./markups.js";

const json = (markup: object) => JSON.stringify({ markups: [{ type: "Fiducial", ...markup }] });
const fcsv = (system: string, ...rows: string[]) =>
  [
    "# Markups fiducial file version = 4.11",
    `# CoordinateSystem = ${system}`,
    "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID",
    ...rows,
    "",
  ].join("\n");

describe(".mrk.json", () => {
  const controlPoints = [{ label: "F-1", position: [-53.5, -73.25, 2] }];

  test.each([
    ["LPS", [-53.5, -73.25, 2]],
    ["RAS", [53.5, 73.25, 2]],
    ["1", [-53.5, -73.25, 2]],
    [0, [53.5, 73.25, 2]],
  ])("in %s", (coordinateSystem, pointLpsMm) => {
    expect(readMarkups(json({ coordinateSystem, controlPoints }), "p.mrk.json")).toEqual([
      { name: "F-1", pointLpsMm },
    ]);
  });

  test("LPS where the file states no system, as in Slicer", () => {
    expect(readMarkups(json({ controlPoints }), "p.mrk.json")[0].pointLpsMm).toEqual([-53.5, -73.25, 2]);
  });

  test("every markup's points, each in its own system; unplaced points are left out", () => {
    const text = JSON.stringify({
      "@schema": "…",
      markups: [
        { type: "Line", coordinateSystem: "RAS", coordinateUnits: "mm", controlPoints },
        {
          type: "ClosedCurve",
          coordinateSystem: "LPS",
          coordinateUnits: ["mm", "UCUM", "millimeter"],
          controlPoints: [
            { label: "lost", position: [0, 0, 0], positionStatus: "undefined" },
            { label: "preview", positionStatus: "preview" },
            { position: [1, 2, 3], positionStatus: "defined" },
          ],
        },
        { type: "ROI" },
      ],
    });
    expect(readMarkups(`\uFEFF${text}`, "p.mrk.json")).toEqual([
      { name: "F-1", pointLpsMm: [53.5, 73.25, 2] },
      { name: "", pointLpsMm: [1, 2, 3] },
    ]);
  });
});

describe(".fcsv", () => {
  test.each([
    ["LPS", [-19.9, 13.9347, 29.5]],
    ["1", [-19.9, 13.9347, 29.5]],
    ["RAS", [19.9, -13.9347, 29.5]],
    ["0", [19.9, -13.9347, 29.5]],
  ])("CoordinateSystem = %s", (system, pointLpsMm) => {
    const text = fcsv(system, "vtkMRMLMarkupsFiducialNode_0,-19.9,13.9347,29.5,0,0,0,1,1,1,0,F-1,,");
    expect(readMarkups(text, "p.fcsv")).toEqual([{ name: "F-1", pointLpsMm }]);
    expect(readMarkups(text.replace(/\n/g, "\r\n"), "p.fcsv")).toEqual([{ name: "F-1", pointLpsMm }]);
  });

  test("commas and quotes in quoted fields, an empty label", () => {
    const text = fcsv(
      "LPS",
      '1,1,2,3,0,0,0,1,1,1,0,"level II, ""left""","a, b",',
      "2,4,5,6,0,0,0,1,1,1,0,,,",
    );
    expect(readMarkups(text, "p.fcsv").map((point) => point.name)).toEqual(['level II, "left"', ""]);
  });

  test("a row without an id", () => {
    expect(readMarkups(fcsv("LPS", ",1,2,3,,,,,,,,F-1,,"), "p.fcsv")).toEqual([
      { name: "F-1", pointLpsMm: [1, 2, 3] },
    ]);
  });

  test("Slicer 5.2 and later write the status of a position behind the columns", () => {
    const rows = ["1,1,2,3,0,0,0,1,1,1,0,placed,,,2,0", "2,0,0,0,0,0,0,1,1,1,0,not placed,,,0,0"];
    expect(readMarkups(fcsv("LPS", ...rows), "p.fcsv")).toEqual([{ name: "placed", pointLpsMm: [1, 2, 3] }]);
  });
});

const coordinate = fc.double({ min: -2000, max: 2000, noNaN: true });
const points: fc.Arbitrary<NamedPoint[]> = fc.array(
  fc.record({
    name: fc.string({ unit: "grapheme" }).filter((name) => !/[\r\n]/.test(name)),
    pointLpsMm: fc
      .tuple(coordinate, coordinate, coordinate)
      .map(([x, y, z]) => [x + 0, y + 0, z + 0] as const),
  }),
  { maxLength: 5 },
);

test.each([
  ["writeMarkupsJson", writeMarkupsJson],
  ["writeFcsv", writeFcsv],
])("%s, read again, gives the same points to the last bit", (_, write) => {
  fc.assert(
    fc.property(points, (list) => {
      expect(readMarkups(write(list), "p")).toEqual(list);
    }),
    { seed: 5, numRuns: 200 },
  );
});

test("what is written, letter by letter", () => {
  const list: NamedPoint[] = [{ name: "node 1, left", pointLpsMm: [10.5, -20, 30] }];
  expect(writeFcsv(list)).toBe(
    [
      "# Markups fiducial file version = 5.0",
      "# CoordinateSystem = LPS",
      "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID",
      '1,10.5,-20,30,0,0,0,1,1,1,0,"node 1, left",,',
      "",
    ].join("\n"),
  );
  expect(JSON.parse(writeMarkupsJson(list, "Nodes"))).toEqual({
    "@schema": expect.stringContaining("markups-schema-v1.0.3.json#"),
    markups: [
      {
        type: "Fiducial",
        name: "Nodes",
        coordinateSystem: "LPS",
        coordinateUnits: "mm",
        controlPoints: [
          { id: "1", label: "node 1, left", position: [10.5, -20, 30], positionStatus: "defined" },
        ],
      },
    ],
  });
  expect(writeFcsv([{ name: "two\nlines", pointLpsMm: [0, 0, 0] }])).toContain(",two lines,");
});

describe("refused, in one sentence that names the file", () => {
  const at = (position: unknown) => json({ controlPoints: [{ label: "F-1", position }] });
  const row = "1,1,2,3,0,0,0,1,1,1,0,F-1,,,";
  const deep = JSON.parse(`[${"[".repeat(500)}${"]".repeat(500)}]`);
  test.each([
    ["nothing", "", /not a markups file/],
    ["a text", "x,y,z\n1,2,3\n", /not a markups file/],
    ["an .fcsv of Slicer 3", "# Fiducial List file a.fcsv\nP1,1,2,3,1,1\n", /not a markups file/],
    ["half a JSON file", json({}).slice(0, -1), /is not JSON/],
    ["JSON of something else", "{}", /no list of markups/],
    ["control points that are no list", json({ controlPoints: {} }), /not a list/],
    ["another system", json({ coordinateSystem: "IJK", controlPoints: [] }), /coordinate system IJK/],
    ["micrometres", json({ coordinateUnits: "um" }), /points in um/],
    ["a position of two numbers", at([1, 2]), /point F-1 at \(1, 2\)/],
    ["a position of words", at([1, 2, "3"]), /point F-1/],
    ["no position", at(undefined), /point F-1 at \(\)/],
    ["an .fcsv without its system", fcsv("LPS", row).replace(/# Coord.*\n/, ""), /system \(none stated\)/],
    ["an .fcsv in IJK", fcsv("2", row), /coordinate system 2/],
    ["an .fcsv row without z", fcsv("LPS", "1,1,2,,0,0,0,1,1,1,0,F-1,,"), /point F-1 at \(1, 2, NaN\)/],
    ["an .fcsv row of an unknown status", fcsv("LPS", `${row}x`), /position status x/],
    ["an .fcsv row of quotes that never close", fcsv("LPS", `1,${'"'.repeat(1e5)}`), /point 1 at \(NaN\)/],
    ["an .fcsv row of many quotes", fcsv("LPS", ',"a'.repeat(1e5)), /position status a/],
    ["a coordinate that is an object", at([{ toString: 1 }, 0, 0]), /point F-1 at \(an object, 0, 0\)/],
    [
      "a system that is an object",
      json({ coordinateSystem: { toString: 1 }, controlPoints: [] }),
      /system an object/,
    ],
    ["a unit nested deeply", json({ coordinateUnits: deep, controlPoints: [] }), /points in \[\[/],
    ["an .fcsv row of a word", fcsv("LPS", "oops"), /point 1 at \(\)/],
  ])("%s", (_, text, message) => {
    const read = () => readMarkups(text, "points.fcsv");
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^points\.fcsv [^\n]*\.$/);
  });
});
