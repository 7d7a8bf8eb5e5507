"""Our adversarial step beside what the same networks cost in a plain Keras fit, and beside XLA.

    python benchmarks/bench_dcgan.py -c configs/train_gan.yaml --steps 10 --rounds 3

Each variant runs in a process of its own, so that peak memory is its own; the rounds go round the variants,
so that a load that comes and goes meets all of them. The best round is told beside the median.

One of our steps passes the discriminator three times (training images, generated ones, generated ones again)
and the generator once, backward passes included. `fit` is what Keras's own compiled training step (that of
`fit` and `train_on_batch`) takes for as many passes: the discriminator on a double batch, then the generator
with a frozen discriminator on top.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
VARIANTS = ("ours", "xla", "fit")


def main() -> None:
    """Measure every variant and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-c", "--config", type=Path, default=Path("configs/train_gan.yaml"))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant is not None:
        print(json.dumps(measure(options.variant, options.config, options.steps)))
        return
    results: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    for _ in range(options.rounds):
        for name in VARIANTS:
            results[name].append(run_apart(name, options.config, options.steps))
            print(name, results[name][-1], file=sys.stderr, flush=True)
    print("| variant | steps/s, best | steps/s, median | CPU s/step, median | first step s | peak MB |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, rounds in results.items():
        rates = [item["steps_per_second"] for item in rounds]
        cpu = statistics.median(item["cpu_seconds_per_step"] for item in rounds)
        first = statistics.median(item["first_step_seconds"] for item in rounds)
        peak = max(item["peak_mb"] for item in rounds)
        cells = f"{max(rates):.2f} | {statistics.median(rates):.2f} | {cpu:.2f} | {first:.1f} | {peak:.0f}"
        print(f"| {name} | {cells} |")


def run_apart(variant: str, config: Path, steps: int) -> dict[str, float]:
    """One variant in a new process."""
    command = [sys.executable, __file__, "-c", str(config), "--steps", str(steps), "--variant", variant]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(variant: str, path: Path, steps: int) -> dict[str, float]:
    """Steps a second, processor time a step, the first step's time and peak memory of one variant."""
    import numpy as np

    from imforensics.config import load_config
    from imforensics.models.gan.config import TrainGanConfig
    from imforensics.models.gan.step import GanTrainer, draw_step

    config = load_config(TrainGanConfig, path)
    batch, size, latent = config.fit.batch_size, config.images.size, config.networks.latent
    rng = np.random.default_rng(0)
    images = rng.random((batch, size, size, 3)).astype(np.float32)
    trainer = GanTrainer(config, jit_compile=variant == "xla")
    if variant == "fit":
        step = plain_fit(trainer, images, rng.standard_normal((batch, latent)).astype(np.float32))
    else:

        def step() -> None:
            draw = draw_step(rng, batch=batch, latent=latent, size=size)
            trainer.train_step(images, draw.noise, draw.colours, draw.holes, draw.shifts).numpy()

    started = time.perf_counter()
    step()
    first = time.perf_counter() - started
    step()
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        step()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return {
        "steps_per_second": steps / seconds,
        "cpu_seconds_per_step": cpu / steps,
        "first_step_seconds": first,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }


def plain_fit(trainer, images, noise):  # type: ignore[no-untyped-def]
    """`train_on_batch` of both networks by Keras itself, with targets of the right shape."""
    import keras
    import numpy as np

    generator, discriminator = trainer.generator, trainer.discriminator
    frozen = keras.models.clone_model(discriminator)
    frozen.trainable = False
    stacked = keras.Model(generator.inputs, frozen(generator(generator.inputs[0]))[0])
    stacked.compile(optimizer=keras.optimizers.Adam(), loss="mse", jit_compile=False)
    judge = keras.Model(discriminator.inputs, discriminator.outputs[0])
    judge.compile(optimizer=keras.optimizers.Adam(), loss="mse", jit_compile=False)
    twice = np.concatenate([images, images])
    targets = np.zeros((len(twice), 1), np.float32)

    def step() -> None:
        judge.train_on_batch(twice, targets)
        stacked.train_on_batch(noise, targets[: len(noise)])

    return step


if __name__ == "__main__":
    main()
