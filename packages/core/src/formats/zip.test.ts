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

describe("an entry", () => {
  /** Four bytes of the directory changed, which zipSync writes behind the one entry of ten stored bytes. */
  const changed = (offset: number, value: number) => {
    const archive = zipSync({ "a.dcm": [bytes("ten bytes."), { level: 0 }] });
    const view = new DataView(archive.buffer);
    const entry = archive.length - 22 - 46 - 5;
    view.setUint32(entry + offset, value, true);
    return archive;
  };
  test.each<[string, Uint8Array, RegExp]>([
    ["of another checksum", changed(16, 1), /"a\.dcm", which is damaged \(its checksum/],
    ["of fewer bytes", changed(20, 9), /its checksum or length/],
    ["beyond the archive", changed(20, 1e6), /which is damaged;/],
    ["elsewhere", changed(42, 3), /which is damaged;/],
    ["far beyond the archive", changed(42, 0xfffffff0), /which is damaged;/],
    ["that is encrypted", changed(8, 1), /which is encrypted/],
    ["of the method 99", changed(10, 99), /unknown method 99/],
  ])("%s is refused when it is read", (_, archive, message) => {
    const [entry] = listZip(archive, "a.zip");
    expect(() => entry.read()).toThrow(InputError);
    expect(() => entry.read()).toThrow(message);
  });

  test("in an archive of 64-bit sizes is read", () => {
    const content = bytes("content");
    const archive = zip64Of("a.txt", content);
    expect(listZip(archive, "a.zip").map(({ name, read }) => [name, read()])).toEqual([["a.txt", content]]);
  });
});

/** One stored file, with every number that may be wide stated in 64 bits (APPNOTE 4.3.14, 4.3.15, 4.5.3). */
function zip64Of(name: string, content: Uint8Array): Uint8Array {
  const plain = zipSync({ [name]: [content, { level: 0 }] });
  const entry = plain.length - 22 - 46 - name.length;
  const extra = new DataView(new ArrayBuffer(28));
  extra.setUint16(0, 1, true);
  extra.setUint16(2, 24, true);
  for (const [at, value] of [content.length, content.length, 0].entries())
    extra.setBigUint64(4 + 8 * at, BigInt(value), true);
  const central = new Uint8Array(46 + name.length + 28);
  central.set(plain.subarray(entry, entry + 46 + name.length));
  central.set(new Uint8Array(extra.buffer), 46 + name.length);
  const centralView = new DataView(central.buffer);
  for (const at of [20, 24, 42]) centralView.setUint32(at, 0xffffffff, true);
  centralView.setUint16(30, 28, true);
  const end = new DataView(new ArrayBuffer(56 + 20 + 22));
  end.setUint32(0, 0x06064b50, true);
  end.setBigUint64(32, 1n, true);
  end.setBigUint64(48, BigInt(entry), true);
  end.setUint32(56, 0x07064b50, true);
  end.setBigUint64(64, BigInt(entry + central.length), true);
  end.setUint32(76, 0x06054b50, true);
  end.setUint16(84, 0xffff, true);
  end.setUint32(92, 0xffffffff, true);
  return Uint8Array.from([...plain.subarray(0, entry), ...central, ...new Uint8Array(end.buffer)]);
}

test("20,000 files are listed and read within seconds, the directory read once", () => {
  const names = Array.from({ length: 20_000 }, (_, n) => `study/${n}.dcm`);
  const archive = zipSync(Object.fromEntries(names.map((name) => [name, [bytes(name), { level: 0 }]])));
  const entries = listZip(archive, "a.zip");
  expect(entries.map(({ read }) => new TextDecoder().decode(read()))).toEqual(names);
});

test("an entry that inflates to more than the directory states takes no more memory than was checked", () => {
  const archive = withStatedSize(zipSync({ zeros: new Uint8Array(1e6) }), 100);
  expect(() => listZip(archive, "a.zip")[0].read()).toThrow(/its checksum or length does not match/);
  expect(zipLimits.totalBytes).toBe(4 * 2 ** 30);
});
