// Property tests draw the same values in every run; FAST_CHECK_SEED=NUMBER draws others. Equal arrays are compared at once.
import fc from "fast-check";
import { expect } from "vitest";

fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 1) });

// Vitest compares typed arrays and buffers element by element, ten seconds for those of a small network. What differs is
// left to it, which says where.
// Files of core, node and cli share a process, in which this runs before each of them.
const shared = globalThis as { comparesBytes?: boolean };
if (shared.comparesBytes !== true)
  expect.addEqualityTesters([(a, b) => (haveSameBytes(a, b) ? true : undefined)]);
shared.comparesBytes = true;

const haveSameBytes = (a: unknown, b: unknown): boolean =>
  ArrayBuffer.isView(a) &&
  ArrayBuffer.isView(b) &&
  a.constructor === b.constructor &&
  bytesOf(a).equals(bytesOf(b));

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
