"""What the parts of cluster-check share: the command line, checks, and what is said of them."""
import argparse
import time

arguments = argparse.ArgumentParser()
for name in ("binaries", "work", "configuration", "haproxy"):
    arguments.add_argument("--" + name, required=True)
arguments.add_argument("--only", help="one of the parts, by its name in __main__.py")
options = arguments.parse_args()
began = time.monotonic()


def check(holds, what):
    if not holds:
        raise SystemExit(f"FAILED: {what}")


def eventually(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        time.sleep(0.05)


def step(text):
    print(f"== {text} ({time.monotonic() - began:.0f} s)", flush=True)
