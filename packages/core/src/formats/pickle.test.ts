// Pickles of every attack that we know of are refused, and nothing of them runs.
import { strToU8 } from "fflate";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { concatenated } from "./bytes.js";
import { type PickleVocabulary, type Unpickled, unpickle } from "./pickle.js";

/** Bytes from numbers, text (with a line feed where it stands) and bytes. */
const pickle = (...parts: readonly (number | string | Uint8Array)[]): Uint8Array =>
  concatenated(
    parts.map((part) =>
      typeof part === "number" ? Uint8Array.of(part) : typeof part === "string" ? strToU8(part) : part,
    ),
  );
const protocol = Uint8Array.of(0x80, 2);
const text = (value: string) => pickle("X", Uint8Array.of(value.length, 0, 0, 0), value);
const global = (module: string, name: string) => `c${module}\n${name}\n`;

/** The calls that a table's function saw. */
function vocabularyThatListens(): PickleVocabulary & { readonly calls: (readonly Unpickled[])[] } {
  const calls: (readonly Unpickled[])[] = [];
  return {
    calls,
    globals: new Map([
      [
        "collections OrderedDict",
        {
          call: (args: readonly Unpickled[]) => {
            calls.push(args);
            return new Map();
          },
        },
      ],
      ["torch FloatStorage", {}],
    ]),
  };
}

const read = (bytes: Uint8Array) => unpickle(bytes, "file.pth", vocabularyThatListens());

describe("plain data", () => {
  test.each<[string, Uint8Array, Unpickled]>([
    ["none, true, false", pickle("(N", 0x88, 0x89, "t."), [null, true, false]],
    [
      "small integers",
      pickle("(K", 255, "M", 1, 2, "J", Uint8Array.of(255, 255, 255, 255), "t."),
      [255, 513, -1],
    ],
    ["integers of any length", pickle("(", 0x8a, 0, 0x8a, 1, 0xfe, 0x8a, 2, 0, 0x80, "t."), [0, -2, -32768]],
    [
      "an integer beyond 2^53",
      pickle(0x8a, 9, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1), "."),
      18446744073709551616n,
    ],
    ["a number", pickle("G", Uint8Array.of(0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a), "."), 0.1],
    ["text", pickle(text("lymph"), "."), "lymph"],
    ["bytes", pickle("C", 2, 0, 255, "."), Uint8Array.of(0, 255)],
    ["a list that is filled", pickle("]", "(K", 1, "K", 2, "eK", 3, "a."), [1, 2, 3]],
    [
      "a dictionary",
      pickle("}(", text("a"), "K", 1, "uK", 2, "Ns."),
      new Map<Unpickled, Unpickled>([
        ["a", 1],
        [2, null],
      ]),
    ],
    ["what is remembered", pickle("]q", 0, "K", 7, "ah", 0, 0x86, "."), [[7], [7]]],
    ["a set", pickle(0x8f, "(K", 1, "K", 1, 0x90, "."), new Set([1])],
    ["a key __proto__", pickle("}", text("__proto__"), "K", 1, "s."), new Map([["__proto__", 1]])],
  ])("%s", (_, bytes, value) => {
    expect(read(bytes)).toEqual(value);
  });

  test("a list may hold itself", () => {
    const list = read(pickle("]q", 0, "h", 0, "a.")) as Unpickled[];
    expect(list[0]).toBe(list);
  });

  test("a name of the table is called with what the pickle gives", () => {
    const vocabulary = vocabularyThatListens();
    const bytes = pickle(protocol, global("collections", "OrderedDict"), "K", 5, 0x85, "R.");
    expect(unpickle(bytes, "file.pth", vocabulary)).toEqual(new Map());
    expect(vocabulary.calls).toEqual([[5]]);
  });
});

