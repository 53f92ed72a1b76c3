"""What other tools find in the files that we export: nibabel, pydicom, dcmtk, dicom3tools and Orthanc, as far as they are there.

Usage: check_exports.py FOLDER, the folder that bench/dist/write-exports.js wrote. Exits with 1 where one disagrees.
"""
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from matplotlib.path import Path as Polygon

TOLERANCE_MM = 1e-3
failures = 0


def report(passed, text):
    global failures
    failures += not passed
    print("pass" if passed else "FAIL", text)


def centroids_of_labels(labels, affine, bodies):
    """Voxels and centroid of each label; the affine takes an index (i, j, k) to LPS mm."""
    found = {}
    for body in bodies:
        indices = np.argwhere(labels == body["label"])
        found[body["name"]] = len(indices), affine[:3, :3] @ indices.mean(0) + affine[:3, 3]
    return found


def read_nifti(path):
    image = nibabel.load(path)
    return np.asarray(image.dataobj), np.diag([-1, -1, 1, 1]) @ image.affine


def read_nrrd(path):
    """By the format's definition: ITK would do, where it can be installed."""
    header, _, data = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in header.decode().splitlines() if ": " in line)
    assert fields["space"] == "left-posterior-superior" and fields["encoding"] == "gzip", fields
    vectors = [[float(n) for n in word[1:-1].split(",")] for word in fields["space directions"].split()]
    affine = np.eye(4)
    affine[:3, :3] = np.transpose(vectors)
    affine[:3, 3] = [float(n) for n in fields["space origin"][1:-1].split(",")]
    assert fields["type"] == "unsigned char", fields
    size = [int(n) for n in fields["sizes"].split()]
    return np.frombuffer(gzip.decompress(data), np.uint8).reshape(size, order="F"), affine


def read_mha(path):
    """By the format's definition, as read_nrrd."""
    header, _, data = path.read_bytes().partition(b"ElementDataFile = LOCAL\n")
    fields = dict(line.split(" = ", 1) for line in header.decode().splitlines())
    assert fields["ElementType"] == "MET_UCHAR" and fields["CompressedData"] == "True", fields
    numbers = lambda key: np.array([float(n) for n in fields[key].split()])
    affine = np.eye(4)
    # A row of the matrix is the direction of an axis.
    affine[:3, :3] = numbers("TransformMatrix").reshape(3, 3).T * numbers("ElementSpacing")
    affine[:3, 3] = numbers("Offset")
    size = numbers("DimSize").astype(int)
    return np.frombuffer(zlib.decompress(data), np.uint8).reshape(size, order="F"), affine


def centroids_of_seg(path):
    dataset = pydicom.dcmread(path)
    frames = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    row_direction, column_direction = np.array(
        shared.PlaneOrientationSequence[0].ImageOrientationPatient, float
    ).reshape(2, 3)
    between_rows, between_columns = map(float, shared.PixelMeasuresSequence[0].PixelSpacing)
    points = {}
    for frame, groups in zip(frames, dataset.PerFrameFunctionalGroupsSequence):
        origin = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, float)
        rows, columns = np.nonzero(frame)
        here = (
            origin
            + columns[:, None] * between_columns * row_direction
            + rows[:, None] * between_rows * column_direction
        )
        number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        points.setdefault(number, []).append(here)
    names = {segment.SegmentNumber: segment.SegmentLabel for segment in dataset.SegmentSequence}
    joined = {names[number]: np.concatenate(parts) for number, parts in points.items()}
    return {name: (len(all_points), all_points.mean(0)) for name, all_points in joined.items()}


def centroids_of_rtstruct(path, geometry):
    """Voxel centres inside the contours, exclusive or, by matplotlib."""
    dataset = pydicom.dcmread(path)
    size, spacing = np.array(geometry["size"]), np.array(geometry["spacingMm"])
    origin, direction = np.array(geometry["originMm"]), np.array(geometry["direction"]).reshape(3, 3)
    columns, rows = np.meshgrid(np.arange(size[0]), np.arange(size[1]), indexing="ij")
    grid = np.stack([columns.ravel(), rows.ravel()], 1)
    names = {roi.ROINumber: roi.ROIName for roi in dataset.StructureSetROISequence}
    found = {}
    for roi in dataset.ROIContourSequence:
        slices = {}
        for contour in roi.ContourSequence:
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            indices = (points - origin) @ direction / spacing
            k = int(round(indices[0, 2]))
            if np.abs(indices[:, 2] - k).max() > 1e-3:
                raise ValueError(f"a contour of {path} lies off its slice")
            inside = Polygon(indices[:, :2]).contains_points(grid)
            slices[k] = slices.get(k, False) ^ inside
        inside = np.concatenate([np.column_stack([grid[mask], np.full(mask.sum(), k)]) for k, mask in slices.items()])
        points = origin + (inside * spacing) @ direction.T
        found[names[roi.ReferencedROINumber]] = len(points), points.mean(0)
    return found


def content_items(dataset):
    return {item.ConceptNameCodeSequence[0].CodeMeaning: item for item in dataset.ContentSequence}


