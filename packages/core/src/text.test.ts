import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "./errors.js";
import { safeFileName, safeJson, safeLines, safeText, shortened, shown } from "./text.js";

it.each([
  { what: "a terminal's escape", text: "a\u001b[31mred\u001b[0m", safe: "a\\u001b[31mred\\u001b[0m" },
  { what: "a title by OSC and BEL", text: "\u001b]0;owned\u0007", safe: "\\u001b]0;owned\\u0007" },
  { what: "an 8-bit escape", text: "\u009b2J", safe: "\\u009b2J" },
  { what: "line breaks", text: "one\r\ntwo\u2028three", safe: "one\\r\\ntwo\\u2028three" },
  { what: "a tab and a backspace", text: "a\tb\bc", safe: "a\\tb\\u0008c" },
  { what: "direction marks", text: "scan\u202Egpj.exe\u2066x", safe: "scan\\u202egpj.exe\\u2066x" },
  { what: "invisible letters", text: "\uFEFFa\u200Bb\u{E0041}", safe: "\\ufeffa\\u200bb\\udb40\\udc41" },
  { what: "half a surrogate pair", text: "a\uD83Db", safe: "a\\ud83db" },
  {
    what: "letters of every script",
    text: "узел Ärzte 림프절 عقدة 淋巴结 👩‍⚕️",
    safe: "узел Ärzte 림프절 عقدة 淋巴结 👩‍⚕️",
  },
  { what: "a Windows path", text: "C:\\new\\table.nii", safe: "C:\\new\\table.nii" },
])("writes out $what and keeps the rest", ({ text, safe }) => {
  expect(safeText(text)).toBe(safe);
  expect(safeText(safe)).toBe(safe);
});

it("keeps line breaks of lines alone", () => {
  expect(safeLines("a\nb\r\u001bc")).toBe("a\nb\\r\\u001bc");
});

it("prints JSON that holds the same values and no character that drives a terminal", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })), (value) => {
      const text = safeJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(text).not.toMatch(/(?!\n)[\p{Cc}\u202A-\u202E\u2066-\u2069\u200E\u200F]/u);
    }),
  );
  expect(JSON.parse(safeJson(["\u202E\u009b\u007f\u{E0041}"]))).toEqual(["\u202E\u009b\u007f\u{E0041}"]);
});

describe("values in sentences", () => {
  it.each([
    { value: "short", text: "short" },
    { value: `a${"b".repeat(200)}c`, text: `a${"b".repeat(47)}…${"b".repeat(30)}c` },
    { value: "\u001b".repeat(3), text: "\\u001b\\u001b\\u001b" },
    { value: -0.5, text: "-0.5" },
    { value: null, text: "null" },
    { value: undefined, text: "undefined" },
    { value: { toString: 1 }, text: "an object" },
    { value: [1, "x\n", [2, [3]]], text: "[1, x\\n, [2, […]]]" },
    { value: new Array(100).fill(1), text: `[${new Array(16).fill(1).join(", ")}, …]` },
  ])("shows $text", ({ value, text }) => {
    expect(shown(value)).toBe(text);
    expect(shown(value).length).toBeLessThanOrEqual(80);
  });

  it("shows lists nested a million deep, and text of 20 million letters, at once", () => {
    expect(shown(JSON.parse("[".repeat(1e6) + "]".repeat(1e6)))).toBe("[[[…]]]");
    expect(shown("\u001b".repeat(2e7))).toHaveLength(80);
  });

  it("cuts no letter in halves", () => {
    expect(shortened("😀".repeat(60), 20)).toMatch(/^(😀)+…(😀)+$/u);
    expect(shortened("😀".repeat(60), 21)).toMatch(/^(😀)+…(😀)+$/u);
  });
});

describe("sentences", () => {
  it("are one line that drives no terminal", () => {
    expect(new InputError("x\n\u001b[2J holds nothing; choose another.").message).toBe(
      "x\\n\\u001b[2J holds nothing; choose another.",
    );
  });

  it("are short, and keep their beginning and what to do", () => {
    const { message } = new InputError(
      `scan.dcm has the points ${"1\\2\\3\u0000".repeat(20_000)}, and numbers were expected; export it again.`,
    );
    expect(message).toHaveLength(1000);
    expect(message).toMatch(/^scan\.dcm has the points 1\\2.*…/);
    expect(message).toMatch(/, and numbers were expected; export it again\.$/);
  });

  it("carry their cause", () => {
    const cause = new RangeError("inner");
    expect(new InputError("outer", { cause }).cause).toBe(cause);
  });
});

it.each([
  { text: "GTVn left", name: "GTVn_left" },
  { text: "../../etc/passwd", name: "etc_passwd" },
  { text: "a/b\\c:d*e?f", name: "a_b_c_d_e_f" },
  { text: "узел Ä", name: "узел_Ä" },
  { text: "\u001b[2J\u202Ex\n", name: "2J_x" },
  { text: "-rf", name: "rf" },
  { text: "con.nii", name: "_con.nii" },
  { text: "...", name: "unnamed" },
  { text: "", name: "unnamed" },
  { text: "ends with dots. . .", name: "ends_with_dots" },
  { text: "é".repeat(100), name: "é".repeat(60) },
])("makes the file name $name", ({ text, name }) => {
  expect(safeFileName(text)).toBe(name);
});
