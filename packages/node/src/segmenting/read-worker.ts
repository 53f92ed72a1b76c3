// Worker thread: reads one scan, so that the next one is loaded while a network computes on the one before.
import { requireCt } from "@lnsnet/core/voxels";
import { type ReadImage, readImage } from "../files/imaging.js";
import { type Outcome, outcomeOf } from "../work/outcome.js";

export interface ReadTask {
  readonly path: string;
  /** Which series or volume, if there are several at the path. */
  readonly wanted?: string;
}

/** The scan of a path, which must be a CT. */
export function run({ path, wanted }: ReadTask): Promise<Outcome<ReadImage>> {
  return outcomeOf(async () => {
    const image = await readImage(path, wanted);
    requireCt(image.volume, path);
    return image;
  });
}
