"""Where the output of a StreamWriter goes: files and objects on this side, files and URLs on the server's."""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import gc
import io
import itertools
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import originals
import penstock
from conftest import CuttingProxy, Server


def sound(seconds: float = 1.0) -> np.ndarray:
    count = int(48000 * seconds)
    return (np.random.default_rng(1).standard_normal((count, 1)) * 0.1).astype("float32")


def moving(count: int = 10, height: int = 48, width: int = 64) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 3, height, width), "uint8")


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def frames_in(data: bytes | pathlib.Path, kind: str = "") -> int:
    """The frames of the first stream, or of the first of a kind."""
    path, given = (str(data), None) if isinstance(data, pathlib.Path) else ("-", data)
    command = ["ffprobe", "-v", "error", *(["-select_streams", kind] if kind else []), "-count_frames"]
    command += ["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path]
    return int(subprocess.run(command, input=given, capture_output=True, check=True).stdout.split(b",")[0].split()[0])


class Sink:
    """A file-like object with nothing but write, which notes who calls it."""

    def __init__(self, takes: Callable[[bytes], Any] = len) -> None:
        self.data = b""
        self.lengths: list[int] = []
        self.threads: set[threading.Thread] = set()
        self.takes = takes

    def write(self, data: bytes) -> Any:
        taken = self.takes(data)
        self.data += data[: len(data) if not isinstance(taken, int) else taken]
        self.lengths.append(len(data))
        self.threads.add(threading.current_thread())
        return taken


def audio_writer(dst: Any, server: Server, format: str | None = None, **further: Any) -> penstock.StreamWriter:
    writer = penstock.StreamWriter(dst, format, server=server.url, **further)
    writer.add_audio_stream(48000, 1)
    return writer


# ---- objects ----


def test_an_object_has_all_that_was_written_when_a_call_returns(server: Server) -> None:
    sink = Sink()
    with audio_writer(sink, server, "adts", buffer_size=100).open() as writer:
        grown = []
        for piece in np.array_split(sound(), 10):
            receipt = writer.write_audio_chunk(0, piece)
            assert receipt is not None and len(sink.data) == receipt["bytes_written"]
            grown.append(len(sink.data))
    assert sorted(set(grown)) == grown and grown[0] > 0
    assert max(sink.lengths) == 100 and sink.threads == {threading.current_thread()}
    assert writer.result is not None and len(sink.data) == writer.result["bytes"] and frames_in(sink.data) == 48


def test_a_long_chunk_reaches_an_object_piece_by_piece(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from penstock.writer import Writer

    sink, sent, seen = Sink(), Writer.send, []
    monkeypatch.setattr(Writer, "send", lambda *given, **named: (seen.append(len(sink.data)), sent(*given, **named))[1])
    writer = penstock.StreamWriter(sink, "mpegts", server=server.url)
    writer.add_video_stream(25, 640, 480, encoder="mpeg4")
    with writer.open():
        receipt = writer.write_video_chunk(0, np.zeros((40, 3, 480, 640), "uint8"))
    assert receipt is not None and receipt["frames"] == 40 and receipt["pts"] == {"start": 0, "end": 1.6}
    assert len(seen) == 5 and sorted(set(seen)) == seen
    assert frames_in(sink.data) == 40


@pytest.mark.parametrize("format", ["mp4", "mov", "matroska"])
def test_an_object_that_can_not_seek_gets_a_format_that_must(server: Server, format: str) -> None:
    sink = Sink()
    writer = penstock.StreamWriter(sink, format, server=server.url)
    writer.add_video_stream(25, 64, 48)
    with writer.open():
        writer.write_video_chunk(0, moving())
        assert sink.data == b""
    assert frames_in(sink.data) == 10


def test_an_object_that_takes_a_part_gets_the_rest(server: Server) -> None:
    numbers = random.Random(1)
    sink = Sink(lambda data: numbers.randint(1, len(data)))
    with audio_writer(sink, server, "wav").open() as writer:
        writer.write_audio_chunk(0, sound())
    assert writer.result is not None and len(sink.data) == writer.result["bytes"]
    assert np.abs(np.frombuffer(sink.data[-96000:], "<i2") / 32768 - sound()[:, 0]).max() < 1e-4


def test_an_object_that_gives_nothing_back_has_taken_all(server: Server) -> None:
    sink = Sink(lambda data: None)
    with audio_writer(sink, server, "adts").open() as writer:
        writer.write_audio_chunk(0, sound())
    assert frames_in(sink.data) == 48


def test_what_an_object_raises_comes_out_of_the_call_and_the_server_is_left_with_nothing(server: Server) -> None:
    def full(data: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    writer = audio_writer(Sink(full), server, "adts", on_error="abort")
    with pytest.raises(OSError, match="full"), writer.open():
        writer.write_audio_chunk(0, sound())
    with pytest.raises(penstock.NotFound):
        penstock.Client(server.url).get_writer(writer.id)


def test_an_object_that_takes_no_more_is_an_error(server: Server) -> None:
    writer = audio_writer(Sink(lambda data: 0), server, "wav").open()
    writer.write_audio_chunk(0, sound())
    with pytest.raises(penstock.PenstockError, match=r"dst\.write took 0 of") as raised:
        writer.close()
    notes = getattr(raised.value, "__notes__", None)
    assert notes is None or f"writer({writer.id!r}).output()" in notes[0]
    whole = b"".join(penstock.Client(server.url).writer(writer.id).output())
    assert writer.result is not None and len(whole) == writer.result["bytes"]


def test_an_object_whose_write_is_a_coroutine_is_told_so(server: Server) -> None:
    class Stream:
        def write(self, data: bytes) -> asyncio.Future[int]:
            return asyncio.Future(loop=loop)

    loop = asyncio.new_event_loop()
    writer = audio_writer(Stream(), server, "adts", on_error="abort")
    with pytest.raises(penstock.PenstockError, match=r"dst\.write gives an awaitable"), writer.open():
        writer.write_audio_chunk(0, sound())
    loop.close()


def test_an_object_needs_a_format(server: Server) -> None:
    with pytest.raises(RuntimeError, match="`format` must be provided when the input is file-like object"):
        penstock.StreamWriter(io.BytesIO(), server=server.url)


def test_an_object_gets_every_byte_once_through_connections_that_break(
    server: Server, new_proxy: Callable[..., CuttingProxy]
) -> None:
    numbers = random.Random(3)
    proxy = new_proxy(lambda: numbers.randint(1000, 60_000))
    outputs = []
    for url in (server.url, proxy.url):
        sink = Sink()
        writer = penstock.StreamWriter(sink, "mpegts", server=penstock.Client(url, retry_for=30))
        writer.add_audio_stream(48000, 1)
        with writer.open():
            for piece in np.array_split(sound(2), 4):
                writer.write_audio_chunk(0, piece)
        outputs.append(sink.data)
    assert proxy.cuts > 5
    assert outputs[0] == outputs[1]


# ---- files ----


def test_a_file_grows_while_it_is_encoded(server: Server, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.mp4"
    writer = penstock.StreamWriter(path, server=server.url)
    writer.add_video_stream(25, 64, 48, encoder="mpeg4", codec_config=penstock.CodecConfig(gop_size=5, max_b_frames=0))
    with writer.open({"movflags": "frag_keyframe+empty_moov"}):
        receipt = writer.write_video_chunk(0, moving(30))
        assert receipt is not None
        wait_until(lambda: path.stat().st_size >= receipt["bytes_written"])
        assert frames_in(path) >= 5
    assert frames_in(path) == 30


def test_a_file_that_must_be_whole_takes_its_place_when_it_is(server: Server, tmp_path: pathlib.Path) -> None:
    path, link = tmp_path / "real.wav", tmp_path / "link.wav"
    path.write_bytes(b"before")
    path.chmod(0o640)
    link.symlink_to(path)
    with audio_writer(str(link), server).open() as writer:
        writer.write_audio_chunk(0, sound())
        assert path.read_bytes() == b"before"
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o640
    assert path.read_bytes()[:4] == b"RIFF" and frames_in(path) > 0
    assert sorted(tmp_path.iterdir()) == [link, path]


@pytest.mark.parametrize("name", ["a.wav", "a.aac"])
def test_an_aborted_output_leaves_no_file(server: Server, tmp_path: pathlib.Path, name: str) -> None:
    with pytest.raises(ZeroDivisionError), audio_writer(tmp_path / name, server, on_error="abort").open() as writer:
        writer.write_audio_chunk(0, sound())
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_raises_finishes_the_file_as_torchaudio_does(server: Server, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ZeroDivisionError), audio_writer(tmp_path / "a.flac", server).open() as writer:
        writer.write_audio_chunk(0, sound())
        raise ZeroDivisionError
    assert frames_in(tmp_path / "a.flac") > 0 and writer.result is not None


def test_a_folder_that_is_missing_is_named_and_nothing_stays_on_the_server(
    server: Server, tmp_path: pathlib.Path
) -> None:
    writer = audio_writer(tmp_path / "none" / "a.wav", server)
    with pytest.raises(OSError, match=r"Failed to open dst: .*none/a\.wav \(No such file or directory\)") as raised:
        writer.open()
    assert raised.value.errno == errno.ENOENT and isinstance(raised.value, penstock.PenstockError)
    with pytest.raises(penstock.NotFound):
        writer.writer.status()


def test_a_pipe_is_written_to_as_it_is(server: Server, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    with audio_writer(path, server).open() as writer:
        writer.write_audio_chunk(0, sound())
    reader.join(20)
    assert frames_in(read[0]) > 0


def test_nothing_stays_on_the_server_unless_it_is_to(server: Server, tmp_path: pathlib.Path) -> None:
    client = penstock.Client(server.url)
    for keep in (False, True):
        with audio_writer(tmp_path / "a.wav", server, keep_on_server=keep).open() as writer:
            writer.write_audio_chunk(0, sound())
        assert (writer.id in {found["id"] for found in client.writers()}) == keep
    assert b"".join(writer.writer.output()) == (tmp_path / "a.wav").read_bytes()


def test_a_writer_that_is_lost_says_so_and_ends(server: Server, tmp_path: pathlib.Path) -> None:
    writer = audio_writer(tmp_path / "a.wav", server).open()
    id, client = writer.id, penstock.Client(server.url)
    with pytest.warns(ResourceWarning, match=r"a\.wav was never closed"):
        del writer
        gc.collect()
    wait_until(lambda: id not in {found["id"] for found in client.writers()})


def test_one_file_holds_one_picture(server: Server, tmp_path: pathlib.Path) -> None:
    writer = penstock.StreamWriter(tmp_path / "a.png", server=server.url, on_error="abort")
    writer.add_video_stream(1, 64, 48)
    with pytest.raises(penstock.InvalidArray, match=r"holds one picture\. Found 2 frames"), writer.open():
        writer.write_video_chunk(0, moving(2))


@pytest.mark.parametrize("name", ["show.m3u8", "img%03d.png", "manifest.mpd"])
def test_several_files_are_the_servers(server: Server, tmp_path: pathlib.Path, name: str) -> None:
    with pytest.raises(penstock.InvalidParameter, match=r"several files.*on_server"):
        penstock.StreamWriter(tmp_path / name, server=server.url)


@pytest.mark.parametrize(
    ("dst", "format", "message"),
    [
        ("a.nosuch", None, r'Failed to open output "a\.nosuch".*extension \.nosuch'),
        ("a", None, "a name without an extension"),
        ("a.mp4", "nosuch", 'There is no format "nosuch"'),
        ("", None, "dst is empty"),
        (3, None, "dst is a path, a URL, an object with write"),
    ],
)
def test_what_is_no_destination_is_said(server: Server, dst: Any, format: str | None, message: str) -> None:
    with pytest.raises(penstock.InvalidParameter, match=message):
        penstock.StreamWriter(dst, format, server=server.url)


# ---- on the server ----


def test_on_server_is_a_file_over_there(server: Server) -> None:
    dst = penstock.on_server("show/a.wav")
    with audio_writer(dst, server).open() as writer:
        writer.write_audio_chunk(0, sound())
    assert frames_in(server.output / "show/a.wav") > 0
    with pytest.raises(penstock.Conflict, match="overwrite"):
        audio_writer(dst, server)
    with audio_writer(dst, server, overwrite=True).open():
        pass


def test_numbered_pictures_are_on_the_server(server: Server) -> None:
    writer = penstock.StreamWriter(penstock.on_server("pictures/%d.png"), server=server.url)
    writer.add_video_stream(1, 64, 48)
    with writer.open():
        writer.write_video_chunk(0, moving(3))
    for name, number in zip(sorted((server.output / "pictures").iterdir()), itertools.count(1), strict=False):
        assert name.name == f"{number}.png" and name.read_bytes().startswith(b"\x89PNG")
    assert number == 3


def test_a_url_is_the_servers_and_its_key_is_not_shown(server: Server) -> None:
    with pytest.raises(penstock.Forbidden) as raised:
        penstock.StreamWriter("rtmp://live.example.com/app/secret", "flv", server=server.url)
    assert "secret" not in str(raised.value)


# ---- several files, and a server of one's own ----


def run(script: str, folder: pathlib.Path, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PENSTOCK_PROGRAM": program, **environment}
    command = [sys.executable, "-c", "import numpy as np, penstock\n" + script]
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=120)


def test_a_private_server_writes_several_files_where_the_program_is(program: str, tmp_path: pathlib.Path) -> None:
    script = """
frames = np.arange(3 * 3 * 48 * 64, dtype="uint8").reshape(3, 3, 48, 64)
for again in range(2):
    writer = penstock.StreamWriter("pictures/%d.png")
    writer.add_video_stream(1, 64, 48)
    with writer.open():
        writer.write_video_chunk(0, frames)
encoder = penstock.Encoder()
video = encoder.add_video(height=48, width=64, frame_rate=1)
with encoder.open_file("show/live.m3u8"):
    video.add_frames(frames)
try:
    penstock.StreamWriter("../%d.png")
except penstock.InvalidParameter as error:
    print(error)
"""
    here = tmp_path / "here"
    here.mkdir()
    done = run(script, here, program)
    assert done.returncode == 0, done.stderr
    assert f"only within {here}" in done.stdout
    assert sorted(path.name for path in (here / "pictures").iterdir()) == ["1.png", "2.png", "3.png"]
    assert frames_in(here / "show/live.m3u8") == 3


def test_a_program_that_ends_without_closing_leaves_nothing_on_the_server(
    server: Server, program: str, tmp_path: pathlib.Path
) -> None:
    script = """
writer = penstock.StreamWriter("a.wav", id="forgotten")
writer.add_audio_stream(16000, 1)
writer.open()
writer.write_audio_chunk(0, np.zeros((100, 1), "float32"))
"""
    done = run(script, tmp_path, program, PENSTOCK_URL=server.url, PYTHONWARNINGS="default::ResourceWarning")
    assert done.returncode == 0 and "a.wav was never closed" in done.stderr
    with pytest.raises(penstock.NotFound):
        penstock.Client(server.url).get_writer("forgotten")


@pytest.mark.parametrize(("ending", "is_kept"), [("finalize", True), ("abort", False)])
def test_an_interrupt_ends_the_output_as_it_is_asked_to(
    server: Server, tmp_path: pathlib.Path, ending: Any, is_kept: bool
) -> None:
    path = tmp_path / "a.wav"
    with pytest.raises(KeyboardInterrupt), audio_writer(path, server, on_interrupt=ending).open() as writer:
        writer.write_audio_chunk(0, sound())
        raise KeyboardInterrupt
    assert path.exists() == is_kept and len(list(tmp_path.iterdir())) == is_kept


def test_threads_write_streams_side_by_side(server: Server) -> None:
    sink = Sink()
    writer = penstock.StreamWriter(sink, "mpegts", server=server.url)
    writer.add_audio_stream(48000, 1)
    writer.add_video_stream(25, 64, 48)
    pieces = {
        writer.write_audio_chunk: np.array_split(sound(2), 20),
        writer.write_video_chunk: np.split(moving(50), 10),
    }
    with writer.open(), concurrent.futures.ThreadPoolExecutor() as threads:

        def send(index: int, write: Any) -> int:
            return sum(write(index, piece)["frames"] for piece in pieces[write])

        sent = [threads.submit(send, index, write) for index, write in enumerate(pieces)]
        assert [future.result() for future in sent] == [96000, 50]
    assert writer.result is not None and len(sink.data) == writer.result["bytes"]
    assert (frames_in(sink.data, "a"), frames_in(sink.data, "v")) == (84, 50)


def test_samples_arrive_at_a_sound_card(program: str, tmp_path: pathlib.Path) -> None:
    """Which is a file where the sandbox lets an encoder write; the private server is started with this environment."""
    if "E alsa" not in originals._output("ffmpeg", "-hide_banner", "-devices").decode():
        pytest.skip("this FFmpeg has no ALSA output device")
    script = """
samples = np.arange(1, 4001, dtype="int16").reshape(-1, 1) * 7
writer = penstock.StreamWriter("capture", format="alsa")
writer.add_audio_stream(16000, 1, "s16")
with writer.open():
    for piece in np.split(samples, 10):
        writer.write_audio_chunk(0, piece)
assert "alsa" in penstock.utils.get_output_devices()
"""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        played = pathlib.Path(memory) / "card"
        card = f'type file file "{played}" format "raw" slave.pcm "nowhere"'
        (tmp_path / "asound.conf").write_text(f"pcm.nowhere {{ type null }}\npcm.capture {{ {card} }}\n")
        done = run(script, tmp_path, program, ALSA_CONFIG_PATH=str(tmp_path / "asound.conf"))
        assert done.returncode == 0, done.stderr
        # The card may be given silence after the end, to fill its last period.
        assert played.read_bytes().rstrip(b"\0") == (np.arange(1, 4001, dtype="int16") * 7).tobytes()


@pytest.mark.parametrize("name", ["a.nut", "a.wav"])
def test_a_writer_that_fails_says_why_and_leaves_what_can_be_used(
    new_server: Callable[..., Server], tmp_path: pathlib.Path, name: str
) -> None:
    """A growing file has what was written by then; one that must be whole is not there."""
    server = new_server("--max-output-bytes", str(1 << 20))
    writer = penstock.StreamWriter(tmp_path / name, server=server.url)
    writer.add_audio_stream(48000, 1, encoder="pcm_s16le")
    writer.open()
    with pytest.raises(penstock.WriterFailed, match="max-output-bytes"):
        for _ in range(20):
            writer.write_audio_chunk(0, sound())
    with pytest.raises(penstock.WriterFailed, match="max-output-bytes"):
        writer.close()
    writer.close()
    if name == "a.nut":
        wait_until(lambda: (tmp_path / name).stat().st_size > 900_000)
        assert frames_in(tmp_path / name) > 400
    else:
        assert list(tmp_path.iterdir()) == []
