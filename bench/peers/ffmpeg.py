"""The ffmpeg program, fed through a pipe: from its start to its exit."""
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import threading
import time

from bench.figures import Sample
from bench.processes import Watch
from bench.upload import slices

NAME = "ffmpeg"


def reason_missing():
    return "" if shutil.which("ffmpeg") else "no ffmpeg on PATH"


def version():
    text = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True).stdout
    return re.match(r"ffmpeg version (\S+)", text)[1]


def encode(arguments, buffer, total):
    """Runs ffmpeg with `total` bytes on its standard input."""
    with Watch({}) as watch:
        process = subprocess.Popen(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], stdin=subprocess.PIPE, bufsize=0)
        watch.roots[NAME] = process.pid
        # As large as an unprivileged program may make it: fewer switches between the two.
        fcntl.fcntl(process.stdin, fcntl.F_SETPIPE_SZ, 1 << 20)
        for piece in slices(buffer, total):
            while piece:
                piece = piece[os.write(process.stdin.fileno(), piece) :]
        process.stdin.close()
        # Not reaped by Popen: its CPU time comes with its exit.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        del watch.roots[NAME]
    if process.returncode != 0:
        raise RuntimeError(f"ffmpeg ended with {process.returncode}: {arguments}")
    watch.cpu[NAME] = usage.ru_utime + usage.ru_stime
    return Sample.of(watch)


def seconds_to_first_byte(arguments, buffer):
    """From starting ffmpeg to the first byte on its standard output, its input coming as fast as it takes it."""

    def feed():
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(buffer)

    started = time.perf_counter()
    process = subprocess.Popen(
        ["ffmpeg", "-v", "error", *map(str, arguments), "-flush_packets", "1", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
    feeder = threading.Thread(target=feed)
    feeder.start()
    assert len(process.stdout.read(1)) == 1, arguments
    seconds = time.perf_counter() - started
    process.kill()
    process.wait()
    feeder.join()
    process.stdout.close()
    return seconds
