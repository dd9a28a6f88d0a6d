#!/usr/bin/env python3
"""Train a binarized CNN on Fashion-MNIST with Brevitas and export it to QONNX.

The network sees 28x28 grey images as pixel/255, quantizes them to unsigned
integers and runs them through zero-padded 3x3 convolutions whose weights are
all -1 or +1.  Each is followed by BatchNorm2d -> sign, some have a max-pool
before the norm.  A binary Linear over the last map and one scalar affine
normalization give the logits, so the class is the argmax of integer sums.

Padding puts zeros around maps of -1 and +1: at a border a sum has fewer terms.

The script trains, exports, checks the export against the trained network with
qonnx, and writes the model next to a few test vectors:

    fashion-cnv.onnx      the graph, exactly as Brevitas exports it
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
import torch
from brevitas.core.bit_width import BitWidthImplType
from brevitas.core.quant import QuantType
from brevitas.core.restrict_val import FloatToIntImplType, RestrictValueType
from brevitas.core.scaling import ScalingImplType
from brevitas.core.zero_point import ZeroZeroPoint
from brevitas.export import export_qonnx
from brevitas.inject import ExtendedInjector
from brevitas.nn import QuantConv2d, QuantIdentity, QuantLinear
from brevitas.quant.solver import ActQuantSolver, WeightQuantSolver
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.change_batchsize import ChangeBatchSize
from qonnx.transformation.infer_shapes import InferShapes
from torch import nn
from torch.nn import functional as F

CLASSES = 10
DEFAULT_DATA = Path("/usr/share/datasets/fashion-mnist")  # Debian: dataset-fashion-mnist


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
    """Return images uint8 [N, 28, 28] and labels uint8 [N] of one split."""
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
    if images.shape[1:] != (28, 28) or len(images) != len(labels):
        raise ValueError(f"{folder}: {prefix} images and labels do not match")
    return images, labels


def to_input(images):
    """uint8 [N, 28, 28] -> float32 [N, 1, 28, 28] in 0..1, as the graph wants."""
    return images.unsqueeze(1).float() / 255.0


class Batches:
    """Shuffled training batches, each image shifted and flipped at random."""

    def __init__(self, images, labels, batch_size, shift, flip):
        padded = F.pad(images, (shift,) * 4)
        # A view [N, 2*shift+1, 2*shift+1, 28, 28] of all shifted images.
        self.windows = padded.unfold(1, 28, 1).unfold(2, 28, 1)
        self.labels = labels
        self.batch_size = batch_size
        self.flip = flip

    def __len__(self):
        return len(self.labels) // self.batch_size  # the short rest is dropped

    def __iter__(self):
        offsets = self.windows.shape[1]
        order = torch.randperm(len(self.labels))
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            pick = order[start : start + self.batch_size]
            rows, columns = torch.randint(offsets, (2, self.batch_size))
            images = self.windows[pick, rows, columns]
            if self.flip:
                mirror = torch.rand(self.batch_size) < 0.5
                images = torch.where(mirror[:, None, None], images.flip(2), images)
            yield to_input(images), self.labels[pick]


# ------------------------------------------------------------------ network


class ConstScaleQuant(ExtendedInjector):
    """What all quantizers here share: constant width and scale, zero point 0."""

    bit_width_impl_type = BitWidthImplType.CONST
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.FP
    scaling_per_output_channel = False
    zero_point_impl = ZeroZeroPoint
    float_to_int_impl_type = FloatToIntImplType.ROUND


class BipolarWeightQuant(ConstScaleQuant, WeightQuantSolver):
    """-1 or +1 by the sign of the latent weight."""

    quant_type = QuantType.BINARY
    bit_width = 1
    signed = True
    narrow_range = True
    scaling_const = 1.0


class BipolarActQuant(ConstScaleQuant, ActQuantSolver):
    """-1 or +1 by the sign; the gradient passes between -1 and +1 only."""

    quant_type = QuantType.BINARY
    bit_width = 1
    signed = True
    narrow_range = True
    min_val = -1.0
    max_val = 1.0


def pixel_quant(bits):
    """Unsigned quantizer of 0..1 with scale 2**-bits: levels 0 .. 2**bits-1.

    255 is odd, so no pixel/255 lies halfway between two levels, and how an
    implementation rounds ties never matters.
    """

    class PixelQuant(ConstScaleQuant, ActQuantSolver):
        quant_type = QuantType.INT
        bit_width = bits
        signed = False
        narrow_range = False
        # Brevitas divides the threshold by the largest level to get the scale.
        min_val = 0.0
        max_val = (2**bits - 1) / 2**bits

    return PixelQuant


class ScalarNorm(nn.Module):
    """Batch normalization with one mean, variance, weight and bias for all.

    In eval mode it is a single scalar affine map, which keeps the order of
    the logits as long as the weight is positive.
    """

    def __init__(self, eps=1e-4, momentum=0.1):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(1))
        # Cross entropy is blind to a shift common to all logits: a trained bias
        # would only drift on rounding noise.
        self.bias = nn.Parameter(torch.zeros(1), requires_grad=False)
        self.register_buffer("running_mean", torch.zeros(1))
        self.register_buffer("running_var", torch.ones(1))

    def forward(self, x):
        if self.training:
            x = x.float()  # the sums come as bfloat16
            var, mean = torch.var_mean(x, unbiased=False)
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var, self.momentum)
        else:
            mean, var = self.running_mean, self.running_var
        return (x - mean) / torch.sqrt(var + self.eps) * self.weight + self.bias


def latent_uniform(layer):
    """Start the latent weights where single steps can flip many of them."""
    nn.init.uniform_(layer.weight, -1.0, 1.0)
    return layer


class BinaryCnn(nn.Module):
    """Pixels [N, 1, 28, 28] in 0..1 -> logits [N, 10].

    `blocks` lists the convolutions: output channels, and whether a 2x2 max-pool
    follows before the norm.
    """

    def __init__(self, blocks, pixel_bits):
        super().__init__()
        layers = [QuantIdentity(act_quant=pixel_quant(pixel_bits))]
        channels, side = 1, 28
        for width, pooled in blocks:
            convolution = QuantConv2d(
                channels, width, 3, padding=1, bias=False, weight_quant=BipolarWeightQuant
            )
            layers.append(latent_uniform(convolution))
            if pooled:
                layers.append(nn.MaxPool2d(2))
                side //= 2
            layers += [nn.BatchNorm2d(width), QuantIdentity(act_quant=BipolarActQuant)]
            channels = width
        last = QuantLinear(
            channels * side * side, CLASSES, bias=False, weight_quant=BipolarWeightQuant
        )
        layers += [nn.Flatten(), latent_uniform(last), ScalarNorm()]
        self.layers = nn.Sequential(*layers).to(memory_format=torch.channels_last)

    def binary_layers(self):
        return [layer for layer in self.layers if isinstance(layer, (QuantConv2d, QuantLinear))]

    @torch.no_grad()
    def clip_weights(self):
        """Keep latent weights where a gradient step can still flip them."""
        for layer in self.binary_layers():
            layer.weight.clamp_(-1.0, 1.0)

    def forward(self, x):
        return self.layers(x)


# ----------------------------------------------------------------- training


@torch.no_grad()
def predict(model, images, batch_size=1000):
    """Logits of uint8 images in eval mode."""
    model.eval()
    return torch.cat([model(to_input(part)) for part in images.split(batch_size)])


def accuracy(logits, labels):
    return float((np.asarray(logits).argmax(1) == np.asarray(labels)).mean())


@torch.no_grad()
def settle_norms(model, batches):
    """Re-measure all normalization statistics with the final weights.

    The running averages of training lag behind the last weight flips, and measure
    sums rounded to bfloat16.  Plain averages over one pass replace them.
    """
    norms = [m for m in model.modules() if isinstance(m, (nn.BatchNorm2d, ScalarNorm))]
    momenta = [norm.momentum for norm in norms]
    model.train()
    for number, (images, _) in enumerate(batches, start=1):
        for norm in norms:
            norm.momentum = 1.0 / number
        model(images)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    model.eval()


@torch.no_grad()
def resume(model, path):
    """Take latent weights and norms from an exported model.

    The exporter keeps their names, except for the last norm's deviation, which
    becomes a square root and is measured anew while training.
    """
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    for name, tensor in model.state_dict().items():
        if name in stored:
            tensor.copy_(torch.from_numpy(stored[name].copy()))


def train(model, batches, args, report):
    latent = [layer.weight for layer in model.binary_layers()]
    known = {id(weight) for weight in latent}
    others = [p for p in model.parameters() if p.requires_grad and id(p) not in known]
    optimizer = torch.optim.Adam(
        [{"params": latent, "lr": args.lr}, {"params": others, "lr": args.norm_lr}]
    )
    steps = args.epochs * len(batches)
    warmup = min(len(batches), steps // 10)

    def rate(step):
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    start = time.monotonic()
    for epoch in range(1, args.epochs + 1):
        model.train()
        total = 0.0
        for images, labels in batches:
            images = images.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(images)
            loss = F.cross_entropy(logits.float(), labels, label_smoothing=args.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            model.clip_weights()
            total += loss.item()
        line = f"epoch {epoch:3d}/{args.epochs}  loss {total / len(batches):.4f}"
        if epoch % args.report_every == 0 or epoch == args.epochs:
            line += f"  {report(model)}"
        print(f"{line}  {time.monotonic() - start:.0f} s", flush=True)


# ------------------------------------------------------------------- export


def run_graph(path, images, batch_size):
    """Logits of uint8 images from the exported graph, executed by qonnx."""
    model = ModelWrapper(str(path))
    if batch_size != 1:  # on the copy in memory; the file keeps batch size 1
        model = model.transform(ChangeBatchSize(batch_size))
    model = model.transform(InferShapes())
    source = model.graph.input[0].name
    sink = model.graph.output[0].name
    logits = []
    for start in range(0, len(images), batch_size):
        batch = to_input(images[start : start + batch_size]).numpy()
        logits.append(execute_onnx(model, {source: batch})[sink])
    return np.concatenate(logits)


def describe(path):
    """One line about opsets, and the count of each operator of the graph."""
    graph = onnx.load(path)
    opsets = ", ".join(f"{o.domain or 'ai.onnx'} {o.version}" for o in graph.opset_import)
    counts = collections.Counter(
        f"{node.domain or 'ai.onnx'}::{node.op_type}" for node in graph.graph.node
    )
    return f"opsets: {opsets}\nnodes: " + ", ".join(f"{n} x {op}" for op, n in counts.items())


def check_weights(path, model):
    """Compare the graph's BipolarQuant-ed weights with those the network uses."""
    graph = onnx.load(path).graph
    arrays = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    found = []
    for node in graph.node:
        if node.op_type == "BipolarQuant" and node.input[0] in arrays:
            latent, scale = arrays[node.input[0]], arrays[node.input[1]]
            found.append(np.where(latent >= 0, scale, -scale))
    used = [layer.quant_weight().value.detach().numpy() for layer in model.binary_layers()]
    if len(found) != len(used):
        raise RuntimeError(f"{len(found)} weight quantizers in the graph, {len(used)} layers")
    for graph_weight, weight in zip(found, used):
        if not set(np.unique(weight)) <= {-1.0, 1.0}:
            raise RuntimeError("a weight is neither -1 nor +1")
        if not np.array_equal(graph_weight, weight):
            raise RuntimeError("exported weights differ from the network's")


