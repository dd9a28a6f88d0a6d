#!/usr/bin/env python3
"""Train a small binarized CNN on Fashion-MNIST in plain PyTorch, export plain ONNX.

No quantization library: weights and activations become -1 or +1 by
`torch.sign`, which ONNX has as `Sign`.  Maps shrink by strided convolutions,
and most convolutions are grouped, depthwise or pointwise:

    kind        kernel  stride  groups  output
    plain         3x3      2       1    64 x 14 x 14   on normalized pixels
    grouped       3x3      1       4    64 x 14 x 14
    pointwise     1x1      1       1    64 x 14 x 14
    grouped       3x3      2       4    128 x 7 x 7
    pointwise     1x1      1       1    128 x 7 x 7
    depthwise     3x3      1     128    128 x 7 x 7
    pointwise     1x1      1       1    128 x 7 x 7
    linear                              10

Each convolution is zero-padded so that stride 1 keeps the size, and is followed
by BatchNorm2d and sign.  The norms' biases are arbitrary floats, so no value in
front of a sign is exactly 0, where `Sign` would give 0.

The script trains, exports, runs the export with onnxruntime (graph
optimizations off) and writes the model next to a few test vectors:

    fashion-sign.onnx     the graph, exactly as torch.onnx exports it
    images.npy            uint8 [V, 28, 28, 1], the first V test images
    labels.npy            uint8 [V], their classes
    expected_logits.npy   float32 [V, 10], the graph's output for them

Training is deterministic for a given seed, thread count and package set.
"""

import argparse
import collections
import gzip
import math
import struct
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 10
DEFAULT_DATA = Path("/usr/share/datasets/fashion-mnist")  # Debian: dataset-fashion-mnist

# Output channels, kernel, stride, groups of each convolution.
CONVOLUTIONS = [
    (64, 3, 2, 1),
    (64, 3, 1, 4),
    (64, 1, 1, 1),
    (128, 3, 2, 4),
    (128, 1, 1, 1),
    (128, 3, 1, 128),
    (128, 1, 1, 1),
]


# --------------------------------------------------------------------- data


def read_idx(path):
    """Read one gzipped IDX file of unsigned bytes."""
    with gzip.open(path, "rb") as file:
        raw = file.read()
    zeros, kind, rank = struct.unpack_from(">HBB", raw)
    if zeros != 0 or kind != 0x08:
        raise ValueError(f"{path}: not an IDX file of unsigned bytes")
    shape = struct.unpack_from(f">{rank}I", raw, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape).copy()


def load_split(folder, prefix):
    """Return images uint8 [N, 28, 28] and labels int64 [N] of one split."""
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
    if images.shape[1:] != (28, 28) or len(images) != len(labels):
        raise ValueError(f"{folder}: {prefix} images and labels do not match")
    return torch.from_numpy(images), torch.from_numpy(labels).long()


def to_input(images):
    """uint8 [N, 28, 28] -> float32 [N, 1, 28, 28] in 0..1, as the graph wants."""
    return images.unsqueeze(1).float() / 255.0


