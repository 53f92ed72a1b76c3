#!/usr/bin/env python3
"""Count parameters and multiply-adds of LNSNet, and measure the forward seconds of each of its parts."""

import argparse
import json
import time

import torch
from torch import nn

from lnsnet import LNSNet, read_configuration
from make_case import parse_size


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    network = LNSNet(read_configuration(arguments.configuration)).eval()
    x = torch.randn(1, network.configuration["inputs"], *arguments.size)
    parts = {"stem": network.stem, "head": network.head}
    parts.update({f"encoder.{index}": stage for index, stage in enumerate(network.encoder)})
    parts.update({f"decoder.{name}": stage for name, stage in network.decoder.items()})
    if network.boundary is not None:
        parts["boundary"] = network.boundary
    leaf_rows = measure_layers(network, x, arguments.repeats)
    rows = []
    for part_name, part in parts.items():
        inside = [row for row in leaf_rows if row["name"] == part_name or row["name"].startswith(f"{part_name}.")]
        rows.append({
            "name": part_name,
            "parameters": sum(parameter.numel() for parameter in part.parameters()),
            **{key: sum(row[key] for row in inside) for key in ("multiply_adds", "multiply_adds_thop", "seconds")},
        })
    total = {key: sum(row[key] for row in rows) for key in rows[0] if key != "name"}
    print(json.dumps({**total, "input": list(x.shape), "parts": rows}) if arguments.json else describe(rows, total))


def measure_layers(network, x, repeats):
    """One row a layer: its multiply-adds in both conventions, and the least seconds of its forward pass."""
    rows = {}

    def before(name):
        def hook(module, arguments):
            rows[name]["begin"] = time.perf_counter()
        return hook

    def after(name):
        def hook(module, arguments, output):
            row = rows[name]
            row["seconds"] = min(row["seconds"], time.perf_counter() - row["begin"])
            row["multiply_adds"], row["multiply_adds_thop"] = multiply_adds(module, arguments[0], output)
        return hook

    for name, module in network.named_modules():
        if not any(True for _ in module.children()):
            rows[name] = {"name": name, "seconds": float("inf")}
            module.register_forward_pre_hook(before(name))
            module.register_forward_hook(after(name))
    with torch.no_grad():
        for _ in range(repeats + 1):
            network(x)
    return list(rows.values())


def multiply_adds(module, x, output):
    """(true, by the thop rule: output size times kernel, which over-counts strided transposed convolutions)."""
    if not isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
        return 0, 0
    kernel = module.kernel_size[0] * module.kernel_size[1] * module.kernel_size[2]
    # A partial convolution makes only as many channels as it convolves; its output has the untouched ones beside them.
    voxels = output[:, 0].numel()
    thop = voxels * module.out_channels * (module.in_channels // module.groups) * kernel
    if isinstance(module, nn.ConvTranspose3d):
        return x.numel() * (module.out_channels // module.groups) * kernel, thop
    return thop, thop


def describe(rows, total):
    lines = [f"{'part':12} {'parameters':>12} {'multiply-adds':>16} {'by thop rule':>16} {'seconds':>9}"]
    for row in [*rows, {"name": "total", **total}]:
        lines.append(
            f"{row['name']:12} {row['parameters']:12,} {row['multiply_adds']:16,} "
            f"{row['multiply_adds_thop']:16,} {row['seconds']:9.4f}"
        )
    return "\n".join(lines)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configuration", help="JSON text or file; fields left out keep their defaults")
    parser.add_argument("--size", type=parse_size, default=[64, 48, 48], help="depth,height,width")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
