"""Logits, loss and every gradient of the peer for one case, in the precision asked for."""

import torch

from lnsnet import LNSNet
from loss import dice_and_cross_entropy


def evaluate_case(configuration, weights, data, dtype):
    """{"logits", "loss", "grad.<parameter>"} as NumPy arrays; weights and data are NumPy arrays by name.

    `data` holds `x` [N, inputs, D, H, W] and `label` [N, classes, D, H, W]. Drop path is off.
    Raises ValueError when names or shapes of the weights are not the network's.
    """
    network = LNSNet(configuration).to(dtype)
    try:
        network.load_state_dict({name: torch.tensor(value, dtype=dtype) for name, value in weights.items()})
    except RuntimeError as error:
        raise ValueError(f"the weights do not fit the configuration: {error}") from error
    network.eval()
    logits = network(torch.tensor(data["x"], dtype=dtype))
    loss = dice_and_cross_entropy(logits, torch.tensor(data["label"], dtype=dtype))
    loss.backward()
    gradients = {f"grad.{name}": parameter.grad.numpy() for name, parameter in network.named_parameters()}
    return {"logits": logits.detach().numpy(), "loss": loss.detach().numpy(), **gradients}
