"""nnU-Net v2 once more in plain PyTorch, NumPy and SciPy: networks with its names, checkpoints with its structure, its prediction.

Written after reading MIC-DKFZ/dynamic-network-architectures and MIC-DKFZ/nnUNet (Apache 2.0); no code of theirs.
Arrays are [C, Z, Y, X], as nnU-Net's readers give them.
"""

import itertools
import json
import os

import numpy as np
import torch
from scipy import ndimage
from torch import nn


# ---- networks: modules are attributes twice, as in nnU-Net, so that a checkpoint has every tensor several times


class ConvolutionNormActivation(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, bias, is_active=True):
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, kernel, stride, [(edge - 1) // 2 for edge in kernel], bias=bias)
        self.norm = nn.InstanceNorm3d(outputs, eps=1e-5, affine=True)
        parts = [self.conv, self.norm]
        if is_active:
            self.nonlin = nn.LeakyReLU(inplace=True)
            parts.append(self.nonlin)
        self.all_modules = nn.Sequential(*parts)

    def forward(self, x):
        return self.all_modules(x)


class Stack(nn.Module):
    def __init__(self, count, inputs, outputs, kernel, stride):
        super().__init__()
        self.convs = nn.Sequential(
            *[
                ConvolutionNormActivation(inputs if n == 0 else outputs, outputs, kernel, stride if n == 0 else [1] * 3, True)
                for n in range(count)
            ]
        )

    def forward(self, x):
        return self.convs(x)


class PlainEncoder(nn.Module):
    def __init__(self, inputs, features, kernels, strides, convolutions):
        super().__init__()
        widths = [inputs, *features]
        self.stages = nn.Sequential(
            *[
                nn.Sequential(Stack(convolutions[s], widths[s], widths[s + 1], kernels[s], strides[s]))
                for s in range(len(features))
            ]
        )

    def forward(self, x):
        skips = []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        return skips


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride):
        super().__init__()
        self.conv1 = ConvolutionNormActivation(inputs, outputs, kernel, stride, True)
        self.conv2 = ConvolutionNormActivation(outputs, outputs, kernel, [1] * 3, True, is_active=False)
        self.nonlin2 = nn.LeakyReLU(inplace=True)
        shortcut = []
        if any(step != 1 for step in stride):
            shortcut.append(nn.AvgPool3d(stride, stride))
        if inputs != outputs:
            shortcut.append(ConvolutionNormActivation(inputs, outputs, [1] * 3, [1] * 3, False, is_active=False))
        if shortcut:
            self.skip = nn.Sequential(*shortcut)

    def forward(self, x):
        shortcut = self.skip(x) if hasattr(self, "skip") else x
        return self.nonlin2(self.conv2(self.conv1(x)) + shortcut)


class ResidualStage(nn.Module):
    def __init__(self, count, inputs, outputs, kernel, stride):
        super().__init__()
        self.blocks = nn.Sequential(
            *[
                ResidualBlock(inputs if n == 0 else outputs, outputs, kernel, stride if n == 0 else [1] * 3)
                for n in range(count)
            ]
        )

    def forward(self, x):
        return self.blocks(x)


class ResidualEncoder(nn.Module):
    def __init__(self, inputs, features, kernels, strides, blocks):
        super().__init__()
        self.stem = Stack(1, inputs, features[0], kernels[0], [1] * 3)
        widths = [features[0], *features]
        self.stages = nn.Sequential(
            *[ResidualStage(blocks[s], widths[s], widths[s + 1], kernels[s], strides[s]) for s in range(len(features))]
        )

    def forward(self, x):
        x = self.stem(x)
        skips = []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        return skips


class Decoder(nn.Module):
    def __init__(self, encoder, features, kernels, strides, convolutions, classes):
        super().__init__()
        self.encoder = encoder
        stages, transposed, heads = [], [], []
        for step, stage in enumerate(range(len(features) - 2, -1, -1)):
            wide, narrow = features[stage + 1], features[stage]
            transposed.append(nn.ConvTranspose3d(wide, narrow, strides[stage + 1], strides[stage + 1], bias=True))
            stages.append(Stack(convolutions[step], 2 * narrow, narrow, kernels[stage], [1] * 3))
            heads.append(nn.Conv3d(narrow, classes, 1, bias=True))
        self.stages = nn.ModuleList(stages)
        self.transpconvs = nn.ModuleList(transposed)
        self.seg_layers = nn.ModuleList(heads)

    def forward(self, skips):
        x = skips[-1]
        for step, stage in enumerate(self.stages):
            x = stage(torch.cat((self.transpconvs[step](x), skips[-2 - step]), 1))
        return self.seg_layers[-1](x)


