// Every command's help is held to the same rules, whatever options a command has.
import type { ArgsDef } from "citty";
import { describe, expect, test } from "vitest";
import { commands } from "./command-table.js";
import { commandHelp, generalHelp, optionGroups } from "./help.js";

const grouped: readonly string[] = Object.values(optionGroups).flat();

function longestLine(text: string): number {
  return Math.max(...text.split("\n").map((line) => line.length));
}

describe.each(Object.entries(commands))("lnsnet %s --help", (name, entry) => {
  test("fits 80 columns, names every option under a heading, and has examples of the command", async () => {
    const command = await entry.load();
    const definition: ArgsDef =
      (await (typeof command.args === "function" ? command.args() : command.args)) ?? {};
    const text = await commandHelp(name, entry, command);
    expect(longestLine(text)).toBeLessThanOrEqual(80);
    for (const [option, argument] of Object.entries(definition)) {
      expect(argument.description, option).toBeTruthy();
      if (argument.type === "positional") {
        expect(text).toMatch(new RegExp(`^  ${option.toUpperCase()} `, "m"));
        continue;
      }
      expect(grouped, `${option} stands under no heading of help.ts`).toContain(option);
      const shown =
        argument.type === "boolean" && argument.default === true ? `--no-${option}` : `--${option}`;
      expect(text).toMatch(new RegExp(`^  ${shown}( |$)`, "m"));
      if (argument.type === "string") expect(argument.valueHint, option).toMatch(/^[^a-z]+$/);
    }
    expect(entry.examples.length).toBeGreaterThan(0);
    for (const example of entry.examples) expect(example).toMatch(new RegExp(`^lnsnet ${name}( |$)`));
    expect(text).toContain("Research use only");
  });

  test("its examples give only options that it has", async () => {
    const command = await entry.load();
    const definition: ArgsDef =
      (await (typeof command.args === "function" ? command.args() : command.args)) ?? {};
    for (const example of entry.examples)
      for (const [, option] of example.matchAll(/ --([a-z-]+)/g))
        expect(Object.keys(definition)).toContain(option);
  });
});

test("the general help fits 80 columns and lists every command once", () => {
  const text = generalHelp();
  expect(longestLine(text)).toBeLessThanOrEqual(80);
  for (const name of Object.keys(commands))
    expect(text.match(new RegExp(`^  ${name}  `, "gm"))).toHaveLength(1);
});

test("no option stands under two headings", () => {
  expect(new Set(grouped).size).toBe(grouped.length);
});

test("what decides a cohort stands together, not among the options of a network or training", async () => {
  for (const name of ["implant", "phantom"] as const) {
    const entry = commands[name];
    const text = await commandHelp(name, entry, await entry.load());
    expect(text.match(/^[A-Z][a-z ]+:$/gm)).toEqual(["Cohort:", "Output:", "Machine:", "Examples:"]);
  }
});
