"""What several outputs, renditions and a destination that breaks cost: `python3 -m bench.outputs`.

`outputs`: one 1080p upload to an MP4 alone, and to an MP4, RTMP (ffmpeg listens) and HLS in a store (moto, of
`scripts/s3-servers.sh`) at once, in turns. `renditions`: one upload in three sizes, and the same three as writers of their
own. `reconnect`: a recording and RTMP whose server is restarted all the time, a minute of media each second.
"""
import argparse
import hashlib
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

from bench import media, penstock
from bench.places import MEMORY, ROOT
from bench.processes import kilobytes
from bench.upload import mapped, post

STREAM = {"type": "video", "frame_rate": media.FRAME_RATE, "width": media.WIDTH, "height": media.HEIGHT, "format": "rgb24",
          "encoder": "libx264", "encoder_format": "yuv420p", "encoder_option": {"preset": "veryfast"},
          "codec_config": {"gop_size": 50, "max_b_frames": 0}}
SIZES = {"hd": (1920, 1080), "sd": (1280, 720), "ld": (640, 360)}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Ingest:
    """ffmpeg as an RTMP server for one publisher, which keeps nothing."""

    def __init__(self, port=None):
        self.port = port or free_port()
        self.process = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-nostdin", "-listen", "1", "-i", self.url, "-map", "0", "-c", "copy", "-f", "null", "-"],
            stderr=subprocess.DEVNULL)

    @property
    def url(self):
        return f"rtmp://127.0.0.1:{self.port}/live/key"

    def await_listening(self):
        """Looks without connecting: it takes one connection only."""
        wanted = f":{self.port:04X} 00000000:0000 0A"
        while wanted not in pathlib.Path("/proc/net/tcp").read_text():
            time.sleep(0.01)

    def end(self):
        self.process.kill()
        self.process.wait()