class UNet(nn.Module):
    def __init__(self, kind, inputs, classes, features, kernels, strides, repeats, decoder_repeats):
        super().__init__()
        encoder = PlainEncoder if kind == "PlainConvUNet" else ResidualEncoder
        self.encoder = encoder(inputs, features, kernels, strides, repeats)
        self.decoder = Decoder(self.encoder, features, kernels, strides, decoder_repeats, classes)

    def forward(self, x):
        return self.decoder(self.encoder(x))


def network_of(plans, configuration, inputs, classes):
    """The network that nnU-Net builds of its plans, of the old or the new form."""
    settings = settings_of(plans, configuration)
    if "architecture" in settings:
        kind = settings["architecture"]["network_class_name"].split(".")[-1]
        values = settings["architecture"]["arch_kwargs"]
        features, kernels, strides = (values[key] for key in ("features_per_stage", "kernel_sizes", "strides"))
        repeats = values["n_conv_per_stage" if kind == "PlainConvUNet" else "n_blocks_per_stage"]
        decoder_repeats = values["n_conv_per_stage_decoder"]
    else:
        kind, repeats = settings["UNet_class_name"], settings["n_conv_per_stage_encoder"]
        kernels, strides = settings["conv_kernel_sizes"], settings["pool_op_kernel_sizes"]
        decoder_repeats = settings["n_conv_per_stage_decoder"]
        first, greatest = settings["UNet_base_num_features"], settings["unet_max_num_features"]
        features = [min(first * 2**stage, greatest) for stage in range(len(repeats))]
    return UNet(kind, inputs, classes, features, kernels, strides, repeats, decoder_repeats)


def settings_of(plans, configuration):
    settings = plans["configurations"][configuration]
    if "inherits_from" in settings:
        return {**settings_of(plans, settings["inherits_from"]), **settings}
    return settings


def randomise(network, seed):
    """Weights that no training gave: every norm and bias has another value, and logits of some units."""
    generator = torch.Generator().manual_seed(seed)
    done = set()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.data_ptr() in done:
                continue
            done.add(parameter.data_ptr())
            drawn = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() > 1:
                spread = 1.5 if "seg_layers" in name else (2 / parameter[0].numel()) ** 0.5
                parameter.copy_(drawn * spread)
            else:
                parameter.copy_(drawn * 0.2 + (1 if "norm.weight" in name or ".1.weight" in name else 0))


# ---- a model folder

RESAMPLING = {
    "resampling_fn_data": "resample_data_or_seg_to_shape",
    "resampling_fn_seg": "resample_data_or_seg_to_shape",
    "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None},
    "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, "order_z": 0, "force_separate_z": None},
    "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
    "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None},
}
INTENSITIES = {
    "max": 900.0,
    "mean": 63.5,
    "median": 55.0,
    "min": -400.0,
    "percentile_00_5": -310.0,
    "percentile_99_5": 420.0,
    "std": 151.25,
}


def plans_of(name, transposition, configurations, channels):
    return {
        "dataset_name": name,
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [1.0, 1.0, 1.0],
        "original_median_shape_after_transp": [32, 32, 32],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": transposition,
        "transpose_backward": [int(axis) for axis in np.argsort(transposition)],
        "configurations": configurations,
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {str(n): INTENSITIES for n in range(channels)},
    }


def architecture(kind, stages):
    """The entry of a configuration, in the newer form of plans."""
    return {
        "network_class_name": f"dynamic_network_architectures.architectures.unet.{kind}",
        "arch_kwargs": {
            **stages,
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }


def write_fold(folder, fold, plans, dataset, configuration, mirror_axes, seed):
    """fold_N/checkpoint_final.pth with the keys that nnU-Net's trainer writes."""
    network = network_of(plans, configuration, len(dataset["channel_names"]), heads_of(dataset))
    randomise(network, seed)
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.99, nesterov=True)
    arguments = {
        "plans": plans,
        "configuration": configuration,
        "fold": fold,
        "dataset_json": dataset,
        "unpack_dataset": True,
        "device": torch.device("cuda", 0),
    }
    checkpoint = {
        "network_weights": network.state_dict(),
        "optimizer_state": optimizer.state_dict(),
        "grad_scaler_state": {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 12},
        "logging": {
            "mean_fg_dice": [np.float64(0.25), np.float64(0.5)],
            "dice_per_class_or_region": [[np.float32(0.25)], [np.float32(0.5)]],
            "train_losses": [np.float32(-0.1), np.float32(-0.3)],
            "epoch_start_timestamps": [0.5, 1.5],
        },
        "_best_ema": np.float64(0.275),
        "current_epoch": 2,
        "init_args": arguments,
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": mirror_axes,
    }
    path = os.path.join(folder, f"fold_{fold}")
    os.makedirs(path, exist_ok=True)
    torch.save(checkpoint, os.path.join(path, "checkpoint_final.pth"))


