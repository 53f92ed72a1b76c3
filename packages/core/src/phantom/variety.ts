// Draws differences between CT scans beyond the anatomy: contrast medium, calcium, metal, fixation, poor image quality.
import type { Vector3 } from "../volume/volume.js";
import type { Anatomy } from "./anatomy.js";
import type { NodeShape } from "./nodes.js";
import { type RandomStream, randomStream } from "./random.js";
import { type Appearance, type BlobCell, roundBlob, type Solid, solidOf, type Tissue } from "./shapes.js";

/** How a patient differs from a typical one. Positions are in mm of the anatomy. */
export interface Variety {
  /** The anatomy as this patient has it. */
  readonly anatomy: Anatomy;
  readonly nodes: readonly NodeShape[];
  /** Solids outside the skin: table and bolus. */
  readonly outside: readonly Solid[];
  /** A mask of plastic over the skin: its distance and thickness; null without one. */
  readonly mask: { readonly gapMm: number; readonly thicknessMm: number; readonly hu: number } | null;
  /** Positions of metal in teeth that causes streaks, and their strength; null for the scanner's own choice. */
  readonly metal: readonly { readonly placeMm: Vector3; readonly streakHu: number | null }[];
  /** Factor on the noise of the scan. */
  readonly noise: number;
  /** Factor on noise and streaks at the height of the shoulders. */
  readonly shoulders: number;
  /** By how much the shoulders darken what lies between them. */
  readonly beamHardeningHu: number;
}

/** The patient as the anatomy draws it, scanned well. */
export function typicalVariety(anatomy: Anatomy, nodes: readonly NodeShape[]): Variety {
  const { fillingMm } = anatomy;
  return {
    anatomy,
    nodes,
    outside: [],
    mask: null,
    metal: fillingMm === null ? [] : [{ placeMm: fillingMm, streakHu: null }],
    noise: 1,
    shoulders: 1,
    beamHardeningHu: 0,
  };
}

/**
 * Draws how a patient and its scan differ from the typical ones: HU of tissues over the whole range that they have,
 * plain and enhanced; calcified larynx, dense and sparse bone, air cells of the skull base; metal in teeth; mask, table
 * and bolus; noise and beam hardening at the shoulders. A network trained with all of these should not mistake any of them
 * for a node (domain randomisation: Tobin et al. 2017). Ranges are this project's choice.
 */
export function drawVariety(
  seed: number,
  index: number,
  anatomy: Anatomy,
  nodes: readonly NodeShape[],
): Variety {
  const random = randomStream(seed, index, "variety");
  const isEnhanced = random.chance(0.6);
  const muscleHu = random.uniform(35, 75);
  const appearanceOf = tissueRules(random, muscleHu, isEnhanced);
  const metal = drawMetal(random, anatomy);
  const nodeShift = muscleHu + (isEnhanced ? random.uniform(8, 55) : random.uniform(-5, 20));
  const meanNodeHu = nodes.reduce((sum, { hu }) => sum + hu / nodes.length, 0);
  return {
    anatomy: {
      ...anatomy,
      solids: [
        ...skullBase(random, anatomy),
        ...anatomy.solids.map((solid) => ({ ...solid, appearance: appearanceOf(solid.appearance) })),
        ...metal.map(({ solid }) => solid),
      ],
      fatHu: random.uniform(-122, -78),
      skinHu: random.uniform(-20, 80),
    },
    nodes: nodes.map((node) => withHu(node, node.hu - meanNodeHu + nodeShift, muscleHu)),
    outside: [...table(random), ...bolus(random, anatomy)],
    mask: random.chance(0.4)
      ? {
          gapMm: random.uniform(0, 3),
          thicknessMm: random.uniform(1, 3.5),
          hu: random.uniform(-300, 150),
        }
      : null,
    metal: metal.map(({ placeMm, streakHu }) => ({ placeMm, streakHu })),
    noise: Math.exp(random.uniform(Math.log(0.4), Math.log(2.2))),
    shoulders: random.uniform(0.5, 4),
    beamHardeningHu: random.chance(0.5) ? random.uniform(5, 60) : 0,
  };
}

