"""What a run was asked for, and the peers that it has."""
import contextlib
import dataclasses
import functools

from bench.peers import inprocess


@dataclasses.dataclass
class Settings:
    rounds: int = 3
    # Small sizes, to see that everything works; the figures mean nothing.
    quick: bool = False
    workers: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)
    # Peer → version, for the results.
    versions: dict = dataclasses.field(default_factory=dict)

    def size(self, full, quick):
        return quick if self.quick else full

    @functools.cached_property
    def torchaudio(self):
        return self._worker(inprocess.torchaudio())

    @functools.cached_property
    def torchcodec(self):
        return self._worker(inprocess.torchcodec())

    @functools.cached_property
    def pyav(self):
        return self._worker(inprocess.pyav())

    def _worker(self, worker):
        if not isinstance(worker, str):
            self.workers.callback(worker.close)
            self.versions[worker.name] = worker.versions
        return worker