describe("an attack is refused", () => {
  const command = pickle(text("touch /tmp/owned"), 0x85);
  test.each<[string, Uint8Array, RegExp]>([
    ["os.system", pickle(protocol, global("os", "system"), command, "R."), /asks Python for "os\.system"/],
    ["posix.system", pickle(protocol, global("posix", "system"), command, "R."), /"posix\.system"/],
    ["eval", pickle(protocol, global("builtins", "eval"), command, "R."), /"builtins\.eval"/],
    [
      "eval of Python 2",
      pickle(protocol, global("__builtin__", "eval"), command, "R."),
      /"__builtin__\.eval"/,
    ],
    ["a name that is only mentioned", pickle(protocol, global("os", "system"), "0N."), /"os\.system"/],
    ["a name from the stack", pickle(text("os"), text("system"), 0x93, command, "R."), /"os\.system"/],
    [
      "a name of a name",
      pickle(text("collections"), text("OrderedDict.__class__"), 0x93, "."),
      /OrderedDict\.__class__/,
    ],
    [
      "nested in what is allowed",
      pickle(global("collections", "OrderedDict"), "(", global("subprocess", "Popen"), command, "RtR."),
      /"subprocess\.Popen"/,
    ],
    ["a name made of two", pickle(text("os system"), text("x"), 0x93, "."), /"os system\.x"/],
    ["a name that is no text", pickle("K", 1, "K", 2, 0x93, "."), /a name that is no text/],
    ["names of JavaScript", pickle(global("globalThis", "eval"), command, "R."), /"globalThis\.eval"/],
    [
      "the constructor of a table",
      pickle(global("constructor", "constructor"), command, "R."),
      /constructor/,
    ],
    ["a call of a list", pickle("]", command, "R."), /a call of what cannot be called/],
    ["a call of text", pickle(text("eval"), command, "R."), /a call of what cannot be called/],
    [
      "a call of a remembered result",
      pickle(global("collections", "OrderedDict"), ")Rq", 0, "0h", 0, command, "R."),
      /cannot be called/,
    ],
    ["a call of a type", pickle(global("torch", "FloatStorage"), command, "R."), /cannot be called/],
    [
      "arguments that are no tuple",
      pickle(global("collections", "OrderedDict"), "}R."),
      /arguments that are no tuple/,
    ],
    [
      "a new object of a foreign class",
      pickle(global("os", "_wrap_close"), ")", 0x81, "."),
      /"os\._wrap_close"/,
    ],
    [
      "a new object with named arguments",
      pickle(global("collections", "OrderedDict"), ")}", 0x92, "."),
      /opcode 0x92/,
    ],
    [
      "a state with __setstate__",
      pickle("}}", text("__setstate__"), global("os", "system"), "sb."),
      /"os\.system"/,
    ],
    ["a state of plain data", pickle("]}", text("a"), "K", 1, "sb."), /an object with a state/],
    ["an instance of protocol 0", pickle("(", command, "ios\nsystem\n."), /opcode 0x69/],
    ["an object of protocol 1", pickle("(N", command, "o."), /opcode 0x6f/],
    ["an extension", pickle(0x82, 1, "."), /opcode 0x82/],
    ["a persistent identifier without meaning", pickle("NQ."), /a persistent identifier/],
    ["a textual persistent identifier", pickle("Pos.system\n."), /opcode 0x50/],
    ["a buffer from elsewhere", pickle(0x97, "."), /opcode 0x97/],
    ["items set in a list", pickle("]NNs."), /no dictionary/],
    ["values appended to a number", pickle("K", 1, "Na."), /no list/],
    ["values added to a list", pickle("](N", 0x90, "."), /no set/],
  ])("%s", (_, bytes, message) => {
    const attempt = () => read(bytes);
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(message);
    expect(Object.hasOwn(Object.prototype, "a")).toBe(false);
  });
});

describe("damage is refused, and takes no memory", () => {
  test.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(), /states 1 bytes at byte 0 of 0/],
    ["no end", pickle("N"), /cut short/],
    ["a text of 4 GB", pickle("X", Uint8Array.of(255, 255, 255, 255), "abc."), /states 4294967295 bytes/],
    ["bytes of 2^63", pickle(0x8e, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128), "."), /cut short/],
    [
      "an integer of 2 GB",
      pickle(0x8b, Uint8Array.of(255, 255, 255, 127), "."),
      /an integer of 2147483647 bytes/,
    ],
    ["an integer of 200 bytes", pickle(0x8a, 200, new Uint8Array(200), "."), /an integer of 200 bytes/],
    ["a memo that was never filled", pickle("h", 9, "."), /memo 9 was never filled/],
    ["a value that is missing", pickle("K", 1, 0x86, "."), /a value is missing/],
    ["a value from before a mark", pickle("K", 1, "(0."), /a value is missing/],
    ["a mark that is missing", pickle("K", 1, "t."), /a mark is missing/],
    ["a key without a value", pickle("}(Nu."), /a key without a value/],
    ["a line without end", pickle("cos"), /a line does not end/],
    ["another protocol", pickle(0x80, 9, "N."), /protocol 9/],
    ["an unknown opcode", pickle(0xff, "."), /opcode 0xff/],
  ])("%s", (_, bytes, message) => {
    const attempt = () => read(bytes);
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(message);
  });

  test("a pickle that is too long to be one of a checkpoint", () => {
    expect(() => read(new Uint8Array(2 ** 25 + 1))).toThrow(/32 MiB/);
  });

  test("every cut of a pickle", () => {
    const whole = pickle(
      protocol,
      "}(",
      text("a"),
      0x8a,
      2,
      1,
      1,
      "G",
      new Uint8Array(8),
      global("torch", "FloatStorage"),
      "u.",
    );
    for (let length = 0; length < whole.length; length++)
      expect(() => read(whole.subarray(0, length))).toThrow(InputError);
  });
});