def write_folder(folder, plans, dataset, configuration, mirror_axes, folds, seed):
    os.makedirs(folder, exist_ok=True)
    for name, content in (("plans.json", plans), ("dataset.json", dataset)):
        with open(os.path.join(folder, name), "w") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
    for fold in range(folds):
        write_fold(folder, fold, plans, dataset, configuration, mirror_axes, seed + fold)


def has_regions(dataset):
    return any(isinstance(value, list) and len(value) > 1 for value in dataset["labels"].values())


def heads_of(dataset):
    foreground = [name for name, value in dataset["labels"].items() if value not in (0, [0]) and name != "ignore"]
    return len(foreground) if has_regions(dataset) else len(foreground) + 1


# ---- prediction


def prepared(data, spacing, plans, configuration):
    """The network's input, and what is needed to return: [C, …] float32, and a dictionary."""
    settings = settings_of(plans, configuration)
    order = plans["transpose_forward"]
    data = data.astype(np.float32).transpose([0, *[axis + 1 for axis in order]])
    spacing = [spacing[axis] for axis in order]
    whole = data.shape[1:]
    mask = ndimage.binary_fill_holes((data != 0).any(axis=0))
    box = tuple(slice(int(at.min()), int(at.max()) + 1) for at in np.nonzero(mask))
    data, mask = data[(slice(None), *box)].copy(), mask[box]
    for channel, scheme in enumerate(settings["normalization_schemes"]):
        values = data[channel]
        if scheme == "CTNormalization":
            known = plans["foreground_intensity_properties_per_channel"][str(channel)]
            values = np.clip(values, known["percentile_00_5"], known["percentile_99_5"])
            data[channel] = (values - known["mean"]) / max(known["std"], 1e-8)
        else:
            where = mask if settings["use_mask_for_norm"][channel] else np.ones_like(mask)
            values[where] = (values[where] - values[where].mean()) / max(values[where].std(), 1e-8)
    cropped = data.shape[1:]
    target = settings["spacing"]
    size = [int(round(old / new * length)) for old, new, length in zip(spacing, target, cropped)]
    state = {"whole": whole, "box": box, "cropped": cropped, "spacing": spacing, "order": order}
    return resized(data, size, spacing, target, 3).astype(np.float32), state


def resized(data, size, spacing, target, order):
    """nnU-Net's resampling: within planes alone where an axis is three times as coarse, nearest along that axis."""
    size = tuple(size)
    if data.shape[1:] == size:
        return data
    coarse = None
    for steps in (spacing, target):
        steps = np.asarray(steps)
        if steps.max() / steps.min() > 3:
            axes = np.nonzero(steps == steps.max())[0]
            coarse = int(axes[0]) if len(axes) == 1 else None
            break
    data = data.astype(float)
    if coarse is None:
        return np.stack([scaled(channel, size, order) for channel in data])
    result = []
    for channel in data:
        planes = np.moveaxis(channel, coarse, 0)
        flat = tuple(length for axis, length in enumerate(size) if axis != coarse)
        planes = np.stack([scaled(plane, flat, order) for plane in planes])
        count = size[coarse]
        places = (np.arange(count) + 0.5) * (len(planes) / count) - 0.5
        nearest = np.clip(np.floor(places + 0.5).astype(int), 0, len(planes) - 1)
        result.append(np.moveaxis(planes[nearest], 0, coarse))
    return np.stack(result)


def scaled(values, size, order):
    """What skimage.transform.resize does with mode="edge" and no smoothing: a spline, kept within the range of the values."""
    if values.shape == tuple(size):
        return values
    factors = [new / old for new, old in zip(size, values.shape)]
    result = ndimage.zoom(values, factors, order=order, mode="nearest", grid_mode=True)
    return np.clip(result, values.min(), values.max())


