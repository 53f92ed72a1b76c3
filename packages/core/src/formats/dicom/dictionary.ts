// The DICOM attributes that the project reads: keyword, tag and value representation of PS3.6.

/** An attribute by its keyword in PS3.6. */
export type Attribute = keyof typeof dictionary;

/** Tag (as `xGGGGEEEE`, hexadecimal) and value representation, which an implicit VR file does not state. */
export const dictionary = {
  TransferSyntaxUID: ["x00020010", "UI"],
  SpecificCharacterSet: ["x00080005", "CS"],
  ImageType: ["x00080008", "CS"],
  SOPClassUID: ["x00080016", "UI"],
  SOPInstanceUID: ["x00080018", "UI"],
  StudyDate: ["x00080020", "DA"],
  StudyTime: ["x00080030", "TM"],
  AccessionNumber: ["x00080050", "SH"],
  Modality: ["x00080060", "CS"],
  Manufacturer: ["x00080070", "LO"],
  ReferringPhysicianName: ["x00080090", "PN"],
  StudyDescription: ["x00081030", "LO"],
  SeriesDescription: ["x0008103e", "LO"],
  PatientName: ["x00100010", "PN"],
  PatientID: ["x00100020", "LO"],
  PatientBirthDate: ["x00100030", "DA"],
  PatientSex: ["x00100040", "CS"],
  GantryDetectorTilt: ["x00181120", "DS"],
  StudyInstanceUID: ["x0020000d", "UI"],
  SeriesInstanceUID: ["x0020000e", "UI"],
  StudyID: ["x00200010", "SH"],
  SeriesNumber: ["x00200011", "IS"],
  InstanceNumber: ["x00200013", "IS"],
  ImagePositionPatient: ["x00200032", "DS"],
  ImageOrientationPatient: ["x00200037", "DS"],
  FrameOfReferenceUID: ["x00200052", "UI"],
  PlanePositionSequence: ["x00209113", "SQ"],
  PlaneOrientationSequence: ["x00209116", "SQ"],
  FrameType: ["x00089007", "CS"],
  CTImageFrameTypeSequence: ["x00189329", "SQ"],
  SamplesPerPixel: ["x00280002", "US"],
  PhotometricInterpretation: ["x00280004", "CS"],
  PlanarConfiguration: ["x00280006", "US"],
  NumberOfFrames: ["x00280008", "IS"],
  Rows: ["x00280010", "US"],
  Columns: ["x00280011", "US"],
  PixelSpacing: ["x00280030", "DS"],
  BitsAllocated: ["x00280100", "US"],
  BitsStored: ["x00280101", "US"],
  HighBit: ["x00280102", "US"],
  PixelRepresentation: ["x00280103", "US"],
  RescaleIntercept: ["x00281052", "DS"],
  RescaleSlope: ["x00281053", "DS"],
  PixelMeasuresSequence: ["x00289110", "SQ"],
  PixelValueTransformationSequence: ["x00289145", "SQ"],
  SharedFunctionalGroupsSequence: ["x52009229", "SQ"],
  PerFrameFunctionalGroupsSequence: ["x52009230", "SQ"],
  ExtendedOffsetTable: ["x7fe00001", "OV"],
  ExtendedOffsetTableLengths: ["x7fe00002", "OV"],
  PixelData: ["x7fe00010", "OW"],
} as const satisfies Record<string, readonly [tag: `x${string}`, vr: string]>;

const representations = new Map<string, string>(Object.values(dictionary));

/** The value representation of a tag where the project knows it. */
export function representationOf(tag: string): string | undefined {
  return representations.get(tag);
}
