import fc from "fast-check";
import { expect, it } from "vitest";
import { base64, escapeMarkup, wrapText } from "./markup.js";

it("escapes what would end an element or an attribute", () => {
  expect(escapeMarkup(`<img src="x" onerror='a()'> & co`)).toBe(
    "&lt;img src=&quot;x&quot; onerror=&#39;a()&#39;&gt; &amp; co",
  );
});

it("replaces what XML forbids even escaped, and keeps the rest", () => {
  expect(escapeMarkup("a\u0000b\u001Bc\uD800d\u202Ee\n\té😀")).toBe("a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\n\té😀");
});

it("encodes base64 as Node does", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      (bytes) => base64(bytes) === Buffer.from(bytes).toString("base64"),
    ),
  );
});

it.each([
  { text: "one two three", width: 7, lines: ["one two", "three"] },
  { text: "abcdefgh ij", width: 3, lines: ["abc", "def", "gh", "ij"] },
  { text: "  ", width: 5, lines: [] },
])("wraps $text at $width", ({ text, width, lines }) => {
  expect(wrapText(text, width)).toEqual(lines);
});
