"""Runs the workloads, prints their tables and keeps the results: `make bench ROUNDS=5 ONLY=video,audio`."""
import argparse
import dataclasses
import datetime
import importlib
import json
import subprocess
import sys
import traceback

from bench import machine, penstock, report
from bench.peers import ffmpeg, servers
from bench.places import RESULTS, ROOT
from bench.settings import Settings

WORKLOADS = ["raw_ingest", "video", "audio", "chunks", "sessions", "short_clips", "first_byte", "realtime", "live", "latency", "growth",
             "python_client"]


def arguments():
    parser = argparse.ArgumentParser(prog="python3 -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each subject is measured (3)")
    parser.add_argument("--only", default="", help=f"some of: {','.join(WORKLOADS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that all works, measures nothing")
    parser.add_argument("--programs", default=penstock.DEFAULT_PROGRAMS, help="folder of penstock and penstock-encoder")
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",") if chosen.only else WORKLOADS
    unknown = set(chosen.only) - set(WORKLOADS)
    if unknown or chosen.rounds < 1:
        parser.error(f"no such workload: {', '.join(unknown)}" if unknown else "--rounds must be at least 1")
    return chosen


def git_commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT)
    return done.stdout.strip() or "unknown"


def peer_versions(settings):
    nginx = "" if servers.nginx_missing() else subprocess.run(
        ["nginx", "-v"], capture_output=True, text=True, env={"PATH": "/usr/sbin:/usr/bin"}).stderr.strip().rpartition("/")[2]
    ffmpeg_version = "" if ffmpeg.reason_missing() else ffmpeg.version()
    libraries = {name: f"{versions.get(name)} on libavcodec {versions['libavcodec']}" for name, versions in settings.versions.items()}
    return {**libraries, "ffmpeg": ffmpeg_version, "nginx": nginx}


def save(run, path):
    """Written after each workload: an interrupted run keeps what it has."""
    RESULTS.mkdir(exist_ok=True)
    text = {**run, "results": [dataclasses.asdict(one) for one in run["results"].values()]}
    path.write_text(json.dumps(text, indent=1) + "\n")


def run_one(name, settings, run, path):
    print(f"{name}", file=sys.stderr, flush=True)
    try:
        for result in importlib.import_module(f"bench.workloads.{name}").run(settings):
            run["results"][result.name] = result
    except Exception as error:
        traceback.print_exc()
        run["failures"][name] = f"{type(error).__name__}: {error}"
    run["versions"] = peer_versions(settings)
    save(run, path)


def main():
    chosen = arguments()
    penstock.Penstock.programs = penstock.programs_folder(chosen.programs)
    now = datetime.datetime.now(datetime.timezone.utc)
    path = RESULTS / f"{now:%Y-%m-%dT%H%M%S}{'-quick' if chosen.quick else ''}.json"
    run = {"date": f"{now:%Y-%m-%d}", "commit": git_commit(), "machine": machine.description(), "load": machine.load(),
           "rounds": chosen.rounds, "quick": chosen.quick, "versions": {}, "results": {}, "failures": {}}
    settings = Settings(chosen.rounds, chosen.quick)
    with settings.workers:
        for name in chosen.only:
            run_one(name, settings, run, path)
    print(report.whole(run))
    print(f"\nKept in {path.relative_to(ROOT)}", file=sys.stderr)
    return 1 if run["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
