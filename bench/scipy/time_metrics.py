"""Seconds that the surface distances of `npm run bench -- metrics` take with scipy.ndimage, as one line of JSON.

Wants Python 3 with NumPy and SciPy; nothing here is needed to use lnsnet. The masks are those of bench/src/metrics.ts, the
metrics DSC, HD95, HD, ASD and NSD of surface voxels, once in the box around the foreground and once over the whole grid.
"""

import argparse
import json

import numpy as np
from scipy import ndimage
from time_voxels import SPACING, drawn_neck, least_seconds


def box_of(mask):
    """The slices around the foreground, a voxel wider."""
    bounds = [np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    return tuple(slice(max(0, at[0] - 1), at[-1] + 2) for at in bounds)


def metrics(truth, prediction):
    surfaces = [mask & ~ndimage.binary_erosion(mask) for mask in (truth, prediction)]
    one, other = (
        ndimage.distance_transform_edt(~to, SPACING)[of] for of, to in (surfaces, surfaces[::-1])
    )
    return {
        "dsc": 2 * (truth & prediction).sum() / (truth.sum() + prediction.sum()),
        "hd95": max(np.percentile(one, 95), np.percentile(other, 95)),
        "hd": max(one.max(), other.max()),
        "asd": np.concatenate([one, other]).mean(),
        "nsd": ((one <= 1).sum() + (other <= 1).sum()) / (one.size + other.size),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--slices", type=int, default=300)
    options = parser.parse_args()
    truth = drawn_neck(options.slices)[1]
    prediction = np.zeros_like(truth)
    step = 1 + truth.shape[2] * (1 + truth.shape[1])
    prediction.ravel()[step:] = truth.ravel()[:-step]

    def cropped():
        box = box_of(truth | prediction)
        return metrics(truth[box], prediction[box])

    operations = {"in the box": cropped, "whole grid": lambda: metrics(truth, prediction)}
    print(json.dumps({name: least_seconds(run, options.rounds) for name, run in operations.items()}))


if __name__ == "__main__":
    main()
