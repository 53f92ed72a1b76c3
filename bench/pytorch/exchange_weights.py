"""LNSNet's weights in both directions: python3 exchange_weights.py model.safetensors folder

Ours to PyTorch: the model is loaded into the twin by name. PyTorch to ours: random weights are saved under the names of a
user's program (`net.…`), with the mapping to ours. Logits of both are written for the same patch.
"""

import json
import os
import sys

import torch

from lnsnet import LNSNet
from safetensors_io import read_safetensors, write_safetensors


def main():
    model_path, folder = sys.argv[1:]
    tensors, metadata = read_safetensors(model_path)
    plan = json.loads(metadata["plan"])
    x = torch.randn(1, 1, *plan["patchSize"], generator=torch.Generator().manual_seed(1))
    twin = LNSNet(plan["network"]["configuration"]).eval()

    ours = {name: torch.tensor(values.astype("float32")) for name, values in tensors.items()}
    twin.load_state_dict(ours, strict=True)
    logits = {"x": x.numpy(), "ours": logits_of(twin, x)}

    torch.manual_seed(2)
    other = LNSNet(plan["network"]["configuration"]).eval()
    torch.save({f"net.{name}": value for name, value in other.state_dict().items()}, os.path.join(folder, "twin.pth"))
    with open(os.path.join(folder, "names.json"), "w") as file:
        json.dump({f"net.{name}": name for name in other.state_dict()}, file)
    logits["theirs"] = logits_of(other, x)
    write_safetensors(os.path.join(folder, "logits.safetensors"), logits)


def logits_of(network, x):
    with torch.inference_mode():
        return network(x).numpy()


if __name__ == "__main__":
    main()
