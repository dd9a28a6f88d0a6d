"""onnxruntime's side of `cargo xtask bench golden`: one thread, full optimisation.

Runs FOLDER/plain.onnx on FOLDER/inputs.npy, compares with FOLDER/outputs.npy, prints the version,
and answers each line `BATCH SECONDS` with the nanoseconds of
processor time that an image takes.
"""

import sys
import time

import numpy
import onnxruntime

folder = sys.argv[1]
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
options.log_severity_level = 3
session = onnxruntime.InferenceSession(
    f"{folder}/plain.onnx", options, providers=["CPUExecutionProvider"]
)
images = numpy.load(f"{folder}/inputs.npy")
outputs = numpy.load(f"{folder}/outputs.npy")
for batch in (1, 100):
    for first in range(0, len(images) - batch + 1, batch):
        found = session.run(None, {"x": images[first : first + batch]})[0]
        if not numpy.array_equal(found, outputs[first : first + batch]):
            sys.exit(f"onnxruntime and the golden model differ from image {first} on")
print(onnxruntime.__version__, flush=True)

for line in sys.stdin:
    batch, seconds = int(line.split()[0]), float(line.split()[1])
    starts = range(0, len(images) - batch + 1, batch)
    batches = [images[first : first + batch].copy() for first in starts]
    count, took, start = 0, 0.0, time.process_time()
    while took < seconds:
        session.run(None, {"x": batches[count % len(batches)]})
        count += 1
        took = time.process_time() - start
    print(took * 1e9 / (count * batch), flush=True)
