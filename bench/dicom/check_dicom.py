"""What other tools find in our SEG and RTSTRUCT files: pydicom, dcmtk, dicom3tools and Orthanc, as far as they are there.

Usage: check_dicom.py FOLDER, the folder that bench/dist/write-segmentations.js wrote. Exits with 1 where one disagrees.
"""
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import pydicom
from matplotlib.path import Path as Polygon

TOLERANCE_MM = 1e-3
failures = 0


def report(passed, text):
    global failures
    failures += not passed
    print("pass" if passed else "FAIL", text)


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


def compare(kind, expectation, found):
    worst = 0
    for body in expectation["bodies"]:
        voxels, centroid = found[body["name"]]
        distance = float(np.linalg.norm(centroid - np.array(body["centroidLpsMm"])))
        worst = max(worst, distance)
        if voxels != body["voxels"] or distance > TOLERANCE_MM:
            report(False, f"{expectation['name']} {kind} {body['name']}: {voxels} voxels, {distance:.4f} mm off")
            return
    report(True, f"{expectation['name']} {kind}: voxels equal, centroids within {worst:.1e} mm (pydicom)")


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
        compare("SEG", expectation, centroids_of_seg(folder / f"{name}.seg.dcm"))
        structure_set = folder / f"{name}.rtstruct.dcm"
        compare("RTSTRUCT", expectation, centroids_of_rtstruct(structure_set, expectation["geometry"]))
    files = sorted(folder.glob("*.dcm"))
    check_tool(["dcmdump", "-q"], ("W:", "E:", "F:"), files)
    check_tool(["dciodvfy"], ("Error",), files)
    check_orthanc(files)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