class Bucket:
    """moto with one bucket, and the variables that make it a store of the server's."""

    def __enter__(self):
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        program = ROOT / ".build" / "s3-servers" / "bin" / "moto_server"
        self.process = subprocess.Popen([program, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(400):
            try:
                urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/shows", method="PUT"), timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        fields = {"ENDPOINT": self.endpoint, "BUCKET": "shows", "ACCESS_KEY": "bench", "SECRET_KEY": "bench"}
        os.environ.update({f"PENSTOCK_STORE_BENCH_{name}": value for name, value in fields.items()})
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def encoder_seconds(server, writer, description, frames):
    """Processor seconds of the writer's encoder from its making to its end, carriers and the gateway apart."""
    before = float(metric(server, "penstock_encoder_cpu_seconds_total"))
    server.create(writer, **description, open=True)
    post(server.port, f"/v1/writers/{writer}/streams/0/chunks", frames, 2 * len(frames))
    server.finalize(writer)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        # What a process has used is told at its end.
        used = float(metric(server, "penstock_encoder_cpu_seconds_total")) - before
        time.sleep(0.3)
        if used and float(metric(server, "penstock_encoder_cpu_seconds_total")) - before == used:
            return used
    raise RuntimeError("the encoder does not say what it has used")


def metric(server, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def outputs(rounds):
    frames, ratios, same = mapped(media.rgb24("packed")), [], []
    with Bucket(), penstock.Penstock("--allow-output", "rtmp://127.0.0.1:*/*", folder=MEMORY, access_log=False) as server:
        for index in range(rounds):
            alone = encoder_seconds(server, f"alone{index}", {"outputs": [{"name": "record", "dst": "alone.mp4", "overwrite": True}], "streams": [STREAM]}, frames)
            ingest = Ingest()
            ingest.await_listening()
            three = [{"name": "record", "dst": "three.mp4", "overwrite": True},
                     {"name": "live", "dst": ingest.url}, {"name": "web", "dst": f"s3://bench/{index}/show.m3u8", "option": {"hls_time": "2", "hls_list_size": "0"}}]
            ratios.append(encoder_seconds(server, f"three{index}", {"outputs": three, "streams": [STREAM]}, frames) / alone)
            ingest.end()
            same.append(digest(server.output / "alone.mp4") == digest(server.output / "three.mp4"))
            print(f"  round {index + 1}: encoder CPU {ratios[-1]:.3f} of one output's ({alone:.2f} s), the same MP4: {same[-1]}", flush=True)
    print(f"outputs: median {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}); the MP4 is the same in {sum(same)} of {rounds}")


def rendition(name):
    width, height = SIZES[name]
    return {"encoder_width": width, "encoder_height": height, "encoder": "libx264", "encoder_format": "yuv420p",
            "encoder_option": STREAM["encoder_option"], "codec_config": STREAM["codec_config"]}


def renditions(rounds):
    frames, ratios = mapped(media.rgb24("packed")), []
    bare = {name: STREAM[name] for name in ("type", "frame_rate", "width", "height", "format")}
    with penstock.Penstock(folder=MEMORY, access_log=False) as server:
        for index in range(rounds):
            received = metric(server, "penstock_stream_bytes_received_total")
            own = sum(encoder_seconds(server, f"{name}{index}", {"dst": f"{name}.mp4", "overwrite": True, "streams": [bare | rendition(name)]}, frames) for name in SIZES)
            middle = metric(server, "penstock_stream_bytes_received_total")
            one = {"outputs": [{"name": name, "dst": f"of-{name}.mp4", "overwrite": True, "streams": [f"0:{name}"]} for name in SIZES],
                   "streams": [bare | {"renditions": [{"name": name} | rendition(name) for name in SIZES]}]}
            together = encoder_seconds(server, f"all{index}", one, frames)
            share = (metric(server, "penstock_stream_bytes_received_total") - middle) / (middle - received)
            same = [digest(server.output / f"{name}.mp4") == digest(server.output / f"of-{name}.mp4") for name in SIZES]
            ratios.append(together / own)
            print(f"  round {index + 1}: encoder CPU {ratios[-1]:.3f} of three writers' ({own:.2f} s), bytes received {share:.3f} of theirs, same files: {same}", flush=True)
    print(f"renditions: median {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def reconnect(hours):
    """At 60 times the speed: the server of RTMP ends each second, and another begins a half second later."""
    width, height, rate = 64, 48, 30
    minute = memoryview(bytes(os.urandom(width * height * 3) * 30) * 60)
    minutes, ends = int(hours * 60), []
    stream = {"type": "video", "frame_rate": rate, "width": width, "height": height, "format": "rgb24", "encoder": "libx264",
              "encoder_format": "yuv420p", "encoder_option": {"preset": "ultrafast"}, "codec_config": {"gop_size": 60}}
    with penstock.Penstock("--allow-output", "rtmp://127.0.0.1:*/*", folder=MEMORY, access_log=False) as server:
        ingest, is_over = Ingest(), threading.Event()
        ingest.await_listening()
        server.create("show", open=True, streams=[stream], outputs=[
            {"name": "record", "dst": "show.mkv"}, {"name": "live", "dst": ingest.url, "on_failure": "continue", "reconnect": True, "when_slow": "drop"}])
        encoder = server.request("GET", "/v1/writers/show")["encoder_pid"]

        def restart():
            current = ingest
            while not is_over.wait(1):
                current.end()
                if not is_over.wait(0.5):
                    current = Ingest(current.port)
                ends.append(1)
            current.end()

        restarts, memory = threading.Thread(target=restart), []
        restarts.start()
        for index in range(minutes):
            began = time.monotonic()
            post(server.port, "/v1/writers/show/streams/0/chunks", minute, len(minute))
            memory.append(kilobytes(encoder, ("Private_Dirty", "Shared_Dirty")) / 1024)
            time.sleep(max(0, 1 - (time.monotonic() - began)))
        is_over.set()
        restarts.join()
        ended = server.finalize("show")
        live = next(output for output in ended["outputs"] if output["name"] == "live")
        record = next(output for output in ended["outputs"] if output["name"] == "record")
        found = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", server.output / "show.mkv"],
                               capture_output=True, text=True, check=True).stdout.split(",")[0].strip()
        quarter = max(1, len(memory) // 4)
        print(f"reconnect: {minutes} minutes of media, {len(ends)} restarts; the recording has {found} of {minutes * 60 * rate} pictures, {record['state']}; "
              f"RTMP was opened {live['attempts']} times (attempts), reconnects {metric(server, 'penstock_output_reconnects_total'):.0f}, {live['packets']} packets, {live['packets_dropped']} left out; "
              f"encoder's memory: second quarter {statistics.median(memory[quarter:2 * quarter]):.2f} MB, last {statistics.median(memory[-quarter:]):.2f} MB")


def main():
    parser = argparse.ArgumentParser(prog="python3 -m bench.outputs", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hours", type=float, default=2, help="of media, for reconnect")
    parser.add_argument("--only", choices=["outputs", "renditions", "reconnect"])
    parser.add_argument("--programs", default=penstock.DEFAULT_PROGRAMS, help="folder of penstock and penstock-encoder")
    chosen = parser.parse_args()
    penstock.Penstock.programs = penstock.programs_folder(chosen.programs)
    parts = {"outputs": lambda: outputs(chosen.rounds), "renditions": lambda: renditions(chosen.rounds), "reconnect": lambda: reconnect(chosen.hours)}
    for name, part in parts.items():
        if chosen.only in (None, name):
            part()
    return 0


if __name__ == "__main__":
    sys.exit(main())
