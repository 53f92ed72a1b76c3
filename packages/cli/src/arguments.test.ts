import { InputError } from "@lnsnet/core/errors";
import type { ArgsDef } from "citty";
import { describe, expect, test } from "vitest";
import { checkArguments, realNumber, threeNumbers, wholeNumber } from "./arguments.js";

const definition: ArgsDef = {
  scan: { type: "positional", description: "a scan", required: true },
  second: { type: "positional", required: false },
  output: { type: "string", description: "a folder", alias: "o", required: true },
  level: { type: "enum", options: ["low", "high"], default: "low" },
  json: { type: "boolean" },
  "patch-size": { type: "string" },
};

describe("checkArguments", () => {
  test.each([
    [["a.nii", "--output", "d"]],
    [["--output=d", "a.nii", "b.nii"]],
    [["-o", "d", "a.nii", "--json"]],
    [["-o", "d", "a.nii", "--no-json", "--level", "high", "--patch-size", "-1"]],
    [["-o", "d", "--", "--odd-name"]],
  ])("accepts %j", (tokens) => {
    expect(() => checkArguments("test", definition, tokens)).not.toThrow();
  });

  test.each([
    [["a.nii"], /needs --output \(a folder\)/],
    [["--output", "d"], /needs SCAN \(a scan\)/],
    [["a", "b", "c", "-o", "d"], /given "c"/],
    [["a", "-o", "d", "--outptu", "x"], /no option --outptu \(did you mean --output\?\)/],
    [["a", "-o", "d", "--frobnicate"], /no option --frobnicate;/],
    [["a", "-x", "-o", "d"], /no option -x/],
    [["a", "--output"], /--output needs a value/],
    [["a", "--output="], /--output needs a value/],
    [["a", "--output", "--json"], /--output needs a value/],
    [["a", "-o", "d", "--level", "middle"], /cannot be "middle"; give one of low, high/],
    [["a", "-o", "d", "--json=maybe"], /takes no value/],
    [["a", "-o", "d", "--no-output"], /no option --no-output/],
  ])("refuses %j", (tokens, message) => {
    expect(() => checkArguments("test", definition, tokens)).toThrow(InputError);
    expect(() => checkArguments("test", definition, tokens)).toThrow(message);
  });
});

test("numbers are read whole and within their limits", () => {
  expect(wholeNumber("7", "--n", 0, 9)).toBe(7);
  expect(realNumber("1e-3", "--n", 0, 1)).toBe(0.001);
  expect(threeNumbers("64,48,48", "--size", 1, 999)).toEqual([64, 48, 48]);
  for (const text of ["", " ", "x", "7.5", "10", "-1", "NaN", "7 8"]) {
    expect(() => wholeNumber(text, "--n", 0, 9), text).toThrow(InputError);
  }
  for (const text of ["", "1,2", "1,2,3,4", "1,,3", "0,1,1"]) {
    expect(() => threeNumbers(text, "--size", 1, 999), text).toThrow(InputError);
  }
});
