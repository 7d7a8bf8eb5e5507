"""Write tests/golden/lir_values.json: what the Netherlands Forensic Institute's `lir` gives for fixed ratios.

`lir` is no dependency of this project. Run in an environment of its own:

    python -m venv lir-env && lir-env/bin/pip install 'lir==0.1.29' 'scikit-learn<1.6'
    lir-env/bin/python scripts/make_golden_lir.py
"""

from __future__ import annotations

import json
import platform
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from lir.bayeserror import elub
from lir.calibration import IsotonicCalibrator, LogitCalibrator
from lir.ece import calculate_ece
from lir.metrics import cllr, cllr_min

TARGET = Path(__file__).parent.parent / "tests" / "golden" / "lir_values.json"


def make_case(name: str, log10_lrs: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Every value that the tests compare, for one set of ratios; the ratios are stored with them."""
    log10_lrs = np.round(log10_lrs, 6)
    lrs = 10.0**log10_lrs
    lower, upper = elub(lrs.copy(), labels, add_misleading=1)
    prior_odds = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    probabilities = lrs / (1 + lrs)
    ece = calculate_ece(lrs, labels, 10.0**prior_odds / (1 + 10.0**prior_odds))
    platt = LogitCalibrator(C=1e9, tol=1e-10).fit(np.log10(lrs), labels)
    isotonic = IsotonicCalibrator(add_misleading=1).fit(probabilities, labels)
    return {
        "name": name,
        "log10_lrs": log10_lrs.tolist(),
        "labels": labels.tolist(),
        "cllr": float(cllr(lrs, labels)),
        "cllr_min": float(cllr_min(lrs, labels)),
        "elub_log10": [float(np.log10(lower)), float(np.log10(upper))],
        "log10_prior_odds": prior_odds.tolist(),
        "empirical_cross_entropy": np.asarray(ece).tolist(),
        "logit_calibrated_log10": np.log10(platt.transform(np.log10(lrs))).tolist(),
        "isotonic_calibrated_log10": np.log10(isotonic.transform(probabilities)).tolist(),
    }


def main() -> None:
    """Three sets: well calibrated, overconfident with few cases and ties, and nearly uninformative."""
    generator = np.random.default_rng(20151)
    labels = np.repeat([0, 1], [120, 90])
    good = generator.normal(np.where(labels == 1, 0.9, -0.9), 0.88)
    few = np.repeat([0, 1], [14, 11])
    loud = np.round(generator.normal(np.where(few == 1, 2.0, -2.0), 2.5))
    weak = generator.normal(np.where(labels == 1, 0.02, -0.02), 0.2)
    cases = [make_case("calibrated", good, labels), make_case("overconfident", loud, few)]
    cases.append(make_case("uninformative", weak, labels))
    made_with = {
        "script": "scripts/make_golden_lir.py",
        "lir": version("lir"),
        "numpy": version("numpy"),
        "scikit-learn": version("scikit-learn"),
        "python": platform.python_version(),
    }
    TARGET.write_text(json.dumps({"made_with": made_with, "cases": cases}, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    warnings.simplefilter("default")
    main()
