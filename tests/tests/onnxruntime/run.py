"""Runs every model of a folder, NAME.onnx on the pixels NAME.x.npy, and writes NAME.y.npy.

Nothing is optimised: every operator is computed as the model states it.
"""

import pathlib
import sys

import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
options.intra_op_num_threads = 1
for model in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    session = onnxruntime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"]
    )
    pixels = numpy.load(model.with_suffix(".x.npy"))
    maps = pixels.transpose(0, 3, 1, 2).astype(numpy.float32) / numpy.float32(255)
    results = [session.run(None, {"x": one[None]})[0].reshape(-1) for one in maps]
    numpy.save(model.with_suffix(".y.npy"), numpy.stack(results).astype(numpy.float32))
print(onnxruntime.__version__)
