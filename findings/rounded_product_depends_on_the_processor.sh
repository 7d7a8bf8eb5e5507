#!/usr/bin/env bash
# Guess:   np.rint of a float32 matrix product gives the same integers on every x86 processor: the inputs are
#          integers, the DCT matrix is fixed, and errors of 1e-5 do not survive rounding.
# Seen:    sums that lie on a tie (x.5) fall to one side or the other with the order of additions, and OpenBLAS
#          picks that order by processor: the Haswell and the Nehalem kernels disagree on a few coefficients in
#          every million.
# Matters: block traces and scores move between machines, in the third digit once thresholds and ratios have
#          amplified it; mirrored pictures stop giving mirrored maps.
# Version: NumPy 2.4.6 (its own OpenBLAS); needs an x86 processor with AVX2. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check numpy==2.4.6

cat >transform.py <<'PYTHON'
import sys

import numpy as np

blocks = np.random.default_rng(0).integers(0, 256, (20000, 64)).astype(np.float32) - 128
k = np.arange(8)
basis = np.sqrt(2 / 8) * np.cos((2 * k[None] + 1) * k[:, None] * np.pi / 16)
basis[0] /= np.sqrt(2)
np.save(sys.argv[1], np.rint(blocks @ np.kron(basis, basis).astype(np.float32).T))
PYTHON
for kernel in Haswell Nehalem; do
  OPENBLAS_CORETYPE="$kernel" venv/bin/python transform.py "$kernel.npy"
  OPENBLAS_CORETYPE="$kernel" venv/bin/python transform.py "$kernel-again.npy"
done
venv/bin/python - <<'PYTHON'
import sys

import numpy as np

haswell, again, nehalem = (np.load(f"{name}.npy") for name in ("Haswell", "Haswell-again", "Nehalem"))
print(f"NumPy {np.__version__}")
print(f"expected: the same {haswell.size} integers from both kernels")
print(f"seen: {(haswell != again).sum()} differ between two runs of one kernel, "
      f"{(haswell != nehalem).sum()} between Haswell and Nehalem")
sys.exit(not (np.array_equal(haswell, again) and not np.array_equal(haswell, nehalem)))
PYTHON
