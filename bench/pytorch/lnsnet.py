"""LNSNet in PyTorch: the peer that the benchmark and the gradient check hold our network against.

Written as a PyTorch user would write it; the names in `state_dict()` are those of our checkpoints.
Tensors are [N, C, D, H, W]; D, H and W must be divisible by 2 ** (number of stages - 1), with a stem of half size by
twice that.
"""

import json

import torch
from torch import nn

DEFAULT_CONFIGURATION = {
    "inputs": 1,
    "classes": 1,
    "stages": [32, 64, 128, 256],
    "stem": "full",
    "headChannels": 16,
    "depths": [2, 4, 4, 8],
    "decoderDepth": 2,
    "partialRatio": 0.25,
    "kernel": 3,
    "expansion": 2,
    "pointwiseGroups": "dense",
    "norm": "instance",
    "dropPath": 0.2,
    "boundaryModule": True,
    "depthwiseSeparable": "head",
    "convolution": "partial",
}

SUPPORTED_CHOICES = {
    "stem": ("full", "half"),
    "pointwiseGroups": ("dense",),
    "norm": ("instance",),
    "depthwiseSeparable": ("head", "none"),
    "convolution": ("partial", "full"),
}

NEGATIVE_SLOPE = 0.01


def complete_configuration(configuration=None):
    """The defaults with the given fields laid over them; raises ValueError for what this peer does not build."""
    given = dict(configuration or {})
    unknown = sorted(set(given) - set(DEFAULT_CONFIGURATION))
    if unknown:
        raise ValueError(f"the configuration has unknown fields {unknown}; known are {sorted(DEFAULT_CONFIGURATION)}")
    complete = {**DEFAULT_CONFIGURATION, **given}
    for field, choices in SUPPORTED_CHOICES.items():
        if complete[field] not in choices:
            raise ValueError(f"{field} is {complete[field]!r}; the PyTorch peer builds only {choices}")
    if len(complete["stages"]) != len(complete["depths"]):
        raise ValueError(f"stages {complete['stages']} and depths {complete['depths']} differ in length")
    return complete


def read_configuration(text_or_path):
    """A configuration from JSON text, or from a file of it; None gives the defaults."""
    if text_or_path is None:
        return complete_configuration()
    if text_or_path.lstrip().startswith("{"):
        return complete_configuration(json.loads(text_or_path))
    with open(text_or_path, encoding="utf-8") as file:
        return complete_configuration(json.load(file))


class LNSNet(nn.Module):
    """[N, inputs, D, H, W] to logits [N, classes, D, H, W]."""

    def __init__(self, configuration=None):
        super().__init__()
        self.configuration = complete_configuration(configuration)
        stages, depths = self.configuration["stages"], self.configuration["depths"]
        decoder_stages = list(reversed(range(len(stages) - 1)))
        decoder_depth = self.configuration["decoderDepth"]
        block_count = sum(depths) + decoder_depth * len(decoder_stages)
        rates = iter(torch.linspace(0, self.configuration["dropPath"], block_count).tolist())

        def blocks(channels, depth):
            return nn.ModuleList(VolumeBlock(channels, next(rates), self.configuration) for _ in range(depth))

        edge = 2 if self.configuration["stem"] == "half" else 1
        self.stem = nn.Conv3d(self.configuration["inputs"], stages[0], edge, stride=edge)
        self.encoder = nn.ModuleList()
        for stage, depth in enumerate(depths):
            down = Downsample(stages[stage - 1], stages[stage]) if stage > 0 else None
            self.encoder.append(Stage({"down": down, "block": blocks(stages[stage], depth)}))
        # A dictionary, because the decoder runs from its deepest stage up while its names count from the top.
        self.decoder = nn.ModuleDict()
        for stage in decoder_stages:
            up = Upsample(stages[stage + 1], stages[stage])
            self.decoder[str(stage)] = Stage({"up": up, "block": blocks(stages[stage], decoder_depth)})
        self.head = Head(stages[0], self.configuration)
        self.boundary = (
            BoundaryEnhancement(self.configuration["classes"]) if self.configuration["boundaryModule"] else None
        )

    def forward(self, x):
        x = self.stem(x)
        skips = []
        for stage in self.encoder:
            if "down" in stage:
                skips.append(x)
                x = stage["down"](x)
            for block in stage["block"]:
                x = block(x)
        for stage in self.decoder.values():
            x = stage["up"](x) + skips.pop()
            for block in stage["block"]:
                x = block(x)
        logits = self.head(x)
        return logits if self.boundary is None else logits + self.boundary(logits)


