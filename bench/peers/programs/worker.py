"""The loop of an in-process peer: a job a line on standard input, a result a line on standard output.

What is timed is the encoding alone: the library is imported, and the input is in memory.
"""
import json
import os
import resource
import sys
import time


def _cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def serve(versions, prepare, encode):
    """Answers with `versions` first; then for each job, encode(job, prepare(job)) timed."""
    # Nothing but results may reach the pipe.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps(versions), file=answers, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        try:
            data = prepare(job)
            cpu, started = _cpu(), time.perf_counter()
            noted = encode(job, data)
            answer = {"seconds": time.perf_counter() - started, "cpu": _cpu() - cpu, **(noted or {})}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
