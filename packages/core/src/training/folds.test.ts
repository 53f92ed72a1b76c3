// Splits: no patient on both sides whatever the cohort, nodes and patients shared out evenly, files checked.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { checkSplits, holdOut, patientOfCase, type SplitCase, splitIntoFolds } from "./folds.js";

/** A cohort: for each patient the nodes of each scan. */
const cohorts = fc
  .array(fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 3 }), { minLength: 5, maxLength: 40 })
  .map((patients) =>
    patients.flatMap((scans, patient) =>
      scans.map(
        (nodes, scan): SplitCase => ({ id: `p${patient}_scan${scan}`, patient: `p${patient}`, nodes }),
      ),
    ),
  );
const seeds = fc.nat({ max: 1000 });

const patientsOf = (ids: readonly string[]) => new Set(ids.map((id) => patientOfCase(id)));
const nodesOf = (cases: readonly SplitCase[], ids: readonly string[]) =>
  cases.filter(({ id }) => ids.includes(id)).reduce((sum, { nodes }) => sum + nodes, 0);

describe("splitIntoFolds", () => {
  test("validates on every case once, and never trains on a patient it validates on", () => {
    fc.assert(
      fc.property(cohorts, fc.integer({ min: 2, max: 5 }), seeds, (cases, folds, seed) => {
        const splits = splitIntoFolds(cases, folds, seed);
        const validated = splits.flatMap(({ val }) => val);
        expect([...validated].sort()).toEqual(cases.map(({ id }) => id).sort());
        for (const { train, val } of splits) {
          expect(train.length + val.length).toBe(cases.length);
          const trained = patientsOf(train);
          for (const patient of patientsOf(val)) expect(trained.has(patient)).toBe(false);
        }
      }),
    );
  });

  test("shares out patients and nodes evenly", () => {
    fc.assert(
      fc.property(cohorts, fc.integer({ min: 2, max: 5 }), seeds, (cases, folds, seed) => {
        const splits = splitIntoFolds(cases, folds, seed);
        const spread = (values: number[]) => Math.max(...values) - Math.min(...values);
        expect(spread(splits.map(({ val }) => patientsOf(val).size))).toBeLessThanOrEqual(1);
        const most = Math.max(
          ...[...new Set(cases.map(({ patient }) => patient))].map((name) =>
            cases.filter(({ patient }) => patient === name).reduce((sum, { nodes }) => sum + nodes, 0),
          ),
        );
        expect(spread(splits.map(({ val }) => nodesOf(cases, val)))).toBeLessThanOrEqual(most);
      }),
    );
  });

  test("does not depend on the order of the cases, but on the seed", () => {
    const cases = Array.from({ length: 20 }, (_, n) => ({ id: `c${n}`, patient: `c${n}`, nodes: n % 4 }));
    expect(splitIntoFolds([...cases].reverse(), 5, 1)).toEqual(splitIntoFolds(cases, 5, 1));
    expect(splitIntoFolds(cases, 5, 2)).not.toEqual(splitIntoFolds(cases, 5, 1));
  });

  test("refuses fewer patients than folds, though there are enough scans", () => {
    const cases = Array.from({ length: 8 }, (_, n) => ({ id: `c${n}`, patient: `p${n % 4}`, nodes: 1 }));
    expect(splitIntoFolds(cases, 4, 1)).toHaveLength(4);
    expect(() => splitIntoFolds(cases, 5, 1)).toThrow(InputError);
    expect(() => splitIntoFolds(cases, 5, 1)).toThrow(/has 4 patients, and 5 folds/);
    expect(() => splitIntoFolds(cases, 1, 1)).toThrow(/at least 2/);
  });
});

describe("holdOut", () => {
  test("sets whole patients aside, as many as the share says", () => {
    fc.assert(
      fc.property(cohorts, fc.double({ min: 0.05, max: 0.5, noNaN: true }), seeds, (cases, share, seed) => {
        const { development, test: aside } = holdOut(cases, share, seed);
        expect(development.length + aside.length).toBe(cases.length);
        const [left, out] = [development, aside].map((part) => patientsOf(part.map(({ id }) => id)));
        for (const patient of out) expect(left.has(patient)).toBe(false);
        expect(out.size).toBe(Math.max(1, Math.round(share * (left.size + out.size))));
      }),
    );
  });

  test("takes one of each group of neighbours by nodes", () => {
    const cases = Array.from({ length: 10 }, (_, n) => ({ id: `c${n}`, patient: `c${n}`, nodes: n }));
    for (let seed = 0; seed < 20; seed++) {
      const nodes = holdOut(cases, 0.5, seed).test.map((scan) => scan.nodes);
      expect(nodes.map((count) => Math.floor(count / 2))).toEqual([0, 1, 2, 3, 4]);
    }
  });

  test.each([0, 1, 0.99])("refuses a share of %d", (share) => {
    const cases = [0, 1, 2].map((n) => ({ id: `c${n}`, patient: `c${n}`, nodes: n }));
    expect(() => holdOut(cases, share, 1)).toThrow(/of 3 patients cannot be held out/);
  });
});

describe("patientOfCase", () => {
  test.each([
    ["kbp_012", {}, "kbp_012"],
    ["LN_7_scan2", {}, "LN_7"],
    ["LN-7-Visit-03", {}, "LN-7"],
    ["a", { named: new Map([["a", "Ada"]]) }, "Ada"],
    ["site1-044-b", { pattern: /^(site\d-\d+)/ }, "site1-044"],
    ["site1-044-b", { pattern: /\d{3}/ }, "044"],
  ])("%s is of %s: %s", (id, rule, patient) => {
    expect(patientOfCase(id, rule)).toBe(patient);
  });

  test("refuses an id that its pattern leaves out", () => {
    expect(() => patientOfCase("x1", { pattern: /^p\d+/ })).toThrow(/x1 does not match .* \^p\\d\+/);
  });
});

describe("checkSplits", () => {
  const cases = ["a_scan1", "a_scan2", "b", "c"].map((id) => ({ id, patient: patientOfCase(id) }));

  test("lets pass what fits, though it leaves cases out", () => {
    checkSplits([{ train: ["a_scan1", "a_scan2"], val: ["b"] }], cases, "splits_final.json");
  });

  test.each([
    [{ train: ["a_scan1", "d"], val: ["b"] }, /Fold 0 of s\.json names a case .* such as d;/],
    [{ train: ["b"], val: [] }, /has no case to validate on/],
    [{ train: [], val: ["b"] }, /has no case to train on/],
    [{ train: ["b", "c"], val: ["c"] }, /trains on c and validates on c/],
    [{ train: ["a_scan1"], val: ["a_scan2"] }, /trains on a_scan1 and validates on a_scan2/],
  ])("refuses %j", (split, message) => {
    expect(() => checkSplits([split], cases, "s.json")).toThrow(message);
  });
});
