"""CPU and memory of process trees, read from /proc."""
import os
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


def tree(root):
    """The process and all that descend from it, as they are now."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as file:
                    waiting.extend(map(int, file.read().split()))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def _ticks(pid, fields):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return sum(map(int, file.read().rpartition(")")[2].split()[fields]))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def cpu_seconds(root):
    """User and system time of the tree, with that of children which ended and were reaped."""
    return sum(own_cpu_seconds(pid) + _ticks(pid, slice(13, 15)) / TICKS for pid in tree(root))


def own_cpu_seconds(pid):
    """User and system time of one process alone.

    A process's own figure is whole hundredths of a second, which a thousand small processes may never reach:
    that of its threads is in nanoseconds, but those that ended are not in it.
    """
    return max(_ticks(pid, slice(11, 13)) / TICKS, _threads_seconds(pid))


def _threads_seconds(pid):
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return total / 1e9


def voluntary_switches(pid):
    """How often the process's threads have slept; those that ended are not in it."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches:"))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return total


def kilobytes(pid, names):
    """The sum of the lines named in smaps_rollup; 0 once the process is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            lines = file.read().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) for line in lines if line.partition(":")[0] in names)


def memory_megabytes(root):
    """Memory that the tree alone holds: anonymous and shared-memory pages, what forks share counted once.

    Mapped files (programs, libraries, the bench's inputs) are not in it: the kernel can drop those.
    """
    return sum(kilobytes(pid, ("Pss_Anon", "Pss_Shmem")) for pid in tree(root)) / 1024


def machine_cpu_seconds():
    """What all processes of the machine and the kernel have used since it started."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, interrupts, soft_interrupts = map(int, file.readline().split()[1:8])
    return (user + nice + system + interrupts + soft_interrupts) / TICKS


def private_megabytes(pid):
    """What would be free if this one process ended."""
    return kilobytes(pid, ("Private_Clean", "Private_Dirty")) / 1024


class Watch:
    """Measures the body of a `with`: seconds, CPU of the trees named and of this thread, peak memory.

    `roots` is a dictionary of role → pid; the role "client" is this thread unless it is in there.
    Without an interval memory is read once, at the end. `others` is the share of the machine's CPU that
    went to processes which are not measured: what a figure is worth.
    """

    # Looking takes time of what is measured: a walk over its pages.
    def __init__(self, roots, interval=0.2):
        self.roots, self.interval = dict(roots), interval
        self.cpu, self.memory = {}, {}

    def __enter__(self):
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._before = {role: cpu_seconds(pid) for role, pid in self.roots.items()}
        self._sampler.start()
        self._thread_before = time.thread_time()
        self._machine_before = machine_cpu_seconds()
        self._started = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self._started
        if "client" not in self.roots:
            self.cpu["client"] = time.thread_time() - self._thread_before
        for role, pid in self.roots.items():
            self.cpu[role] = cpu_seconds(pid) - self._before[role]
        self._machine_used = machine_cpu_seconds() - self._machine_before
        self._ended.set()
        self._sampler.join()
        self._look()
        # Its own, once: with the inputs that it has mapped it takes longest.
        self.memory.setdefault("client", kilobytes(os.getpid(), ("Pss_Anon",)) / 1024)

    @property
    def others(self):
        """To be asked once every role's CPU is known."""
        capacity = self.seconds * len(os.sched_getaffinity(0))
        return max(0.0, (self._machine_used - sum(self.cpu.values())) / capacity)

    def client_was(self, answer):
        """The client was the generator: what it said of itself replaces what this thread used."""
        self.cpu["client"], self.memory["client"] = answer["cpu"], answer["peak_kb"] / 1024

    def _look(self):
        for role, pid in list(self.roots.items()):
            self.memory[role] = max(self.memory.get(role, 0), memory_megabytes(pid))

    def _sample(self):
        while self.interval and not self._ended.wait(self.interval):
            self._look()
