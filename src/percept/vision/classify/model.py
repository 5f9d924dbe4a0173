"""Classifiers that answer for every window of a picture: MobileNetV2 made dense, and OverFeat's two networks.

All give (B, 3, H, W) RGB 0..1 -> (B, classes, rows, columns) scores before the softmax, normalise inside, and say by
`grid` which pixels a cell answers for.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import mobilenet_v2

from percept.core.checkpoint import Checkpoint
from percept.core.errors import UsageError, nearest
from percept.vision.overfeat import Grid, OverFeat, normalise

ARCHITECTURES = ("mobilenet-v2", "overfeat-fast", "overfeat-accurate")


def build(architecture: str, classes: int, width: float = 1.0) -> nn.Module:
    """The named network with new weights. `width` scales the channels of OverFeat; MobileNetV2 has one width.

    Raises UsageError for an unknown name, or a width for MobileNetV2.
    """
    if architecture not in ARCHITECTURES:
        raise UsageError(f'no classifier "{architecture}"{nearest(architecture, ARCHITECTURES)}')
    if architecture == "mobilenet-v2":
        if width != 1.0:
            raise UsageError("width has no effect on mobilenet-v2; it scales overfeat-fast and overfeat-accurate")
        return DenseMobileNetV2(classes)
    return OverFeat(architecture.removeprefix("overfeat-"), classes, width)


def from_checkpoint(checkpoint: Checkpoint) -> nn.Module:
    """The network of a weight file, ready to answer.

    Raises UsageError if the tensors are not those of the network that the header names.
    """
    model = checkpoint.header["model"]
    network = build(model["name"], len(checkpoint.header["classes"]), model.get("width", 1.0))
    try:
        network.load_state_dict(checkpoint.tensors)
    except RuntimeError as error:
        raise UsageError(
            f"{checkpoint.path}: not the tensors of {model['name']}: {str(error).splitlines()[-1]}"
        ) from error
    return network.eval()


class DenseMobileNetV2(nn.Module):
    """MobileNetV2 (Sandler et al. 2018), the global average replaced by a local one, the classifier run at each cell.

    Names of tensors are torchvision's. A picture of 224 x 224 gives the 1 x 1 map that torchvision's network gives. The
    average runs over 7 x 7 cells (224 pixels) at stride 1 (32 pixels); over fewer where the picture is smaller.
    Batch normalisation keeps the statistics it came with, in training too: batches at home are small, and a network
    that starts from ImageNet has seen better ones. (Started from nothing it is the identity at first.)
    """

    window = 7  # cells

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        whole = mobilenet_v2(num_classes=classes)
        self.features = whole.features
        self.classifier = whole.classifier  # dropout 0.2, then the linear layer

    def grid(self, window: int | None = None) -> Grid:
        """`window`: as in `forward`."""
        return Grid(32 * (window or self.window), 32)

    def train(self, mode: bool = True) -> DenseMobileNetV2:
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, images: Tensor, window: int | None = None) -> Tensor:
        """`window`: cells on a side of the local average; 1 gives the finest map; its averages are the usual one."""
        maps = self.features(normalise(images))  # (B, 1280, h, w)
        window = window or self.window
        # int: in an exported network the window is a constant
        local = F.avg_pool2d(maps, [min(window, int(side)) for side in maps.shape[2:]], stride=1)
        dropout, linear = self.classifier
        return F.conv2d(dropout(local), linear.weight[:, :, None, None], linear.bias)  # (B, classes, rows, columns)
