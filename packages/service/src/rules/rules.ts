// Rules: what is done with a series, by its DICOM attributes. The first rule whose conditions all hold decides.
import { InputError } from "@lnsnet/core/errors";
import { dicomObjects } from "@lnsnet/node/manifest";
import { z } from "zod";
import type { JobPlan } from "../jobs/job.js";

const patternForm = /^\/(.*)\/([i]?)$/s;

const textCondition = z.string().superRefine((text, context) => {
  const pattern = patternForm.exec(text);
  if (pattern === null) return;
  try {
    new RegExp(pattern[1], pattern[2]);
  } catch {
    context.addIssue({ code: "custom", message: `${text} is no regular expression` });
  }
});

const rangeCondition = z
  .strictObject({ atLeast: z.number().optional(), atMost: z.number().optional() })
  .refine(({ atLeast, atMost }) => atLeast !== undefined || atMost !== undefined, {
    message: "give atLeast, atMost or both",
  });

/** A text (equal but for capitals), a /pattern/ or /pattern/i, a number, a range, or a list of which one must hold. */
const condition = z.union([textCondition, z.number(), rangeCondition]);
const conditionSchema = z.union([condition, z.array(condition).min(1)]);
type Condition = z.infer<typeof condition>;

/** Attributes that a rule may ask for, beside those of the DICOM header. */
const sourceAttributes = ["CallingAETitle", "Source"] as const;

/** Conditions by attribute. @param known the attributes that there are */
export const conditionsSchema = (known: readonly string[]) =>
  z.record(z.string(), conditionSchema).superRefine((conditions, context) => {
    for (const name of Object.keys(conditions))
      if (!known.includes(name))
        context.addIssue({
          code: "custom",
          path: [name],
          message: `no such attribute; give one of ${known.join(", ")}`,
        });
  });
type Conditions = Readonly<z.infer<ReturnType<typeof conditionsSchema>>>;

/** @param attributes the keywords of DICOM attributes that are known of a series */
export function ruleSchema(attributes: readonly string[]) {
  const when = conditionsSchema([...attributes, ...sourceAttributes]);
  return z.strictObject({
    name: z.string().min(1),
    /** Left out, the rule holds for everything: a fallback. */
    when: when.default({}),
    /** Keeps nothing of the series but the record that it came. */
    discard: z.boolean().default(false),
    /** Path of a model; null for the shipped finder. */
    model: z.string().nullable().default(null),
    outputs: z.array(z.enum(dicomObjects)).default([...dicomObjects]),
    /** Names of targets; "sender" is the target whose AE title the series came from. */
    targets: z.array(z.string()).default([]),
    priority: z.number().int().min(-100).max(100).default(0),
    offPeak: z.boolean().default(false),
  });
}

export type Rule = Readonly<z.infer<ReturnType<typeof ruleSchema>>>;

/** Where the configuration has no rules: every CT is segmented, everything else discarded. */
export const defaultRules: readonly Rule[] = [
  {
    ...{ name: "every CT", when: { Modality: "CT" }, discard: false, model: null },
    ...{ outputs: [...dicomObjects], targets: [], priority: 0, offPeak: false },
  },
];

export type Decision =
  | { readonly kind: "segment"; readonly rule: string; readonly plan: JobPlan }
  | { readonly kind: "discard"; readonly rule: string; readonly sentence: string };

/** Whether every condition holds. */
export const holdAll = (when: Conditions, attributes: Readonly<Record<string, string>>): boolean =>
  Object.entries(when).every(([name, wanted]) => holds(wanted, attributes[name]));

/** What the rules say of a series with these attributes. */
export function decide(rules: readonly Rule[], attributes: Readonly<Record<string, string>>): Decision {
  const rule = rules.find(({ when }) => holdAll(when, attributes));
  if (rule === undefined)
    return { kind: "discard", rule: "none", sentence: "No rule fits it, so it is not segmented." };
  const { name, model, outputs, targets, priority, offPeak } = rule;
  if (rule.discard)
    return { kind: "discard", rule: name, sentence: `The rule "${name}" says that it is not segmented.` };
  return { kind: "segment", rule: name, plan: { model, outputs, targets, priority, offPeak } };
}

/**
 * Each rule with the reason why it holds or not, for the tester.
 *
 * @returns a line for each rule, in order, the last one for the decision
 */
export function explain(rules: readonly Rule[], attributes: Readonly<Record<string, string>>): string[] {
  const lines = rules.map(({ name, when }) => {
    const failed = Object.entries(when).find(([key, wanted]) => !holds(wanted, attributes[key]));
    if (failed === undefined) return `${name}: holds`;
    const [key, wanted] = failed;
    const found = attributes[key] === undefined ? "is missing" : `is "${attributes[key]}"`;
    return `${name}: does not hold, since ${key} ${found} and ${inWords(wanted)} was wanted`;
  });
  const decision = decide(rules, attributes);
  if (decision.kind === "discard") return [...lines, decision.sentence];
  const { outputs, targets, priority, offPeak } = decision.plan;
  return [
    ...lines,
    `"${decision.rule}" decides: segment, write ${outputs.join(", ") || "no DICOM objects"}, send to ${targets.join(", ") || "nobody"}, priority ${priority}${offPeak ? ", in off-peak hours" : ""}.`,
  ];
}

/** @throws InputError where a rule names a target that the configuration does not have */
export function requireTargets(rules: readonly Rule[], targets: readonly string[], file: string): void {
  for (const { name, targets: wanted } of rules)
    for (const target of wanted)
      if (target !== "sender" && !targets.includes(target))
        throw new InputError(
          `${file}: the rule "${name}" sends to "${target}", which is no target; ${targets.length === 0 ? "add it under targets" : `the targets are ${targets.join(", ")}`}.`,
        );
}

type Wanted = Conditions[string];

/** A list holds where one of it does; of an attribute of several values, one must fit. */
function holds(wanted: Wanted, found: string | undefined): boolean {
  if (found === undefined) return false;
  const values = [found, ...found.split("\\")].map((value) => value.trim());
  const conditions = Array.isArray(wanted) ? wanted : [wanted];
  return conditions.some((entry) => values.some((value) => fits(entry, value)));
}

function fits(wanted: Condition, value: string): boolean {
  if (typeof wanted === "number") return value !== "" && Number(value) === wanted;
  if (typeof wanted === "object") {
    const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = wanted;
    return value !== "" && Number(value) >= atLeast && Number(value) <= atMost;
  }
  const pattern = patternForm.exec(wanted);
  if (pattern !== null) return new RegExp(pattern[1], pattern[2]).test(value);
  return wanted.toLowerCase() === value.toLowerCase();
}

function inWords(wanted: Wanted): string {
  if (Array.isArray(wanted)) return wanted.map(inWords).join(" or ");
  if (typeof wanted !== "object") return JSON.stringify(wanted);
  const parts = [
    wanted.atLeast === undefined ? [] : [`at least ${wanted.atLeast}`],
    wanted.atMost === undefined ? [] : [`at most ${wanted.atMost}`],
  ];
  return parts.flat().join(" and ");
}
