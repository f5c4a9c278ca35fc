"""What scripts that use torchaudio or torchcodec write: run as they are or with one import changed, and decoded."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

SCRIPTS = pathlib.Path(__file__).parent / "scripts"
EXPECTED = pathlib.Path(__file__).parent / "expected"
#: The scripts of each library, and the import that a script changes.
OF = {
    "torchaudio": ("streamwriter_basic", "streamwriter_advanced", "effector"),
    "torchcodec": ("multi_stream_encoding", "one_shot_encoding"),
}
IMPORTS = {"torchaudio": "from torchaudio.io import", "torchcodec": "from torchcodec.encoders import"}
#: Samples in a piece whose loudness is compared.
WINDOW = 800


def run(script: str, folder: pathlib.Path, library: str, *, by_penstock: bool) -> None:
    """Runs a script in a folder, with its own import or with Penstock's in its place."""
    source = (SCRIPTS / f"{script}.py").read_text()
    own = IMPORTS[library]
    assert source.count(own) == 1
    if by_penstock:
        source = source.replace(own, "from penstock import")
    folder.mkdir(exist_ok=True)
    with _in(folder), socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        os.environ["PORT"] = str(free.getsockname()[1])
        free.close()
        exec(compile(source, f"{script}.py", "exec"), {"__name__": script})


@contextlib.contextmanager
def _in(folder: pathlib.Path) -> Iterator[None]:
    before, path = os.getcwd(), sys.path[:]
    os.chdir(folder)
    sys.path.insert(0, str(SCRIPTS))
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path


def decoded(folder: pathlib.Path) -> dict[str, list[dict[str, Any]]]:
    """What is in each file of a folder."""
    return {path.name: streams(path) for path in sorted(folder.iterdir())}


def streams(path: pathlib.Path) -> list[dict[str, Any]]:
    """Of each stream its codec and what it decodes to, by ffmpeg: `digest` of all frames with their times, and how
    many there are; of sound also how loud every twentieth of a second is, by which codecs of floats are compared."""
    probe = _output("ffprobe", "-v", "error", "-show_entries", "stream=codec_type,codec_name", "-of", "json", str(path))
    found = json.loads(probe)["streams"]
    lines = _output("ffmpeg", "-v", "error", "-i", str(path), "-map", "0", "-f", "framemd5", "-").decode().splitlines()
    frames: list[list[str]] = [[] for _ in found]
    for line in lines:
        if not line.startswith("#"):
            index, _, pts, _, _, digest = (part.strip() for part in line.split(","))
            frames[int(index)].append(f"{pts} {digest}")
    for index, stream in enumerate(found):
        stream["frames"] = len(frames[index])
        stream["digest"] = hashlib.md5("\n".join(frames[index]).encode()).hexdigest()
        if stream["codec_type"] == "audio":
            stream["loudness"] = loudness(path, index)
    return list(found)


def loudness(path: pathlib.Path, index: int) -> list[int]:
    """The root of the mean square of each piece of samples of 16 bits, channels mixed, at 16 kHz."""
    data = _output(
        "ffmpeg", "-v", "error", "-i", str(path), "-map", f"0:{index}", "-ac", "1", "-ar", "16000", "-f", "s16le", "-"
    )
    samples = struct.unpack(f"<{len(data) // 2}h", data[: len(data) // 2 * 2])
    pieces = [samples[start : start + WINDOW] for start in range(0, len(samples), WINDOW)]
    return [round(math.sqrt(sum(value * value for value in piece) / len(piece))) for piece in pieces]


def _output(*command: str) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout


def record(library: str, folder: pathlib.Path) -> dict[str, Any]:
    """What the library itself makes of its scripts, and with which FFmpeg."""
    found = {}
    for script in OF[library]:
        run(script, folder / script, library, by_penstock=False)
        found[script] = decoded(folder / script)
    version = _output("ffmpeg", "-version").decode()
    return {"libavcodec": version.partition("libavcodec")[2].split(".")[0].strip(), "scripts": found}


if __name__ == "__main__":
    # python originals.py LIBRARY, with that library and PyTorch installed: writes what is expected of Penstock.
    import tempfile

    (name,) = sys.argv[1:]
    with tempfile.TemporaryDirectory() as temporary:
        text = json.dumps(record(name, pathlib.Path(temporary)), indent=1)
    # A list of numbers on one line.
    numbers = re.compile(r"\n +(\d+,?)(?=\n)")
    compact = numbers.sub(r" \1", text)
    EXPECTED.mkdir(exist_ok=True)
    (EXPECTED / f"{name}.json").write_text(compact + "\n")
