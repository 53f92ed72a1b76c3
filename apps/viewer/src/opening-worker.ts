// The worker that reads files and makes the example, beside the page.
import { requireCt } from "@lnsnet/core/voxels";
import { generatePatient, InputError, readVolume, type Volume, volumeFormatOf } from "@lnsnet/web";
import { expose, transfer } from "comlink";

const opening = {
  /** A synthetic neck with lymph nodes. */
  example(): Volume {
    return moved(
      generatePatient(2026, 60, {
        inPlaneSpacingMm: [0.8, 0.8],
        sliceSpacingMm: [1.5, 1.5],
        obliqueShare: 0,
        reversedShare: 0,
      }).image,
    );
  },

  /** @throws InputError where the file is no scan */
  async open(file: File): Promise<Volume> {
    if (volumeFormatOf(file.name) === null)
      throw new InputError(`${file.name} is no volume; open a NIfTI, NRRD or MetaImage file.`);
    const scan = await readVolume(new Uint8Array(await file.arrayBuffer()), file.name);
    requireCt(scan, file.name);
    return moved(scan);
  },
};

export type Opening = typeof opening;

const moved = (scan: Volume): Volume => transfer(scan, [scan.data.buffer as ArrayBuffer]);

expose(opening);
