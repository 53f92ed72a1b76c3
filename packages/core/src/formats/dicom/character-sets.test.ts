// Text by its character sets: the examples of PS3.5, annexes H to K, and what writers make of the rules.
import { expect, test } from "vitest";
import { textDecodingOf } from "./character-sets.js";

/** Bytes of text in which `\x1b` and the like stand for themselves. */
const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const rows: [what: string, terms: string[], text: string, isPersonName: boolean, expected: string][] = [
  [
    "H.3.1: kanji and hiragana of a name",
    ["", "ISO 2022 IR 87"],
    "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
    true,
    "Yamada^Tarou=山田^太郎=やまだ^たろう",
  ],
  [
    "H.3.2: the first part in half-width katakana",
    ["ISO 2022 IR 13", "ISO 2022 IR 87"],
    "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
    true,
    "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
  ],
  [
    "I.2: a Korean name, whose set ends at each delimiter",
    ["", "ISO 2022 IR 149"],
    "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
    true,
    "Hong^Gildong=洪^吉洞=홍^길동",
  ],
  [
    "J.3: a Chinese name in GB18030, which needs no escape sequences",
    ["GB18030"],
    "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab",
    true,
    "Wang^XiaoDong=王^小东",
  ],
  [
    "K.3: Chinese in GB 2312 with escape sequences",
    ["", "ISO 2022 IR 58"],
    "Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
    true,
    "Zhang^XiaoDong=张^小东=",
  ],
  [
    "Latin and Cyrillic",
    ["ISO 2022 IR 100", "ISO 2022 IR 144"],
    "\xdf \x1b-L\xe3\xd7\xd5\xdb",
    false,
    "ß узел",
  ],
  ["the next value begins anew", ["ISO 2022 IR 100", "ISO 2022 IR 144"], "\x1b-L\xe3\\\xe3", false, "у\\ã"],
  [
    "an equals sign ends nothing but parts of names",
    ["ISO 2022 IR 100", "ISO 2022 IR 144"],
    "\x1b-L\xe3=\xe3",
    false,
    "у=у",
  ],
  ["a backslash as half of a pair", ["", "ISO 2022 IR 87"], "\x1b$B0\\\x1b(B\\1", false, "移\\1"],
  ["rare kanji of JIS X 0212", ["", "ISO 2022 IR 159"], "\x1b$(D0!\x1b(B", false, "丂"],
  ["Korean without escape sequences", ["", "ISO 2022 IR 149"], "\xc8\xab", false, "홍"],
  ["nothing stated", [], "M\xfcller", false, "Müller"],
  ["an escape sequence that is not known stays", ["", "ISO 2022 IR 149"], "a\x1b%Gb", false, "a\x1b%Gb"],
];

test.each(rows)("%s", (_, terms, text, isPersonName, expected) => {
  expect(textDecodingOf(terms)(bytesOf(text), isPersonName)).toBe(expected);
});
