"""Coins, and the networks of chapters 20 to 22 that find them, in PyTorch.

The pages show these classes, train them and measure them. `segmentation_keras` builds the same
networks in Keras. Images are (N, C, H, W) from 0 to 1, labels (N, H, W), scores
(N, classes, H, W).
"""

import time

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from skimage import data, filters, segmentation
from torch import nn

CLASSES = "ground", "coin", "rim"
STEPS = 150
"""Training steps, where nothing else is said."""


# ------------------------------------------------------------------ data


def coins():
    """Return a photograph of coins (1, 1, 303, 384) and its labels (1, 303, 384).

    The labels follow scikit-image's own recipe for this photograph: flood the edges from what
    is surely ground and surely coin. The rim is what lies within two pixels of an outline.
    """
    grey = data.coins()
    sure = np.where(grey < 30, 1, np.where(grey > 150, 2, 0))
    flooded = segmentation.watershed(filters.sobel(grey), sure)
    inside = ndimage.binary_fill_holes(flooded == 2)
    inside = ndimage.binary_opening(inside, iterations=3)
    wide = ndimage.binary_dilation(inside, iterations=2)
    deep = ndimage.binary_erosion(inside, iterations=2)
    labels = np.where(wide & ~deep, 2, inside)
    image = torch.tensor(grey / 255, dtype=torch.float32)
    return image[None, None], torch.tensor(labels).long()[None]


def halves():
    """Return the left half, to learn from, and the right half, to test: (image, labels) each."""
    image, labels = coins()
    left = image[..., :192], labels[..., :192]
    right = image[..., 192:], labels[..., 192:]
    return left, right


def pieces(image, labels, count, size=96):
    """Cut out `count` pieces of `size` x `size` at random places, turned over at random."""
    h, w = labels.shape[1:]
    both = torch.cat([image[0], labels.float()])
    cut = []
    for _ in range(count):
        i = torch.randint(h - size + 1, ()).item()
        j = torch.randint(w - size + 1, ()).item()
        turned = [axis for axis in (1, 2) if torch.rand(()) < 0.5]
        cut.append(both[:, i : i + size, j : j + size].flip(turned))
    cut = torch.stack(cut)
    return cut[:, :-1], cut[:, -1].long()


# ----------------------------------------------------------------- parts


def drawn(layer, gain=1):
    """Draw random taps so that numbers stay as large as they were.

    An output of `layer` is the sum of `count` products.
    """
    w = layer.weight.data
    share = layer.stride[0] ** 2 if layer.transposed else 1
    count = layer.in_channels * w[0, 0].numel() / share
    nn.init.normal_(w, std=(gain / count) ** 0.5)
    nn.init.zeros_(layer.bias)
    return layer


