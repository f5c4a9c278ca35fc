"""An encoder by itself: libav's, in a program that does nothing else, on pictures that lie in memory as it takes them."""
import dataclasses
import functools
import json
import pathlib
import shutil
import subprocess

from bench.figures import Sample
from bench.places import BENCH, WORK
from bench.processes import Watch

NAME = "x264 alone"
SOURCE = BENCH / "peers" / "programs" / "encode_alone.c"
PROGRAM = WORK / "encode-alone"
LIBRARIES = ["libavformat", "libavcodec", "libavutil"]


@dataclasses.dataclass(frozen=True)
class Encoding:
    input: pathlib.Path
    width: int
    height: int
    frame_rate: int
    frames: int
    encoder: str
    options: dict


@functools.cache
def reason_missing():
    """Compiles the program when its source is newer. Empty if it is there, otherwise why not."""
    if PROGRAM.exists() and PROGRAM.stat().st_mtime > SOURCE.stat().st_mtime:
        return ""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or shutil.which("pkg-config") is None:
        return "no C compiler (cc, gcc, clang), or no pkg-config"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", *LIBRARIES], capture_output=True, text=True)
    if flags.returncode != 0:
        return "no headers of libav (libavformat-dev, libavcodec-dev)"
    WORK.mkdir(exist_ok=True)
    done = subprocess.run(
        [compiler, "-O2", "-Wall", "-Wextra", "-o", str(PROGRAM), str(SOURCE), *flags.stdout.split()], capture_output=True, text=True)
    return "" if done.returncode == 0 else f"cc: {done.stderr.strip()[:300]}"


def encode(encoding, muxer, path):
    """Timed by the program itself, from the making of the muxer to the trailer."""
    options = [f"{name}={value}" for name, value in encoding.options.items()]
    command = [PROGRAM, encoding.input, encoding.width, encoding.height, encoding.frame_rate, encoding.frames, muxer, path,
               encoding.encoder, *options]
    with Watch({}) as watch:
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        watch.roots[NAME] = process.pid
        answer = process.communicate()[0]
        del watch.roots[NAME]
    if process.returncode != 0:
        raise RuntimeError(f"{NAME} ended with {process.returncode}")
    said = json.loads(answer)
    watch.cpu = {NAME: said["cpu"]}
    return Sample(said["seconds"], watch.cpu, {NAME: watch.memory[NAME]}, {}, watch.others)
