#!/usr/bin/env python3
"""Make random weights, an input and a label for the gradient check, and on request the peer's own answer to them."""

import argparse
import json

import numpy
import torch

from gradients import evaluate_case
from lnsnet import LNSNet, VolumeBlock, read_configuration
from safetensors_io import write_safetensors


def main():
    arguments = parse_arguments()
    configuration = read_configuration(arguments.configuration)
    data = make_data(configuration, arguments.batch, arguments.size, arguments.seed)
    weights = make_weights(configuration, data["x"], arguments.seed)
    write_safetensors(arguments.output_weights, weights, {"configuration": json.dumps(configuration)})
    write_safetensors(arguments.output_data, data)
    if arguments.output_truth is not None:
        truth = evaluate_case(configuration, weights, data, torch.float64)
        write_safetensors(arguments.output_truth, {name: value.astype("f4") for name, value in truth.items()})
    count = sum(value.size for value in weights.values())
    print(json.dumps({"parameters": count, "tensors": len(weights), "x": list(data["x"].shape)}))


def make_weights(configuration, x, seed):
    """PyTorch's initial weights, with norms and biases moved off 1 and 0: a mistake must not hide behind them."""
    torch.manual_seed(seed)
    network = LNSNet(configuration).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.dim() == 1:
                parameter.normal_(1 if name.endswith("norm.weight") else 0, 0.2)
        keep_off_kinks(network, torch.tensor(x))
    return {name: value.numpy() for name, value in network.state_dict().items()}


def keep_off_kinks(network, x):
    """Shift the bias before each Leaky ReLU, channel by channel, so that zero falls into a wide gap between its inputs.

    Among millions of inputs a few lie within float32 rounding of zero. Which slope they get is then chance, and one
    of them is enough to move every gradient before it by 1e-3: the check would measure luck instead of our rules.
    """

    def shift(bias):
        def hook(_, inputs):
            values = inputs[0].transpose(0, 1).flatten(1).sort(dim=1).values
            width = values.diff(dim=1)
            middle = (values[:, 1:] + values[:, :-1]) / 2
            # Wide gaps are in the tails too; the penalty keeps to the middle, so that both slopes stay in use.
            score = width / (1 + (10 * middle / values.std(dim=1, keepdim=True)) ** 4)
            moved = middle.gather(1, score.argmax(dim=1, keepdim=True))[:, 0]
            bias.sub_(moved)
            return inputs[0] - moved.view(1, -1, 1, 1, 1)

        return hook

    hooks = [
        owner.activation.register_forward_pre_hook(
            shift(owner.pointwise1.bias if isinstance(owner, VolumeBlock) else owner.norm.bias)
        )
        for owner in network.modules()
        if hasattr(owner, "activation")
    ]
    network(x)
    for hook in hooks:
        hook.remove()


def make_data(configuration, batch, size, seed):
    """Noise with a brighter ellipsoid per sample and class as `x`, and the ellipsoids as `label`."""
    random = numpy.random.default_rng(seed)
    x = random.normal(0, 1, (batch, configuration["inputs"], *size))
    label = numpy.zeros((batch, configuration["classes"], *size))
    grid = numpy.stack(numpy.meshgrid(*[numpy.linspace(-1, 1, length) for length in size], indexing="ij"))
    for sample in range(batch):
        for one_class in range(configuration["classes"]):
            centre = random.uniform(-0.4, 0.4, (3, 1, 1, 1))
            radius = random.uniform(0.3, 0.6, (3, 1, 1, 1))
            label[sample, one_class] = (((grid - centre) / radius) ** 2).sum(0) < 1
            x[sample] += label[sample, one_class]
    return {"x": x.astype("f4"), "label": label.astype("f4")}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configuration", help="JSON text or file; fields left out keep their defaults")
    parser.add_argument("--output-weights", required=True)
    parser.add_argument("--output-data", required=True)
    parser.add_argument("--output-truth", help="also write logits, loss and gradients, as the check expects ours")
    parser.add_argument("--size", type=parse_size, default=[32, 24, 24], help="depth,height,width")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--seed", type=int, default=2)
    return parser.parse_args()


def parse_size(text):
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
