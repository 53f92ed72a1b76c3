// Every figure of this layer against SciPy's (fixtures/statistics).

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Agreement, blandAltman } from "./bland-altman.js";
import { clusteredBootstrap } from "./bootstrap.js";
import { normalUpperTail, studentTQuantile } from "./distributions.js";
import type { Interval } from "./interval.js";
import { meanOf, type Summary, summarise } from "./summary.js";
import { type SignedRankTest, wilcoxonSignedRank, type ZeroMethod } from "./wilcoxon.js";

interface ScipyFigures {
  normalUpperTail: [z: number, tail: number][];
  studentTQuantile: [probability: number, degreesOfFreedom: number, quantile: number][];
  summaries: ({ values: number[] } & Omit<Summary, "count" | "nulls">)[];
  signedRank: ({
    name: string;
    differences: number[];
    zeroMethod: ZeroMethod;
    continuityCorrection: boolean;
  } & Omit<SignedRankTest, "pairs">)[];
  bootstraps: ({ name: string; patients: number[][]; resamples: number; draws: number[] } & Interval)[];
  agreements: ({ measured: number[]; reference: number[] } & Omit<Agreement, "pairs">)[];
}

const file = new URL("../../../../fixtures/statistics/scipy.json", import.meta.url);
const scipy = JSON.parse(readFileSync(file, "utf8")) as ScipyFigures;

test.each(scipy.normalUpperTail)("P(Z > %d)", (z, tail) => {
  expectEqual(normalUpperTail(z), tail);
});

test.each(scipy.studentTQuantile)(
  "t quantile at %d with %d degrees of freedom",
  (probability, degrees, t) => {
    // scipy 1.10 itself is off by 2e-9: for 2 degrees t = (2p − 1)/√(2p(1 − p)) exactly, which distributions.test.ts checks.
    expectEqual(studentTQuantile(probability, degrees), t, 1e-8);
  },
);

test.each(scipy.summaries)("summary of $values", ({ values, ...expected }) => {
  const summary = summarise([null, ...values]);
  expect(summary).toMatchObject({ count: values.length, nulls: 1 });
  for (const figure of ["mean", "sd", "median", "lowerQuartile", "upperQuartile"] as const)
    expectEqual(summary[figure], expected[figure]);
});

describe.each(scipy.signedRank)(
  "signed rank: $name, $zeroMethod, corrected: $continuityCorrection",
  (expected) => {
    const { differences, zeroMethod, continuityCorrection } = expected;
    const { statistic, pValue, method } = wilcoxonSignedRank(differences, zeroMethod, continuityCorrection);
    test("as scipy", () => {
      expect(method).toBe(expected.method);
      expectEqual(statistic, expected.statistic);
      expectEqual(pValue, expected.pValue);
    });
  },
);

test.each(scipy.bootstraps)("bootstrap by patient: $name", ({ patients, resamples, draws, low, high }) => {
  let at = 0;
  const interval = clusteredBootstrap(patients, meanOf, () => draws[at++], resamples);
  expect(at).toBe(draws.length);
  expectEqual(interval?.low ?? null, low);
  expectEqual(interval?.high ?? null, high);
});

describe.each(scipy.agreements)(
  "Bland–Altman of $measured.length pairs",
  ({ measured, reference, ...expected }) => {
    const agreement = blandAltman(measured, reference);
    test.each(["biasInterval", "limits", "lowerLimitInterval", "upperLimitInterval"] as const)(
      "%s",
      (name) => {
        expectEqual(agreement[name].low, expected[name].low);
        expectEqual(agreement[name].high, expected[name].high);
      },
    );
    test("bias and SD", () => {
      expect(agreement.pairs).toBe(measured.length);
      expectEqual(agreement.bias, expected.bias);
      expectEqual(agreement.sd, expected.sd);
    });
  },
);

/** Within a share of the value itself, however small. */
function expectEqual(ours: number | null, theirs: number | null, tolerance = 1e-9): void {
  if (theirs === null || ours === null) expect(ours).toBe(theirs);
  else expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(tolerance * Math.abs(theirs) + 1e-14);
}
