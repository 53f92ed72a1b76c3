import { expect, test } from "vitest";
import { withOptionsSpelt } from "./option-spelling.js";

test.each([
  [
    "a.csv exists already; give the option force to replace it.",
    "a.csv exists already; give --force to replace it.",
  ],
  ["The option patience is 3; leave the option patience out.", "--patience is 3; leave --patience out."],
  [
    "choose it with the option patient-pattern, or leave it.",
    "choose it with --patient-pattern, or leave it.",
  ],
  ["The option --fold needs a value.", "The option --fold needs a value."],
  ["another option was requested; repeat the options.", "another option was requested; repeat the options."],
])("%s", (sentence, spelt) => {
  expect(withOptionsSpelt(sentence)).toBe(spelt);
});
