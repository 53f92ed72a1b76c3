// Types for modules that come without: only what pixel-codecs.ts and, of dcmjs, the tests use.

declare module "@cornerstonejs/codec-openjpeg/decodewasmjs" {
  const load: import("./pixel-codecs.js").LoadWasm<"J2KDecoder">;
  export = load;
}

declare module "@cornerstonejs/codec-openjph" {
  const load: import("./pixel-codecs.js").LoadWasm<"HTJ2KDecoder">;
  export = load;
}

declare module "@cornerstonejs/codec-charls/decodewasmjs" {
  const load: import("./pixel-codecs.js").LoadWasm<"JpegLSDecoder">;
  export = load;
}

declare module "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs" {
  const load: import("./pixel-codecs.js").LoadWasm<"JPEGDecoder">;
  export = load;
}

declare module "jpeg-lossless-decoder-js" {
  export class Decoder {
    decompress(buffer: ArrayBufferLike, offset: number, length: number): ArrayBuffer;
    readonly frame: { readonly dimX: number; readonly dimY: number; readonly precision: number };
    readonly scan: { readonly numComp: number; readonly al: number };
    readonly restartInterval: number;
    select7: () => number;
    getPreviousX(): number;
    getPreviousY(): number;
  }
}

declare module "dcmjs" {
  type Dict = Readonly<Record<string, unknown>>;
  const dcmjs: {
    readonly data: {
      readonly DicomMessage: { readFile(buffer: ArrayBufferLike): { readonly dict: Dict } };
      readonly DicomMetaDictionary: {
        readonly nameMap: Record<string, { tag: string; vr: string }>;
        naturalizeDataset(dict: Dict): Dict;
      };
    };
  };
  export = dcmjs;
}
