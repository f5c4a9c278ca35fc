"""Where things lie. Everything that the bench makes is under .build-bench, which git ignores."""
import pathlib

BENCH = pathlib.Path(__file__).resolve().parent
ROOT = BENCH.parent
WORK = ROOT / ".build-bench"
DATA = WORK / "data"
RUN = WORK / "run"
RESULTS = BENCH / "results"
MEMORY = pathlib.Path("/dev/shm")