class Stage(nn.ModuleDict):
    """The parts of one stage by name, leaving out those that are None."""

    def __init__(self, parts):
        super().__init__({name: part for name, part in parts.items() if part is not None})


class VolumeBlock(nn.Module):
    """x + DropPath(pointwise2(LeakyReLU(pointwise1(InstanceNorm(VPConv(x))))))"""

    def __init__(self, channels, drop_rate, configuration):
        super().__init__()
        hidden = round(channels * configuration["expansion"])
        ratio = configuration["partialRatio"] if configuration["convolution"] == "partial" else 1
        self.vpconv = VolumetricPartialConvolution(channels, round(channels * ratio), configuration["kernel"])
        self.norm = nn.InstanceNorm3d(channels, affine=True)
        self.pointwise1 = nn.Conv3d(channels, hidden, 1)
        self.activation = nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)
        self.pointwise2 = nn.Conv3d(hidden, channels, 1)
        self.drop_path = DropPath(drop_rate)

    def forward(self, x):
        branch = self.pointwise1(self.norm(self.vpconv(x)))
        return x + self.drop_path(self.pointwise2(self.activation(branch)))


class VolumetricPartialConvolution(nn.Conv3d):
    """A dense convolution of the first `convolved` channels; the others pass through untouched."""

    def __init__(self, channels, convolved, kernel):
        super().__init__(convolved, convolved, kernel, padding=kernel // 2, bias=False)
        self.untouched = channels - convolved

    def forward(self, x):
        if self.untouched == 0:
            return super().forward(x)
        convolved, untouched = torch.split(x, [self.in_channels, self.untouched], dim=1)
        return torch.cat([super().forward(convolved), untouched], dim=1)


class DropPath(nn.Module):
    """Stochastic depth (Huang 2016) as in timm: per sample, survivors scaled by 1 / keep, off in eval."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if self.rate == 0 or not self.training:
            return x
        keep = 1 - self.rate
        return x * x.new_empty([x.shape[0], 1, 1, 1, 1]).bernoulli_(keep).div_(keep)


class Downsample(nn.Module):
    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.norm = nn.InstanceNorm3d(channels_in, affine=True)
        self.convolution = nn.Conv3d(channels_in, channels_out, 2, stride=2)

    def forward(self, x):
        return self.convolution(self.norm(x))


class Upsample(nn.Module):
    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.norm = nn.InstanceNorm3d(channels_in, affine=True)
        self.convolution = nn.ConvTranspose3d(channels_in, channels_out, 2, stride=2)

    def forward(self, x):
        return self.convolution(self.norm(x))


class Head(nn.Module):
    """The bottom of the network: features at full resolution, depthwise separable convolution (optional), class logits.

    Behind a half-size stem without channels of its own, the logits are those of the transposed convolution.
    """

    def __init__(self, channels, configuration):
        super().__init__()
        classes, full = configuration["classes"], configuration["headChannels"]
        is_half = configuration["stem"] == "half"
        self.separable = configuration["depthwiseSeparable"] == "head"
        self.up = Upsample(channels, full) if is_half and full > 0 else None
        if self.up is not None:
            channels = full
        if self.separable:
            self.depthwise = nn.Conv3d(channels, channels, 3, padding=1, groups=channels, bias=False)
            self.pointwise = nn.Conv3d(channels, channels, 1, bias=False)
            self.norm = nn.InstanceNorm3d(channels, affine=True)
            self.activation = nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)
        if is_half and full == 0:
            self.logits = Upsample(channels, classes)
        else:
            self.logits = nn.Conv3d(channels, classes, 3, padding=1)

    def forward(self, x):
        if self.up is not None:
            x = self.up(x)
        if self.separable:
            x = self.activation(self.norm(self.pointwise(self.depthwise(x))))
        return self.logits(x)


class BoundaryEnhancement(nn.Module):
    """LBEM: what is added to the logits to sharpen their boundary."""

    def __init__(self, classes):
        super().__init__()
        hidden = 4 * classes
        self.pointwise1 = nn.Conv3d(classes, hidden, 1, bias=False)
        self.depthwise = nn.Conv3d(hidden, hidden, 7, padding=3, groups=hidden, bias=False)
        self.norm = nn.InstanceNorm3d(hidden, affine=True)
        self.activation = nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)
        self.pointwise2 = nn.Conv3d(hidden, classes, 1)

    def forward(self, logits):
        return self.pointwise2(self.activation(self.norm(self.depthwise(self.pointwise1(logits)))))