def export_and_check(model, images, labels, args):
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "fashion-cnv.onnx"
    model.eval()
    if not model.layers[-1].weight.item() > 0:
        raise RuntimeError("the last scale is not positive: argmax would not be kept")
    export_qonnx(
        model,
        torch.zeros(1, 1, 28, 28),
        export_path=str(path),
        opset_version=args.opset,
        input_names=["image"],
        output_names=["logits"],
    )
    print(f"{path.name}: {path.stat().st_size} bytes\n{describe(path)}")
    check_weights(path, model)

    first = images[: args.vectors]
    expected = run_graph(path, first, batch_size=1).astype(np.float32)
    np.save(args.out / "images.npy", first.numpy()[..., None])
    np.save(args.out / "labels.npy", labels[: args.vectors].numpy().astype(np.uint8))
    np.save(args.out / "expected_logits.npy", expected)

    trained = predict(model, images).numpy()
    graph = run_graph(path, images, batch_size=500)
    print(f"Brevitas, eval mode: {accuracy(trained, labels):.2%} of {len(labels)} test images")
    print(f"qonnx, exported graph: {accuracy(graph, labels):.2%} of {len(labels)} test images")
    print(f"largest logit difference: {np.abs(graph - trained).max():.3g}")
    print(f"batch 1 against batch 500: {np.abs(graph[: args.vectors] - expected).max():.3g}")
    differing = int((graph.argmax(1) != trained.argmax(1)).sum())
    print(f"images classified differently: {differing}")
    if differing:
        raise RuntimeError("the exported graph and the network disagree")


