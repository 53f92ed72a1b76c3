"""A whole scan as PyTorch predicts it with a model folder of nnU-Net's structure.

python3 check_nnunet.py scan.safetensors plain|residual folder expected.safetensors

`scan` holds the voxels [Z, Y, X] and, in its metadata, the spacing z,y,x in mm. Random weights are written to `folder`
where it holds no plans.json.
"""

import json
import os
import sys
import time

import numpy as np

import nnunet_twin
from safetensors_io import read_safetensors, write_safetensors


def write_random_model(folder, kind, spacing):
    """A small network, for a grid coarser than the scan's."""
    is_plain = kind == "plain"
    stages = {
        "n_stages": 4,
        "features_per_stage": [6, 12, 24, 48],
        "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]],
        "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2]],
        "n_conv_per_stage_decoder": [2, 2, 2] if is_plain else [1, 1, 1],
        "n_conv_per_stage" if is_plain else "n_blocks_per_stage": [2, 2, 2, 2] if is_plain else [1, 2, 2, 2],
    }
    configuration = {
        "preprocessor_name": "DefaultPreprocessor",
        "patch_size": [32, 64, 64],
        "spacing": [spacing[0] * 1.3, spacing[1] * 1.6, spacing[2] * 1.6],
        "normalization_schemes": ["CTNormalization"],
        "use_mask_for_norm": [False],
        **nnunet_twin.RESAMPLING,
        "architecture": nnunet_twin.architecture("PlainConvUNet" if is_plain else "ResidualEncoderUNet", stages),
    }
    plans = nnunet_twin.plans_of("Dataset000_Check", [0, 1, 2], {"3d_fullres": configuration}, 1)
    labels = {"background": 0, "node": 1, "gland": 2} if is_plain else {"background": 0, "node": 1}
    dataset = {"channel_names": {"0": "CT"}, "labels": labels, "numTraining": 1, "file_ending": ".nii.gz", "name": "random weights"}
    axes, folds = ((0, 1, 2), 1) if is_plain else ((1, 2), 2)
    nnunet_twin.write_folder(folder, plans, dataset, "3d_fullres", axes, folds, seed=11)


def main():
    scan_path, kind, folder, expected_path = sys.argv[1:]
    tensors, metadata = read_safetensors(scan_path)
    spacing = [float(step) for step in metadata["spacing_zyx_mm"].split(",")]
    if not os.path.exists(os.path.join(folder, "plans.json")):
        write_random_model(folder, kind, spacing)
    data = tensors["scan"][None]
    start = time.perf_counter()
    found, half = nnunet_twin.probabilities(data, spacing, folder)
    seconds = time.perf_counter() - start
    error = np.abs(half - found)[1:]
    figures = {
        "seconds": round(seconds, 1),
        "float16_greatest": float(error.max()),
        "float16_share_above_0.001": float((error > 1e-3).mean()),
    }
    write_safetensors(expected_path, {"probabilities": found[1:].astype(np.float32)}, {"figures": json.dumps(figures)})


if __name__ == "__main__":
    main()
