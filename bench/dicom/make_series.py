"""Makes a regular CT series of 512 × 512 × 300 out of the slices of another one, repeated: for timing, not for looking at.

    python3 make_series.py SOURCE_FOLDER OUTPUT_FOLDER [SLICES]

Needs pydicom. Compress copies of it with dcmtk or GDCM, such as `dcmcjpeg +e1` or `gdcmconv --j2k`, file by file.
"""

import pathlib
import sys

import pydicom
from pydicom.uid import generate_uid

source, target = (pathlib.Path(argument) for argument in sys.argv[1:3])
slices = int(sys.argv[3]) if len(sys.argv) > 3 else 300
target.mkdir(parents=True, exist_ok=True)
originals = sorted(source.glob("*.dcm"))
series, study, frame = generate_uid(), generate_uid(), generate_uid()
for number in range(slices):
    dataset = pydicom.dcmread(originals[number % len(originals)])
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SeriesInstanceUID, dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = series, study, frame
    dataset.InstanceNumber = str(number + 1)
    dataset.ImagePositionPatient = ["-125", "-125", str(number * 1.25)]
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.save_as(target / f"{number + 1:04}.dcm")
