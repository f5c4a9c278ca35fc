"""Peers from PyPI, in virtual environments of the bench's own."""
import functools
import os
import subprocess
import sys

from bench.places import WORK

PYTHON = WORK / "venv" / "bin" / "python"
# Beside torchaudio's torch it would be loaded with the wrong one.
APART = {"torchcodec": WORK / "venv-torchcodec" / "bin" / "python"}
# Wheels only: a peer built here would be another peer.
PACKAGES = {
    # The last torchaudio with StreamWriter. Its wheels load the system's FFmpeg 4, 5 or 6.
    "torchaudio": ["torch==2.8.0", "torchaudio==2.8.0", "numpy"],
    # Its wheels load the system's FFmpeg 4 to 8, and are linked with PyTorch's for CUDA.
    "torchcodec": ["torch>=2.11", "torchcodec==0.17.0", "numpy"],
    # Its wheels bring an FFmpeg and an x264 of their own.
    "av": ["av>=14", "numpy"],
    # What clients/python needs, and the arrays that it sends.
    "urllib3": ["urllib3>=2,<3", "numpy"],
    "fastapi": ["fastapi", "uvicorn", "httptools", "uvloop", "av>=14", "numpy"],
}


def python(module):
    """The interpreter of the environment that the module is installed in."""
    return APART.get(module, PYTHON)


def _venv(interpreter):
    if not interpreter.exists():
        WORK.mkdir(exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(interpreter.parent.parent)], check=True)


def _imports(module):
    return subprocess.run([python(module), "-c", f"import {module}"], capture_output=True, text=True)


@functools.cache
def reason_missing(module):
    """Installs what the module needs, once. Empty if it can be imported, otherwise why it can't."""
    interpreter = python(module)
    if os.environ.get("BENCH_INSTALL") == "no" and not interpreter.exists():
        return "not installed (BENCH_INSTALL=no)"
    _venv(interpreter)
    if _imports(module).returncode == 0:
        return ""
    if os.environ.get("BENCH_INSTALL") != "no":
        print(f"installing {' '.join(PACKAGES[module])} into .build-bench/{interpreter.parent.parent.name}", file=sys.stderr, flush=True)
        command = [interpreter, "-m", "pip", "install", "-q", "--only-binary=:all:", *PACKAGES[module]]
        done = subprocess.run(command, capture_output=True, text=True)
        (WORK / f"pip-{module}.log").write_text(done.stdout + done.stderr)
        if done.returncode != 0:
            return f"pip: {_last_error(done.stderr)}"
    imported = _imports(module)
    return "" if imported.returncode == 0 else _last_error(imported.stderr)


def _last_error(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or "Error" in line]
    return (errors or lines or ["no output"])[-1][:300]
