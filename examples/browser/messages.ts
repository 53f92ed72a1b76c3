// What the page and its worker say to each other.

/** To the worker: files to segment, or that it shall stop. */
export type Order = { readonly files: readonly File[] } | "stop";

/** From the worker. */
export type News =
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "patch"; readonly done: number; readonly total: number }
  | { readonly kind: "failed"; readonly text: string }
  | {
      readonly kind: "done";
      /** A `<table>`. */
      readonly tableHtml: string;
      readonly picturePng: Uint8Array<ArrayBuffer>;
      readonly maskNifti: Uint8Array<ArrayBuffer>;
    };
