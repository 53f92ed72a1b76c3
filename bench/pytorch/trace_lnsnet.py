#!/usr/bin/env python3
"""Write the trace of ten training steps of a small LNSNet: fixtures/training/lnsnet-trace.safetensors.

Weights, three batches that take turns, and what PyTorch makes of them in float64 with the settings that our training has
by default: batch soft Dice + binary cross-entropy, AdamW (no decay on norms and biases), clipping at norm 1, a warm-up
of a twentieth of the steps and half a cosine down to a hundredth, and an average of the weights with a memory that is
short at first. Prints how far PyTorch's own float32 comes from it.
"""

import argparse
import json
import math

import numpy
import torch

from gradients import evaluate_case
from lnsnet import LNSNet, complete_configuration
from loss import dice_and_cross_entropy
from make_case import make_data, make_weights
from safetensors_io import write_safetensors

STEPS = 10
BATCHES = 3
SIZE = [8, 8, 8]
PEAK_LEARNING_RATE = 1e-3
# Stochastic depth is off: its masks are each program's own.
CONFIGURATION = {"stages": [4, 8], "depths": [1, 2], "decoderDepth": 1, "dropPath": 0}


def main():
    arguments = parse_arguments()
    configuration = complete_configuration(CONFIGURATION)
    batches = [make_data(configuration, 2, SIZE, arguments.seed + index) for index in range(BATCHES)]
    weights = make_weights(configuration, batches[0]["x"], arguments.seed)
    truth = train(configuration, weights, batches, torch.float64)
    float32 = train(configuration, weights, batches, torch.float32)
    given = {f"p.{name}": value for name, value in weights.items()}
    for index, batch in enumerate(batches):
        given |= {f"{name}.{index}": value for name, value in batch.items()}
    stored = {name: value if name in ("loss", "norm") else value.astype("f4") for name, value in truth.items()}
    zero = zero_gradients(configuration, weights, batches[0])
    metadata = {
        "configuration": json.dumps(configuration),
        "zero_gradient": json.dumps(zero),
        "torch": torch.__version__,
        "seed": str(arguments.seed),
    }
    # Wide types first, so that views of the file are aligned.
    write_safetensors(arguments.output, dict(sorted((stored | given).items(), key=lambda item: -item[1].itemsize)), metadata)
    for name in ("loss", "norm"):
        print(name, numpy.round(truth[name], 6).tolist(), f"float32 off by {relative_gap(float32[name], truth[name]):.1e}")
    for prefix in ("after.", "average."):
        names = [name for name in weights if name not in zero]
        gaps = {prefix + name: abs(float32[prefix + name] - truth[prefix + name]).max() for name in names}
        worst = max(gaps, key=gaps.get)
        print(f"{worst}: float32 off by {gaps[worst]:.1e}")


def train(configuration, weights, batches, dtype):
    """{"loss", "norm", "after.<parameter>", "average.<parameter>"} of ten steps in this precision."""
    network = LNSNet(configuration).to(dtype)
    network.load_state_dict({name: torch.tensor(value, dtype=dtype) for name, value in weights.items()})
    network.train()
    parameters = list(network.parameters())
    average = [parameter.detach().clone() for parameter in parameters]
    optimiser = torch.optim.AdamW(
        [
            {"params": [parameter for parameter in parameters if parameter.dim() > 1], "weight_decay": 0.01},
            {"params": [parameter for parameter in parameters if parameter.dim() == 1], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.999),
        eps=1e-8,
    )
    losses, norms = [], []
    for step in range(STEPS):
        batch = batches[step % len(batches)]
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step)
        optimiser.zero_grad()
        loss = dice_and_cross_entropy(network(torch.tensor(batch["x"], dtype=dtype)), torch.tensor(batch["label"], dtype=dtype))
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, 1.0).item())
        optimiser.step()
        losses.append(loss.item())
        keep = min(0.998, (step + 1) / (step + 10))
        with torch.no_grad():
            for mean, parameter in zip(average, parameters):
                mean.mul_(keep).add_(parameter, alpha=1 - keep)
    names = [name for name, _ in network.named_parameters()]
    results = {"loss": numpy.array(losses), "norm": numpy.array(norms)}
    results |= {f"after.{name}": value.detach().numpy() for name, value in zip(names, parameters)}
    return results | {f"average.{name}": value.numpy() for name, value in zip(names, average)}


def zero_gradients(configuration, weights, batch):
    """Parameters with a number whose gradient is 0 in exact arithmetic: AdamW blows its rounding up to a full step."""
    results = evaluate_case(configuration, weights, batch, torch.float64)
    gradients = {name: abs(results[f"grad.{name}"]) for name in weights}
    greatest = max(gradient.max() for gradient in gradients.values())
    return [name for name, gradient in gradients.items() if gradient.min() < 1e-12 * greatest]


def learning_rate(step):
    """Of step 0 ... 9: a linear rise, then half a cosine."""
    warm_up = max(1, math.floor(STEPS / 20 + 0.5))
    if step < warm_up:
        return PEAK_LEARNING_RATE * (step + 1) / warm_up
    share = (step - warm_up) / max(1, STEPS - warm_up)
    final = PEAK_LEARNING_RATE / 100
    return final + (PEAK_LEARNING_RATE - final) * (1 + math.cos(math.pi * share)) / 2


def relative_gap(value, truth):
    return (abs(value - truth) / abs(truth)).max()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", default="../../fixtures/training/lnsnet-trace.safetensors")
    parser.add_argument("--seed", type=int, default=26)
    return parser.parse_args()


if __name__ == "__main__":
    main()
