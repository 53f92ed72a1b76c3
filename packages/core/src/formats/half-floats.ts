// Numbers of two bytes as float32.

export const floatsOfFloat16 = (halves: Uint16Array): Float32Array =>
  floatsOfBits(converted(halves, Uint32Array, floatBitsOfFloat16));

/** bfloat16 is the upper half of a float32. */
export function floatsOfBfloat16(brains: Uint16Array): Float32Array {
  return floatsOfBits(converted(brains, Uint32Array, (brain) => brain << 16));
}

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
function floatBitsOfFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // A subnormal float16 is a normal float32: its leading 1 moves to the implicit bit.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13);
}

const floatsOfBits = (bits: Uint32Array<ArrayBuffer>): Float32Array => new Float32Array(bits.buffer);

/** A loop, because `from` of typed arrays is slow with a function; see {@link maskWhere}. */
export function converted<To extends { [index: number]: number }>(
  from: Uint16Array | Uint32Array,
  Kind: new (length: number) => To,
  convert: (value: number) => number,
): To {
  const to = new Kind(from.length);
  for (let at = 0; at < from.length; at++) to[at] = convert(from[at]);
  return to;
}
