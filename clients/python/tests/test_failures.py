"""Servers that are full, restarted or gone, and what is said when waiting did not help."""

from __future__ import annotations

import pathlib
import random
import signal
import socket
import ssl
import threading
import time

import numpy as np
import pytest

import penstock
from penstock import _resume

SOUND = {"type": "audio", "sample_rate": 16000, "num_channels": 1, "format": "s16"}
SAMPLES = np.arange(16000, dtype=np.int16)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_a_full_server_is_waited_for_as_it_says(new_server, monkeypatch):
    server = new_server("--max-writers", "1")
    client = penstock.Client(server.url)
    first = client.create_writer([SOUND], format="wav", open=True)
    sleep, pauses = _resume.pause, []

    def make_room_and_sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 1:
            first.abort()
        sleep(seconds)

    with monkeypatch.context() as patch:
        patch.setattr(_resume, "pause", make_room_and_sleep)
        began = time.monotonic()
        second = client.create_writer([SOUND], format="wav", open=True)
    # Retry-After says whole seconds, and 1 is the least.
    assert set(pauses) == {1} and time.monotonic() - began >= 1
    impatient = penstock.Client(server.url, retry_for=0)
    with pytest.raises(penstock.Overloaded) as caught:
        impatient.create_writer([SOUND], format="wav")
    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (503, "overloaded", 1)
    second.abort()


def test_a_server_that_is_started_late_is_waited_for(new_server):
    server = new_server()
    client = penstock.Client(server.url)
    assert client.livez() == {"status": "ok"}
    server.end()
    threading.Timer(0.3, server.start).start()
    with client.create_writer([SOUND], format="s16le", open=True) as writer:
        writer.send(0, SAMPLES)
    assert b"".join(writer.output()) == SAMPLES.tobytes()
    # What has ended is there after a restart, too.
    server.end()
    server.start()
    assert b"".join(writer.output()) == SAMPLES.tobytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_writer_that_a_restart_has_ended_says_so_and_how_far_it_came(new_server, number):
    server = new_server("--shutdown-grace", "0")
    client = penstock.Client(server.url)
    writer = client.create_writer([SOUND], format="s16le", open=True)
    writer.send(0, SAMPLES)
    server.end(number)
    server.start()
    with pytest.raises(penstock.Conflict) as caught:
        writer.send(0, SAMPLES)
    by = {signal.SIGTERM: "shutdown", signal.SIGKILL: "gateway_lost"}[number]
    assert caught.value.state == "closed" and caught.value.offset == SAMPLES.nbytes
    assert f"is closed ({by}), with 16000 frames (32000 bytes) of stream 0" in str(caught.value)
    assert writer.finalize()["ended_by"] == by
    assert b"".join(writer.output()) == SAMPLES.tobytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_ends_within_an_upload_lets_it_come_to_its_end(new_server, number):
    """The writer's process has the connection: it takes what is under way, and finalizes."""
    server = new_server()
    client = penstock.Client(server.url)
    stream = {"type": "video", "frame_rate": 25, "width": 320, "height": 180, "encoder": "libx264",
              "encoder_option": {"preset": "slow", "tune": "zerolatency"}}  # fmt: skip
    pictures = np.random.default_rng(1).integers(0, 256, (60, 180, 320, 3), dtype=np.uint8)
    writer = client.create_writer([stream], format="matroska", open=True)
    receipts = []
    sender = threading.Thread(target=lambda: receipts.append(writer.send(0, pictures)), daemon=True)
    sender.start()
    while writer.status()["streams"][0]["frames"] < 2:
        time.sleep(0.01)
    server.end(number)
    server.start()
    sender.join(60)
    assert [receipt["frames"] for receipt in receipts] == [60]
    assert writer.finalize()["ended_by"] == {signal.SIGTERM: "shutdown", signal.SIGKILL: "gateway_lost"}[number]
    assert writer.status()["streams"][0]["frames_encoded"] == 60


def test_nothing_that_listens_is_unreachable_and_says_where():
    port = free_port()
    client = penstock.Client(f"http://127.0.0.1:{port}", retry_for=0.4)
    with pytest.raises(penstock.Unreachable, match=f"http://127.0.0.1:{port} failed.*retry_for.*Connection refused"):
        client.get_version()
    with pytest.raises(ConnectionError):
        penstock.Client("unix:/nowhere/http.sock", retry_for=0).get_version()


def test_a_server_that_never_answers_is_unreachable_in_time():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = penstock.Client(
            f"http://127.0.0.1:{listener.getsockname()[1]}", retry_for=0.1, timeouts=penstock.Timeouts(answer=0.2)
        )
        with pytest.raises(penstock.Unreachable, match="no answer in time"):
            client.get_version()


def test_an_encoder_that_is_slower_than_a_connection_is_made_keeps_its_upload(server):
    """What sending waits for is the encoder: that is no failure, and bounded by `idle` alone."""
    client = penstock.Client(server.url, retry_for=0, timeouts=penstock.Timeouts(connect=0.3))
    # A picture every 0.6 s. Four are taken ahead, and more than one is in the sockets: the last ones are waited for.
    stream = {"type": "video", "frame_rate": "5/3", "width": 1920, "height": 1080, "filter_desc": "realtime",
              "encoder": "libx264", "encoder_option": {"preset": "ultrafast", "tune": "zerolatency"}}  # fmt: skip
    with client.create_writer([stream], format="matroska", open=True) as writer:
        assert writer.send(0, np.zeros((8, 1080, 1920, 3), np.uint8))["frames"] == 8