/** Tissues that take up contrast medium, as nodes do. */
const enhancedTissues: ReadonlySet<Tissue> = new Set<Tissue>([
  "carotid artery",
  "jugular vein",
  "thin vessel",
  "thyroid",
  "mucosa",
  "gland",
]);

/**
 * The same patient before contrast medium is given: vessels, thyroid, mucosa, glands and nodes have the HU that they have in plain
 * CT, and never more than with the medium. All else is as it was. Ranges are this project's choice.
 */
export function withoutContrast(seed: number, index: number, variety: Variety): Variety {
  const random = randomStream(seed, index, "plain");
  const { anatomy, nodes } = variety;
  const muscles = anatomy.solids.filter(({ appearance }) => appearance.tissue === "muscle");
  const muscleHu = muscles.reduce((sum, { appearance }) => sum + appearance.hu / muscles.length, 0);
  const plainOf = tissueRules(random, muscleHu, false);
  const solids = anatomy.solids.map((solid) => {
    const { appearance } = solid;
    if (!enhancedTissues.has(appearance.tissue)) return solid;
    return { ...solid, appearance: { ...appearance, hu: Math.min(appearance.hu, plainOf(appearance).hu) } };
  });
  const meanNodeHu = nodes.reduce((sum, { hu }) => sum + hu / nodes.length, 0);
  const shift = Math.min(0, muscleHu + random.uniform(-5, 20) - meanNodeHu);
  return {
    ...variety,
    anatomy: { ...anatomy, solids },
    nodes: nodes.map((node) => withHu(node, node.hu + shift, muscleHu)),
  };
}

/** A node's core keeps its difference to muscle; its shape is untouched. */
function withHu(node: NodeShape, hu: number, muscleHu: number): NodeShape {
  const { core } = node;
  if (core === null) return { ...node, hu };
  const isFat = core.hu < 0;
  return { ...node, hu, core: { ...core, hu: isFat ? core.hu : Math.min(hu - 15, muscleHu - 25) } };
}

/** HU of each tissue, drawn once a patient; a solid's own deviation from the usual stays small. */
function tissueRules(
  random: RandomStream,
  muscleHu: number,
  isEnhanced: boolean,
): (appearance: Appearance) => Appearance {
  const range = (low: number, high: number) => random.uniform(low, high);
  const vesselHu = isEnhanced ? range(90, 340) : range(30, 52);
  const marrowHu = range(50, 330);
  const corticalHu = range(330, 1200);
  const cartilage = { hu: range(60, 420), shellHu: range(100, 900), shellFrom: range(0.3, 0.95) };
  const rules: Readonly<Record<Tissue, (a: Appearance) => Partial<Appearance>>> = {
    airway: () => ({}),
    muscle: () => ({ hu: muscleHu + random.normal(0, 4), textureHu: range(4, 14) }),
    gland: (a) => ({
      hu: a.hu < 50 ? range(-45, 45) : range(20, isEnhanced ? 125 : 70),
      textureHu: range(8, 34),
    }),
    thyroid: () => ({ hu: isEnhanced ? range(95, 230) : range(60, 130) }),
    mucosa: () => ({ hu: muscleHu + range(-5, isEnhanced ? 60 : 15) }),
    "carotid artery": () => ({ hu: vesselHu + random.normal(0, 8) }),
    "jugular vein": () => ({ hu: vesselHu * range(0.7, 1.05) }),
    "thin vessel": () => ({ hu: vesselHu * range(0.6, 1) }),
    disc: () => ({ hu: range(55, 125) }),
    "spinal canal": () => ({ hu: range(5, 55) }),
    cartilage: () => ({ ...cartilage, textureHu: range(20, 90) }),
    // Teeth stay as hard as they are; everything else is a shell about marrow.
    bone: (a) =>
      a.hu > 1500
        ? { hu: range(1200, 2600) }
        : {
            hu: marrowHu * range(0.7, 1.3),
            shellHu: corticalHu * range(0.8, 1.2),
            shellFrom: range(0.35, 0.75),
            textureHu: range(20, 80),
          },
  };
  return (appearance) => ({ ...appearance, ...rules[appearance.tissue](appearance) });
}

