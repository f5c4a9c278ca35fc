#!/usr/bin/env bash
# Builds the Python client's wheel into dist/.
# Usage: wheel.sh [a Python with `build` and `hatchling`]; without one, a venv of its own gets them
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-}
if [ -z "$python" ]; then
    venv=$PWD/.build-python/wheel
    python=$venv/bin/python
    if [ ! -x "$venv/bin/hatchling" ]; then
        mkdir -p "$(dirname "$venv")"
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check 'build>=1,<2' 'hatchling>=1.26,<2' || {
            rm -rf "$venv"
            echo "build and hatchling could not be installed from PyPI" >&2
            exit 1
        }
    fi
fi
rm -f dist/penstock-*-py3-none-any.whl
mkdir -p dist
"$python" -m build --quiet --wheel --no-isolation --outdir dist clients/python
ls dist/penstock-*-py3-none-any.whl
