// Reads the image size from the header of a compressed frame, before a decoder allocates memory for it.
import type { PixelEncoding } from "./transfer-syntaxes.js";

/** The encodings that need an image codec. */
export type CodecEncoding = Exclude<PixelEncoding, "native" | "rle" | "deflated-frame" | null>;

export interface CodestreamHeader {
  readonly columns: number;
  readonly rows: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
}

/**
 * The header of a frame of a JPEG family.
 *
 * @throws Error where there is no header, or it states implausibly many tiles
 */
export function codestreamHeader(encoding: CodecEncoding, encoded: Uint8Array): CodestreamHeader {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const isJpeg2000 = encoding === "jpeg-2000" || encoding === "htj2k";
  const header = isJpeg2000 ? jpeg2000Header(view) : jpegHeader(view);
  if (header === null) throw new Error("it has no header of a frame");
  return header;
}

/** By the frame header (SOF) of JPEG (ISO 10918-1, B.2.2) and JPEG-LS (ISO 14495-1, C.2.2). */
function jpegHeader(view: DataView): CodestreamHeader | null {
  for (let at = 2; at + 10 <= view.byteLength && view.getUint8(at) === 0xff; ) {
    const marker = view.getUint8(at + 1);
    // Any number of bytes FF may precede a marker.
    if (marker === 0xff) at++;
    else if (isFrameMarker(marker)) {
      return {
        bitsPerSample: view.getUint8(at + 4),
        rows: view.getUint16(at + 5),
        columns: view.getUint16(at + 7),
        componentCount: view.getUint8(at + 9),
      };
    } else at += 2 + view.getUint16(at + 2);
  }
  return null;
}

/** SOF0 to SOF15 without the tables that share their numbers (DHT, JPG, DAC), and SOF55 of JPEG-LS. */
function isFrameMarker(marker: number): boolean {
  const isTable = marker === 0xc4 || marker === 0xc8 || marker === 0xcc;
  return marker === 0xf7 || (marker >= 0xc0 && marker <= 0xcf && !isTable);
}

/** A decoder needs memory for each tile, whatever its size; 4096 tiles of 64 × 64 pixels make 4096 × 4096. */
const maxTileCount = 4096;

/** By the size marker (SIZ) right behind the start of the codestream (ISO 15444-1, A.5.1), which a JP2 file has inside. */
function jpeg2000Header(view: DataView): CodestreamHeader | null {
  for (let at = 0; at + 46 <= view.byteLength; at++) {
    if (view.getUint32(at) !== 0xff4f_ff51) continue;
    const number = (offset: number) => view.getUint32(at + offset);
    const size = (first: number, last: number, step: number) => Math.ceil((last - first) / step);
    const tiles = size(number(32), number(8), number(24)) * size(number(36), number(12), number(28));
    if (!(tiles <= maxTileCount)) throw new Error(`it has ${tiles} tiles`);
    return {
      columns: size(number(16), number(8), view.getUint8(at + 43)),
      rows: size(number(20), number(12), view.getUint8(at + 44)),
      bitsPerSample: (view.getUint8(at + 42) & 0x7f) + 1,
      componentCount: view.getUint16(at + 40),
    };
  }
  return null;
}
