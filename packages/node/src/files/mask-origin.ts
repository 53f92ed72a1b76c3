// What the values of a mask mean, as the manifest beside it says, which predict writes with every result.
import { basename, dirname, join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { z } from "zod";
import { isFile, readJson } from "./disk.js";

/** Endings of mask files. */
export const maskFormats = ["nii.gz", "nrrd"] as const;

/** A class and the value that is written for it. */
export const writtenClassSchema = z.object({ name: z.string(), value: z.number() });
type WrittenClass = Readonly<z.infer<typeof writtenClassSchema>>;

/** What a mask holds that predict wrote. */
export interface MaskOrigin {
  /** Whether its values are the numbers of nodes. */
  readonly isNumbered: boolean;
  /** Null where there is one class. */
  readonly classes: readonly WrittenClass[] | null;
}

/** A result that a mask may belong to, by its name. */
interface NamedResult {
  readonly folder: string;
  readonly id: string;
  /** Whether it is the file of node numbers beside the mask. */
  readonly hasNumbers: boolean;
}

/** The results that a file may be the mask of, by its name alone. */
export const resultsOfName = (path: string): NamedResult[] =>
  maskFormats.flatMap((format) =>
    [`.nodes.${format}`, `.${format}`].flatMap((ending, at) =>
      path.endsWith(ending)
        ? { folder: dirname(path), id: basename(path).slice(0, -ending.length), hasNumbers: at === 0 }
        : [],
    ),
  );

/** What a mask holds; null where predict did not write it. */
export async function originOfMask(path: string): Promise<MaskOrigin | null> {
  for (const { folder, id, hasNumbers } of resultsOfName(path)) {
    const manifest = await manifestAt(join(folder, `${id}.json`));
    if (manifest === null || !(basename(path) in manifest.files)) continue;
    return { isNumbered: hasNumbers || manifest.form.numbered, classes: manifest.classes ?? null };
  }
  return null;
}

/** The file of node numbers that predict wrote beside a mask, which tells touching nodes apart; null where there is none. */
export async function numbersBeside(maskPath: string): Promise<string | null> {
  const numbers = maskFormats.flatMap((format) =>
    maskPath.endsWith(`.${format}`) ? `${maskPath.slice(0, -format.length)}nodes.${format}` : [],
  );
  for (const path of numbers) if ((await isFile(path)) && (await originOfMask(path)) !== null) return path;
  return null;
}

/** The classes whose values a mask holds; none where it holds one class, or numbers of nodes, or is not known. */
export async function classesOfMask(path: string): Promise<readonly WrittenClass[]> {
  const origin = await originOfMask(path);
  return origin === null || origin.isNumbered ? [] : (origin.classes ?? []);
}

/** What concerns masks in a manifest; null where there is none. */
async function manifestAt(path: string): Promise<z.infer<typeof manifestSchema> | null> {
  if (!(await isFile(path))) return null;
  return readJson(path, manifestSchema).catch((error: unknown) => {
    // A JSON file of another program.
    if (error instanceof InputError) return null;
    throw error;
  });
}

const manifestSchema = z.object({
  kind: z.literal("lnsnet-segmentation"),
  form: z.object({ numbered: z.boolean() }),
  classes: z.array(writtenClassSchema).optional(),
  files: z.record(z.string(), z.unknown()),
});
