"""Draw docs/images/synthesis.jpg: two synthetic forgeries of each kind beside their masks.

    python scripts/make_synthesis_picture.py

Hosts and donors are both cut from data/samples/authentic.jpg, the only photograph here that may be
redistributed; a pool of many photographs gives splices from other pictures.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from imforensics.datasets.synthesis.config import MANIPULATIONS, SynthesisConfig
from imforensics.datasets.synthesis.pairs import draw_pair
from imforensics.datasets.synthesis.pool import load_pool
from imforensics.types import UInt8Array
from make_readme_picture import lay_out

ROOT = Path(__file__).resolve().parents[1]
SIZE = (200, 300)
SEED = 11
EXAMPLES = 2  # of each kind, side by side


def main() -> int:
    """Write the picture."""
    pool = load_pool([ROOT / "data" / "samples" / "authentic.jpg"])
    rows = []
    for kind in MANIPULATIONS:
        config = SynthesisConfig.model_validate({"manipulations": {kind: 1}, "area": (0.02, 0.12)})
        panels: list[UInt8Array] = []
        for index in range(EXAMPLES):
            pair = draw_pair(pool, config, seed=SEED, index=index, size=SIZE)
            picture = np.asarray(Image.open(io.BytesIO(pair.tampered)).convert("RGB"))
            panels += [picture, np.where(pair.mask, np.uint8(255), np.uint8(0))]
            print(kind, pair.recipe["alteration"])
        rows.append(panels)
    path = ROOT / "docs" / "images" / "synthesis.jpg"
    Image.fromarray(lay_out(rows)).save(path, quality=78, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