def batches(images, labels, size):
    """One epoch of shuffled training batches, half of the images mirrored."""
    order = torch.randperm(len(labels))
    for start in range(0, len(labels) // size * size, size):  # the short rest is dropped
        pick = order[start : start + size]
        part = images[pick]
        mirror = torch.rand(size) < 0.5
        yield to_input(torch.where(mirror[:, None, None], part.flip(2), part)), labels[pick]


# ------------------------------------------------------------------ network


class StraightThrough(torch.autograd.Function):
    """sign whose gradient is 1 between -1 and +1, else 0."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sign(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(grad, x, -1.0, 1.0)


class Sign(nn.Module):
    def forward(self, x):
        return StraightThrough.apply(x) if self.training else torch.sign(x)


class BinaryConv2d(nn.Conv2d):
    """Convolution by the signs of the latent weights while training.

    `bake` puts the signs in the place of the latent weights, for good.
    """

    baked = False

    def forward(self, x):
        weight = self.weight if self.baked else StraightThrough.apply(self.weight)
        return F.conv2d(x, weight, None, self.stride, self.padding, 1, self.groups)


class BinaryLinear(nn.Linear):
    """The same for a fully connected layer."""

    baked = False

    def forward(self, x):
        return F.linear(x, self.weight if self.baked else StraightThrough.apply(self.weight))


class Normalize(nn.Module):
    """Pixels with the mean and deviation of the training images: 0 and 1."""

    def forward(self, x):
        return (x - 0.286) / 0.353


class BinaryCnn(nn.Module):
    """Pixels [N, 1, 28, 28] in 0..1 -> logits [N, 10]."""

    def __init__(self, convolutions):
        super().__init__()
        layers = [Normalize()]
        channels, side = 1, 28
        for width, kernel, stride, groups in convolutions:
            layers += [
                BinaryConv2d(
                    channels, width, kernel, stride, kernel // 2, groups=groups, bias=False
                ),
                nn.BatchNorm2d(width),
                Sign(),
            ]
            channels, side = width, (side - 1) // stride + 1
        layers += [
            nn.Flatten(),
            BinaryLinear(channels * side * side, CLASSES, bias=False),
            nn.BatchNorm1d(CLASSES),
        ]
        self.layers = nn.Sequential(*layers)
        for layer in self.binary_layers():
            nn.init.uniform_(layer.weight, -1.0, 1.0)

    def binary_layers(self):
        return [layer for layer in self.layers if isinstance(layer, (BinaryConv2d, BinaryLinear))]

    @torch.no_grad()
    def clip_weights(self):
        """Keep latent weights where a gradient step can still flip them."""
        for layer in self.binary_layers():
            layer.weight.clamp_(-1.0, 1.0)

    @torch.no_grad()
    def bake(self):
        for layer in self.binary_layers():
            layer.weight.sign_()
            layer.baked = True
            if not bool((layer.weight.abs() == 1).all()):
                raise RuntimeError("a weight is neither -1 nor +1")

    def forward(self, x):
        return self.layers(x)


# ----------------------------------------------------------------- training


@torch.no_grad()
def predict(model, images, batch_size=1000):
    """Logits of uint8 images in eval mode."""
    model.eval()
    return torch.cat([model(to_input(part)) for part in images.split(batch_size)]).numpy()


def accuracy(logits, labels):
    return float((logits.argmax(1) == labels.numpy()).mean())


@torch.no_grad()
def settle_norms(model, images, labels, size):
    """Replace the norms' running statistics, which lag behind the last weight
    flips, by plain averages over one pass with the final weights."""
    norms = [m for m in model.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    model.train()
    for number, (part, _) in enumerate(batches(images, labels, size), start=1):
        for norm in norms:
            norm.momentum = 1.0 / number
        model(part)
    model.eval()


def train(model, images, labels, args):
    latent = [layer.weight for layer in model.binary_layers()]
    known = {id(weight) for weight in latent}
    others = [p for p in model.parameters() if id(p) not in known]
    optimizer = torch.optim.Adam(
        [{"params": latent, "lr": args.lr}, {"params": others, "lr": args.norm_lr}]
    )
    steps = args.epochs * (len(labels) // args.batch_size)
    warmup = steps // args.epochs

    def rate(step):
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    start = time.monotonic()
    for epoch in range(1, args.epochs + 1):
        model.train()
        losses = []
        for part, wanted in batches(images, labels, args.batch_size):
            with torch.autocast("cpu", torch.bfloat16, enabled=args.bfloat16):
                logits = model(part)
            loss = F.cross_entropy(logits.float(), wanted, label_smoothing=args.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            model.clip_weights()
            losses.append(loss.item())
        seconds = time.monotonic() - start
        line = f"epoch {epoch:2d}/{args.epochs}  loss {np.mean(losses):.4f}  {seconds:.0f} s"
        print(line, flush=True)


# ------------------------------------------------------------------- export


def run_graph(path, images):
    """Logits of uint8 images, one at a time, from the exported graph as it stands."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = to_input(images).numpy()
    return np.concatenate([session.run(None, {"image": x[None]})[0] for x in inputs])


def describe(path):
    """The opset, and the count of each operator of the graph."""
    graph = onnx.load(path)
    counts = collections.Counter(node.op_type for node in graph.graph.node)
    nodes = ", ".join(f"{n} x {op}" for op, n in counts.items())
    return f"opset {graph.opset_import[0].version}; nodes: {nodes}"


def export_and_check(model, images, labels, args):
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "fashion-sign.onnx"
    trained = predict(model, images)
    model.bake()
    torch.onnx.export(
        model.eval(),
        (torch.zeros(1, 1, 28, 28),),
        str(path),
        opset_version=args.opset,
        input_names=["image"],
        output_names=["logits"],
        # Norms stay nodes of their own, and weights -1 and +1; the default
        # multiplies the norms into the convolutions.
        training=torch.onnx.TrainingMode.EVAL if args.fuse else torch.onnx.TrainingMode.PRESERVE,
        dynamo=False,
    )
    print(f"{path.name}: {path.stat().st_size} bytes\n{describe(path)}")

    graph = run_graph(path, images)
    np.save(args.out / "images.npy", images[: args.vectors].numpy()[..., None])
    np.save(args.out / "labels.npy", labels[: args.vectors].numpy().astype(np.uint8))
    np.save(args.out / "expected_logits.npy", graph[: args.vectors])
    print(f"PyTorch, eval mode: {accuracy(trained, labels):.2%} of {len(labels)} test images")
    print(f"onnxruntime, exported graph: {accuracy(graph, labels):.2%}")
    print(f"largest logit difference: {np.abs(graph - trained).max():.3g}")
    print(f"images classified differently: {int((graph.argmax(1) != trained.argmax(1)).sum())}")


# --------------------------------------------------------------------- main


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, default=DEFAULT_DATA, help="folder of the four IDX files")
    add("--out", type=Path, default=Path(__file__).resolve().parent, help="folder to write to")
    add("--epochs", type=int, default=12)
    add("--batch-size", type=int, default=256)
    add("--lr", type=float, default=0.02, help="peak learning rate of the latent weights")
    add("--norm-lr", type=float, default=0.01, help="peak learning rate of the norms")
    add("--label-smoothing", type=float, default=0.05)
    add("--bfloat16", action=argparse.BooleanOptionalAction, default=True, help="train in bfloat16")
    add("--fuse", action=argparse.BooleanOptionalAction, default=False,
        help="let the exporter multiply the norms into the convolutions")
    add("--vectors", type=int, default=200, help="test images to write beside the model")
    add("--opset", type=int, default=13, help="ONNX opset of the export")
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=1)
    return parser.parse_args()


def main():
    args = parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    torch.use_deterministic_algorithms(True)

    images, labels = load_split(args.data, "train")
    model = BinaryCnn(CONVOLUTIONS)
    print(f"{sum(layer.weight.numel() for layer in model.binary_layers())} binary weights")
    train(model, images, labels, args)
    settle_norms(model, images, labels, args.batch_size)
    print(f"norms settled: {accuracy(predict(model, images[:10000]), labels[:10000]):.2%} training")
    export_and_check(model, *load_split(args.data, "t10k"), args)


if __name__ == "__main__":
    main()
