"""The compared networks as their authors publish them, made as lnsnet's presets are; from checkouts of their repositories.

Each entry names the repository, the commit that lnsnet's figures rest on, and how the module is made. A checkout is a
folder of the repository's own name: MONAI, 3DUX-Net, 3D-Partial-U-Net, dynamic-network-architectures, MedNeXt.
"""

import importlib.util
import sys
import types
from pathlib import Path

from torch import nn

COMMITS = {
    "MONAI": "Project-MONAI/MONAI@d388d1c6fec8cb3a0eebee5b5a0b9776ca59ca83",
    "3DUX-Net": "MASILab/3DUX-Net@14ea46b7b4c4980b46aba066aaaa24b1d9c1bb0d",
    "3D-Partial-U-Net": "cii030/3D-Partial-U-Net@9c1c43ef15f3279ccd14bd858712315776f2c9cc",
    "dynamic-network-architectures": "MIC-DKFZ/dynamic-network-architectures@d35f85c7b92cbf3e9443b412fdc7c81f8e2e7b12",
    "MedNeXt": "MIC-DKFZ/MedNeXt@0b78ed869fbd1cc2fd38754d2f8519f1b72d43ba",
}


def unetr(size):
    from monai.networks.nets import UNETR

    return UNETR(in_channels=1, out_channels=1, img_size=size)


def swin_unetr(features):
    def make(_):
        from monai.networks.nets import SwinUNETR

        return SwinUNETR(in_channels=1, out_channels=1, feature_size=features)

    return make


def vnet(_):
    from monai.networks.nets import VNet

    return VNet(spatial_dims=3, in_channels=1, out_channels=1)


def segresnet(features):
    def make(_):
        from monai.networks.nets import SegResNet

        return SegResNet(spatial_dims=3, init_filters=features, in_channels=1, out_channels=1)

    return make


def basic_unet(_):
    from monai.networks.nets import BasicUNet

    return BasicUNet(spatial_dims=3, in_channels=1, out_channels=1)


def residual_unet(_):
    from monai.networks.nets import UNet

    channels, strides = (16, 32, 64, 128, 256), (2, 2, 2, 2)
    return UNet(spatial_dims=3, in_channels=1, out_channels=1, channels=channels, strides=strides, num_res_units=2)


def nnunet(_):
    from monai.networks.nets import DynUNet

    return DynUNet(
        spatial_dims=3, in_channels=1, out_channels=1, kernel_size=[3] * 5, strides=[1, 2, 2, 2, 2],
        upsample_kernel_size=[2] * 4, filters=[32, 64, 128, 256, 320], deep_supervision=True, deep_supr_num=3,
    )  # fmt: skip


def nnunet_resenc_m(_):
    from dynamic_network_architectures.architectures.unet import ResidualEncoderUNet

    return ResidualEncoderUNet(
        1, 5, [32, 64, 128, 256, 320], nn.Conv3d, 3, [1, 2, 2, 2, 2], [1, 3, 4, 6, 6], 1, [1] * 4, conv_bias=True,
        norm_op=nn.InstanceNorm3d, norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=nn.LeakyReLU, nonlin_kwargs={"inplace": True}, deep_supervision=True,
    )  # fmt: skip


def ux_net(_):
    stand_in_for_timm()
    # What its file imports and its network does without.
    for name in ("lib.utils.tools.logger", "lib.models.tools.module_helper"):
        stand_in(name)
    sys.modules["lib.utils.tools.logger"].Logger = None
    sys.modules["lib.models.tools.module_helper"].ModuleHelper = None
    from networks.UXNet_3D.network_backbone import UXNET

    return UXNET(in_chans=1, out_chans=1)


def partial_unet(_):
    stand_in_for_timm()
    path = next(Path(folder) / "3D Partial U-Net.py" for folder in sys.path if Path(folder).name == "3D-Partial-U-Net")
    specification = importlib.util.spec_from_file_location("partial_unet", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.UNet(in_channels=1, n_classes=1)


def mednext_s(_):
    from nnunet_mednext.network_architecture.mednextv1.create_mednext_v1 import create_mednext_v1

    return create_mednext_v1(1, 1, "S", 3, True)


# By lnsnet's preset: repositories that it needs, and how it is made for a size.
PEERS = {
    "unetr": (("MONAI",), unetr),
    "swin-unetr": (("MONAI",), swin_unetr(48)),
    "swin-unetr-24": (("MONAI",), swin_unetr(24)),
    "vnet": (("MONAI",), vnet),
    "segresnet": (("MONAI",), segresnet(8)),
    "segresnet-16": (("MONAI",), segresnet(16)),
    "basic-unet": (("MONAI",), basic_unet),
    "residual-unet": (("MONAI",), residual_unet),
    "nnunet": (("MONAI",), nnunet),
    "nnunet-resenc-m": (("dynamic-network-architectures",), nnunet_resenc_m),
    "ux-net": (("MONAI", "3DUX-Net"), ux_net),
    "partial-unet": (("3D-Partial-U-Net",), partial_unet),
    "mednext-s": (("MedNeXt",), mednext_s),
}


def make_peer(preset, size, checkouts):
    """The module for images of `size` (depth, height, width); raises LookupError where there is none or no checkout."""
    if preset not in PEERS:
        raise LookupError(f"no public PyTorch reference is known for {preset}")
    repositories, make = PEERS[preset]
    for name in repositories:
        folder = Path(checkouts) / name
        if not folder.is_dir():
            raise LookupError(f"{folder} is missing; clone https://github.com/{COMMITS[name].replace('@', ' at commit ')}")
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    return make(tuple(size))


def finest(answer):
    """The logits at full resolution: nnU-Net and MedNeXt give a list, MONAI's DynUNet stacks what it has enlarged."""
    if isinstance(answer, (list, tuple)):
        return answer[0]
    return answer[:, 0] if answer.ndim == 6 else answer


def without_chance(module):
    """Training mode with nothing dropped, so that both sides compute the same."""
    module.train()
    for part in module.modules():
        if isinstance(part, nn.modules.dropout._DropoutNd) or type(part).__name__ == "DropPath":
            part.eval()
    return module


class DropPath(nn.Module):
    """timm's stochastic depth, as far as these networks use it."""

    def __init__(self, rate=0.0):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if self.rate == 0 or not self.training:
            return x
        kept = x.new_empty((len(x),) + (1,) * (x.ndim - 1)).bernoulli_(1 - self.rate)
        return x * kept / (1 - self.rate)


def stand_in(name):
    """An empty module of this name, with the packages above it."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        path = ".".join(parts[:length])
        if path not in sys.modules:
            sys.modules[path] = types.ModuleType(path)


def stand_in_for_timm():
    if "timm" in sys.modules or importlib.util.find_spec("timm") is not None:
        return
    stand_in("timm.models.layers")
    sys.modules["timm.models.layers"].DropPath = DropPath
    sys.modules["timm.models.layers"].trunc_normal_ = nn.init.trunc_normal_
