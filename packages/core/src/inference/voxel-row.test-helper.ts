// Rows of voxels as text, for tests of where a node comes to lie.
import type { Volume } from "../volume/volume.js";

/** A row of voxels, each character a node's number; "." is none. */
export const row = (text: string): Volume<Uint8Array> => ({
  size: [text.length, 1, 1],
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  data: Uint8Array.from(text, (character) => (character === "." ? 0 : Number(character))),
});

/** The row that a volume holds, as text. */
export const textOf = ({ data }: Volume) => [...data].map((number) => number || ".").join("");
