"""Compare inference runtimes on a trained detector: ONNX Runtime and LiteRT, float32 and dynamic-range int8.

    python scripts/compare_runtimes.py runs/paper [--json FILE]

Needs the extra `train` and the package ai-edge-litert. Prints a table: latency of one image on one thread,
import time in a new process, installed size with what it pulls in, size of the model, and the difference of
scores from Keras on the validation images of the run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from packaging.requirements import Requirement

from imforensics.config import load_config
from imforensics.metrics.detection import detection_metrics
from imforensics.models.bundle.layers import part_graph
from imforensics.models.classifier.bundle import load_runtime
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.classifier.data import load_training_data
from imforensics.models.classifier.evaluation import choose_f1_threshold
from imforensics.models.classifier.examples import labels_of, prepare_inputs
from imforensics.models.classifier.network import build_classifier
from imforensics.models.training.checkpoints import BEST_FILE, CHECKPOINT_FOLDER, newest_checkpoint
from imforensics.models.training.variables import load_arrays
from imforensics.types import FloatArray

Predict = Callable[[FloatArray], FloatArray]
BASE = {"numpy", "pillow"}  # installed whatever the runtime
REPEATS = 200
IMPORTS = {"onnxruntime": "onnxruntime", "ai-edge-litert": "ai_edge_litert.interpreter"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="folder of a finished training run")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    checkpoint = newest_checkpoint(arguments.run / CHECKPOINT_FOLDER)
    if checkpoint is None:
        parser.error(f"{arguments.run} holds no training run")
    config = load_config(TrainDetectorConfig, arguments.run / "config.yaml")
    examples = load_training_data(config).examples[config.pairs]["val"]
    inputs, labels = prepare_inputs(examples, config.input), labels_of(examples)
    shape = config.network
    model = build_classifier(
        inputs.shape[1:], filters=shape.filters, dense=shape.dense, dropout=shape.dropout
    )
    load_arrays(checkpoint / BEST_FILE, {"weights": model.weights})
    expected = model.predict(inputs, batch_size=64, verbose=0).reshape(-1)
    threshold = choose_f1_threshold(expected, labels)
    packages = {name: {"MB": installed_size(name), "import s": import_seconds(name)} for name in IMPORTS}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, path, predict in build_models(model, Path(folder)):
            scores = predict(inputs)
            difference = np.abs(scores - expected)
            rows.append(
                {
                    "model": name,
                    "kB": path.stat().st_size / 1e3,
                    "ms": latency(predict, inputs[:1]),
                    "largest difference": float(difference.max()),
                    "mean difference": float(difference.mean()),
                    "decisions changed": int(((scores >= threshold) != (expected >= threshold)).sum()),
                    "auc": detection_metrics(scores, labels, threshold=threshold)["auc"],
                }
            )
    report = {"images": len(inputs), "packages": packages, "models": rows}
    print_tables(report)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def build_models(model: Any, folder: Path) -> list[tuple[str, Path, Predict]]:
    """Each variant of a Keras model: name, file, and a function from inputs to scores on one thread."""
    import tensorflow as tf
    from onnxruntime.quantization import QuantType, quantize_dynamic

    onnx, onnx_int8 = folder / "model.onnx", folder / "model_int8.onnx"
    onnx.write_bytes(part_graph(model, ["score"]))
    quantize_dynamic(onnx, onnx_int8, weight_type=QuantType.QUInt8)
    lite, lite_int8 = folder / "model.tflite", folder / "model_int8.tflite"
    for path, optimizations in ((lite, []), (lite_int8, [tf.lite.Optimize.DEFAULT])):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = optimizations
        path.write_bytes(converter.convert())
    return [
        ("ONNX Runtime float32", onnx, load_runtime(onnx.read_bytes(), threads=1)),
        ("ONNX Runtime dynamic int8", onnx_int8, load_runtime(onnx_int8.read_bytes(), threads=1)),
        ("LiteRT float32", lite, load_litert(lite)),
        ("LiteRT dynamic int8", lite_int8, load_litert(lite_int8)),
    ]


def load_litert(path: Path) -> Predict:
    """A function from (N, H, W, C) float32 to (N,) scores."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def predict(batch: FloatArray) -> FloatArray:
        scores = []
        for image in batch:
            interpreter.set_tensor(source, image[None])
            interpreter.invoke()
            scores.append(float(interpreter.get_tensor(target).reshape(())))
        return np.array(scores, np.float32)

    return predict


def latency(predict: Predict, batch: FloatArray) -> float:
    """Median milliseconds of one call."""
    for _ in range(20):
        predict(batch)
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        predict(batch)
        times.append(time.perf_counter() - started)
    return 1e3 * statistics.median(times)


def import_seconds(package: str) -> float:
    """Median seconds that importing takes in a new process beyond an import of numpy."""

    def run(code: str) -> float:
        timed = f"import time, numpy; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
        command = [sys.executable, "-c", timed]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])

    return statistics.median(run(f"import {IMPORTS[package]}") for _ in range(5))


def installed_size(package: str) -> float:
    """Megabytes of a package with everything it requires, apart from BASE."""
    names, todo = set(), [package]
    while todo:
        name = todo.pop().lower().replace("_", "-")
        if name in names | BASE:
            continue
        names.add(name)
        wanted = [Requirement(entry) for entry in metadata.requires(name) or []]
        todo += [r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    paths = (metadata.distribution(name).locate_file(file) for name in names for file in files_of(name))
    return sum(Path(str(path)).stat().st_size for path in paths if Path(str(path)).is_file()) / 1e6


def files_of(name: str) -> list[Any]:
    """Files that a package installed, bytecode left out."""
    return [file for file in metadata.files(name) or [] if file.suffix != ".pyc"]


def print_tables(report: dict[str, Any]) -> None:
    """Markdown tables."""
    print(f"\n{report['images']} validation images; one thread\n")
    print("| package | MB installed, without numpy and pillow | import s |\n|---|---|---|")
    for name, facts in report["packages"].items():
        print(f"| {name} | {facts['MB']:.0f} | {facts['import s']:.2f} |")
    print(
        "\n| model | kB | ms an image | score minus Keras's, largest / mean | decisions changed | AUC |"
        "\n|---|---|---|---|---|---|"
    )
    for row in report["models"]:
        print(
            f"| {row['model']} | {row['kB']:.0f} | {row['ms']:.2f} | {row['largest difference']:.1e} / "
            f"{row['mean difference']:.1e} | {row['decisions changed']} | {row['auc']:.4f} |"
        )


if __name__ == "__main__":
    main()
