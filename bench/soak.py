"""Half an hour of work of every kind against one server; what its processes hold, every ten seconds: `make soak`.

Meanwhile 20 writers send speech in real time the whole time, short writers come and go, and whole
uploads are encoded. Memory is flat when the middle of the last quarter is at most 2 % or 1 MB above
that of the second; the first quarter is the way in.
"""
import argparse
import os
import statistics
import sys
import threading
import time

from bench import generator, machine, media, penstock
from bench.generator import Request
from bench.places import MEMORY
from bench.processes import kilobytes, tree
from bench.upload import mapped, post

LONG_WRITERS, INTERVAL = 20, 10
SPEECH = {"type": "audio", "sample_rate": 16000, "num_channels": 1, "format": "s16", "encoder": "aac"}
VIDEO = {"type": "video", "frame_rate": 25, "width": 854, "height": 480, "format": "yuv420p",
         "encoder": "libx264", "encoder_option": {"preset": "ultrafast"}}
ALLOWED_SHARE, ALLOWED_MB = 0.02, 1.0


class Soak:
    """The work, and the readings of the server meanwhile. `run` ends after its minutes."""

    def __init__(self, server, minutes):
        self.server, self.ends = server, time.monotonic() + minutes * 60
        self.seconds, self.readings, self.done, self.failures = minutes * 60, [], {}, []

    def run(self):
        for index in range(LONG_WRITERS):
            self.server.create(f"w{index}", format="adts", streams=[SPEECH], open=True)
        self.long_encoders = self.server.encoders()
        threads = [threading.Thread(target=self._guarded, args=[work]) for work in (self._speech, self._lives, self._videos)]
        for thread in threads:
            thread.start()
        while time.monotonic() < self.ends and not self.failures:
            self._read()
            time.sleep(INTERVAL)
        for thread in threads:
            thread.join()

    def _guarded(self, work):
        try:
            work()
        except Exception as error:
            self.failures.append(f"{work.__name__}: {type(error).__name__}: {error}")

    def _count(self, what, number=1):
        self.done[what] = self.done.get(what, 0) + number

    def _speech(self):
        lists = [[Request("POST", f"/v1/writers/w{index}/streams/0/chunks", bytes(640))] for index in range(LONG_WRITERS)]
        answer = generator.paced(self.server.port, lists, 20, self.seconds - 2)
        self._count("chunks in real time", answer["requests"])
        self._count("of them late", answer["late"])

    def _lives(self):
        """A writer's whole life, five times a second at most."""
        sound = mapped(media.sound(600, sample_format="s16le"), 48000 * 2)
        stream = {"type": "audio", "sample_rate": 48000, "num_channels": 2, "format": "s16"}
        while time.monotonic() < self.ends:
            began = time.monotonic()
            self.server.create("brief", format="flac", streams=[stream], open=True)
            post(self.server.port, "/v1/writers/brief/streams/0/chunks", sound, len(sound))
            self.server.finalize("brief")
            self.server.delete("brief")
            self._count("short writers")
            time.sleep(max(0, 0.2 - (time.monotonic() - began)))

    def _videos(self):
        frames = mapped(media.yuv420p(854, 480, 25))
        while time.monotonic() < self.ends:
            self.server.create("video", dst="video.mp4", overwrite=True, streams=[VIDEO], open=True)
            post(self.server.port, "/v1/writers/video/streams/0/chunks", frames, 4 * len(frames))
            self.server.finalize("video")
            self.server.delete("video")
            self._count("videos")
            time.sleep(1)

    def _read(self):
        fork_server = next(pid for pid in tree(self.server.pid)[1:] if pid not in self.long_encoders)

        def anonymous(pid):
            return kilobytes(pid, ("Private_Dirty", "Shared_Dirty")) / 1024

        self.readings.append({
            "gateway": anonymous(self.server.pid), "fork server": anonymous(fork_server),
            "writers (the middle one)": statistics.median(map(anonymous, self.long_encoders)),
            "gateway's descriptors": len(os.listdir(f"/proc/{self.server.pid}/fd")),
            "fork server's descriptors": len(os.listdir(f"/proc/{fork_server}/fd")),
        })


def verdict(values):
    """Medians of the second and of the last quarter, and whether the last is no more."""
    quarter = max(1, len(values) // 4)
    before, after = statistics.median(values[quarter : 2 * quarter] or values), statistics.median(values[-quarter:])
    return before, after, after - before <= max(ALLOWED_SHARE * before, ALLOWED_MB)


def report(soak, minutes):
    about = machine.description()
    print(f"{about['cpu']}, {about['cores']} cores, Linux {about['kernel']}; {minutes:g} minutes\n")
    print("Done: " + ", ".join(f"{count:,} {what}" for what, count in soak.done.items()) + ".\n")
    print("| | second quarter | last quarter | most | flat |\n|---|---|---|---|---|")
    all_flat = True
    for name in soak.readings[0]:
        values = [reading[name] for reading in soak.readings]
        before, after, flat = verdict(values)
        all_flat &= flat
        unit = "" if "descriptors" in name else " MB"
        print(f"| {name} | {before:.2f}{unit} | {after:.2f}{unit} | {max(values):.2f}{unit} | {'yes' if flat else '**no**'} |")
    for failure in soak.failures:
        print(f"\nFailed: {failure}")
    return 0 if all_flat and not soak.failures else 1


def main():
    parser = argparse.ArgumentParser(prog="python3 -m bench.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--programs", default=penstock.DEFAULT_PROGRAMS, help="folder of penstock and penstock-encoder")
    chosen = parser.parse_args()
    penstock.Penstock.programs = penstock.programs_folder(chosen.programs)
    media.yuv420p(854, 480, 25), media.sound(600, sample_format="s16le")
    with penstock.Penstock(folder=MEMORY, access_log=False) as server:
        soak = Soak(server, chosen.minutes)
        soak.run()
        return report(soak, chosen.minutes)


if __name__ == "__main__":
    sys.exit(main())
