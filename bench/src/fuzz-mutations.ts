// What the fuzz check does to sound files: small random damage of the kinds that broken copies and hostile hands make.
import { type RandomGenerator, uniformWhole } from "@lnsnet/core/transforms";

/** Bytes changed at random; the same stream gives the same bytes. One to three kinds of damage, one after the other. */
export function mutated(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  let changed = bytes;
  const times = 1 + uniformWhole(random, 3);
  for (let n = 0; n < times && changed.length > 0; n++) {
    changed = mutations[uniformWhole(random, mutations.length)](changed, random);
  }
  return changed;
}

type Mutation = (bytes: Uint8Array, random: RandomGenerator) => Uint8Array;

const mutations: readonly Mutation[] = [
  flippedBits,
  replacedBytes,
  inserted,
  deleted,
  duplicated,
  extremeNumber,
  extremeNumber,
  lengthOfElement,
  lengthOfElement,
  replacedNumber,
  replacedNumber,
  longText,
  cut,
];

function flippedBits(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  const changed = bytes.slice();
  for (let n = uniformWhole(random, 8); n >= 0; n--) {
    changed[uniformWhole(random, bytes.length)] ^= 1 << uniformWhole(random, 8);
  }
  return changed;
}

function replacedBytes(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  const changed = bytes.slice();
  const start = uniformWhole(random, bytes.length);
  const end = start + 1 + uniformWhole(random, 16);
  for (let at = start; at < Math.min(end, bytes.length); at++) changed[at] = uniformWhole(random, 256);
  return changed;
}

function inserted(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  const added = Uint8Array.from({ length: 1 + uniformWhole(random, 64) }, () => uniformWhole(random, 256));
  const at = uniformWhole(random, bytes.length);
  return joined(bytes.subarray(0, at), added, bytes.subarray(at));
}

function deleted(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  const [start, end] = chunk(bytes, random);
  return joined(bytes.subarray(0, start), bytes.subarray(end));
}

/** Once or, as a file of nothing but its header has it, hundreds of times. */
function duplicated(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  const [start, end] = chunk(bytes, random);
  const copies = uniformWhole(random, 4) === 0 ? 1 + uniformWhole(random, 500) : 1;
  return joined(
    bytes.subarray(0, end),
    ...new Array<Uint8Array>(copies).fill(bytes.subarray(start, end)),
    bytes.subarray(end),
  );
}

/** A number of 1, 2, 4 or 8 bytes at the ends of its range, such as a length or a size. */
function extremeNumber(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  // Headers stand first, and hold most of the numbers that matter.
  const reach = uniformWhole(random, 2) === 0 ? bytes.length : Math.min(bytes.length, 1024);
  return withNumber(bytes, uniformWhole(random, reach), 2 ** uniformWhole(random, 4), random);
}

/** The length of a DICOM element of explicit VR; elsewhere as {@link extremeNumber}. */
function lengthOfElement(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  const places: number[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 1) {
    if (knownRepresentations.has(String.fromCharCode(bytes[at], bytes[at + 1]))) places.push(at);
  }
  if (places.length === 0) return extremeNumber(bytes, random);
  const at = places[uniformWhole(random, places.length)];
  const isLong = longRepresentations.has(String.fromCharCode(bytes[at], bytes[at + 1]));
  return withNumber(bytes, isLong ? at + 4 : at + 2, isLong ? 4 : 2, random);
}

const longRepresentations = new Set(["OB", "OW", "OF", "OD", "SQ", "UN", "UT", "UC", "UR", "OL", "OV"]);
const knownRepresentations = new Set(
  [..."AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split(" ")].concat([
    ...longRepresentations,
  ]),
);

function withNumber(bytes: Uint8Array, at: number, width: number, random: RandomGenerator): Uint8Array {
  const fills = [0x00, 0xff, 0x7f, 0x80, 0x01];
  const changed = bytes.slice();
  const [rest, last] = [fills[uniformWhole(random, 2)], fills[uniformWhole(random, fills.length)]];
  const isLittle = uniformWhole(random, 2) === 0;
  for (let n = 0; n < width && at + n < bytes.length; n++) {
    changed[at + n] = (isLittle ? n === width - 1 : n === 0) ? last : rest;
  }
  return changed;
}

/** A number that stands as text, such as a size in a header, a coordinate or a spacing. */
function replacedNumber(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1");
  const numbers = [...text.matchAll(/[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g)];
  if (numbers.length === 0) return extremeNumber(bytes, random);
  const match = numbers[uniformWhole(random, numbers.length)];
  const word = words[uniformWhole(random, words.length)];
  // Half of the time as long as before, so that lengths stated elsewhere hold.
  const fitted =
    uniformWhole(random, 2) === 0 ? word : word.slice(0, match[0].length).padEnd(match[0].length, " ");
  return joined(
    bytes.subarray(0, match.index),
    Buffer.from(fitted, "latin1"),
    bytes.subarray(match.index + match[0].length),
  );
}

const words = [
  ..."0 -1 1 2 7 65535 65536 2147483647 2147483648 4294967295 1e9 1e18 1e308 1e-300 NaN inf -inf 0.5 -0 1e 0x10".split(
    " ",
  ),
  "99999999999999999999",
  "1\\2\\3",
  "",
  "abc",
  "\u001b[31m",
  "{}",
  "null",
  "[[1]]",
];

/** A long run of one character, on which careless patterns take long. */
function longText(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  const characters = " \"'([{\\,;:\n\t0#=";
  const character = characters.charCodeAt(uniformWhole(random, characters.length));
  const at = uniformWhole(random, bytes.length);
  const run = new Uint8Array(2 ** (4 + uniformWhole(random, 13))).fill(character);
  return joined(bytes.subarray(0, at), run, bytes.subarray(at));
}

function cut(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  return bytes.slice(0, uniformWhole(random, bytes.length));
}

function chunk(bytes: Uint8Array, random: RandomGenerator): [start: number, end: number] {
  const start = uniformWhole(random, bytes.length);
  const longest = uniformWhole(random, 4) === 0 ? bytes.length : 64;
  return [start, Math.min(bytes.length, start + 1 + uniformWhole(random, longest))];
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
