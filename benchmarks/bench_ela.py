"""Time of the ELA residual against the JPEG encode and decode that it cannot do without, in one run.

    python benchmarks/bench_ela.py [--image PHOTO] [--megapixels 12] [--repeats 7]

Without an image, a photo-like one is made: shapes and texture with a 1/f^1.4 spectrum, and sensor noise. Each
figure is the best of the repeats, which take turns, so that all of them see the machine in the same state.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from PIL import Image, JpegImagePlugin

from imforensics.methods.base import Method
from imforensics.methods.jpeg.ela import ErrorLevelAnalysis
from imforensics.methods.noise.wavelet_noise import WaveletNoise
from imforensics.preprocessing.ela import ela_residual
from imforensics.preprocessing.noise import luma
from imforensics.preprocessing.wavelet import denoise_wavelet
from imforensics.types import Evidence, Metadata, UInt8Array

QUALITY = 90


def make_photo(megapixels: float) -> UInt8Array:
    """A 4:3 image with the spectrum of a photo; the bits a pixel that it takes as a JPEG are printed."""
    rng = np.random.default_rng(0)
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    width = height * 4 // 3
    side = 1024
    frequencies = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij"))
    spectrum = np.fft.rfft2(rng.normal(size=(side, side))) / np.maximum(frequencies, 1 / side) ** 1.4
    texture = np.fft.irfft2(spectrum, s=(side, side))
    texture = np.tile(
        (texture / texture.std() * 45).astype(np.float32), (height // side + 1, width // side + 1)
    )
    tint = np.array([1.0, 0.9, 0.75], dtype=np.float32)
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    for top in range(0, height, 256):
        part = (texture[top : top + 256, :width] + 120)[: height - top, :, np.newaxis] * tint
        part += rng.normal(0, 1, part.shape[:2]).astype(np.float32)[..., np.newaxis]
        pixels[top : top + 256] = np.clip(part, 0, 255)
    return pixels


def encode_and_decode(image: Image.Image) -> int:
    """The bare minimum: Pillow image to JPEG bytes and back to a Pillow image; number of bytes."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, subsampling="4:2:0")
    JpegImagePlugin.JpegImageFile(io.BytesIO(buffer.getvalue())).load()
    return buffer.tell()


def best_times(tasks: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Seconds of the fastest call of each task; the tasks take turns."""
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(repeats):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--image", help="measure on this picture")
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument(
        "--only", choices=["ela", "wavelet_noise"], help="one method once, for its peak memory"
    )
    arguments = parser.parse_args()
    pixels = np.asarray(Image.open(arguments.image).convert("RGB")) if arguments.image else None
    pixels = make_photo(arguments.megapixels) if pixels is None else pixels
    evidence = Evidence("made", None, 0, "", "", "PNG", True, "RGB", pixels, 1, 1, None, Metadata())
    methods: dict[str, Method] = {"ela": ErrorLevelAnalysis(), "wavelet_noise": WaveletNoise()}
    if arguments.only:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here; Linux only
        before = read_memory("VmRSS")
        methods[arguments.only].analyze(evidence)
        peak = read_memory("VmHWM")
        print(f"{arguments.only}: peak {peak:.0f} MB resident, {before:.0f} MB before the method")
        return
    print_table(pixels, evidence, methods, arguments.repeats)


def print_table(pixels: UInt8Array, evidence: Evidence, methods: dict[str, Method], repeats: int) -> None:
    """Times of all tasks in milliseconds, and their ratio to encode + decode."""
    image = Image.fromarray(pixels)
    plane = luma(pixels)
    size = encode_and_decode(image)
    bare = "encode + decode (Pillow)"
    pair: dict[str, Callable[[], object]] = {
        bare: lambda: encode_and_decode(image),
        "ela_residual": lambda: ela_residual(pixels, quality=QUALITY),
    }
    others: dict[str, Callable[[], object]] = {
        "denoise_wavelet": lambda: denoise_wavelet(plane),
        "method ela": lambda: methods["ela"].analyze(evidence),
        "method wavelet_noise": lambda: methods["wavelet_noise"].analyze(evidence),
    }
    times = best_times(pair, 2 * repeats) | best_times(others, repeats)
    height, width = pixels.shape[:2]
    print(f"{width}x{height}, {size * 8 / height / width:.2f} bits a pixel at quality {QUALITY}, one thread")
    for name, seconds in times.items():
        print(f"{name:26s} {seconds * 1000:8.1f} ms {seconds / times[bare]:6.2f} x")


def read_memory(field: str) -> float:
    """A field of /proc/self/status, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":")) / 1024


if __name__ == "__main__":
    main()
