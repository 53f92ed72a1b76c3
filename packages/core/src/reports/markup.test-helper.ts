// Checks that the charts write well-formed XML.
import { expect } from "vitest";

/** Throws unless every element is closed in order, attributes are quoted, and text holds no bare markup. */
export function expectWellFormed(xml: string): void {
  const open: string[] = [];
  const tag = /<(\/?)([a-z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/gy;
  const text = /[^<&]*(?:&(?:amp|lt|gt|quot|#39);[^<&]*)*/gy;
  let at = 0;
  while (at < xml.length) {
    tag.lastIndex = at;
    const match = tag.exec(xml);
    if (match === null) throw new Error(`no tag at: ${xml.slice(at, at + 60)}`);
    const [whole, closing, name, , empty] = match;
    if (closing !== "") expect(open.pop()).toBe(name);
    else if (empty === "") open.push(name);
    text.lastIndex = at + whole.length;
    at += whole.length + (text.exec(xml)?.[0].length ?? 0);
  }
  expect(open).toEqual([]);
}
