// The table of a follow-up is what a person can check by eye.
import { expect, test } from "vitest";
import { followUpCsv } from "./follow-up-table.js";

const node = (id: number, shortAxisMm: number, volumeMl: number) => ({
  ...{ id, shortAxisMm, longAxisMm: 2 * shortAxisMm, volumeMl },
  centroidLpsMm: [0, 0, 0] as const,
});

test("each node has a row, then come the sums; what a date does not have is empty", () => {
  const csv = followUpCsv({
    dates: { first: "2024-01-15", second: "2024-06-20" },
    nodes: [
      {
        name: "Level II, left",
        first: node(1, 10, 2),
        second: node(4, 8, 1.5),
        shortAxisChangeMm: -2,
        volumeChangeMl: -0.5,
      },
      { name: "gone", first: node(2, 5, 0.5), second: null, shortAxisChangeMm: null, volumeChangeMl: null },
      { name: "new", first: null, second: node(1, 6, 0.75), shortAxisChangeMm: null, volumeChangeMl: null },
    ],
    sumOfShortAxesMm: { first: 15, second: 14 },
    sumOfVolumesMl: { first: 2.5, second: 2.25 },
  });
  const dates = "2024-01-15,2024-06-20";
  expect(csv.split("\n")).toEqual([
    "node,first_date,second_date,short_axis_first_mm,short_axis_second_mm,short_axis_change_mm,long_axis_first_mm,long_axis_second_mm,volume_first_ml,volume_second_ml,volume_change_ml,use",
    `"Level II, left",${dates},10,8,-2,20,16,2,1.5,-0.5,research use only`,
    `gone,${dates},5,,,10,,0.5,,,research use only`,
    `new,${dates},,6,,,12,,0.75,,research use only`,
    `sum,${dates},15,14,-1,,,2.5,2.25,-0.25,research use only`,
    "",
  ]);
});