def test_something_else_than_penstock_is_said_to_be_so():
    def answer(listener):
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.sendall(
            b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\n<h1>Hi!</h1>"
        )
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,)).start()
        client = penstock.Client(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(penstock.NotFound, match=r"a Penstock server's.*<h1>Hi!</h1>"):
            client.get_version()


def test_a_response_whose_head_is_cut_is_no_response(server):
    """A field that is cut within a number would be another number."""
    whole = f"HTTP/1.1 204 No Content\r\nUpload-Offset: {1 << 20}\r\n\r\n".encode()

    def answer(listener, cut):
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.sendall(whole[:-cut])
        connection.close()

    for cut in (1, 2, 3, 8, 15, 30):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=answer, args=(listener, cut)).start()
            client = penstock.Client(f"http://127.0.0.1:{listener.getsockname()[1]}", retry_for=0)
            with pytest.raises(penstock.Unreachable):
                client._calls.call("HEAD", "/v1/writers/a/streams/0/chunks")


@pytest.mark.parametrize(
    ("server", "says"),
    [
        ("127.0.0.1:8080", "no address"),
        ("localhost", "no address"),
        ("ftp://host", "no address"),
        ("http://", "no address"),
        ("http://host:99999", "no address"),
        ("http://user:secret@host", "give a token"),
        ("unix:relative", "absolute path"),
        ("http://host/?a=b", "query"),
    ],
)
def test_an_address_that_is_none_is_refused_with_what_one_is(server, says):
    with pytest.raises(ValueError, match=says) as caught:
        penstock.Client(server)
    assert "secret" not in str(caught.value)


def test_a_token_is_sent_and_a_wrong_one_refused(new_server, tmp_path, monkeypatch):
    tokens = tmp_path / "tokens"
    tokens.write_text("open-sesame-open-sesame\n")
    server = new_server("--token-file", str(tokens))
    assert penstock.Client(server.url, token="open-sesame-open-sesame").list_writers() == {"writers": []}
    with pytest.raises(penstock.Unauthorized):
        penstock.Client(server.url, token="open-sesame-open-sesamE").list_writers()
    with pytest.raises(ValueError, match="token"):
        penstock.Client(server.url, token="a\r\nb: c")
    # The environment's goes to the environment's server, and nowhere else.
    monkeypatch.setenv("PENSTOCK_TOKEN", "open-sesame-open-sesame")
    with pytest.raises(penstock.Unauthorized):
        penstock.Client(server.url).list_writers()
    monkeypatch.setenv("PENSTOCK_URL", server.url)
    assert penstock.Client().list_writers() == {"writers": []}


def test_a_problem_has_what_the_server_says_and_goes_through_a_pickle(client):
    import pickle

    with pytest.raises(penstock.InvalidRequest) as caught:
        client.create_writer([{**SOUND, "num_chanels": 1}], format="matroska")
    for problem in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert (problem.status, problem.code, problem.parameter) == (422, "unknown-parameter", "num_chanels")
        assert problem.did_you_mean == "num_channels" and problem.pointer == "/streams/0/num_chanels"
        assert problem.request_id and "num_channels" in str(problem) and "unknown-parameter" in str(problem)
    with pytest.raises(penstock.InvalidRequest) as unsupported:
        client.create_writer([{**SOUND, "encoder": "libopus", "encoder_sample_rate": 44100}], format="ogg")
    assert "48000" in unsupported.value.supported
    with pytest.raises(penstock.Forbidden):
        client.create_writer([SOUND], dst="../up.wav")


TLS = pathlib.Path(__file__).parent / "tls"


def test_a_certificate_that_is_not_trusted_is_refused_at_once_and_one_that_is_serves(new_proxy, monkeypatch):
    of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    of_server.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    numbers = random.Random(1)
    proxy = new_proxy(lambda: numbers.randint(3_000, 60_000), tls=of_server)
    pauses = []
    with monkeypatch.context() as patch, pytest.raises(penstock.Unreachable, match="certificate verify failed"):
        patch.setattr(_resume, "pause", pauses.append)
        penstock.Client(proxy.url).get_version()
    assert pauses == []
    trusting = ssl.create_default_context(cafile=TLS / "certificate.pem")
    client = penstock.Client(proxy.url, ssl_context=trusting)
    samples = np.random.default_rng(1).integers(-9000, 9000, 100_000, dtype=np.int16)
    with client.create_writer([SOUND], format="s16le", open=True) as writer:
        writer.send(0, samples)
    assert b"".join(writer.output()) == samples.tobytes()
    assert proxy.cuts > 5


@pytest.mark.parametrize("listens", ["tcp", "unix"])
def test_a_large_array_that_is_refused_at_its_head_says_why(new_server, tmp_path, listens):
    """The server reads none of it, so that sending breaks off before the response is read."""
    path = tmp_path / "http.sock"
    server = new_server("--listen", f"unix:{path}")
    client = penstock.Client(server.url if listens == "tcp" else f"unix:{path}")
    with client.create_writer([SOUND], format="s16le", open=True) as writer:
        for _ in range(5):
            with pytest.raises(penstock.InvalidRequest, match="dtype"):
                writer.send(0, np.zeros(5_000_000, np.float64))
        writer.send(0, SAMPLES)
    assert b"".join(writer.output()) == SAMPLES.tobytes()
