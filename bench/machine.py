"""What the figures were taken on: the processor, its cores, memory and kernel, and nothing more."""
import os
import re


def description():
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*:\s*(.+)$", file.read(), re.M)
    with open("/proc/meminfo") as file:
        kilobytes = int(re.search(r"^MemTotal:\s+(\d+)", file.read(), re.M)[1])
    return {
        "cpu": model[1] if model else "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(kilobytes / 2**20),
        "kernel": re.match(r"[\d.]+", os.uname().release)[0],
    }


def load():
    """The one-minute load average: far above zero before a run, its times are noise."""
    return os.getloadavg()[0]
