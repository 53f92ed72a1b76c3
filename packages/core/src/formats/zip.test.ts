import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { isZip, listZip, zipLimits } from "./zip.js";

const bytes = (text: string) => new TextEncoder().encode(text);

/** An archive whose directory (and local headers) state another size for every file than it has. */
function withStatedSize(archive: Uint8Array, size: number): Uint8Array {
  const changed = archive.slice();
  const view = new DataView(changed.buffer);
  for (let at = 0; at < changed.length - 4; at++)
    if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, size, true);
  return changed;
}

test("lists files without folders and hidden ones, and inflates one at a time", () => {
  const archive = zipSync({
    "study/1.dcm": bytes("one"),
    "study/2.dcm": [bytes("two"), { level: 0 }],
    "study/.DS_Store": bytes("x"),
    "__MACOSX/study/1.dcm": bytes("x"),
  });
  expect(isZip(archive)).toBe(true);
  const entries = listZip(archive, "a.zip");
  expect(entries.map(({ name }) => name)).toEqual(["study/1.dcm", "study/2.dcm"]);
  expect(entries.map(({ read }) => new TextDecoder().decode(read()))).toEqual(["one", "two"]);
});

describe("refuses", () => {
  const many = zipSync(Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`${n}`, bytes("0")])));
  const twice = zipSync({ "a.dcm": bytes("1"), "b.dcm": bytes("2") });
  // The same name in local header and directory: "b.dcm" becomes "a.dcm".
  for (let at = 0; at < twice.length - 5; at++) if (twice[at] === 98 && twice[at + 1] === 46) twice[at] = 97;
  test.each<[string, Uint8Array, RegExp]>([
    ["a path upwards", zipSync({ "../../etc/passwd": bytes("x") }), /"\.\.\/\.\.\/etc\/passwd".*leads out/],
    ["a path upwards within", zipSync({ "a/../../b": bytes("x") }), /leads out/],
    ["backslashes", zipSync({ "..\\b": bytes("x") }), /leads out/],
    ["an absolute path", zipSync({ "/etc/passwd": bytes("x") }), /leads out/],
    ["a drive", zipSync({ "C:\\a.dcm": bytes("x") }), /leads out/],
    ["a bomb by its ratio", withStatedSize(twice, 2 ** 30), /2\.0 GiB, \d+ times its size/],
    ["a bomb by its size", withStatedSize(many, 2 ** 30), /5\.0 GiB/],
    ["a name twice", twice, /"a\.dcm" twice/],
    ["what is cut short", twice.subarray(0, 60), /cut short or damaged/],
  ])("%s", (_, archive, message) => {
    const list = () => listZip(archive, "a.zip");
    expect(list).toThrow(InputError);
    expect(list).toThrow(message);
  });

  test("a damaged entry when it is read", () => {
    const archive = zipSync({ "a.dcm": bytes("deflate me, deflate me, deflate me") });
    archive.fill(255, 36, 50);
    const [entry] = listZip(archive, "a.zip");
    expect(() => entry.read()).toThrow(/"a\.dcm", which is damaged/);
  });
});

test("an entry that inflates to more than the directory states takes no more memory than was checked", () => {
  const archive = withStatedSize(zipSync({ zeros: new Uint8Array(1e6) }), 100);
  expect(listZip(archive, "a.zip")[0].read().length).toBeLessThanOrEqual(100);
  expect(zipLimits.totalBytes).toBe(4 * 2 ** 30);
});
