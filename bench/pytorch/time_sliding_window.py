#!/usr/bin/env python3
"""Time a whole scan by LNSNet in PyTorch, cut and put together as MONAI's sliding_window_inference does it.

The scheme is MONAI's, written anew (MONAI is not needed): patches on a regular grid of roi * (1 - overlap) voxels, the
last one flush with the border, a Gaussian importance of sigma roi / 8, and every patch computed, air or not. Prints one
line of JSON.
"""

import argparse
import itertools
import json
import time

import torch

from lnsnet import LNSNet, read_configuration
from make_case import parse_size
from time_lnsnet import keep_freed_memory, peak_mb


def main():
    arguments = parse_arguments()
    if arguments.allocator == "keep":
        keep_freed_memory()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    network = LNSNet(read_configuration(arguments.configuration)).eval()
    scan = torch.rand(1, 1, *arguments.scan) * 2 - 1
    with torch.no_grad():
        network(scan[..., : arguments.size[0], : arguments.size[1], : arguments.size[2]])
        begin = time.perf_counter()
        patches = sliding_window(network, scan, arguments.size, arguments.overlap)
        seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "patches": patches, "peak_mb": peak_mb(), "torch": torch.__version__}))


def sliding_window(network, scan, size, overlap):
    """The number of patches that were computed."""
    importance = gaussian(size)
    total = torch.zeros_like(scan)
    weight = torch.zeros_like(scan)
    corners = list(itertools.product(*(starts(n, roi, overlap) for n, roi in zip(scan.shape[2:], size))))
    for corner in corners:
        part = (...,) + tuple(slice(first, first + roi) for first, roi in zip(corner, size))
        total[part] += importance * torch.sigmoid(network(scan[part]))
        weight[part] += importance
    total /= weight
    return len(corners)


def starts(length, roi, overlap):
    step = max(1, int(roi * (1 - overlap)))
    return [min(first, length - roi) for first in range(0, max(1, length - roi + step), step)]


def gaussian(size):
    importance = torch.ones(1, 1, *size)
    for axis, roi in enumerate(size):
        distance = (torch.arange(roi) - (roi - 1) / 2) / (roi / 8)
        shape = [1, 1, 1, 1, 1]
        shape[axis + 2] = roi
        importance = importance * torch.exp(-distance**2 / 2).reshape(shape)
    return importance.clamp(min=1e-3)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configuration", help="JSON text or file; fields left out keep their defaults")
    parser.add_argument("--scan", type=parse_size, default=[160, 256, 256], help="depth,height,width")
    parser.add_argument("--size", type=parse_size, default=[64, 48, 48], help="patch: depth,height,width")
    parser.add_argument("--overlap", type=float, default=0.25)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--allocator", choices=["keep", "system"], default="keep",
                        help="keep: glibc holds on to freed memory (faster); system: PyTorch as installed")
    return parser.parse_args()


if __name__ == "__main__":
    main()
