// Writes pictures as DICOM images, for stations that show no segmentations.
import { dateAndTime, derivedModules, referencesToFiles, shortened, subjectOf } from "./derived-object.js";
import { encodeFile, explicitLittleEndian } from "./encode.js";
import type { SourceSeries, WritingContext } from "./source-series.js";

/** An RGB picture: `data[3 * (column + width * row) + channel]`, row 0 on top. */
export interface ColourPicture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** What it shows, in a few words. */
  readonly title: string;
}

const secondaryCaptureStorage = "1.2.840.10008.5.1.4.1.1.7";

/**
 * Secondary captures (PS3.3, A.8.1), one for each picture, as one series in the study of the source. They refer to the
 * images of the source, and state that text is burnt in.
 *
 * @param pictures at most 65,535 pixels wide and high
 * @throws RangeError where a picture's data does not fill it, or a side is too long
 */
export function writeSecondaryCaptures(
  pictures: readonly ColourPicture[],
  source: SourceSeries,
  context: WritingContext,
): Uint8Array[] {
  const {
    FrameOfReferenceUID: _frame,
    PositionReferenceIndicator: _indicator,
    ...modules
  } = derivedModules(source, context, {
    modality: "OT",
    sopClassUid: secondaryCaptureStorage,
    seriesNumber: 9103,
    seriesDescription: `${subjectOf(context).title} (pictures)`,
  });
  const { date, time } = dateAndTime(context.now);
  return pictures.map(({ width, height, data, title }, n) => {
    if (data.length !== 3 * width * height || Math.max(width, height) > 0xffff)
      throw new RangeError(
        `A picture of ${width} × ${height} pixels with ${data.length} bytes cannot be written.`,
      );
    return encodeFile(
      {
        ...modules,
        SOPInstanceUID: n === 0 ? modules.SOPInstanceUID : context.newUid(),
        InstanceNumber: String(n + 1),
        ImageType: ["DERIVED", "SECONDARY"],
        ConversionType: "WSD",
        ContentDate: date,
        ContentTime: time,
        Laterality: "",
        PatientOrientation: "",
        DerivationDescription: shortened(title, 1024),
        SourceImageSequence: referencesToFiles(source.instances),
        BurnedInAnnotation: "YES",
        SamplesPerPixel: 3,
        PhotometricInterpretation: "RGB",
        PlanarConfiguration: 0,
        Rows: height,
        Columns: width,
        BitsAllocated: 8,
        BitsStored: 8,
        HighBit: 7,
        PixelRepresentation: 0,
        PixelData: data,
      },
      explicitLittleEndian,
    );
  });
}
