#!/usr/bin/env python3
"""Time a network in PyTorch: the forward pass and the whole training step, optimiser and weight average included.

LNSNet by default; with --preset and --checkouts a compared network as its authors publish it (peers.py).

With --serve it waits for the words `forward`, `step` and `quit` on standard input and answers each with one line
of JSON, so that a benchmark can take turns with it: {"ready": true, ...} first, then {"seconds": x}.
"""

import argparse
import contextlib
import copy
import ctypes
import json
import resource
import statistics
import sys
import time

import torch

from lnsnet import LNSNet, read_configuration
from loss import dice_and_cross_entropy
from make_case import parse_size
from peers import finest, make_peer

AVERAGE_DECAY = 0.999
LARGEST_GRADIENT_NORM = 1.0
WARM_UP_RUNS = 2


def main():
    arguments = parse_arguments()
    allocator = "keep" if arguments.allocator == "keep" and keep_freed_memory() else "system"
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    runs = make_runs(read_configuration(arguments.configuration), arguments)
    for run in runs.values():
        for _ in range(WARM_UP_RUNS):
            run()
    if arguments.serve:
        serve(runs, allocator)
        return
    # Turns, not blocks: whatever else the machine does then falls on both alike.
    seconds = {name: [] for name in runs}
    for _ in range(arguments.repeats):
        for name, run in runs.items():
            seconds[name].append(run())
    report = {
        "forward_seconds": statistics.median(seconds["forward"]),
        "step_seconds": statistics.median(seconds["step"]),
        "forward_min": min(seconds["forward"]),
        "step_min": min(seconds["step"]),
        "peak_mb": peak_mb(),
        "threads": arguments.threads,
        "torch": torch.__version__,
        "allocator": allocator,
        "memory_format": arguments.memory_format,
    }
    print(json.dumps(report) if arguments.json else "\n".join(f"{key:16} {value}" for key, value in report.items()))


def make_runs(configuration, arguments):
    """{"forward", "step"}: functions that do one run and return its seconds."""
    memory_format = torch.channels_last_3d if arguments.memory_format == "channels_last_3d" else torch.contiguous_format
    network = make_network(configuration, arguments).to(memory_format=memory_format)
    average = [parameter.detach().clone() for parameter in network.parameters()]
    optimiser = make_optimiser(network)
    x = torch.randn(arguments.batch, configuration["inputs"], *arguments.size)
    x = x.contiguous(memory_format=memory_format)
    label = (torch.rand(arguments.batch, configuration["classes"], *arguments.size) < 0.1).float()
    # A copy for the forward pass, so that changing between train and eval is not part of either.
    deployed = copy.deepcopy(network).eval()

    def forward():
        begin = time.perf_counter()
        with torch.no_grad():
            deployed(x)
        return time.perf_counter() - begin

    def step():
        begin = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        dice_and_cross_entropy(finest(network(x)), label).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT_NORM)
        optimiser.step()
        with torch.no_grad():
            torch._foreach_mul_(average, AVERAGE_DECAY)
            torch._foreach_add_(average, list(network.parameters()), alpha=1 - AVERAGE_DECAY)
        return time.perf_counter() - begin

    network.train()
    return {"forward": forward, "step": step}


def make_network(configuration, arguments):
    if arguments.preset is None:
        return LNSNet(configuration)
    # Standard output is for answers alone, and MONAI's BasicUNet prints its features there.
    with contextlib.redirect_stdout(sys.stderr):
        return make_peer(arguments.preset, arguments.size, arguments.checkouts)


def make_optimiser(network):
    """AdamW without weight decay on norms and biases, which are the parameters of one axis."""
    parameters = list(network.parameters())
    groups = [
        {"params": [parameter for parameter in parameters if parameter.dim() > 1], "weight_decay": 0.01},
        {"params": [parameter for parameter in parameters if parameter.dim() == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=1e-3, foreach=True)


def keep_freed_memory():
    """Have glibc keep what PyTorch frees, as ONNX Runtime's arena does; False where the C library cannot.

    By default each large tensor is fresh pages from the kernel, cleared anew: 120,000 page faults a forward pass.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    trim_threshold, mapping_count = -1, -4
    return bool(mallopt(trim_threshold, 2**31 - 1) and mallopt(mapping_count, 0))


def serve(runs, allocator):
    answer({"ready": True, "torch": torch.__version__, "allocator": allocator})
    for line in sys.stdin:
        word = line.strip()
        if word == "quit":
            break
        if word in runs:
            answer({"seconds": runs[word](), "peak_mb": peak_mb()})
        else:
            answer({"error": f"unknown word {word!r}; known are forward, step and quit"})


def answer(message):
    print(json.dumps(message), flush=True)


def peak_mb():
    """Largest resident set of this process so far, in 10^6 bytes; Linux counts it in KiB, macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configuration", help="JSON text or file; fields left out keep their defaults")
    parser.add_argument("--preset", help="lnsnet's name of a compared network")
    parser.add_argument("--checkouts", help="folder of the peers' repositories, for --preset")
    parser.add_argument("--size", type=parse_size, default=[64, 48, 48], help="depth,height,width")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory-format", choices=["contiguous", "channels_last_3d"], default="contiguous")
    parser.add_argument("--allocator", choices=["keep", "system"], default="keep",
                        help="keep: glibc holds on to freed memory (faster); system: PyTorch as installed")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
