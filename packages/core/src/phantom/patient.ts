// Generates a synthetic head-and-neck CT with its lymph nodes, as a pure function of seed, patient number and options.

import type { Volume } from "../volume/volume.js";
import { drawAnatomy } from "./anatomy.js";
import { drawGrid } from "./grid.js";
import { drawNodes, type PhantomNode } from "./nodes.js";
import { type PhantomOptions, phantomOptions } from "./options.js";
import { render } from "./render.js";
import { scan } from "./scanner.js";
import { drawVariety, typicalVariety, withoutContrast } from "./variety.js";

/** A synthetic patient. Not a person's data, and no substitute for any: research use only. */
export interface PhantomPatient {
  /** "phantom_001" for index 0. */
  readonly id: string;
  /** HU. */
  readonly image: Volume<Int16Array<ArrayBuffer>>;
  /** HU of the scan without contrast medium, on the same grid; null where none was asked for. */
  readonly plain: Volume<Int16Array<ArrayBuffer>> | null;
  /** 1 in lymph nodes, hilum and necrosis included; 0 elsewhere. */
  readonly label: Volume<Uint8Array<ArrayBuffer>>;
  /** Number of the node, 0 outside; numbers are the nodes' `id`. */
  readonly instances: Volume<Uint8Array<ArrayBuffer>>;
  /**
   * Organs, numbered from 101 in the order in which they are painted (spinal canal, glands, thyroid and great vessels), without
   * the nodes in them; null where none were asked for.
   */
  readonly organs: Volume<Uint8Array<ArrayBuffer>> | null;
  readonly nodes: readonly PhantomNode[];
}

/**
 * Generates the patient with an index. Bit-identical every time, and independent of how many other patients are made.
 * @param seed Any integer; another seed is another cohort.
 * @param index Position in the cohort, from 0.
 * @throws InputError for options that cannot be used.
 */
export function generatePatient(
  seed: number,
  index: number,
  options: Partial<PhantomOptions> = {},
): PhantomPatient {
  const all = phantomOptions(options);
  const { anatomy, shapes, geometry, anatomyOriginMm } = plan(seed, index, all);
  const variety =
    all.variety === "wide" ? drawVariety(seed, index, anatomy, shapes) : typicalVariety(anatomy, shapes);
  const { hu, instances, organs } = render(seed, index, variety, geometry, anatomyOriginMm, all.organs);
  const image = scan(seed, index, hu, geometry, all, variety, anatomyOriginMm);
  const plainScan = (): Volume<Int16Array<ArrayBuffer>> => {
    const plain = withoutContrast(seed, index, variety);
    const { hu } = render(seed, index, plain, geometry, anatomyOriginMm);
    return { ...geometry, data: scan(seed, index, hu, geometry, all, plain, anatomyOriginMm, "plain noise") };
  };
  return {
    id: phantomId(index),
    image: { ...geometry, data: image },
    plain: all.plain ? plainScan() : null,
    label: { ...geometry, data: binary(instances) },
    instances: { ...geometry, data: instances },
    organs: organs && { ...geometry, data: organs },
    nodes: shapes.map((shape) => shape.node),
  };
}

/** The nodes {@link generatePatient} would draw, without rendering: milliseconds, for statistics of large cohorts. */
export function phantomNodes(
  seed: number,
  index: number,
  options: Partial<PhantomOptions> = {},
): readonly PhantomNode[] {
  return plan(seed, index, phantomOptions(options)).shapes.map((shape) => shape.node);
}

/** The name of the patient of an index: "phantom_001" for 0. */
export function phantomId(index: number): string {
  return `phantom_${String(index + 1).padStart(3, "0")}`;
}

function binary(instances: Uint8Array): Uint8Array<ArrayBuffer> {
  const label = new Uint8Array(instances.length);
  for (let n = 0; n < label.length; n++) if (instances[n] !== 0) label[n] = 1;
  return label;
}

function plan(seed: number, index: number, options: PhantomOptions) {
  const anatomy = drawAnatomy(seed, index);
  const { geometry, anatomyOriginMm } = drawGrid(seed, index, options);
  const shapes = drawNodes(seed, index, anatomy, geometry, anatomyOriginMm);
  return { anatomy, shapes, geometry, anatomyOriginMm };
}