interface Metal {
  readonly solid: Solid;
  readonly placeMm: Vector3;
  readonly streakHu: number;
}

/** Fillings and crowns in some teeth. */
function drawMetal(random: RandomStream, { solids }: Anatomy): Metal[] {
  const teeth = solids.filter(({ appearance }) => appearance.tissue === "bone" && appearance.hu > 1500);
  const count = random.chance(0.55) ? 1 + random.weighted([3, 2, 1, 1]) : 0;
  return Array.from({ length: count }, () => {
    const { cells } = teeth[Math.floor(random.uniform(0, teeth.length))];
    const cell = cells[0] as BlobCell;
    const [a, b, c] = cell.semiAxesMm;
    const size = random.uniform(0.5, 1.05);
    const crown = { ...cell, semiAxesMm: [a * size, b * size, c * size * 0.7] } as BlobCell;
    const hu = random.uniform(2600, 6000);
    return {
      solid: solidOf({ tissue: "bone", hu }, [crown]),
      placeMm: cell.centre,
      streakHu: Math.exp(random.uniform(Math.log(40), Math.log(500))),
    };
  });
}

/** The floor of the skull and, beside it, bone full of air cells. They come first: what the neck has lies over them. */
function skullBase(random: RandomStream, { place }: Anatomy): Solid[] {
  const hu = random.uniform(500, 1300);
  const lowestMm = random.uniform(48, 64);
  const vault = roundBlob(random, place([0, 20, lowestMm + 42]), [62, 72, 42]);
  const solids = [
    solidOf(
      { tissue: "bone", hu: random.uniform(25, 45), shellHu: hu, shellFrom: random.uniform(0.8, 0.9) },
      [vault],
    ),
  ];
  for (const side of [1, -1]) {
    const centre: Vector3 = [side * random.uniform(44, 52), random.uniform(14, 24), lowestMm + 4];
    solids.push(
      solidOf({ tissue: "bone", hu: hu * random.uniform(0.5, 1), textureHu: 120 }, [
        roundBlob(random, place(centre), [11, 13, 16]),
      ]),
    );
    const cells = Array.from({ length: 10 + random.weighted(new Array(25).fill(1)) }, () => {
      const radius = random.uniform(0.8, 2.8);
      const at: Vector3 = [
        centre[0] + random.normal(0, 4.5),
        centre[1] + random.normal(0, 5.5),
        centre[2] + random.normal(0, 7),
      ];
      return roundBlob(random, place(at), [radius, radius * random.uniform(0.7, 1.3), radius]);
    });
    // Some are filled, as in inflammation.
    solids.push(solidOf({ tissue: "airway", hu: random.chance(0.8) ? -950 : random.uniform(0, 40) }, cells));
  }
  return solids;
}

function table(random: RandomStream): Solid[] {
  if (!random.chance(0.5)) return [];
  const y = random.uniform(60, 72);
  const board: BlobCell = {
    ...roundBlob(random, [0, y + 8, 0], [240, random.uniform(4, 9), 240]),
    squared: true,
    roughness: 0,
  };
  const hu = random.chance(0.5) ? random.uniform(-900, -600) : random.uniform(-250, 60);
  return [
    solidOf(
      { tissue: "muscle", hu, shellHu: random.uniform(-200, 300), shellFrom: random.uniform(0.8, 0.95) },
      [board],
    ),
  ];
}

/** A pad on the skin. */
function bolus(random: RandomStream, { place }: Anatomy): Solid[] {
  if (!random.chance(0.2)) return [];
  const side = random.chance(0.5) ? 1 : -1;
  const centre: Vector3 = [side * random.uniform(45, 66), random.uniform(-30, 20), random.uniform(-40, 40)];
  return [
    solidOf({ tissue: "muscle", hu: random.uniform(-40, 60) }, [
      roundBlob(random, place(centre), [
        random.uniform(10, 22),
        random.uniform(20, 40),
        random.uniform(20, 45),
      ]),
    ]),
  ];
}
