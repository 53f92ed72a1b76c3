#!/usr/bin/env python3
"""Hold our logits, loss and gradients against PyTorch's in float64; exit 1 when any is off by more than the tolerance.

The error of a tensor is max|ours - truth| / max|truth|. Beside ours stands the error of PyTorch's own float32 run.
"""

import argparse
import json
import sys

import numpy
import torch

from gradients import evaluate_case
from lnsnet import complete_configuration, read_configuration
from safetensors_io import read_safetensors

# A gradient this small beside the largest of all is zero but for rounding (a bias that a norm removes, for example).
ZERO_GRADIENT = 1e-7


def main():
    arguments = parse_arguments()
    weights, metadata = read_safetensors(arguments.weights)
    data, _ = read_safetensors(arguments.data)
    ours, _ = read_safetensors(arguments.ours)
    if arguments.configuration is None and "configuration" in metadata:
        configuration = complete_configuration(json.loads(metadata["configuration"]))
    else:
        configuration = read_configuration(arguments.configuration)
    torch.set_num_threads(arguments.threads)
    truth = evaluate_case(configuration, weights, data, torch.float64)
    single = evaluate_case(configuration, weights, data, torch.float32)
    report = compare(truth, ours, single, arguments.tolerance)
    print(json.dumps(report) if arguments.json else describe(report))
    sys.exit(0 if report["passed"] else 1)


def compare(truth, ours, single, tolerance):
    """The report; names that only one side has fail the check."""
    missing = sorted(set(truth) - set(ours))
    unexpected = sorted(set(ours) - set(truth))
    shared = [name for name in truth if name in ours]
    gradient_names = [name for name in shared if name.startswith("grad.")]
    largest = max(numpy.abs(value).max() for name, value in truth.items() if name.startswith("grad."))
    zero = [name for name in gradient_names if numpy.abs(truth[name]).max() < ZERO_GRADIENT * largest]
    rows = [
        {"name": name, "error": relative_error(ours[name], truth[name]),
         "pytorch_float32_error": relative_error(single[name], truth[name]),
         "largest": float(numpy.abs(truth[name]).max())}
        for name in shared if name not in zero
    ]
    # A zero gradient has no scale of its own, so ours is measured against the largest gradient of all.
    zero_rows = [
        {"name": name, "error": relative_error(ours[name], truth[name], scale=largest)} for name in zero
    ]
    failed = [row["name"] for row in rows + zero_rows if row["error"] is None or row["error"] > tolerance]
    worst = max(rows, key=lambda row: numpy.inf if row["error"] is None else row["error"], default=None)
    return {
        "passed": not (failed or missing or unexpected),
        "tolerance": tolerance,
        "compared": len(rows),
        "worst": worst,
        "failed": failed,
        "missing": missing,
        "unexpected": unexpected,
        "zero_gradient": zero_rows,
        "tensors": rows,
    }


def relative_error(ours, truth, scale=None):
    """None where the shapes differ or a value is not finite: JSON has no NaN."""
    # A scalar may come as [] or [1].
    if ours.size != truth.size or (truth.ndim > 0 and ours.shape != truth.shape):
        return None
    scale = numpy.abs(truth).max() if scale is None else scale
    error = float(numpy.abs(ours.astype("f8").reshape(truth.shape) - truth.astype("f8")).max() / scale)
    return error if numpy.isfinite(error) else None


def describe(report):
    def number(error):
        return "shape or value" if error is None else f"{error:.2e}"

    lines = [f"{'ours':>14} {'torch float32':>14}  tensor"]
    for row in report["tensors"]:
        lines.append(f"{number(row['error']):>14} {number(row['pytorch_float32_error']):>14}  {row['name']}")
    for row in report["zero_gradient"]:
        lines.append(f"{number(row['error']):>14} {'zero gradient':>14}  {row['name']}")
    for kind in ("missing", "unexpected", "failed"):
        if report[kind]:
            lines.append(f"{kind}: {', '.join(report[kind])}")
    if report["worst"] is not None:
        lines.append(f"worst of {report['compared']}: {number(report['worst']['error'])} at {report['worst']['name']}")
    lines.append(f"{'passed' if report['passed'] else 'FAILED'} at tolerance {report['tolerance']:g}")
    return "\n".join(lines)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="safetensors; `configuration` in its metadata is used when there")
    parser.add_argument("data", help="safetensors with x and label")
    parser.add_argument("ours", help="safetensors with logits, loss and grad.<parameter>")
    parser.add_argument("--configuration", help="JSON text or file; goes before the metadata")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
