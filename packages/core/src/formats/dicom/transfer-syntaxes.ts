// The transfer syntaxes of PS3.6 by UID: the name of each, and how its pixel data is encoded.

/** How pixel data is encoded; null where it cannot be decoded here. */
export type PixelEncoding =
  | "native"
  | "rle"
  | "deflated-frame"
  | "jpeg"
  | "jpeg-lossless"
  | "jpeg-ls"
  | "jpeg-2000"
  | "htj2k"
  | null;

export interface TransferSyntax {
  readonly name: string;
  readonly encoding: PixelEncoding;
}

const syntaxes: Readonly<Record<string, readonly [name: string, encoding: PixelEncoding]>> = {
  "1.2.840.10008.1.2": ["Implicit VR Little Endian", "native"],
  "1.2.840.10008.1.2.1": ["Explicit VR Little Endian", "native"],
  "1.2.840.10008.1.2.1.99": ["Deflated Explicit VR Little Endian", "native"],
  "1.2.840.10008.1.2.2": ["Explicit VR Big Endian", "native"],
  "1.2.840.10008.1.2.5": ["RLE Lossless", "rle"],
  "1.2.840.10008.1.2.8.1": ["Deflated Image Frame Compression", "deflated-frame"],
  "1.2.840.10008.1.2.4.50": ["JPEG Baseline (Process 1)", "jpeg"],
  // Only 8-bit images of the extended process are decoded; the decoder refuses 12 bits.
  "1.2.840.10008.1.2.4.51": ["JPEG Extended (Process 2 & 4)", "jpeg"],
  "1.2.840.10008.1.2.4.53": ["JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8)", null],
  "1.2.840.10008.1.2.4.55": ["JPEG Full Progression, Non-Hierarchical (Process 10 & 12)", null],
  "1.2.840.10008.1.2.4.57": ["JPEG Lossless, Non-Hierarchical (Process 14)", "jpeg-lossless"],
  "1.2.840.10008.1.2.4.70": ["JPEG Lossless, First-Order Prediction (Process 14, SV1)", "jpeg-lossless"],
  "1.2.840.10008.1.2.4.80": ["JPEG-LS Lossless", "jpeg-ls"],
  "1.2.840.10008.1.2.4.81": ["JPEG-LS Near-Lossless", "jpeg-ls"],
  "1.2.840.10008.1.2.4.90": ["JPEG 2000 (Lossless Only)", "jpeg-2000"],
  "1.2.840.10008.1.2.4.91": ["JPEG 2000", "jpeg-2000"],
  "1.2.840.10008.1.2.4.92": ["JPEG 2000 Part 2 Multi-component (Lossless Only)", null],
  "1.2.840.10008.1.2.4.93": ["JPEG 2000 Part 2 Multi-component", null],
  "1.2.840.10008.1.2.4.94": ["JPIP Referenced", null],
  "1.2.840.10008.1.2.4.95": ["JPIP Referenced Deflate", null],
  "1.2.840.10008.1.2.4.100": ["MPEG2 Main Profile / Main Level", null],
  "1.2.840.10008.1.2.4.102": ["MPEG-4 AVC/H.264 High Profile", null],
  "1.2.840.10008.1.2.4.107": ["HEVC/H.265 Main Profile", null],
  "1.2.840.10008.1.2.4.110": ["JPEG XL Lossless", null],
  "1.2.840.10008.1.2.4.111": ["JPEG XL JPEG Recompression", null],
  "1.2.840.10008.1.2.4.112": ["JPEG XL", null],
  "1.2.840.10008.1.2.4.201": ["High-Throughput JPEG 2000 (Lossless Only)", "htj2k"],
  "1.2.840.10008.1.2.4.202": ["High-Throughput JPEG 2000 with RPCL Options (Lossless Only)", "htj2k"],
  "1.2.840.10008.1.2.4.203": ["High-Throughput JPEG 2000", "htj2k"],
  // As implicit VR little endian, except that pixels are big endian.
  "1.2.840.113619.5.2": ["GE Private Implicit VR Big Endian", null],
};

/** The transfer syntax of a UID; an unknown syntax is named by its UID and not decoded. */
export function transferSyntaxOf(uid: string): TransferSyntax {
  const [name, encoding] = syntaxes[uid] ?? [`transfer syntax ${uid || "without UID"}`, null];
  return { name, encoding };
}
