"""Libraries that encode in the process of their user: a worker process each, alive for the whole run.

A job is a dictionary: kind ("video" or "audio"), input and bytes (of the file to take), times (how
often the input is written over), piece (frames a call of torchaudio's and torchcodec's: what they are
fastest with), output, muxer, encoder, and the stream's own parameters under the names of Penstock's API.
"""
import json
import pathlib
import subprocess

from bench.figures import Sample
from bench.peers import install
from bench.processes import Watch

PROGRAMS = pathlib.Path(__file__).parent / "programs"


class Worker:
    """One library's worker. `versions` tells what it is and which libavcodec it brought."""

    def __init__(self, name, program, interpreter):
        self.name = name
        self._process = subprocess.Popen(
            [interpreter, PROGRAMS / program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.versions = json.loads(self._process.stdout.readline() or "null")
        if self.versions is None:
            raise RuntimeError(f"{name}'s worker did not start")

    def run(self, **job):
        with Watch({"client": self._process.pid}) as watch:
            print(json.dumps(job), file=self._process.stdin, flush=True)
            answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{self.name}: {answer['error']}")
        cpu, memory = {self.name: answer["cpu"]}, {self.name: watch.memory["client"]}
        return Sample(answer["seconds"], cpu, memory, answer, watch.others)

    def close(self):
        self._process.stdin.close()
        self._process.wait(30)


def torchaudio():
    """A Worker, or why there is none."""
    return install.reason_missing("torchaudio") or _started("torchaudio", "torchaudio_worker.py")


def torchcodec():
    return install.reason_missing("torchcodec") or _started("torchcodec", "torchcodec_worker.py", install.python("torchcodec"))


def pyav():
    return install.reason_missing("av") or _started("PyAV", "pyav_worker.py")


def _started(name, program, interpreter=install.PYTHON):
    try:
        return Worker(name, program, interpreter)
    except RuntimeError as error:
        return str(error)
