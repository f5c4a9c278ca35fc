#!/usr/bin/env python3
"""Makes many ended writers and measures a server that starts with them.

Usage: ended-writers.py PENSTOCK COUNT FOLDER [OPTION…]

One writer is made by the server itself and copied, as records lie in the state directory: each with an id, times and
an output of its own, of four names of tokens by turns, every tenth failed. Without a change of the folder a second
start follows. Options go to `penstock serve`. Prints a line of JSON for each start.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

program, count, folder, *options = sys.argv[1], int(sys.argv[2]), os.path.abspath(sys.argv[3]), *sys.argv[4:]
state = folder + "/state"
tokens = {"admin": "a" * 32} | {name: name * 32 for name in "wxyz"}

# A version that keeps ended writers for ever has no such options.
has_retention = "--retain-ended" in subprocess.run([program, "serve", "--help"], capture_output=True, text=True).stdout
forever = ["--retain-ended", "0", "--retain-ended-count", "0"] if has_retention else []


def call(base, method, path, body=None, token="admin"):
    request = urllib.request.Request(base + path, body, method=method)
    request.add_header("Authorization", "Bearer " + tokens[token])
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read()
    except urllib.error.HTTPError as error:
        if error.code == 503:
            time.sleep(0.5)
            return call(base, method, path, body, token)
        raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}")


def start():
    """The server, its address, and the seconds until /readyz said 200."""
    began = time.monotonic()
    command = [program, "serve", "--port", "0", "--output-dir", folder + "/output", "--state-dir", state,
               "--token-file", folder + "/tokens", *forever, *options]
    log = open(folder + "/log", "w")
    server = subprocess.Popen(command, stderr=log)
    while True:
        found = re.search(r"http://[^\s\"]*:\d+", open(folder + "/log").read())
        if found:
            break
        if server.poll() is not None:
            raise SystemExit(open(folder + "/log").read())
        time.sleep(0.005)
    base = found[0]
    while True:
        try:
            with urllib.request.urlopen(base + "/readyz", timeout=60) as response:
                if response.status == 200:
                    return server, base, time.monotonic() - began
        except OSError:
            time.sleep(0.005)


def stop(server):
    server.terminate()
    server.wait()


def memory(server):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{server.pid}/status").read())[1]) // 1024


def timed(action, rounds=5):
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        result = action()
        times.append(time.monotonic() - began)
    return result, round(sorted(times)[rounds // 2] * 1000, 1)


def text(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def make():
    os.makedirs(folder)
    with open(folder + "/tokens", "w") as file:
        file.write(tokens["admin"] + " scope=admin\n")
        for name in "wxyz":
            file.write(f"{tokens[name]} name={name} scope=write\n")
    server, base, _ = start()
    audio = {"type": "audio", "sample_rate": 8000, "num_channels": 1, "format": "s16"}
    call(base, "PUT", "/v1/writers/first", json.dumps({"format": "wav", "streams": [audio], "open": True}).encode(), "w")
    call(base, "POST", "/v1/writers/first/streams/0/chunks", bytes(1600), "w")
    call(base, "POST", "/v1/writers/first/finalize", b"{}", "w")
    call(base, "GET", "/v1/writers/first", token="w")
    stop(server)
    record = json.load(open(state + "/writers/w.first/record.json"))
    # As an earlier version kept both: the server's first start takes the origins over.
    record.pop("first")
    origin = {"version": 1, "created_at": record["writer"]["created_at"], "claim": {"kind": "managed", "path": record["managed_file"]}}
    os.makedirs(state + "/origins")
    output = open(f"{state}/writers/w.first/{record['managed_file']}", "rb").read()
    begin = datetime.now(timezone.utc) - timedelta(days=3)
    for number in range(count):
        name, key = "wxyz"[number % 4], f"w_{number:024}"
        moment = begin + timedelta(seconds=number)
        record["writer"] |= {"id": key, "created_at": text(moment), "ended_at": text(moment + timedelta(seconds=1)),
                             "state": "failed" if number % 10 == 0 else "closed"}
        origin["created_at"] = text(moment)
        own = f"{state}/writers/{name}.{key}"
        os.mkdir(own)
        json.dump(record, open(own + "/record.json", "w"), separators=(",", ":"))
        json.dump(origin, open(f"{state}/origins/{name}.{key}", "w"), separators=(",", ":"))
        with open(f"{own}/{record['managed_file']}", "wb") as file:
            file.write(output)
    shutil.rmtree(state + "/writers/w.first")


def pages(base):
    """The first page, one in the middle, and those of a state and a token."""
    times = {}
    first, times["first"] = timed(lambda: call(base, "GET", "/v1/writers?limit=100"))
    moment = sorted(writer["created_at"] for writer in json.loads(first)["writers"])[0]
    middle = datetime.fromisoformat(moment.replace("Z", "+00:00")) - timedelta(seconds=count // 2)
    found, times["middle"] = timed(lambda: call(base, "GET", f"/v1/writers?limit=100&cursor={text(middle)}~w.w_{count:024}"))
    assert len(json.loads(found)["writers"]) == 100
    found, times["failed"] = timed(lambda: call(base, "GET", "/v1/writers?limit=100&state=failed"))
    assert all(writer["state"] == "failed" for writer in json.loads(found)["writers"])
    found, times["of a token"] = timed(lambda: call(base, "GET", "/v1/writers?limit=100", token="x"))
    assert len(json.loads(found)["writers"]) == 100
    _, times["of no state"] = timed(lambda: call(base, "GET", "/v1/writers?limit=100&state=open"))
    _, times["one writer"] = timed(lambda: call(base, "GET", f"/v1/writers/w_{count // 8 * 4:024}", token="w"))
    return times


if not os.path.exists(folder):
    make()
for _ in range(2):
    server, base, ready = start()
    at_once = memory(server)
    began = time.monotonic()
    call(base, "GET", "/v1/writers?limit=1")
    listed = time.monotonic() - began
    before = memory(server)
    times = pages(base)
    print(json.dumps({"writers": count, "ready_s": round(ready, 2), "first_list_after_s": round(listed, 2), "rss_ready_mb": at_once,
                      "rss_mb": before, "rss_after_lists_mb": memory(server), "pages_ms": times}), flush=True)
    stop(server)
