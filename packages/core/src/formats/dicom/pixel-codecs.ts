// Decodes a compressed frame to samples: the decoders of cornerstone (WebAssembly) and others, each as one function.
import { inflateSync } from "fflate";
import { type CodecEncoding, type CodestreamHeader, codestreamHeader } from "./codestream-header.js";

/** A decoded frame: samples row by row, little endian, of 1 byte if `bitsPerSample` is at most 8, else of 2 bytes. */
export interface DecodedFrame extends CodestreamHeader {
  readonly bytes: Uint8Array;
}

/** Decodes a frame of a JPEG family. Throws, or gives no samples, if it cannot. */
export type FrameCodec = (encoded: Uint8Array) => DecodedFrame;

/**
 * Tells a browser the URLs of the decoders' WebAssembly files, by their names ("openjpegwasm_decode.wasm"). In Node the
 * decoders find the files beside their code.
 */
export function locateCodecs(urlOf: (fileName: string) => string): void {
  codecLocation.locateFile = urlOf;
}

/** The codec of an encoding, loaded on first use. */
export async function loadCodec(encoding: CodecEncoding): Promise<FrameCodec> {
  const codec = loaded.get(encoding) ?? loaders[encoding]();
  loaded.set(encoding, codec);
  return codec;
}

/** Decodes an RLE frame (PS3.5, annex G): byte planes, the most significant first, each compressed with PackBits. */
export function decodeRle(encoded: Uint8Array, cellCount: number, bytesPerCell: number): Uint8Array {
  requireRleSegments(encoded, bytesPerCell);
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const segmentCount = bytesPerCell;
  const cells = new Uint8Array(cellCount * bytesPerCell);
  for (let segment = 0; segment < segmentCount; segment++) {
    const start = view.getUint32(4 + 4 * segment, true);
    const isLast = segment + 1 === segmentCount;
    const end = isLast ? encoded.length : view.getUint32(8 + 4 * segment, true);
    unpackBits(encoded.subarray(start, end), cells, segmentCount - 1 - segment, bytesPerCell);
  }
  return cells;
}

/** An RLE frame has a segment for each byte of a cell. @throws Error where it has another number */
export function requireRleSegments(encoded: Uint8Array, bytesPerCell: number): void {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const segmentCount = encoded.length < 64 ? 0 : view.getUint32(0, true);
  if (segmentCount !== bytesPerCell)
    throw new Error(`it has ${segmentCount} RLE segments, not ${bytesPerCell}`);
}

/** The first `length` bytes of an individually deflated frame (PS3.5, annex A.4.13), or fewer if it has no more. */
export function inflateFrame(encoded: Uint8Array, length: number): Uint8Array {
  return inflateSync(encoded, { out: new Uint8Array(length) });
}

interface FrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
}

/** A decoder of cornerstone: an object in WebAssembly memory that must be deleted after use. */
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

const loaded = new Map<CodecEncoding, Promise<FrameCodec>>();

// Silences the decoders, which print messages; errors show in their result.
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
      if (bits !== 8) throw new Error(`it has ${bits} bits per sample, and the decoder supports 8`);
      return decode(encoded);
    };
  },
  "jpeg-lossless": async () => {
    const { Decoder } = await import("jpeg-lossless-decoder-js");
    return (encoded) => {
      const padded = paddedBeforeEnd(encoded);
      const decoder = new Decoder();
      // The decoder's own predictor 7 does not round down, which is wrong for negative values.
      decoder.select7 = () => (decoder.getPreviousX() + decoder.getPreviousY()) >> 1;
      const bytes = new Uint8Array(decoder.decompress(padded.buffer, 0, padded.byteLength));
      // Neither occurs in practice, and the decoder ignores both.
      if (decoder.scan.al !== 0) throw new Error("it has a point transform");
      if (decoder.restartInterval !== 0) throw new Error("it has restart intervals");
      const { dimX: columns, dimY: rows, precision: bitsPerSample } = decoder.frame;
      return { bytes, columns, rows, bitsPerSample, componentCount: decoder.scan.numComp };
    };
  },
};

/**
 * The JPEG with zeros inserted before its end marker: jpeg-lossless-decoder-js 2.1 reads a byte ahead, and loses the
 * last pixel if that byte is the marker.
 */
function paddedBeforeEnd(encoded: Uint8Array): Uint8Array {
  const end = endOfImage(encoded);
  const padded = new Uint8Array(end + 10);
  padded.set(encoded.subarray(0, end));
  padded.set([0xff, 0xd9], end + 8);
  return padded;
}

/**
 * The offset of the marker FFD9 that ends an image of any JPEG family; padding may follow it. An image without it is
 * cut short, which some decoders do not notice.
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
      // Copied, because the decoder frees its own buffer.
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

/** Decodes a PackBits segment into every `stride`-th byte of `cells` from `first` on. */
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
