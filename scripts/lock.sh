#!/usr/bin/env bash
# Make both lock files again from pyproject.toml: requirements.lock (base) and requirements-dev.lock (base
# with every extra). The base lock holds the versions of the dev lock, so that what is tested is what ships.
# Needs uv: python3 -m pip install uv. Pass --upgrade to move to newer versions, or nothing to keep
# every version that still fits.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v uv >/dev/null; then
  echo "lock.sh needs uv. Install it: python3 -m pip install uv" >&2
  exit 1
fi

compile() {
  # --no-header and --no-annotate keep machine paths out; no index or link is written without --emit-*.
  uv pip compile pyproject.toml --quiet --no-config --no-header --no-annotate --generate-hashes \
    --universal --python-version 3.11 "$@"
}

compile --extra copy-move --extra train --extra dev "$@" --output-file requirements-dev.lock
compile --constraints requirements-dev.lock "$@" --output-file requirements.lock

if grep -nE '://|^--|/home/|/root/' requirements.lock requirements-dev.lock; then
  echo "a lock file names a host, an index or a path (lines above)" >&2
  exit 1
fi
grep -c '==' requirements.lock requirements-dev.lock