def window_weights(patch):
    point = np.zeros(patch)
    point[tuple(length // 2 for length in patch)] = 1
    weights = ndimage.gaussian_filter(point, [length / 8 for length in patch], 0, mode="constant", cval=0)
    weights = torch.from_numpy(weights * (10 / weights.max())).half()
    weights[weights == 0] = weights[weights > 0].min()
    return weights


def window_starts(size, patch, step):
    starts = []
    for length, edge in zip(size, patch):
        room = length - edge
        count = int(np.ceil(room / (edge * step))) + 1
        starts.append([int(np.round(room / max(count - 1, 1) * n)) for n in range(count)])
    return itertools.product(*starts)


def logits_of(image, networks, patch, mirror_axes, step=0.5):
    """Mean logits of the networks over the padded image, with float32 and with float16 sums; nnU-Net has the latter."""
    size = image.shape[1:]
    lack = [max(0, edge - length) for edge, length in zip(patch, size)]
    before = [amount // 2 for amount in lack]
    image = np.pad(image, [(0, 0), *[(b, amount - b) for b, amount in zip(before, lack)]])
    image = torch.from_numpy(np.ascontiguousarray(image))
    weights = window_weights(tuple(patch))
    classes = networks[0].decoder.seg_layers[-1].out_channels
    kinds = (torch.float32, torch.half)
    means = [torch.zeros((classes, *image.shape[1:])) for _ in kinds]
    for network in networks:
        network.eval()
        totals = [torch.zeros((classes, *image.shape[1:]), dtype=kind) for kind in kinds]
        counts = [torch.zeros(image.shape[1:], dtype=kind) for kind in kinds]
        for start in window_starts(image.shape[1:], patch, step):
            cut = (slice(None), *[slice(a, a + edge) for a, edge in zip(start, patch)])
            with torch.inference_mode():
                answer = mirrored_logits(network, image[cut][None], mirror_axes)[0]
            for total, count in zip(totals, counts):
                total[cut] += answer * weights
                count[cut[1:]] += weights
        for mean, total, count in zip(means, totals, counts):
            mean += (total / count).float() / len(networks)
    back = tuple(slice(b, b + length) for b, length in zip(before, size))
    return [mean[(slice(None), *back)].numpy() for mean in means]


def mirrored_logits(network, patch, mirror_axes):
    answer = network(patch)
    if not mirror_axes:
        return answer
    axes = [axis + 2 for axis in mirror_axes]
    choices = [c for n in range(len(axes)) for c in itertools.combinations(axes, n + 1)]
    for choice in choices:
        answer = answer + torch.flip(network(torch.flip(patch, choice)), choice)
    return answer / (len(choices) + 1)


def probabilities(data, spacing, folder):
    """[heads, Z, Y, X] on the scan's own grid, with float32 and with float16 sums: softmax, or a sigmoid for each region."""
    with open(os.path.join(folder, "plans.json")) as file:
        plans = json.load(file)
    with open(os.path.join(folder, "dataset.json")) as file:
        dataset = json.load(file)
    networks, axes, configuration = [], None, None
    for name in sorted(os.listdir(folder)):
        if not name.startswith("fold_"):
            continue
        checkpoint = torch.load(os.path.join(folder, name, "checkpoint_final.pth"), map_location="cpu")
        configuration = checkpoint["init_args"]["configuration"]
        axes = checkpoint["inference_allowed_mirroring_axes"]
        network = network_of(plans, configuration, len(dataset["channel_names"]), heads_of(dataset))
        network.load_state_dict(checkpoint["network_weights"])
        networks.append(network)
    settings = settings_of(plans, configuration)
    image, state = prepared(data, spacing, plans, configuration)
    both = logits_of(image, networks, settings["patch_size"], axes)
    return [restored(logits, settings["spacing"], state, has_regions(dataset)) for logits in both]


def restored(logits, spacing, state, are_regions):
    """Probabilities of logits, on the scan's own grid; 0 outside the cropped part."""
    logits = resized(logits, state["cropped"], spacing, state["spacing"], 1)
    logits = torch.from_numpy(np.ascontiguousarray(logits)).float()
    found = torch.sigmoid(logits) if are_regions else torch.softmax(logits, 0)
    whole = np.zeros((len(found), *state["whole"]), dtype=np.float32)
    whole[(slice(None), *state["box"])] = found.numpy()
    return whole.transpose([0, *[axis + 1 for axis in np.argsort(state["order"])]])
