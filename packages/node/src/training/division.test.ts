// Who trains and who watches: whole patients, at most a quarter of them.
import { patientOfCase } from "@lnsnet/core/sampling";
import { describe, expect, test } from "vitest";
import { divideCases, divisionText, requireValidationScans } from "./division.js";

describe("divideCases", () => {
  const cases = Array.from({ length: 12 }, (_, n) => {
    const id = `p${Math.floor(n / 2)}_scan${n % 2}`;
    return { id, imagePath: id, labelPath: id, instancesPath: null };
  });
  const patientsOf = (part: readonly { id: string }[]) => new Set(part.map(({ id }) => patientOfCase(id)));

  test("sets whole patients aside, of a quarter of them at most, and others by another seed", () => {
    const choices = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const divided = divideCases(cases, { validationCases: 1, validateEvery: 1, seed }, {});
      // Two scans a patient.
      expect(divided.training).toHaveLength(10);
      expect(divided.validation).toHaveLength(2);
      const [watching] = patientsOf(divided.validation);
      expect(patientsOf(divided.training).has(watching)).toBe(false);
      choices.add(watching);
    }
    expect(choices.size).toBeGreaterThan(3);
  });

  test.each([
    { patients: 1, asked: 4, watching: 0 },
    { patients: 3, asked: 4, watching: 0 },
    { patients: 4, asked: 4, watching: 1 },
    { patients: 8, asked: 4, watching: 2 },
    { patients: 15, asked: 4, watching: 3 },
    { patients: 16, asked: 4, watching: 4 },
    { patients: 100, asked: 4, watching: 4 },
    { patients: 100, asked: 99, watching: 25 },
  ])("of $patients patients $watching watch where $asked scans are requested", (row) => {
    const some = Array.from({ length: row.patients }, (_, n) => ({ ...cases[0], id: `case_${n}` }));
    const divided = divideCases(some, { validationCases: row.asked, validateEvery: 1, seed: 1 }, {});
    expect(divided.validation).toHaveLength(row.watching);
    expect(divided.training).toHaveLength(row.patients - row.watching);
  });

  test("sets none aside where nothing is validated", () => {
    expect(divideCases(cases, { validationCases: 3, validateEvery: 0, seed: 1 }, {}).training).toEqual(cases);
  });
});

test("where patience waits for watchers, and none can be spared, the training is refused", () => {
  const scans = divideCases([], { validationCases: 3, validateEvery: 1, seed: 1 }, {});
  expect(() => requireValidationScans(scans, { patience: 2 }, {})).toThrow(
    "none of 0 scans of 0 patients can be used for validation",
  );
  expect(() => requireValidationScans(scans, { patience: 0 }, {})).not.toThrow();
});

test.each([
  [2, "trains on 6 scans of 6 patients, validates on 2 scans of 2 patients"],
  [
    3,
    "trains on 6 scans of 6 patients, validates on 2 scans of 2 patients (requested: 3; validation gets at most a quarter of the patients)",
  ],
  [0, "trains on 8 scans of 8 patients, validates on none"],
])("of 8 patients, with %d scans asked for, it is said who trains", (validationCases, sentence) => {
  const cases = Array.from({ length: 8 }, (_, n) => {
    const id = `case_${n}`;
    return { id, imagePath: id, labelPath: id, instancesPath: null };
  });
  const options = { validationCases, validateEvery: 5, seed: 1 };
  expect(divisionText(divideCases(cases, options, {}), options, {})).toBe(sentence);
});
