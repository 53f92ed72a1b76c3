// The smallest data set on which a network learns something: soft tissue with one brighter box.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import type { Volume } from "@lnsnet/core/volume";

export const boxGeometry = {
  size: [24, 20, 18],
  spacingMm: [1, 1, 1.5],
  originMm: [-30, 12, 100],
  direction: [0, -1, 0, 1, 0, 0, 0, 0, -1],
} as const;

export interface BoxPatient {
  readonly image: Volume<Int16Array>;
  readonly label: Volume<Uint8Array>;
}

/** Soft tissue with a brighter box at a place of its own, and the box. */
export function boxPatient(number: number): BoxPatient {
  const [nx, ny, nz] = boxGeometry.size;
  const image = new Int16Array(nx * ny * nz);
  const label = new Uint8Array(image.length);
  const at = [4 + 3 * (number % 4), 5 + 2 * (number % 3), 4 + (number % 5)];
  for (let n = 0; n < image.length; n++) {
    const index = [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))];
    const inside = index.every((i, axis) => i >= at[axis] && i < at[axis] + 6);
    label[n] = inside ? 1 : 0;
    image[n] = (inside ? 120 : -40) + 30 * Math.sin(n * 1.7 + number);
  }
  return { image: { ...boxGeometry, data: image }, label: { ...boxGeometry, data: label } };
}

/** Writes patients in nnU-Net's layout, called `box_0` and on; those of the test set are numbered on. */
export async function writeBoxes(
  folder: string,
  training: readonly BoxPatient[],
  test: readonly BoxPatient[] = [],
): Promise<void> {
  const subsets = [
    ...training.map((patient) => ({ patient, subset: "Tr" })),
    ...test.map((patient) => ({ patient, subset: "Ts" })),
  ];
  for (const part of ["imagesTr", "labelsTr", "imagesTs", "labelsTs"])
    await mkdir(join(folder, part), { recursive: true });
  const description = { name: "boxes", labels: { background: 0, box: 1 }, channel_names: { 0: "CT" } };
  await writeFile(join(folder, "dataset.json"), JSON.stringify(description));
  for (const [number, { patient, subset }] of subsets.entries()) {
    await writeFile(join(folder, `images${subset}/box_${number}_0000.nii.gz`), writeNifti(patient.image));
    await writeFile(join(folder, `labels${subset}/box_${number}.nii.gz`), writeNifti(patient.label));
  }
}
