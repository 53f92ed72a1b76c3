#!/usr/bin/env python3
"""Hold our logits, loss and gradients against those of a compared network's public PyTorch module in float64.

Errors are norms: |ours - truth| / |truth|. A voxel at the kink of a rectifier falls on the other side in float32 now and
then, and shifts the small gradients behind it; PyTorch's own float32 stands beside ours to show how much that is.
"""

import argparse
import json

import numpy
import torch

from loss import dice_and_cross_entropy
from peers import finest, make_peer, without_chance
from safetensors_io import read_safetensors


def main():
    arguments = parse_arguments()
    case, _ = read_safetensors(arguments.case)
    ours, _ = read_safetensors(arguments.ours)
    torch.set_num_threads(arguments.threads)
    truth = evaluate(arguments, case, torch.float64)
    single = evaluate(arguments, case, torch.float32)
    print(json.dumps({"ours": compare(truth, ours), "pytorch": compare(truth, single)}))


def compare(truth, other):
    """Errors of logits and loss, of all gradients together, and of each; names that one side lacks."""
    missing, unexpected = sorted(set(truth) - set(other)), sorted(set(other) - set(truth))
    names = [name for name in truth if name.startswith("grad.") and name in other]
    whole = {name: value.astype("f8") for name, value in truth.items()}
    gaps = {name: numpy.linalg.norm(other[name].astype("f8").reshape(whole[name].shape) - whole[name]) for name in names}
    total = numpy.sqrt(sum(numpy.linalg.norm(whole[name]) ** 2 for name in names))
    # What stands before a norm has no gradient but rounding.
    scaled = [name for name in names if numpy.linalg.norm(whole[name]) > 1e-6 * total]
    return {
        "logits": float(numpy.abs(other["logits"] - whole["logits"]).max() / numpy.abs(whole["logits"]).max()),
        "loss": float(numpy.abs(other["loss"] - whole["loss"]).max() / numpy.abs(whole["loss"]).max()),
        "gradient": float(numpy.sqrt(sum(gap**2 for gap in gaps.values())) / total),
        "tensors": {name: float(gaps[name] / numpy.linalg.norm(whole[name])) for name in scaled},
        "missing": missing,
        "unexpected": unexpected,
    }


def evaluate(arguments, case, dtype):
    """{"logits", "loss", "grad.<parameter>"} as NumPy arrays; of several scales of logits, the finest."""
    size = case["x"].shape[2:]
    module = without_chance(make_peer(arguments.preset, size, arguments.checkouts)).to(dtype)
    parameters = {name: parameter for name, parameter in module.named_parameters() if f"p.{name}" in case}
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(torch.tensor(case[f"p.{name}"], dtype=dtype))
    logits = finest(module(torch.tensor(case["x"], dtype=dtype)))
    loss = dice_and_cross_entropy(logits, torch.tensor(case["label"], dtype=dtype))
    loss.backward()
    # The coarser heads of deep supervision play no part in this loss.
    gradients = {f"grad.{name}": slope.grad.numpy() for name, slope in parameters.items() if slope.grad is not None}
    gradients = {name: value for name, value in gradients.items() if value.any()}
    return {"logits": logits.detach().numpy(), "loss": loss.detach().numpy(), **gradients}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("preset", help="lnsnet's name of the network")
    parser.add_argument("case", help="safetensors with x, label and p.<parameter>")
    parser.add_argument("ours", help="safetensors with logits, loss and grad.<parameter>")
    parser.add_argument("--checkouts", required=True, help="folder of the peers' repositories")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
