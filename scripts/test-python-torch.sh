#!/usr/bin/env bash
# Holds the Python client against the libraries that it stands for, torchaudio 2.8 and torchcodec 0.17, each in a venv
# of its own that is made once: some gigabytes, as PyTorch comes with CUDA's libraries. The server is the one that was
# built; the libraries use the system's FFmpeg, which must be a release that they know (torchaudio: 4 to 6).
# Usage: test-python-torch.sh [arguments of pytest]; PENSTOCK_PROGRAM for another server than .build/release/penstock
set -euo pipefail
cd "$(dirname "$0")/.."
client=$PWD/clients/python
PENSTOCK_PROGRAM=$(realpath "${PENSTOCK_PROGRAM:-.build/release/penstock}")
export PENSTOCK_PROGRAM PYTHONPATH=$client/tests

scripts/wheel.sh
status=0
for library in torchaudio torchcodec; do
    case $library in
        torchaudio) packages=('torch==2.8.0' 'torchaudio==2.8.0') ;;
        torchcodec) packages=('torch>=2.11' 'torchcodec==0.17.0') ;;
    esac
    venv=$PWD/.build-python/$library
    if ! "$venv/bin/python" -c "import pytest, numpy, urllib3, $library" 2>/dev/null; then
        rm -rf "$venv"
        python3 -m venv "$venv"
        echo "installing ${packages[*]} into .build-python/$library" >&2
        # A build of PyTorch without CUDA, from elsewhere than PyPI, lacks what torchcodec's wheel is linked with.
        PIP_FIND_LINKS='' "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: \
            "${packages[@]}" numpy 'pytest>=8,<10' 'urllib3>=2,<3'
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps dist/penstock-*-py3-none-any.whl
    timeout -s KILL "${PENSTOCK_PYTHON_TEST_TIME:-900}" "$venv/bin/python" -W ignore -m pytest -p no:cacheprovider -p conftest \
        --rootdir "$client" -c "$client/pyproject.toml" "$client/tests-torch" "$client/tests/test_tensors.py" "$@" || status=1
done
exit "$status"
