// Draws the neck of a phantom patient as solids in LPS millimetres, without its lymph nodes.

import { cross, scale, unit } from "../volume/vector.js";
import type { Vector3 } from "../volume/volume.js";
import { type RandomStream, randomStream } from "./random.js";
import {
  type Appearance,
  type BlobCell,
  type Cell,
  roundBlob,
  type Solid,
  solidOf,
  type TubePoint,
  tubeCells,
} from "./shapes.js";

/** A neck. Coordinates are LPS mm with the larynx near (0, −24, −15). */
export interface Anatomy {
  /** In the order of painting: later solids cover earlier ones. */
  readonly solids: readonly Solid[];
  /** Internal jugular veins, [left, right]: nodes follow them. */
  readonly jugulars: readonly [Solid, Solid];
  /** Depth below the skin's outer surface in mm, along the ray to the neck's middle line; negative outside. */
  readonly depthMm: (x: number, y: number, z: number) => number;
  /** Maps a point of the average neck to this patient. */
  readonly place: (point: Vector3) => Vector3;
  readonly skinMm: number;
  readonly skinHu: number;
  readonly fatHu: number;
  /** Where the streaks of a dental filling start; null for patients without one. */
  readonly fillingMm: Vector3 | null;
}

/** Draws a patient's neck. Sizes and attenuations are this project's choice after anatomy atlases and typical contrast CT. */
export function drawAnatomy(seed: number, index: number): Anatomy {
  const random = randomStream(seed, index, "anatomy");
  const place = drawPlacement(random);
  const builder = new NeckBuilder(random, place);
  const neck = builder.build();
  return {
    ...neck,
    place,
    depthMm: drawOutline(random, place),
    skinMm: random.uniform(1.6, 2.4),
    skinHu: random.uniform(35, 65),
    fatHu: random.uniform(-110, -92),
  };
}

type Placement = (point: Vector3) => Vector3;

// Scale and a slight bend: the displacement depends only on height, so that organs keep their relations within a slice.
function drawPlacement(random: RandomStream): Placement {
  const [sx, sy, sz] = [random.uniform(0.92, 1.08), random.uniform(0.93, 1.06), random.uniform(0.94, 1.07)];
  const [swayX, swayY] = [random.normal(0, 1.6), random.normal(0, 1.6)];
  const [phaseX, phaseY] = [random.uniform(0, 6.28), random.uniform(0, 6.28)];
  const [leanX, leanY] = [random.normal(0, 0.03), random.normal(0, 0.03)];
  return ([x, y, z]) => [
    sx * x + swayX * Math.sin(z / 28 + phaseX) + leanX * z,
    sy * y + swayY * Math.sin(z / 32 + phaseY) + leanY * z,
    sz * z,
  ];
}

// Height, half-width, reach to the front, reach to the back (mm) of the average neck's skin.
const outlineRows: readonly (readonly [number, number, number, number])[] = [
  [-80, 104, 52, 66],
  [-60, 88, 47, 63],
  [-45, 70, 46, 59],
  [-30, 61, 47, 57],
  [-10, 58, 50, 57],
  [5, 59, 57, 57],
  [16, 61, 63, 58],
  [34, 63, 66, 60],
  [80, 65, 68, 63],
];

