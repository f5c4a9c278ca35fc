#!/usr/bin/env bash
# Builds the Python client's wheel, installs it into a venv of its own, and holds it against ruff, mypy and its tests,
# which run against the programs that were built.
# Usage: test-python.sh [arguments of pytest]; PENSTOCK_PROGRAM for another server than .build/release/penstock
set -euo pipefail
cd "$(dirname "$0")/.."
client=$PWD/clients/python
venv=$PWD/.build-python/venv
PENSTOCK_PROGRAM=$(realpath "${PENSTOCK_PROGRAM:-.build/release/penstock}")
export PENSTOCK_PROGRAM
# An editable or inherited package must not stand in for the wheel.
unset PYTHONPATH

# Makes a venv of packages, unless it is there with the same: environment FOLDER PACKAGE...
environment() {
    local venv=$1 stamp
    shift
    stamp=$(printf '%s\n' "$(python3 --version)" "$@" | sha256sum | cut -c 1-16)
    if [ -e "$venv/$stamp" ]; then return; fi
    rm -rf "$venv"
    mkdir -p "$(dirname "$venv")"
    python3 -m venv "$venv"
    if ! "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" 2>"$venv/pip.log"; then
        cat "$venv/pip.log" >&2
        rm -rf "$venv"
        echo "skipped: the Python client's tests need packages that could not be installed from PyPI"
        # Where nobody looks at what was skipped, it counts as failed.
        [ -z "${CI:-}" ]
        exit
    fi
    touch "$venv/$stamp"
}

environment "$venv" 'build>=1,<2' 'hatchling>=1.26,<2' 'mypy>=1.11,<3' numpy 'pytest>=8,<10' 'pyyaml>=6,<7' \
    'ruff>=0.6,<1' 'tqdm>=4,<5' 'urllib3>=2,<3' 'vermin>=1.6,<2'
# Its generator, and what the client that it makes needs.
environment "$PWD/.build-python/generator" 'openapi-python-client>=0.25,<1'
export OPENAPI_GENERATOR_BIN=$PWD/.build-python/generator/bin

scripts/wheel.sh "$venv/bin/python"
"$venv/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps dist/penstock-*-py3-none-any.whl

cd "$client"
"$venv/bin/ruff" check --no-cache .
"$venv/bin/ruff" format --no-cache --check .
"$venv/bin/mypy" --cache-dir "$venv/mypy"
# What the package uses, of Python's language and library, is there from 3.10 on.
"$venv/bin/vermin" --quiet --target=3.10- --no-tips --violations --eval-annotations src
# Interrupted, pytest ends the servers that it has started.
timeout -s INT -k 60 "${PENSTOCK_PYTHON_TEST_TIME:-1800}" \
    "$venv/bin/python" -m pytest -p no:cacheprovider --rootdir "$client" -c "$client/pyproject.toml" "$client/tests" "$@"
