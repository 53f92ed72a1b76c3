# Reads a CT series and what was drawn on it as another program does (pydicom), and prints where each object shows it, as JSON.
# The word that follows is a folder with the files of one study.
import json
import sys
from pathlib import Path

import numpy as np
import pydicom

files = [pydicom.dcmread(path) for path in sorted(Path(sys.argv[1]).iterdir())]
slices = [file for file in files if file.Modality == "CT"]
height = {round(float(file.ImagePositionPatient[2]), 3): file for file in slices}


def points_of(position, orientation, spacing, mask):
    """Positions (x, y, z) mm of the pixels of a mask (PS3.3, C.7.6.2.1.1)."""
    rows, columns = np.nonzero(mask)
    along_row, along_column = np.array(orientation[:3]), np.array(orientation[3:])
    return (
        np.array(position)
        + np.outer(columns * spacing[1], along_row)
        + np.outer(rows * spacing[0], along_column)
    )


def segments_of(seg):
    shared = seg.SharedFunctionalGroupsSequence[0]
    frames = np.atleast_3d(seg.pixel_array) if seg.NumberOfFrames > 1 else seg.pixel_array[None]
    found = {}
    for frame, groups in zip(frames, seg.PerFrameFunctionalGroupsSequence):
        number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        position = [float(value) for value in groups.PlanePositionSequence[0].ImagePositionPatient]
        orientation = [float(value) for value in shared.PlaneOrientationSequence[0].ImageOrientationPatient]
        spacing = [float(value) for value in shared.PixelMeasuresSequence[0].PixelSpacing]
        image = height[round(position[2], 3)]
        hu = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
        points, values = found.setdefault(int(number), ([], []))
        points.append(points_of(position, orientation, spacing, frame))
        values.append(hu[frame > 0])
    return [
        {
            "centroid": np.concatenate(points).mean(axis=0).tolist(),
            "voxels": int(sum(len(part) for part in points)),
            "hu": float(np.concatenate(values).mean()),
        }
        for points, values in found.values()
    ]


def rois_of(rtstruct):
    rois = []
    for roi in rtstruct.ROIContourSequence:
        contours = [np.array(contour.ContourData, float).reshape(-1, 3) for contour in roi.ContourSequence]
        all_points = np.concatenate(contours)
        rois.append(
            {
                "middle": ((all_points.min(axis=0) + all_points.max(axis=0)) / 2).tolist(),
                "extent": (all_points.max(axis=0) - all_points.min(axis=0)).tolist(),
                "onSlices": all(round(z, 3) in height for z in all_points[:, 2]),
            }
        )
    return rois


def numbers_of(item):
    """Every measured value below an item of a report: its meaning, value and unit."""
    numbers = []
    for child in item.get("ContentSequence", []):
        if child.ValueType == "NUM":
            [measured] = child.MeasuredValueSequence
            meaning = child.ConceptNameCodeSequence[0].CodeMeaning
            unit = measured.MeasurementUnitsCodeSequence[0].CodeValue
            numbers.append([str(meaning), float(measured.NumericValue), str(unit)])
        numbers += numbers_of(child)
    return numbers


def picture_of(capture):
    """How wide the outline (orange) of the node is, and where its middle lies, as shares of the picture's width."""
    pixels = capture.pixel_array.astype(int)
    rows, columns = np.nonzero((pixels == [255, 150, 0]).all(axis=-1))
    # The legend below holds a sample of the colour.
    columns = columns[(rows < 0.9 * capture.Rows) & (columns > 0.1 * capture.Columns)]
    ends = (columns.min(), columns.max()) if len(columns) > 0 else (0, 0)
    return {
        "number": int(capture.InstanceNumber),
        "size": [int(capture.Columns), int(capture.Rows)],
        "title": str(capture.DerivationDescription),
        "outline": float((ends[1] - ends[0]) / capture.Columns),
        "middle": float((ends[1] + ends[0]) / 2 / capture.Columns),
        "sources": len({str(source.ReferencedSOPInstanceUID) for source in capture.SourceImageSequence} & images),
    }


images = {str(file.SOPInstanceUID) for file in slices}
of = lambda modality: [file for file in files if file.Modality == modality]
print(
    json.dumps(
        {
            "studies": sorted({str(file.StudyInstanceUID) for file in files}),
            "frames": sorted({str(file.FrameOfReferenceUID) for file in slices + of("SEG")}),
            "patients": sorted({str(file.PatientID) for file in files}),
            "segments": [segment for seg in of("SEG") for segment in segments_of(seg)],
            "rois": [roi for rtstruct in of("RTSTRUCT") for roi in rois_of(rtstruct)],
            "numbers": [number for report in of("SR") for number in numbers_of(report)],
            "pictures": sorted((picture_of(capture) for capture in of("OT")), key=lambda found: found["number"]),
        }
    )
)