function drawOutline(random: RandomStream, place: Placement): Anatomy["depthMm"] {
  const fatness = random.uniform(-2, 3.5);
  const [ripple, ripplePhase] = [random.uniform(0.5, 1.6), random.uniform(0, 6.28)];
  const stepMm = 0.5;
  const lowZ = -90;
  const count = 361;
  // Per height: centre x, centre y, half-width, front, back. The outline is read millions of times.
  const table = new Float64Array(count * 5);
  const origin = place([0, 0, 0]);
  const zScale = place([0, 0, 1])[2] - origin[2];
  for (let n = 0; n < count; n++) {
    const zMm = lowZ + n * stepMm;
    const z = zMm / zScale;
    let row = 0;
    while (row < outlineRows.length - 2 && (outlineRows[row + 1] as readonly number[])[0] < z) row++;
    const a = outlineRows[row] as (typeof outlineRows)[number];
    const b = outlineRows[row + 1] as (typeof outlineRows)[number];
    const t = Math.min(1, Math.max(0, (z - a[0]) / (b[0] - a[0])));
    const smooth = t * t * (3 - 2 * t);
    const middle = place([0, 0, z]);
    const value = (k: 1 | 2 | 3): number => a[k] + (b[k] - a[k]) * smooth + fatness;
    table[n * 5] = middle[0];
    table[n * 5 + 1] = middle[1];
    table[n * 5 + 2] = place([value(1), 0, z])[0] - middle[0];
    table[n * 5 + 3] = middle[1] - place([0, -value(2), z])[1];
    table[n * 5 + 4] = place([0, value(3), z])[1] - middle[1];
  }
  return (x, y, z) => {
    const position = Math.min(count - 2, Math.max(0, (z - lowZ) / stepMm));
    const n = Math.floor(position);
    const t = position - n;
    const at = (k: number): number => table[n * 5 + k] * (1 - t) + table[n * 5 + 5 + k] * t;
    const dx = x - at(0);
    const dy = y - at(1);
    const u = dx / at(2);
    const v = dy < 0 ? dy / at(3) : dy / at(4);
    const rho = Math.sqrt(dx * dx + dy * dy);
    if (rho < 1e-6) return at(2);
    // Exponent 2.5 is a little squarer than an ellipse, as necks are; square roots are cheaper than powers.
    const form = (u * u * Math.sqrt(Math.abs(u)) + v * v * Math.sqrt(Math.abs(v))) ** 0.4;
    return rho / form + ripple * Math.sin((3 * dx) / rho + (2 * dy) / rho + ripplePhase) - rho;
  };
}

class NeckBuilder {
  readonly #random: RandomStream;
  readonly #place: Placement;
  readonly #solids: Solid[] = [];
  readonly #muscleHu: number;

  constructor(random: RandomStream, place: Placement) {
    this.#random = random;
    this.#place = place;
    this.#muscleHu = random.uniform(55, 65);
  }

