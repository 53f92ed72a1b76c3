// Paints labels over a plane: a light fill, and an outline along the edge of each node.

/** How labels are painted. */
export interface LabelPaint {
  /** RGB of each label, as 0xBBGGRR; by label. */
  readonly colours: Uint32Array;
  /** Whether a label is shown; by label. */
  readonly shown: Uint8Array;
  /** From 0 to 1. */
  readonly fillOpacity: number;
  /** In pixels; 0 for none. */
  readonly outlineWidth: number;
  /** The label whose outline is twice as wide; 0 for none. */
  readonly selected: number;
}

/** A label with its colour, as "#rrggbb". */
export interface PaintedLabel {
  /** 1 to 255. */
  readonly number: number;
  readonly colour: string;
  readonly visible: boolean;
}

/** Labels with an outline of a pixel. @param selected 0 for none @param fillOpacity from 0 to 1 */
export function paintOf(labels: readonly PaintedLabel[], selected: number, fillOpacity: number): LabelPaint {
  const colours = new Uint32Array(256);
  const shown = new Uint8Array(256);
  for (const { number, colour, visible } of labels) {
    const rgb = Number.parseInt(colour.slice(1), 16);
    colours[number] = ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16);
    shown[number] = visible ? 1 : 0;
  }
  return { colours, shown, fillOpacity, outlineWidth: 1, selected };
}

/**
 * Blends labels into a picture.
 *
 * @param labels `width` × pixels, row by row
 * @param picture opaque RGBA of the same pixels; changed in place
 */
export function paintLabels(
  labels: Uint8Array,
  width: number,
  paint: LabelPaint,
  picture: Uint32Array,
): void {
  const height = labels.length / width;
  const share = Math.round(256 * paint.fillOpacity);
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const label = labels[pixel];
      if (label === 0 || paint.shown[label] === 0) continue;
      const reach = paint.outlineWidth * (label === paint.selected ? 2 : 1);
      const isEdge = reach > 0 && differsWithin(labels, width, height, x, y, reach);
      picture[pixel] = blended(picture[pixel], paint.colours[label], isEdge ? 256 : share);
    }
  }
}

function differsWithin(
  labels: Uint8Array,
  width: number,
  height: number,
  x: number,
  y: number,
  reach: number,
): boolean {
  const pixel = y * width + x;
  const label = labels[pixel];
  for (let distance = 1; distance <= reach; distance++) {
    if (x < distance || labels[pixel - distance] !== label) return true;
    if (x + distance >= width || labels[pixel + distance] !== label) return true;
    if (y < distance || labels[pixel - distance * width] !== label) return true;
    if (y + distance >= height || labels[pixel + distance * width] !== label) return true;
  }
  return false;
}

/** @param share of the colour over the pixel, of 256 */
function blended(pixel: number, colour: number, share: number): number {
  const mix = (shift: number) => {
    const below = (pixel >>> shift) & 0xff;
    return (below + (((((colour >>> shift) & 0xff) - below) * share) >> 8)) << shift;
  };
  return (0xff000000 | mix(16) | mix(8) | mix(0)) >>> 0;
}
