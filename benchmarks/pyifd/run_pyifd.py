"""Run pyIFD's maps on a folder of JPEGs, in pyIFD's own environment; bench_pyifd.py starts this.

    python run_pyifd.py FOLDER OUTPUT METHOD [METHOD ...]

Writes OUTPUT/METHOD/STEM.npy, (h, w) float32 as pyIFD gives it (blocks or pixels), and OUTPUT/METHOD.json:
file to seconds, or to the error as text. A first image is run untimed for each method.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np

# method: module, function, which part of its result is the map; of GHOST's pictures, one a quality, that
# of the lowest quality at which the difference of the whole image has a local minimum
PARTS = {
    "ADQ1": ("ADQ1", "detectDQ", lambda found: found[0]),
    "ADQ2": ("ADQ2", "getJmap", lambda found: found[0]),
    "ADQ3": ("ADQ3", "BenfordDQ", lambda found: found),
    "BLK": ("BLK", "GetBlockGrid", lambda found: found[0]),
    "CAGI": ("CAGI", "CAGI", lambda found: found[0]),
    "CFA1": ("CFA1", "CFA1", lambda found: found),
    "CFA2": ("CFA2", "CFA2", lambda found: found),
    "DCT": ("DCT", "DCT", lambda found: found),
    "ELA": ("ELA", "ELA", lambda found: found),
    "GHOST": ("GHOST", "GHOST", lambda found: found[2][int(np.ravel(found[3])[0]) - 1]),
    "NADQ": ("NADQ", "NADQ", lambda found: found),
    "NOI1": ("NOI1", "GetNoiseMap", lambda found: found),
    "NOI2": ("NOI2", "GetNoiseMaps", lambda found: found),
    "NOI4": ("NOI4", "MedFiltForensics", lambda found: found),
    "NOI5": ("NOI5", "PCANoise", lambda found: found[0]),
}


def main() -> None:
    """Run each method on every file of the folder."""
    folder, output, names = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    warnings.simplefilter("ignore")
    files = sorted(folder.glob("*.jpg"))
    for name in names:
        module, function, take = PARTS[name]
        call = getattr(import_module(f"pyIFD.{module}"), function)
        (output / name).mkdir(parents=True, exist_ok=True)
        found: dict[str, float | str] = {}
        run(call, take, files[0])
        for file in files:
            started = time.perf_counter()
            values = run(call, take, file)
            found[file.name] = values if isinstance(values, str) else time.perf_counter() - started
            if not isinstance(values, str):
                np.save(output / name / f"{file.stem}.npy", values)
        (output / f"{name}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(name, len(found), flush=True)


def run(call, take, file: Path) -> np.ndarray | str:
    """The map, channels averaged; or what went wrong, as text."""
    try:
        values = np.asarray(take(call(str(file))), dtype=np.float32)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return values.mean(axis=2) if values.ndim == 3 else values


if __name__ == "__main__":
    main()