def check_report(path, segmentation_path, expectation):
    """The measurements of each node, and that they name its segment and share the segment's tracking UID."""
    segmentation = pydicom.dcmread(segmentation_path)
    segments = {segment.SegmentNumber: segment for segment in segmentation.SegmentSequence}
    groups = content_items(pydicom.dcmread(path))["Imaging Measurements"].ContentSequence
    complaints = [] if len(groups) == len(expectation["bodies"]) else [f"{len(groups)} groups"]
    for group in groups:
        items = content_items(group)
        reference = items["Referenced Segment"].ReferencedSOPSequence[0]
        segment = segments[reference.ReferencedSegmentNumber]
        body = next(body for body in expectation["bodies"] if body["name"] == segment.SegmentLabel)
        if reference.ReferencedSOPInstanceUID != segmentation.SOPInstanceUID:
            complaints.append("another segmentation")
        if items["Tracking Unique Identifier"].UID != segment.TrackingUID:
            complaints.append("another tracking UID")
        means = [
            item.MeasuredValueSequence[0].NumericValue
            for item in group.ContentSequence
            if item.ConceptNameCodeSequence[0].CodeMeaning == "Attenuation Coefficient"
        ]
        number = lambda name: float(items[name].MeasuredValueSequence[0].NumericValue)
        voxel_ml = np.prod(expectation["geometry"]["spacingMm"]) / 1000
        pairs = {
            "volume": (number("Volume"), body["voxels"] * voxel_ml),
            "short axis": (number("Short Axis"), body["report"]["shortAxisMm"]),
            "long axis": (number("Long Axis"), body["report"]["longAxisMm"]),
            "mean HU": (float(means[0]), 30 + 10 * body["label"]),
            "SD of HU": (float(means[1]), 0),
        }
        complaints += [f"{name} {found}, not {wanted}" for name, (found, wanted) in pairs.items() if abs(found - wanted) > 1e-6]
        sides = [item.ConceptCodeSequence[0].CodeMeaning for item in items["Finding Site"].get("ContentSequence", [])]
        if sides != [side.capitalize() for side in [body["report"]["side"]] if side != "midline"]:
            complaints.append(f"sides {sides}, not {body['report']['side']}")
    report(not complaints, f"{expectation['name']} SR: volume, axes, HU, side and segment of each node (pydicom) {'; '.join(complaints)}")


def compare(kind, peer, expectation, found):
    worst = 0
    for body in expectation["bodies"]:
        voxels, centroid = found[body["name"]]
        distance = float(np.linalg.norm(centroid - np.array(body["centroidLpsMm"])))
        worst = max(worst, distance)
        if voxels != body["voxels"] or distance > TOLERANCE_MM:
            report(False, f"{expectation['name']} {kind} {body['name']}: {voxels} voxels, {distance:.4f} mm off")
            return
    report(True, f"{expectation['name']} {kind}: voxels equal, centroids within {worst:.1e} mm ({peer})")


def complaints_of(command, path, marks):
    result = subprocess.run([*command, str(path)], capture_output=True, text=True)
    lines = (result.stdout + result.stderr).splitlines()
    return [line for line in lines if line.startswith(marks)] + ([] if result.returncode == 0 else ["exit code"])


def check_tool(command, marks, files):
    if shutil.which(command[0]) is None:
        print("skip", command[0], "is not installed")
        return
    for path in files:
        complaints = complaints_of(command, path, marks)
        report(not complaints, f"{path.name}: {command[0]}" + "".join(f"\n     {line}" for line in complaints))


def check_orthanc(files):
    if shutil.which("Orthanc") is None or shutil.which("storescu") is None:
        print("skip Orthanc or storescu is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "orthanc.json"
        configuration.write_text(
            json.dumps({
                "StorageDirectory": folder, "IndexDirectory": folder, "HttpPort": 18042, "DicomPort": 14242,
                "Plugins": [], "AuthenticationEnabled": False, "DicomCheckCalledAet": False,
            })
        )
        log = Path(folder) / "log"
        with log.open("w") as output:
            server = subprocess.Popen(["Orthanc", str(configuration)], stdout=output, stderr=output)
        try:
            address = "http://127.0.0.1:18042"
            for _ in range(60):
                try:
                    json.load(urllib.request.urlopen(f"{address}/system"))
                    break
                except OSError:
                    time.sleep(0.5)
            stored = subprocess.run(
                ["storescu", "-R", "127.0.0.1", "14242", *map(str, files)], capture_output=True, text=True
            )
            count = json.load(urllib.request.urlopen(f"{address}/statistics"))["CountInstances"]
            complaints = [line for line in log.read_text().splitlines() if line.startswith(("E", "W")) and ".dcm" in line]
            passed = stored.returncode == 0 and count == len(files) and not complaints
            report(passed, f"Orthanc stored {count} of {len(files)} files" + stored.stderr)
        finally:
            server.terminate()
            server.wait()


def main():
    folder = Path(sys.argv[1])
    for expectation in json.loads((folder / "expected.json").read_text()):
        name = expectation["name"]
        for kind, ending, read, peer in [
            ("NIfTI", "nii.gz", read_nifti, "nibabel"),
            ("NRRD", "nrrd", read_nrrd, "numpy"),
            ("MetaImage", "mha", read_mha, "numpy"),
        ]:
            found = centroids_of_labels(*read(folder / f"{name}.{ending}"), expectation["bodies"])
            compare(kind, peer, expectation, found)
        segmentation = folder / f"{name}.seg.dcm"
        compare("SEG", "pydicom", expectation, centroids_of_seg(segmentation))
        structure_set = folder / f"{name}.rtstruct.dcm"
        drawn = centroids_of_rtstruct(structure_set, expectation["geometry"])
        compare("RTSTRUCT", "pydicom, matplotlib", expectation, drawn)
        check_report(folder / f"{name}.sr.dcm", segmentation, expectation)
    files = sorted(folder.glob("*.dcm"))
    check_tool(["dcmdump", "-q"], ("W:", "E:", "F:"), files)
    check_tool(["dsrdump", "-q", "-Ec"], ("W:", "E:", "F:"), sorted(folder.glob("*.sr.dcm")))
    check_tool(["dciodvfy"], ("Error",), files)
    check_orthanc(files)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
