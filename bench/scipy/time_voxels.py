"""Seconds that scipy.ndimage takes for the operations of `npm run bench -- voxels`, as one line of JSON.

Wants Python 3 with NumPy and SciPy; nothing here is needed to use lnsnet. Draws the same neck and nodes as
bench/src/voxels.ts. "body" is the same recipe slice by slice; "measure" is volume, centroid and HU of each node alone.
"""

import argparse
import json
import time

import numpy as np
from scipy import ndimage

SPACING = (1.0, 0.5, 0.5)
TARGET_SPACING = (1.0, 0.7, 0.7)


def drawn_neck(slices):
    k, j, i = np.ogrid[:slices, :512, :512]
    neck = ((i - 256) / 200) ** 2 + ((j - 230) / 160) ** 2 < 1
    airway = (i - 256) ** 2 + (j - 180) ** 2 < 400
    body = (neck & ~airway) | ((j > 395) & (j < 401))
    scan = np.where(body, 30 + (i * 7 + j * 13 + k * 29) % 40, -1000).astype(np.int16)
    nodes = np.zeros(scan.shape, bool)
    for n in range(30):
        x, y, z = 140 + (n * 83) % 230, 170 + (n * 47) % 120, 12 + (n * 37) % (slices - 24)
        a, b, c = 6 + n % 9, 5 + n % 7, 3 + n % 5
        box = np.s_[z - c : z + c + 1, y - b : y + b + 1, x - a : x + a + 1]
        p, q, r = np.ogrid[-c : c + 1, -b : b + 1, -a : a + 1]
        nodes[box] |= (r / a) ** 2 + (q / b) ** 2 + (p / c) ** 2 <= 1
    return scan, nodes


def resampled(scan, order):
    """On the grid with the same middle, as gridWithSpacing makes it."""
    size = [round(n * old / new) for n, old, new in zip(scan.shape, SPACING, TARGET_SPACING)]
    step = np.array(TARGET_SPACING) / SPACING
    offset = (np.array(scan.shape) - 1) / 2 - step * (np.array(size) - 1) / 2
    return ndimage.affine_transform(scan, step, offset, size, np.float32, order=order, mode="mirror")


def body(scan):
    mask = scan > -500
    disc = np.hypot(*np.mgrid[-8:9, -8:9]) <= 8
    for plane in mask:
        plane[:] = ndimage.binary_erosion(ndimage.binary_fill_holes(plane), disc, border_value=1)
    labels, count = ndimage.label(mask)
    mask = labels == 1 + np.argmax(np.bincount(labels.ravel(), minlength=count + 1)[1:])
    for plane in mask:
        plane[:] = ndimage.binary_fill_holes(ndimage.binary_dilation(plane, disc))
    return mask


def measure(nodes, scan):
    labels, count = ndimage.label(nodes, np.ones((3, 3, 3)))
    index = range(1, count + 1)
    ndimage.center_of_mass(nodes, labels, index)
    ndimage.mean(scan, labels, index)
    ndimage.standard_deviation(scan, labels, index)


def least_seconds(run, rounds):
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--slices", type=int, default=300)
    options = parser.parse_args()
    scan, nodes = drawn_neck(options.slices)
    operations = {
        "components": lambda: ndimage.label(nodes, np.ones((3, 3, 3))),
        "distance": lambda: ndimage.distance_transform_edt(~nodes, SPACING),
        "linear": lambda: resampled(scan, 1),
        "cubic": lambda: resampled(scan, 3),
        "labels": lambda: resampled(nodes.astype(np.float32), 1) >= 0.5,
        "body": lambda: body(scan),
        "measure": lambda: measure(nodes, scan),
    }
    print(json.dumps({name: least_seconds(run, options.rounds) for name, run in operations.items()}))


if __name__ == "__main__":
    main()
