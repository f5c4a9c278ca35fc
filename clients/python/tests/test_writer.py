"""Writers: what each call does to the file, and what becomes of it when something ends them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time

import numpy as np
import pytest

import penstock

VIDEO = {"type": "video", "frame_rate": 25, "width": 64, "height": 48, "layout": "nchw", "encoder": "ffv1"}
SOUND = {"type": "audio", "sample_rate": 16000, "num_channels": 1, "format": "s16"}


def frames(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 3, 48, 64), dtype=np.uint8)


def probe(data, *arguments):
    command = ["ffprobe", "-v", "error", "-of", "json", *arguments, "-"]
    return json.loads(subprocess.run(command, input=data, capture_output=True, check=True).stdout)


def decoded(data, *arguments):
    command = ["ffmpeg", "-v", "error", "-i", "-", *arguments, "-"]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def test_each_step_by_itself_gives_a_file_of_what_was_sent(client):
    writer = client.create_writer(format="matroska")
    assert writer.add_stream(**VIDEO)["encoder"] == "ffv1"
    assert writer.add_stream(**SOUND, encoder="flac")["index"] == 1
    writer.set_metadata({"title": "Steps"})
    assert writer.open({"reserve_index_space": 4096})["state"] == "open"
    pictures, samples = frames(50), np.arange(-16000, 16000, dtype=np.int16)
    assert writer.send(0, pictures[:20])["pts"] == {"start": 0, "end": 0.8}
    receipt = writer.send(0, pictures[20:])
    assert (receipt["frames"], receipt["offset"], receipt["pts"]["end"]) == (30, pictures.nbytes, 2)
    assert writer.send(1, samples)["frames"] == 32000
    assert writer.offset(1) == samples.nbytes
    assert writer.flush()["state"] == "open"
    result = writer.finalize()
    assert result["duration"] == 2 and result == writer.finalize()
    data = b"".join(writer.output())
    assert len(data) == result["bytes"]
    assert b"".join(writer.output(offset=100, length=1000)) == data[100:1100]
    assert b"".join(writer.output(offset=len(data))) == b""
    assert probe(data, "-show_format")["format"]["tags"]["title"] == "Steps"
    assert decoded(data, "-map", "0:a", "-f", "s16le") == samples.tobytes()
    rgb = np.frombuffer(decoded(data, "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gbrp"), np.uint8)
    np.testing.assert_array_equal(rgb.reshape(50, 3, 48, 64)[:, [2, 0, 1]], pictures)
    assert writer.delete()["managed_output_bytes"] == len(data)
    with pytest.raises(penstock.NotFound, match=writer.id):
        writer.status()


@pytest.mark.parametrize("sent", [
    lambda samples: samples,
    lambda samples: samples[:, None],
    lambda samples: samples.tobytes(),
    lambda samples: memoryview(samples),
    lambda samples: np.repeat(samples, 2)[::2],
], ids=["mono", "column", "bytes", "view", "strided"])  # fmt: skip
def test_the_same_samples_give_the_same_file_whatever_holds_them(client, sent):
    samples = np.arange(-2000, 2000, dtype=np.int16)
    with client.create_writer([SOUND], format="s16le", open=True) as writer:
        writer.send(0, sent(samples))
    assert b"".join(writer.output()) == samples.tobytes()


def test_times_and_durations_are_the_pictures(client):
    with client.create_writer([{**VIDEO, "time_base": "1/1000"}], format="matroska", open=True) as writer:
        writer.send(0, frames(2), pts=0.1)
        receipt = writer.send(0, frames(3), pts=0.5, duration=0.25)
    assert receipt["pts"] == {"start": 0.5, "end": pytest.approx(0.5 + 2 * 0.04 + 0.25)} and receipt["frames"] == 3
    packets = probe(b"".join(writer.output()), "-show_packets")["packets"]
    assert [float(packet["pts_time"]) for packet in packets] == pytest.approx([0.1, 0.14, 0.5, 0.54, 0.58])


def test_a_keyframe_is_one_where_it_was_asked_for(client):
    with client.create_writer([{**VIDEO, "encoder": "libx264"}], format="mpegts", open=True) as writer:
        writer.send(0, frames(7))
        writer.send(0, frames(6), keyframe=True)
    packets = probe(b"".join(writer.output()), "-show_packets", "-select_streams", "v")["packets"]
    at = sorted(float(packet["pts_time"]) for packet in packets)
    keys = [float(packet["pts_time"]) for packet in packets if packet["flags"].startswith("K")]
    assert keys == [at[0], at[7]]


def test_the_output_comes_while_the_writer_is_open(client):
    stream = {**SOUND, "encoder": "pcm_s16le"}
    writer = client.create_writer([stream], format="s16le", open=True)
    output = writer.output()
    samples = np.arange(1600, dtype=np.int16)
    writer.send(0, samples)
    writer.flush()
    first = next(output)
    assert samples.tobytes().startswith(first) and writer.status()["state"] == "open"
    writer.finalize()
    assert first + b"".join(output) == samples.tobytes()


def test_an_output_that_a_read_timeout_ends_goes_on_where_it_was(server):
    client = penstock.Client(server.url, timeouts=penstock.Timeouts(idle=0.2))
    writer = client.create_writer([{**SOUND, "encoder": "pcm_s16le"}], format="s16le", open=True)
    samples = np.arange(6000, dtype=np.int16)
    read = []
    reader = threading.Thread(target=lambda: read.extend(writer.output()))
    reader.start()
    for part in np.split(samples, 3):
        writer.send(0, part)
        writer.flush()
        time.sleep(0.5)  # Longer than the time-out, which is what this is about.
    writer.finalize()
    reader.join(60)
    assert b"".join(read) == samples.tobytes()


def test_a_writer_that_failed_raises_why_with_the_servers_log(client):
    with pytest.raises(penstock.WriterFailed) as caught, client.create_writer(
        [{**SOUND, "format": "flt", "filter_desc": "aformat=channel_layouts=mono"}], format="wav", open=True
    ) as writer:  # fmt: skip
        os.kill(writer.status()["encoder_pid"], signal.SIGKILL)
        writer.send(0, np.zeros(16000, np.float32))
    assert caught.value.code == "encoder-crashed"
    assert "SIGKILL" in str(caught.value)


def test_a_refused_array_leaves_the_writer_as_it_was(client):
    with client.create_writer([SOUND], format="s16le", open=True) as writer:
        writer.send(0, np.ones(100, np.int16))
        with pytest.raises(penstock.InvalidRequest, match="dtype") as caught:
            writer.send(0, np.ones(100, np.float64))
        assert isinstance(caught.value, ValueError) and isinstance(caught.value, RuntimeError)
        with pytest.raises(penstock.InvalidRequest, match="shape"):
            writer.send(0, np.ones((100, 2), np.int16))
        with pytest.raises(penstock.InvalidRequest) as partial:
            writer.send(0, b"abc")
        assert partial.value.code == "partial-frame"
        with pytest.raises(IndexError, match="there is no stream 1; the writer has 1"):
            writer.send(1, np.ones(100, np.int16))
        writer.send(0, np.ones(100, np.int16))
    assert len(b"".join(writer.output())) == 400


def test_a_file_that_is_taken_for_samples_is_refused_unless_it_is_said_to_be_raw(client):
    wave = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(32)
    with client.create_writer([SOUND], format="s16le", open=True) as writer:
        with pytest.raises(penstock.InvalidRequest) as caught:
            writer.send(0, wave)
        assert caught.value.status == 415
        writer.send(0, wave, raw=True)
    assert b"".join(writer.output()) == wave


def test_streams_are_sent_by_threads_side_by_side_and_each_in_its_order(client):
    count = 40
    streams = [{**SOUND, "encoder": "pcm_s16le"} for _ in range(4)]
    parts = [[np.full(800, 100 * stream + part, np.int16) for part in range(count)] for stream in range(4)]
    with client.create_writer(streams, format="nut", open=True) as writer:

        def send(stream):
            for part in parts[stream]:
                writer.send(stream, part)

        threads = [threading.Thread(target=send, args=(stream,)) for stream in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    data = b"".join(writer.output())
    for stream in range(4):
        assert decoded(data, "-map", f"0:{stream}", "-f", "s16le") == np.concatenate(parts[stream]).tobytes()


def test_threads_may_share_one_stream(client):
    with client.create_writer([SOUND], format="s16le", open=True) as writer:
        part = np.arange(800, dtype=np.int16)
        threads = [threading.Thread(target=lambda: [writer.send(0, part) for _ in range(10)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert b"".join(writer.output()) == part.tobytes() * 40


def test_a_forked_process_goes_on_with_a_writer_on_connections_of_its_own(client):
    streams = [{**SOUND, "encoder": "pcm_s16le"}] * 2
    with client.create_writer(streams, format="nut", open=True) as writer:
        samples = np.arange(8000, dtype=np.int16)
        writer.send(0, samples)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                writer.send(1, samples)
                code = 0
            finally:
                os._exit(code)
        for _ in range(20):
            writer.send(0, samples)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    data = b"".join(writer.output())
    assert decoded(data, "-map", "0:0", "-f", "s16le") == samples.tobytes() * 21
    assert decoded(data, "-map", "0:1", "-f", "s16le") == samples.tobytes()


def test_another_client_goes_on_where_a_writer_is(server, client):
    first = client.create_writer([SOUND], format="s16le", open=True)
    first.send(0, np.arange(100, dtype=np.int16))
    second = penstock.Client(server.url).writer(first.id)
    second.send(0, np.arange(100, 200, dtype=np.int16))
    with pytest.raises(penstock.Conflict, match="taken 400 bytes"):
        first.send(0, np.arange(100, dtype=np.int16))
    # It knows now.
    first.send(0, np.arange(200, 300, dtype=np.int16))
    first.finalize()
    assert b"".join(first.output()) == np.arange(300, dtype=np.int16).tobytes()


def test_a_writer_of_the_same_id_is_the_same_and_another_is_a_conflict(client):
    first = client.create_writer([SOUND], format="wav", id="same")
    assert client.create_writer([SOUND], format="wav", id="same").id == first.id
    with pytest.raises(penstock.Conflict) as caught:
        client.create_writer([SOUND], format="mp3", id="same")
    assert caught.value.code == "writer-exists"
    first.abort()
    first.abort()


class Mistake(Exception):
    pass


@pytest.mark.parametrize(("ending", "state"), [("abort", None), ("finalize", "closed"), ("leave", "open")])
def test_an_exception_ends_a_writer_as_was_asked(client, ending, state):
    with pytest.raises(Mistake), client.create_writer(
        [SOUND], format="s16le", open=True, on_error=ending, on_interrupt="abort"
    ) as writer:  # fmt: skip
        writer.send(0, np.ones(100, np.int16))
        raise Mistake
    if state is None:
        with pytest.raises(penstock.NotFound):
            writer.status()
    else:
        assert writer.status()["state"] == state
        assert writer.status()["streams"][0]["frames"] == 100


@pytest.mark.parametrize(("ending", "state"), [("abort", None), ("finalize", "closed")])
def test_ctrl_c_within_an_upload_ends_a_writer_as_was_asked(client, ending, state):
    # Slow enough that it is under way when the signal comes.
    stream = {"type": "video", "frame_rate": 25, "width": 640, "height": 360, "encoder": "libx264",
              "encoder_option": {"preset": "slow", "tune": "zerolatency"}}  # fmt: skip
    pictures = np.random.default_rng(1).integers(0, 256, (150, 360, 640, 3), dtype=np.uint8)
    main = threading.main_thread().ident

    def interrupt(id):
        while client.get_writer(id)["streams"][0]["frames"] < 3:
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), client.create_writer(
        [stream], format="matroska", open=True, on_error="leave", on_interrupt=ending
    ) as writer:  # fmt: skip
        threading.Thread(target=interrupt, args=(writer.id,), daemon=True).start()
        writer.send(0, pictures)
    if state is None:
        with pytest.raises(penstock.NotFound):
            writer.status()
        return
    record = writer.status()
    taken = record["streams"][0]["frames"]
    assert record["state"] == state and 3 <= taken < 150
    packets = probe(b"".join(writer.output()), "-count_packets", "-show_entries", "stream=nb_read_packets")
    assert int(packets["streams"][0]["nb_read_packets"]) == taken


def test_ctrl_c_while_a_writer_is_finalized_aborts_it_where_that_was_asked(client):
    stream = {"type": "video", "frame_rate": 25, "width": 640, "height": 360, "encoder": "libx264",
              "encoder_option": {"preset": "veryslow", "rc-lookahead": 60}}  # fmt: skip
    pictures = np.random.default_rng(1).integers(0, 256, (40, 360, 640, 3), dtype=np.uint8)
    main = threading.main_thread().ident

    def interrupt(id):
        while client.get_writer(id)["state"] != "finalizing":
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), client.create_writer([stream], format="matroska", open=True) as writer:
        writer.send(0, pictures)
        threading.Thread(target=interrupt, args=(writer.id,), daemon=True).start()
    with pytest.raises(penstock.NotFound):
        writer.status()


def test_endings_that_there_are_not_are_refused(client):
    with pytest.raises(ValueError, match='on_error is "abort", "finalize" or "leave"'):
        client.create_writer([SOUND], format="wav", on_error="close")
