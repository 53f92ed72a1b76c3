// One compressed frame to samples: the decoders of cornerstone (WebAssembly) and of others behind one function each.
import { inflateSync } from "fflate";
import { type CodecEncoding, type CodestreamHeader, codestreamHeader } from "./codestream-header.js";

/** A decoded frame: samples in rows, little endian, of one byte where `bitsPerSample` is at most 8, else of two. */
export interface DecodedFrame extends CodestreamHeader {
  readonly bytes: Uint8Array;
}

/** Decodes a frame of a JPEG family. Throws, or gives no samples, where it cannot. */
export type FrameCodec = (encoded: Uint8Array) => DecodedFrame;

/**
 * Tells a browser where the WebAssembly files of the decoders are, by their names ("openjpegwasm_decode.wasm"). In Node
 * the decoders find them beside their code.
 */
export function locateCodecs(urlOf: (fileName: string) => string): void {
  codecLocation.locateFile = urlOf;
}

/** The codec of an encoding, loaded when it is first asked for. */
export async function loadCodec(encoding: CodecEncoding): Promise<FrameCodec> {
  const codec = loaded.get(encoding) ?? loaders[encoding]();
  loaded.set(encoding, codec);
  return codec;
}

/** The cells of an RLE frame (PS3.5, annex G): byte planes, the most significant first, each packed by PackBits. */
export function decodeRle(encoded: Uint8Array, cellCount: number, bytesPerCell: number): Uint8Array {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const segmentCount = encoded.length < 64 ? 0 : view.getUint32(0, true);
  if (segmentCount !== bytesPerCell)
    throw new Error(`it has ${segmentCount} RLE segments, not ${bytesPerCell}`);
  const cells = new Uint8Array(cellCount * bytesPerCell);
  for (let segment = 0; segment < segmentCount; segment++) {
    const start = view.getUint32(4 + 4 * segment, true);
    const isLast = segment + 1 === segmentCount;
    const end = isLast ? encoded.length : view.getUint32(8 + 4 * segment, true);
    unpackBits(encoded.subarray(start, end), cells, segmentCount - 1 - segment, bytesPerCell);
  }
  return cells;
}

/** The first `length` bytes of a frame deflated by itself (PS3.5, annex A.4.13), or fewer where it has no more. */
export function inflateFrame(encoded: Uint8Array, length: number): Uint8Array {
  return inflateSync(encoded, { out: new Uint8Array(length) });
}

interface FrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
}

/** A decoder of cornerstone: an object in WebAssembly, to be deleted. */
interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array | Uint8ClampedArray;
  getFrameInfo(): FrameInfo;
  delete(): void;
}

interface WasmOptions {
  locateFile?: (fileName: string) => string;
  print: (line: string) => void;
  printErr: (line: string) => void;
}

export type LoadWasm<Name extends string> = (
  options: WasmOptions,
) => Promise<Record<Name, new () => WasmDecoder>>;

const loaded = new Map<CodecEncoding, Promise<FrameCodec>>();

// The decoders would print what they do; what goes wrong is seen from their result.
const codecLocation: WasmOptions = { print: () => undefined, printErr: () => undefined };

const loaders: Readonly<Record<CodecEncoding, () => Promise<FrameCodec>>> = {
  "jpeg-2000": async () => {
    const { default: load } = await import("@cornerstonejs/codec-openjpeg/decodewasmjs");
    return wasmCodec((await load({ ...codecLocation })).J2KDecoder);
  },
  htj2k: async () => {
    const { default: load } = await import("@cornerstonejs/codec-openjph");
    return wasmCodec((await load({ ...codecLocation })).HTJ2KDecoder);
  },
  "jpeg-ls": async () => {
    const { default: load } = await import("@cornerstonejs/codec-charls/decodewasmjs");
    return wasmCodec((await load({ ...codecLocation })).JpegLSDecoder);
  },
  jpeg: async () => {
    const { default: load } = await import("@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs");
    const decode = wasmCodec((await load({ ...codecLocation })).JPEGDecoder);
    return (encoded) => {
      const { bitsPerSample: bits } = codestreamHeader("jpeg", encoded);
      if (bits !== 8) throw new Error(`it has ${bits} bits a sample, and the decoder knows 8`);
      return decode(encoded);
    };
  },
  "jpeg-lossless": async () => {
    const { Decoder } = await import("jpeg-lossless-decoder-js");
    return (encoded) => {
      const padded = paddedBeforeEnd(encoded);
      const decoder = new Decoder();
      // The decoder's own predictor 7 leaves a half, which goes wrong where the value is below 0.
      decoder.select7 = () => (decoder.getPreviousX() + decoder.getPreviousY()) >> 1;
      const bytes = new Uint8Array(decoder.decompress(padded.buffer, 0, padded.byteLength));
      // Neither occurs in practice, and the decoder leaves both out of account.
      if (decoder.scan.al !== 0) throw new Error("it has a point transform");
      if (decoder.restartInterval !== 0) throw new Error("it has restart intervals");
      const { dimX: columns, dimY: rows, precision: bitsPerSample } = decoder.frame;
      return { bytes, columns, rows, bitsPerSample, componentCount: decoder.scan.numComp };
    };
  },
};

/**
 * The JPEG with zeros before its end marker: jpeg-lossless-decoder-js 2.1 looks a byte ahead, and loses the last pixel
 * where that byte is the marker.
 */
function paddedBeforeEnd(encoded: Uint8Array): Uint8Array {
  const end = endOfImage(encoded);
  const padded = new Uint8Array(end + 10);
  padded.set(encoded.subarray(0, end));
  padded.set([0xff, 0xd9], end + 8);
  return padded;
}

/**
 * Where the marker FFD9 stands that ends an image of any JPEG family; bytes of padding may follow. Without it the image
 * is cut short, which some of the decoders fill with what they have.
 */
function endOfImage(encoded: Uint8Array): number {
  let end = encoded.length - 2;
  while (end > 0 && encoded[end + 1] === 0) end--;
  if (end <= 0 || encoded[end] !== 0xff || encoded[end + 1] !== 0xd9) throw new Error("it has no end marker");
  return end;
}

function wasmCodec(Decoder: new () => WasmDecoder): FrameCodec {
  return (encoded) => {
    endOfImage(encoded);
    const decoder = new Decoder();
    try {
      decoder.getEncodedBuffer(encoded.length).set(encoded);
      decoder.decode();
      const { width: columns, height: rows, bitsPerSample, componentCount } = decoder.getFrameInfo();
      // The decoded buffer is the decoder's own memory, which it frees.
      return {
        bytes: Uint8Array.from(decoder.getDecodedBuffer()),
        columns,
        rows,
        bitsPerSample,
        componentCount,
      };
    } finally {
      decoder.delete();
    }
  };
}

/** One PackBits segment into every `stride`-th byte of `cells` from `first` on. */
function unpackBits(packed: Uint8Array, cells: Uint8Array, first: number, stride: number): void {
  let at = first;
  for (let n = 0; n < packed.length && at < cells.length; ) {
    const control = packed[n++];
    if (control < 128) {
      for (const end = n + control + 1; n < end && n < packed.length && at < cells.length; at += stride) {
        cells[at] = packed[n++];
      }
    } else if (control > 128) {
      const value = packed[n++];
      for (let repeat = 257 - control; repeat > 0 && at < cells.length; repeat--, at += stride)
        cells[at] = value;
    }
  }
  if (at < cells.length) throw new Error("an RLE segment ends early");
}
