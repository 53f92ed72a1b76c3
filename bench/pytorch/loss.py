"""The training loss of the peer: batch soft Dice and binary cross-entropy."""

import torch
from torch.nn import functional

DICE_SMOOTH = 1e-5


def dice_and_cross_entropy(logits, label):
    """Soft Dice loss plus mean binary cross-entropy; logits and label are [N, classes, D, H, W].

    Dice is taken per class over batch and space together: 1 - (2 Σpy + s) / (Σp + Σy + s), then averaged over classes.
    """
    probability = torch.sigmoid(logits)
    over = (0, 2, 3, 4)
    overlap = (probability * label).sum(over)
    total = probability.sum(over) + label.sum(over)
    dice = (2 * overlap + DICE_SMOOTH) / (total + DICE_SMOOTH)
    return 1 - dice.mean() + functional.binary_cross_entropy_with_logits(logits, label)