class Conv(nn.Conv2d):
    """A convolution that keeps the size, and a ReLU."""

    def __init__(self, c_in, c_out, k=3):
        super().__init__(c_in, c_out, k, padding=k // 2)
        drawn(self, gain=2)  # the ReLU takes a half away

    def forward(self, x):
        return F.relu(super().forward(x))


def conv3(c_in, c_out):
    return drawn(nn.Conv2d(c_in, c_out, 3, padding=1))


def crop(x, like):
    """Cut rows and columns off at the end."""
    h, w = like.shape[2:]
    return x[:, :, :h, :w]


class Bilinear(nn.ConvTranspose2d):
    """Bilinear to begin with. Then it learns."""

    def __init__(self, channels, factor):
        k, p = 2 * factor, factor // 2
        super().__init__(channels, channels, k, factor, p, bias=False)
        d = (torch.arange(k) - (k - 1) / 2).abs()
        stamp = torch.outer(1 - d / factor, 1 - d / factor)
        weight = torch.zeros_like(self.weight)
        for c in range(channels):
            weight[c, c] = stamp
        self.weight.data = weight


# ------------------------------------------------------------------- FCN


class Encoder(nn.Module):
    """Each stage halves the map and rounds up."""

    def __init__(self, widths=(16, 16, 32, 48, 64)):
        super().__init__()
        pairs = zip((1, *widths), widths, strict=False)
        self.stages = nn.ModuleList(Conv(a, b) for a, b in pairs)

    def forward(self, x):
        pooled = []
        for stage in self.stages:
            x = F.max_pool2d(stage(x), 2, ceil_mode=True)
            pooled.append(x)
        return pooled


class Head(nn.Module):
    """Scores from the deepest map, sharpened by others."""

    def __init__(self, widths, stride, classes):
        super().__init__()
        scores = [nn.Conv2d(c, classes, 1) for c in widths]
        twice = [Bilinear(classes, 2) for _ in widths[1:]]
        self.score = nn.ModuleList(scores)
        self.twice = nn.ModuleList(twice)
        self.last = Bilinear(classes, stride)

    def forward(self, maps, image):
        scores = self.score[0](maps[0])
        for i, twice in enumerate(self.twice):
            skip = self.score[i + 1](maps[i + 1])
            scores = crop(twice(scores), skip) + skip
        return crop(self.last(scores), image)


class FCN(nn.Module):
    """FCN-32s, 16s or 8s: one, two or three maps."""

    def __init__(self, stride, classes=3):
        super().__init__()
        self.maps = {32: 1, 16: 2, 8: 3}[stride]
        self.encoder = Encoder()
        widths = [64, 48, 32][: self.maps]
        self.head = Head(widths, stride, classes)

    def forward(self, x):
        pooled = self.encoder(x)  # the deepest comes last
        deepest = pooled[::-1][: self.maps]
        return self.head(deepest, x)


# ----------------------------------------------------------------- U-Net


class ResizeConv(nn.Module):
    def __init__(self, c_in, c_out, mode):
        super().__init__()
        self.mode = mode
        self.conv = conv3(c_in, c_out)

    def forward(self, x):
        x = F.interpolate(x, scale_factor=2, mode=self.mode)
        return self.conv(x)


class SubPixel(nn.Module):
    def __init__(self, c_in, c_out, icnr=False):
        super().__init__()
        self.conv = conv3(c_in, 4 * c_out)
        if icnr:
            for p in self.conv.parameters():
                p.data = p.data[::4].repeat_interleave(4, 0)

    def forward(self, x):
        return F.pixel_shuffle(self.conv(x), 2)


def max_pool(x):
    """Halve, rounding up; return the switches as well."""
    return F.max_pool2d(
        x,
        2,
        ceil_mode=True,
        return_indices=True,
    )


def max_unpool(x, switches, size):
    """Put each value where its maximum was found."""
    return F.max_unpool2d(x, switches, 2, output_size=size)


class Unpool(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = conv3(c_in, c_out)

    def forward(self, x, switches, like):
        size = like.shape[2:]
        return max_unpool(self.conv(x), switches, size)


def transposed(c_in, c_out, *settings):
    return drawn(nn.ConvTranspose2d(c_in, c_out, *settings))


def bilinear_start(c_in, c_out):
    """Bilinear in space, with a random mix of channels."""
    layer = transposed(c_in, c_out, 4, 2, 1)
    mix = torch.randn(c_in, c_out, 1, 1) / c_in**0.5
    layer.weight.data = mix * Bilinear(1, 2).weight.data
    return layer


UPSAMPLINGS = {
    "nearest + conv": lambda a, b: ResizeConv(a, b, "nearest"),
    "bilinear + conv": lambda a, b: ResizeConv(a, b, "bilinear"),
    "transposed, k = 2": lambda a, b: transposed(a, b, 2, 2),
    "transposed, k = 3": lambda a, b: transposed(a, b, 3, 2, 1, 1),
    "transposed, k = 4, bilinear": bilinear_start,
    "pixel shuffle": SubPixel,
    "pixel shuffle, ICNR": lambda a, b: SubPixel(a, b, icnr=True),
    "unpooling": Unpool,
}
"""Ways to double a map and take it from `a` channels to `b`."""


class UpBlock(nn.Module):
    """Enlarge, set the skip beside it, convolve twice."""

    def __init__(self, c_in, c_out, up, skips=True):
        super().__init__()
        self.up = UPSAMPLINGS[up](c_in, c_out)
        self.skips = skips
        width = 2 * c_out if skips else c_out
        self.first = Conv(width, c_out)
        self.second = Conv(c_out, c_out)

    def forward(self, x, skip, switches):
        told = isinstance(self.up, Unpool)
        x = self.up(x, switches, skip) if told else self.up(x)
        x = crop(x, skip)
        if self.skips:
            x = torch.cat([skip, x], dim=1)
        return self.second(self.first(x))


class UNet(nn.Module):
    """Down and up again, with a skip at every size."""

    def __init__(self, up, skips=True, c_in=1, classes=3):
        super().__init__()
        w = (8, 16, 32, 64)
        self.first = nn.ModuleList(map(Conv, (c_in, *w), w))
        self.second = nn.ModuleList(map(Conv, w, w))
        blocks = [UpBlock(2 * c, c, up, skips) for c in (32, 16, 8)]
        self.blocks = nn.ModuleList(blocks)
        self.score = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        maps, switches = [], []
        for first, second in zip(self.first, self.second, strict=True):
            if maps:
                x, where = max_pool(x)
                switches.append(where)
            x = second(first(x))
            maps.append(x)
        x = maps.pop()
        for block in self.blocks:
            x = block(x, maps.pop(), switches.pop())
        return self.score(x)


# ---------------------------------------------- decoders with switches


class Deconv(nn.ConvTranspose2d):
    """A transposed convolution with stride 1, and a ReLU."""

    def __init__(self, c_in, c_out, k=3):
        super().__init__(c_in, c_out, k, padding=k // 2)
        drawn(self, gain=2)

    def forward(self, x):
        return F.relu(super().forward(x))


class DecoderBlock(nn.Module):
    """Put each value where it was found, then fill in."""

    def __init__(self, c_in, c_out, layer=Conv, k=3, depth=2):
        super().__init__()
        made = [layer(c_in, c_in, k) for _ in range(depth - 1)]
        made.append(layer(c_in, c_out, k))
        self.layers = nn.ModuleList(made)

    def forward(self, x, switches, size):
        x = max_unpool(x, switches, size)
        for layer in self.layers:
            x = layer(x)
        return x


class SwitchNet(nn.Module):
    """The encoder hands over its switches, and no map."""

    def __init__(self, layer=Conv, k=3, depth=2, scores=3):
        super().__init__()
        w = (16, 32, 64)
        self.first = nn.ModuleList(map(Conv, (1, *w), w))
        self.second = nn.ModuleList(map(Conv, w, w))
        pairs = (64, 32), (32, 16), (16, 16)
        made = [DecoderBlock(*p, layer, k, depth) for p in pairs]
        self.blocks = nn.ModuleList(made)
        self.score = nn.Conv2d(16, scores, 1)

    def forward(self, x):
        kept = []
        for first, second in zip(self.first, self.second, strict=True):
            x = second(first(x))
            size = x.shape[2:]
            x, switches = max_pool(x)
            kept.append((switches, size))
        for block in self.blocks:
            switches, size = kept.pop()
            x = block(x, switches, size)
        return self.score(x)


# --------------------------------------------------- training, measuring


def train(net, draw, steps=STEPS, loss=F.cross_entropy):
    """Train `net`, leave it in evaluation mode and return each step's loss.

    `draw()` returns a batch, (images, labels). The steps get shorter towards the end.
    """
    adam = torch.optim.Adam(net.parameters())
    net.train()
    losses = []
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = 0.003 * (1 - step / steps)
        x, labels = draw()
        value = loss(net(x), labels)
        adam.zero_grad()
        value.backward()
        adam.step()
        losses.append(value.item())
    net.eval()
    return losses


@torch.no_grad()
def predict(net, x):
    """Return the class with the highest score, (N, H, W)."""
    return net(x).argmax(1)


def iou(predicted, labels, classes=3):
    """Return for each class: pixels in both, divided by pixels in either."""
    shares = []
    for c in range(classes):
        p, t = predicted == c, labels == c
        shares.append(((p & t).sum() / (p | t).sum()).item())
    return shares


@torch.no_grad()
def pattern(net, image, period=8):
    """Return how uneven plain walls come out, in percent of the scores' spread on `image`.

    The walls have nine greys. In their middle, far from the borders, a network's scores repeat
    after `period` places. Without a pattern all places of one period are equal.
    """
    variances = []
    middle = slice(12 * period, 13 * period)
    for grey in torch.linspace(0.1, 0.9, 9):
        wall = grey * torch.ones(1, image.shape[1], 24 * period, 24 * period)
        cell = net(wall)[:, :, middle, middle]
        variances.append(cell.var((2, 3), correction=0).mean())
    spread = net(image).var((2, 3)).mean()
    return 100 * (torch.stack(variances).mean() / spread).sqrt().item()


def kept_bytes(net, x):
    """Return the bytes that a forward pass on `x` keeps for the backward pass.

    Counted are the tensors that autograd saves, each storage once, without the parameters.
    """
    own = {p.untyped_storage().data_ptr() for p in (*net.parameters(), *net.buffers())}
    storages = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            storages[storage.data_ptr()] = storage  # held, so that no address comes twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        scores = net(x)
    del scores
    return sum(storage.nbytes() for storage in storages.values())


# ------------------------------------------------------ the comparison


def compare(upsampling, seed, skips=True, steps=STEPS, data=None):
    """Train a U-Net and measure it. Returns a dict.

    `upsampling` is a name in UPSAMPLINGS. `data` is ((images, labels), (images, labels)), to
    learn from and to test; the coins' halves, where nothing is given. The dict has "iou" of each
    class, "pattern" in percent (see `pattern`), "parameters" and "kept" (bytes for one piece of
    64 x 64).
    """
    (images, known), (image, labels) = data or halves()

    def draw():
        if data is None:
            return pieces(images, known, count=4, size=64)
        chosen = torch.randint(len(images), (8,))
        return images[chosen], known[chosen]

    torch.manual_seed(seed)
    net = UNet(upsampling, skips, c_in=image.shape[1])
    train(net, draw, steps)
    return {
        "iou": iou(predict(net, image), labels),
        "pattern": pattern(net, image),
        "parameters": sum(p.numel() for p in net.parameters()),
        "kept": kept_bytes(net, image[:1, :, :64, :64]),
    }


def times(rounds=30):
    """Return how long a training step takes: upsampling -> seconds of every round.

    All U-Nets, with skips, get the same batch in turn, on one core. The time is that of the
    processor, so that what else the machine does matters less.
    """
    x, labels = pieces(*halves()[0], count=4, size=64)
    nets = {name: UNet(name) for name in UPSAMPLINGS}
    found = {name: [] for name in nets}
    for _ in range(rounds):
        for name, net in nets.items():
            start = time.process_time()
            F.cross_entropy(net(x), labels).backward()
            found[name].append(time.process_time() - start)
    return found