  build(): Pick<Anatomy, "solids" | "jugulars" | "fillingMm"> {
    this.#muscles();
    this.#spine();
    this.#glands();
    this.#larynxAndPharynx();
    const fillingMm = this.#jaw();
    this.#thinVessels();
    const jugulars = this.#greatVessels();
    return { solids: this.#solids, jugulars, fillingMm };
  }

  #tube(appearance: Appearance, points: readonly TubePoint[], jitterMm = 0.8): Solid {
    const random = this.#random;
    const size = random.uniform(0.92, 1.1);
    const placed = points.map(([x, y, z, wide, thick]): TubePoint => {
      const [px, py, pz] = this.#place([
        x + random.normal(0, jitterMm),
        y + random.normal(0, jitterMm),
        z + random.normal(0, jitterMm),
      ]);
      return [
        px,
        py,
        pz,
        wide * size * random.uniform(0.94, 1.06),
        thick * size * random.uniform(0.94, 1.06),
      ];
    });
    const [ax, ay] = this.#place([0, 4, 0]);
    return this.#add(appearance, tubeCells(placed, [ax, ay]));
  }

  #blob(appearance: Appearance, centre: Vector3, semiAxesMm: Vector3, shape: Partial<BlobCell> = {}): Solid {
    const random = this.#random;
    const size = random.uniform(0.93, 1.08);
    const placed = this.#place([
      centre[0] + random.normal(0, 0.8),
      centre[1] + random.normal(0, 0.8),
      centre[2] + random.normal(0, 1),
    ]);
    const blob = roundBlob(random, placed, scale(semiAxesMm, size));
    return this.#add(appearance, [{ ...blob, ...shape }]);
  }

  #add(appearance: Appearance, cells: readonly Cell[]): Solid {
    const solid = solidOf(appearance, cells);
    this.#solids.push(solid);
    return solid;
  }

  #muscle(): Appearance {
    return { tissue: "muscle", hu: this.#muscleHu + this.#random.normal(0, 2), textureHu: 7 };
  }

  #muscles(): void {
    for (const s of [1, -1]) {
      // Back to front and deep to superficial; fat shows in the seams between them.
      const muscles: readonly (readonly TubePoint[])[] = [
        // Semispinalis.
        [
          [s * 11, 41, 70, 11, 8.5],
          [s * 11.5, 42, 0, 11, 9],
          [s * 12, 43, -70, 11, 8.5],
        ],
        // Splenius.
        [
          [s * 29, 36, 70, 10, 8],
          [s * 30, 37, 0, 10, 8],
          [s * 32, 38, -70, 10, 7.5],
        ],
        // Multifidus.
        [
          [s * 18, 29, 70, 10.5, 5.5],
          [s * 18, 29, 0, 10.5, 5.5],
          [s * 18, 30, -70, 10.5, 5.5],
        ],
        // Trapezius.
        [
          [s * 16, 52, 60, 13, 2.4],
          [s * 22, 51, 0, 20, 3.2],
          [s * 30, 50, -45, 27, 5],
          [s * 40, 50, -75, 36, 5.5],
        ],
        // Levator scapulae.
        [
          [s * 33, 21, 60, 8, 5],
          [s * 37, 23, 0, 9, 6],
          [s * 43, 29, -70, 10, 7],
        ],
        // Middle scalene.
        [
          [s * 23, 14, 12, 6, 4.5],
          [s * 26, 13, -20, 8, 6],
          [s * 31, 14, -70, 10, 8],
        ],
        // Anterior scalene.
        [
          [s * 27, 9, 10, 4, 3],
          [s * 30, 2, -30, 6.5, 4.5],
          [s * 34, -2, -70, 8, 6],
        ],
        // Longus colli.
        [
          [s * 8, 2.5, 65, 6, 3.4],
          [s * 8, 1, 0, 6.5, 3.4],
          [s * 9, 4, -65, 5.5, 3.2],
        ],
        // Sternocleidomastoid.
        [
          [s * 50, 14, 70, 11, 7],
          [s * 49, 8, 35, 14.5, 6.5],
          [s * 43, -5, 0, 15.5, 6],
          [s * 31, -22, -35, 14.5, 5.5],
          [s * 20, -33, -70, 12, 5],
        ],
        // Sternohyoid.
        [
          [s * 9, -31, 2, 6, 2.2],
          [s * 9, -40, -18, 7.5, 2.4],
          [s * 9, -39, -70, 8, 2.8],
        ],
        // Omohyoid and sternothyroid.
        [
          [s * 15, -28, 0, 5, 2],
          [s * 18, -35, -25, 6, 2.4],
          [s * 17, -34, -70, 6, 2.6],
        ],
        // Digastric, front.
        [
          [s * 8, -53, 13, 5.5, 4],
          [s * 12, -42, 7, 6, 4.5],
          [s * 17, -27, 2, 3.4, 3.2],
        ],
        // Digastric, back.
        [
          [s * 18, -26, 2, 2.8, 2.8],
          [s * 30, -10, 14, 4, 4],
          [s * 42, 8, 34, 5, 4.5],
          [s * 46, 14, 60, 6, 5],
        ],
        // Mylohyoid.
        [
          [s * 34, -16, 24, 8, 2],
          [s * 28, -35, 20, 9, 2],
          [s * 10, -50, 17, 8, 2],
        ],
      ];
      for (const points of muscles) this.#tube(this.#muscle(), points);
      // Masseter and medial pterygoid.
      this.#blob(this.#muscle(), [s * 50.5, -12, 46], [6.5, 15, 24]);
      this.#blob(this.#muscle(), [s * 35, -10, 47], [6, 11, 20]);
    }
    this.#blob({ tissue: "muscle", hu: this.#muscleHu - 4, textureHu: 14 }, [0, -30, 42], [25, 23, 25]);
    this.#blob(this.#muscle(), [0, -38, 17], [16, 15, 10]);
    this.#tube(
      this.#muscle(),
      [
        [1, -10, -22, 8, 4],
        [3, -11, -45, 8, 5],
        [5, -9, -70, 8, 5],
      ],
      0.5,
    );
  }

  #spine(): void {
    const random = this.#random;
    const trabecularHu = random.uniform(180, 280);
    const cortical = random.uniform(480, 750);
    const bone: Appearance = {
      tissue: "bone",
      hu: trabecularHu,
      shellHu: cortical,
      shellFrom: 0.62,
      textureHu: 40,
    };
    const solidBone: Appearance = { tissue: "bone", hu: cortical * 0.75, textureHu: 60 };
    const disc: Appearance = { tissue: "disc", hu: random.uniform(82, 102), textureHu: 8 };
    const pitchMm = 18;
    const startMm = random.uniform(-9, 9) - 4 * pitchMm;
    for (let level = 0; level < 9; level++) {
      const z = startMm + level * pitchMm;
      const y = 13 - 0.0016 * (z - 5) ** 2;
      this.#blob(disc, [0, y, z + pitchMm / 2], [10.5, 7.8, 4.2], { roughness: 0 });
      this.#blob(bone, [0, y, z], [11, 8.2, 7.4], { squared: true, roughness: 0 });
      for (const s of [1, -1]) {
        this.#tube(
          solidBone,
          [
            [s * 10, y + 6, z, 4, 2.6],
            [s * 12.5, y + 12, z - 1, 4.6, 3],
            [s * 8, y + 20, z - 3, 4.5, 2],
            [s * 1, y + 24, z - 4, 4.5, 2.2],
          ],
          0.4,
        );
        this.#tube(
          solidBone,
          [
            [s * 10, y + 1, z, 2.6, 2.2],
            [s * 20, y + 5, z - 2, 2.4, 2],
          ],
          0.4,
        );
      }
      this.#tube(
        solidBone,
        [
          [0, y + 23, z - 4, 3, 2.5],
          [random.normal(0, 1), y + 33, z - 9, 2.6, 2.4],
        ],
        0.4,
      );
    }
    this.#tube(
      { tissue: "spinal canal", hu: 28 },
      [
        [0, 26, 75, 10, 7],
        [0, 29, 5, 10, 6.8],
        [0, 26, -75, 10, 6.8],
      ],
      0.3,
    );
    this.#tube(
      { tissue: "spinal canal", hu: 42 },
      [
        [0, 26, 75, 6, 4.5],
        [0, 29, 5, 6, 4.2],
        [0, 26, -75, 5.6, 4],
      ],
      0.3,
    );
  }

  #glands(): void {
    const random = this.#random;
    const parotidHu = random.uniform(15, 45);
    const submandibularHu = random.uniform(68, 84);
    const thyroidHu = random.uniform(108, 140);
    for (const s of [1, -1]) {
      this.#blob({ tissue: "gland", hu: parotidHu, textureHu: 26 }, [s * 49, 1, 40], [8.5, 13, 20], {
        roughness: 0.1,
      });
      this.#blob({ tissue: "gland", hu: submandibularHu, textureHu: 18 }, [s * 29, -27, 13], [9, 14, 11], {
        roughness: 0.09,
        axes: [unit([1, -s * 0.3, 0]), unit([s * 0.3, 1, 0]), [0, 0, 1]],
      });
      this.#blob({ tissue: "thyroid", hu: thyroidHu, textureHu: 14 }, [s * 15, -22, -36], [7, 9, 19], {
        roughness: 0.07,
        axes: [unit([1, 0, s * 0.12]), [0, 1, 0], unit([-s * 0.12, 0, 1])],
      });
      this.#blob(
        { tissue: "mucosa", hu: random.uniform(86, 100), textureHu: 8 },
        [s * 15, -8, 36],
        [5, 7.5, 11],
      );
    }
    this.#tube(
      { tissue: "thyroid", hu: thyroidHu, textureHu: 10 },
      [
        [12, -31, -40, 6, 2.5],
        [0, -36, -41, 5.5, 2.4],
        [-12, -31, -40, 6, 2.5],
      ],
      0.5,
    );
  }

  #larynxAndPharynx(): void {
    const random = this.#random;
    const wallHu = random.uniform(80, 96);
    const lumen: readonly TubePoint[] = [
      [0, -6, 70, 11, 5],
      [0, -8, 40, 10, 5.5],
      [0, -11, 18, 11, 5],
      [0, -18, 0, 8, 6],
      [0, -24, -14, 4.5, 8],
      [0, -25, -22, 4, 8.5],
      [0, -24, -32, 7.5, 8],
      [0, -22, -50, 8.5, 8],
      [0, -17, -75, 8.5, 8],
    ];
    this.#tube(
      { tissue: "mucosa", hu: wallHu, textureHu: 8 },
      lumen.map(([x, y, z, wide, thick]): TubePoint => {
        const wallMm = z > 15 ? 3.6 : z > -25 ? 4 : 1.6;
        return [x, y, z, wide + wallMm, thick + wallMm * 0.75];
      }),
      0,
    );
    const cartilage: Appearance = { tissue: "cartilage", hu: random.uniform(110, 180), textureHu: 40 };
    this.#tube(
      cartilage,
      [
        [15, -19, -13, 11, 1.5],
        [10, -31, -13, 10, 1.5],
        [0, -41, -12, 8, 1.6],
        [-10, -31, -13, 10, 1.5],
        [-15, -19, -13, 11, 1.5],
      ],
      0.3,
    );
    this.#tube(
      cartilage,
      [
        [0, -12.5, -28, 9, 1.7],
        [10, -19, -28, 4, 1.5],
        [9, -30, -29, 3, 1.5],
        [0, -34, -29, 3, 1.5],
        [-9, -30, -29, 3, 1.5],
        [-10, -19, -28, 4, 1.5],
        [0, -12.5, -28, 9, 1.7],
      ],
      0.2,
    );
    this.#tube(
      { tissue: "bone", hu: 260, textureHu: 40 },
      [
        [19, -14, 7, 2, 1.6],
        [15, -26, 3, 2.6, 1.8],
        [0, -36, 1, 4, 2.6],
        [-15, -26, 3, 2.6, 1.8],
        [-19, -14, 7, 2, 1.6],
      ],
      0.4,
    );
    this.#tube({ tissue: "airway", hu: -1000 }, lumen, 0);
    // Epiglottis: a soft leaf in the lumen.
    this.#blob({ tissue: "mucosa", hu: wallHu - 10 }, [0, -17, 10], [7, 1.3, 9], {
      axes: [[1, 0, 0], unit([0, 1, 0.45]), unit([0, -0.45, 1])],
      roughness: 0,
    });
  }

  #jaw(): Vector3 | null {
    const random = this.#random;
    const bone: Appearance = {
      tissue: "bone",
      hu: 320,
      shellHu: random.uniform(1000, 1350),
      shellFrom: 0.5,
      textureHu: 60,
    };
    this.#tube(
      bone,
      [
        [43, -4, 72, 4, 8],
        [43, -4, 45, 3.6, 8.5],
        [42, -8, 30, 4, 8.5],
      ],
      0.3,
    );
    this.#tube(
      bone,
      [
        [-43, -4, 72, 4, 8],
        [-43, -4, 45, 3.6, 8.5],
        [-42, -8, 30, 4, 8.5],
      ],
      0.3,
    );
    this.#tube(
      bone,
      [
        [42, -6, 29, 9, 3.6],
        [37, -26, 26, 10, 4.2],
        [25, -44, 23, 10.5, 4.6],
        [10, -54, 22, 11, 5],
        [-10, -54, 22, 11, 5],
        [-25, -44, 23, 10.5, 4.6],
        [-37, -26, 26, 10, 4.2],
        [-42, -6, 29, 9, 3.6],
      ],
      0.3,
    );
    const teeth: Vector3[] = [];
    for (let n = -6; n <= 6; n++) {
      const angle = (n / 6) * 1.25;
      const centre: Vector3 = [34 * Math.sin(angle), -18 - 32 * Math.cos(angle), 39];
      teeth.push(this.#place(centre));
      this.#blob({ tissue: "bone", hu: 1700 }, centre, [3.9, 4.4, 8], { roughness: 0 });
    }
    return random.chance(0.6) ? (teeth[Math.floor(random.uniform(0, teeth.length))] as Vector3) : null;
  }

  #thinVessels(): void {
    const random = this.#random;
    const thin = (): Appearance => ({ tissue: "thin vessel", hu: random.uniform(100, 180) });
    const radius = (): number => random.uniform(1, 2);
    const vessel = (points: readonly Vector3[]): void => {
      const r = radius();
      this.#tube(
        thin(),
        points.map(([x, y, z]): TubePoint => [x, y, z, r, r]),
        1.6,
      );
    };
    for (const s of [1, -1]) {
      vessel([
        [s * 45, -28, 45],
        [s * 41, -32, 22],
        [s * 36, -22, 8],
        [s * 32, -8, 4],
      ]);
      vessel([
        [s * 50, 6, 60],
        [s * 52, 10, 30],
        [s * 53, 4, 0],
        [s * 48, 2, -25],
        [s * 40, 0, -60],
      ]);
      vessel([
        [s * 48, 2, 60],
        [s * 47, 3, 40],
        [s * 38, 2, 18],
        [s * 34, 0, 8],
      ]);
      vessel([
        [s * 7, -49, 2],
        [s * 8, -44, -15],
        [s * 9, -44, -35],
        [s * 14, -41, -65],
      ]);
      vessel([
        [s * 26, -12, 8],
        [s * 22, -20, -2],
        [s * 18, -26, -18],
        [s * 15, -24, -28],
      ]);
      vessel([
        [s * 28, -12, 14],
        [s * 24, -24, 16],
        [s * 16, -36, 22],
        [s * 10, -40, 34],
      ]);
      vessel([
        [s * 22, 0, -60],
        [s * 28, 2, -46],
        [s * 42, 14, -40],
        [s * 54, 28, -38],
      ]);
      vessel([
        [s * 15, 12, 70],
        [s * 15.5, 10, 0],
        [s * 16, 8, -35],
        [s * 20, 2, -65],
      ]);
      vessel([
        [s * 28, 2, 22],
        [s * 38, 16, 30],
        [s * 40, 30, 42],
        [s * 34, 44, 60],
      ]);
      vessel([
        [s * 52, 24, 10],
        [s * 50, 22, -10],
        [s * 46, 14, -30],
        [s * 38, 4, -48],
      ]);
    }
  }

  #greatVessels(): [Solid, Solid] {
    const random = this.#random;
    const arterialHu = random.uniform(160, 220);
    const venousHu = random.uniform(140, 195);
    const jugulars: Solid[] = [];
    const dominantLeft = random.chance(0.35);
    for (const s of [1, -1]) {
      const artery = (): Appearance => ({ tissue: "carotid artery", hu: arterialHu + random.normal(0, 5) });
      const common = 3.4;
      this.#tube(
        artery(),
        [
          [s * 18, -12, -75, common, common],
          [s * 23, -14, -45, common, common],
          [s * 24, -9, -15, common, common],
          [s * 25, -6, 4, common + 0.8, common + 0.6],
        ],
        1,
      );
      this.#tube(
        artery(),
        [
          [s * 25, -6, 4, 3.2, 3.2],
          [s * 28, -1, 22, 2.8, 2.8],
          [s * 27, 3, 45, 2.7, 2.7],
          [s * 26, 4, 75, 2.7, 2.7],
        ],
        0.8,
      );
      this.#tube(
        artery(),
        [
          [s * 25, -6, 4, 2.6, 2.6],
          [s * 26, -13, 18, 2.4, 2.4],
          [s * 34, -7, 38, 2.1, 2.1],
          [s * 39, -1, 60, 1.8, 1.8],
        ],
        0.8,
      );
      const size = s > 0 === dominantLeft ? random.uniform(1.05, 1.3) : random.uniform(0.75, 1);
      const vein: Appearance = { tissue: "jugular vein", hu: venousHu + random.normal(0, 7), textureHu: 10 };
      jugulars.push(
        this.#tube(
          vein,
          [
            [s * 26, -9, -75, 5.5 * size, 4.6 * size],
            [s * 33, -9, -45, 5.8 * size, 4.6 * size],
            [s * 34, -3, -12, 5.6 * size, 4.4 * size],
            [s * 35, 2, 15, 5 * size, 4.2 * size],
            [s * 33, 8, 45, 4.4 * size, 4 * size],
            [s * 31, 10, 75, 4.4 * size, 4 * size],
          ],
          1,
        ),
      );
    }
    return jugulars as [Solid, Solid];
  }
}

/** Unit axes with the first along `direction` and the others turned about it by `angle` radians. */
export function axesAlong(direction: Vector3, angle: number): readonly [Vector3, Vector3, Vector3] {
  const first = unit(direction);
  const helper: Vector3 = Math.abs(first[0]) < 0.8 ? [1, 0, 0] : [0, 1, 0];
  const p = unit(cross(first, helper));
  const q = cross(first, p);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const second: Vector3 = [c * p[0] + s * q[0], c * p[1] + s * q[1], c * p[2] + s * q[2]];
  return [first, second, cross(first, second)];
}