# --------------------------------------------------------------------- main


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, default=DEFAULT_DATA, help="folder of the four IDX files")
    add("--out", type=Path, default=Path(__file__).resolve().parent, help="folder to write to")
    add("--resume", type=Path, help="start from the latent weights of an exported model")
    add("--widths", type=int, nargs="+", default=[32, 64, 64, 128, 128], help="output channels")
    add("--pools", type=int, nargs="*", default=[1, 3], help="convolutions with a max-pool, from 1")
    add("--pixel-bits", type=int, default=8, help="bits of the input quantizer (2 to 8)")
    add("--epochs", type=int, default=14)
    add("--batch-size", type=int, default=256)
    add("--lr", type=float, default=0.02, help="peak learning rate of the latent weights")
    add("--norm-lr", type=float, default=0.01, help="peak learning rate of the norms")
    add("--label-smoothing", type=float, default=0.05)
    add("--shift", type=int, default=0, help="largest random shift of a training image")
    add("--flip", action=argparse.BooleanOptionalAction, default=True, help="mirror at random")
    add("--holdout", type=int, default=0,
        help="keep this many training images for validation, report on them and export nothing")
    add("--report-every", type=int, default=2, help="epochs between accuracy reports")
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

    images, labels = map(torch.from_numpy, load_split(args.data, "train"))
    labels = labels.long()
    seen = len(images) - args.holdout
    if args.holdout:
        checked = (images[seen:], labels[seen:])
    else:
        checked = (images[:10000], labels[:10000])  # the test images stay out of training

    def report(model):
        kind = "held out" if args.holdout else "training"
        return f"{kind} {accuracy(predict(model, checked[0]), checked[1]):.2%}"

    blocks = [(width, n in args.pools) for n, width in enumerate(args.widths, start=1)]
    model = BinaryCnn(blocks, args.pixel_bits)
    if args.resume:
        resume(model, args.resume)
    batches = Batches(images[:seen], labels[:seen], args.batch_size, args.shift, args.flip)
    train(model, batches, args, report)
    settle_norms(model, batches)
    print(f"norms settled: {report(model)}")
    if args.holdout:
        return

    test_images, test_labels = map(torch.from_numpy, load_split(args.data, "t10k"))
    export_and_check(model, test_images, test_labels.long(), args)


if __name__ == "__main__":
    main()
