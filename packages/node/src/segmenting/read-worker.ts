// Worker thread: reads one scan, so that the next one is loaded while a network computes on the one before.
import { InputError } from "@lnsnet/core/errors";
import type { ReadImage } from "@lnsnet/core/formats";
import { describeGeometry, sameGeometry, type Volume } from "@lnsnet/core/volume";
import { requireCt } from "@lnsnet/core/voxels";
import { readImage, readScan } from "../files/imaging.js";
import { type Outcome, outcomeOf } from "../work/outcome.js";

export interface ReadTask {
  readonly path: string;
  /** Which series or volume, if there are several at the path. */
  readonly wanted?: string;
  /** The files of all channels but the first. */
  readonly further: readonly string[];
  /** Which channel must be a CT in HU; null for none. */
  readonly ct: number | null;
}

/** An image with all its channels, on one grid; the first is that of the image. */
export interface ReadChannels extends ReadImage {
  readonly channels: readonly Volume[];
}

/** The scan of a path, whose CT must be one. */
export function run({ path, wanted, further, ct }: ReadTask): Promise<Outcome<ReadChannels>> {
  return outcomeOf(async () => {
    const image = await readImage(path, wanted);
    const channels = [image.volume];
    for (const file of further) {
      const volume = await readScan(file);
      if (!sameGeometry(volume, image.volume))
        throw new InputError(
          `${file} (${describeGeometry(volume)}) does not have the same geometry as the first channel ${path} (${describeGeometry(image.volume)}); resample it onto that grid.`,
        );
      channels.push(volume);
    }
    if (ct !== null) requireCt(channels[ct], [path, ...further][ct]);
    return { ...image, channels };
  });
}
