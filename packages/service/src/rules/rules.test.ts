import { describe, expect, test } from "vitest";
import { decide, explain, ruleSchema } from "./rules.js";

const schema = ruleSchema([
  "Modality",
  "BodyPartExamined",
  "SeriesDescription",
  "SliceThickness",
  "ImageType",
]);
const rules = [
  schema.parse({ name: "scouts", when: { ImageType: "LOCALIZER" }, discard: true }),
  schema.parse({
    name: "neck",
    when: { Modality: "CT", BodyPartExamined: ["NECK", "/^head/i"], SliceThickness: { atMost: 3 } },
    targets: ["pacs"],
    priority: 5,
  }),
  schema.parse({ name: "from the ward", when: { CallingAETitle: "WARD" }, outputs: ["seg"], offPeak: true }),
];

describe("rules", () => {
  test.each([
    ["a thin neck CT", { Modality: "CT", BodyPartExamined: "neck", SliceThickness: "2.5" }, "neck"],
    ["a pattern", { Modality: "CT", BodyPartExamined: "HEADNECK", SliceThickness: "3" }, "neck"],
    ["one of several values", { Modality: "CT", ImageType: "DERIVED\\LOCALIZER" }, "scouts"],
    ["thick slices", { Modality: "CT", BodyPartExamined: "NECK", SliceThickness: "5" }, "none"],
    ["no thickness", { Modality: "CT", BodyPartExamined: "NECK" }, "none"],
    [
      "a thickness that is no number",
      { Modality: "CT", BodyPartExamined: "NECK", SliceThickness: "" },
      "none",
    ],
    ["the sender alone", { Modality: "MR", CallingAETitle: "ward" }, "from the ward"],
  ])("%s", (_, attributes, rule) => {
    expect(decide(rules, attributes as Record<string, string>).rule).toBe(rule);
  });

  test("are explained one by one", () => {
    expect(explain(rules, { Modality: "CT", BodyPartExamined: "NECK", SliceThickness: "5" })).toEqual([
      'scouts: does not hold, since ImageType is missing and "LOCALIZER" was wanted',
      'neck: does not hold, since SliceThickness is "5" and at most 3 was wanted',
      'from the ward: does not hold, since CallingAETitle is missing and "WARD" was wanted',
      "No rule fits it, so it is not segmented.",
    ]);
  });

  test.each([
    [{ name: "a", when: { Patient: "x" } }, /no such attribute/],
    [{ name: "a", when: { Modality: "/(/" } }, /no regular expression/],
    [{ name: "a", when: { SliceThickness: {} } }, /atLeast, atMost/],
    [{ name: "a", outptus: ["seg"] }, /outptus/],
  ])("%j is refused", (rule, message) => {
    expect(JSON.stringify(schema.safeParse(rule).error?.issues)).toMatch(message);
  });
});
