"""The API as methods: that every call of openapi.yaml is one, and that types say what the server sends."""

from __future__ import annotations

import ast
import asyncio
import inspect
import pathlib
import pickle
import re
import subprocess
import sys
import typing
from itertools import chain, pairwise

import numpy as np
import pytest
import yaml

import penstock
from penstock import aio, types

REPOSITORY = pathlib.Path(__file__).parents[3]
CONTRACT = yaml.safe_load((REPOSITORY / "openapi.yaml").read_text())
METHODS = ("get", "put", "post", "delete", "head", "patch")
#: What a writer's calls are called on the writer itself, and what is the same call by another method.
ON_WRITER = {
    "createWriter": None,
    "addStream": "add_stream",
    "setMetadata": "set_metadata",
    "openWriter": "open",
    "writeChunk": "send",
    "getUploadOffset": "offset",
    "flushWriter": "flush",
    "requestKeyFrame": "request_key_frame",
    "changeStream": "change_stream",
    "addOutput": "add_output",
    "removeOutput": "remove_output",
    "retryOutput": "retry_output",
    "finalizeWriter": "finalize",
    "getOutput": "output",
    "headOutput": "output_headers",
    "getNamedOutput": "output",
    "headNamedOutput": "output_headers",
    "encodeByPut": None,
}


#: What is for this package's own use.
OWN = {"end_after", "after_fork"}


def snake_case(name):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def test_the_version_is_the_contracts():
    assert penstock.__version__ == CONTRACT["info"]["version"]


def test_every_operation_of_the_contract_is_a_method():
    operations = [
        call["operationId"] for path in CONTRACT["paths"].values() for method, call in path.items() if method in METHODS
    ]
    assert len(operations) > 25
    for operation in operations:
        on_writer = ON_WRITER.get(operation, False)
        if on_writer is False:
            assert callable(getattr(penstock.Client, snake_case(operation))), operation
        elif on_writer is not None:
            assert callable(getattr(penstock.Writer, on_writer)), operation


@pytest.mark.parametrize(("twin", "original"), [(aio.Client, penstock.Client), (aio.Writer, penstock.Writer)])
def test_the_async_twin_has_the_same_methods_with_the_same_parameters(twin, original):
    def public(kind):
        return {name for name, member in vars(kind).items() if not name.startswith("_") and callable(member)}

    assert public(twin) == public(original) - OWN
    for name in [*(public(twin) - {"of"}), "__init__"] if twin is aio.Client else public(twin):
        assert (
            inspect.signature(getattr(twin, name)).parameters == inspect.signature(getattr(original, name)).parameters
        )


def test_types_are_those_of_the_contract():
    script = pathlib.Path(__file__).parents[1] / "scripts/make_types.py"
    made = subprocess.run(
        [sys.executable, script, REPOSITORY / "openapi.yaml"], capture_output=True, text=True, check=True
    ).stdout
    # As trees: how lines are broken is ruff's.
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(pathlib.Path(types.__file__).read_text())), (
        "make types.py anew: scripts/make_types.py ../../openapi.yaml > src/penstock/types.py, and ruff format"
    )


def fitting(value, kind, where="value"):
    """What of a value from the server a type does not have, in words."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if typing.is_typeddict(kind):
        hints = typing.get_type_hints(kind)
        missing = [f"{where} lacks {name}" for name in kind.__required_keys__ - value.keys()]
        unknown = [f"{where} has {name}" for name in value.keys() - hints.keys()]
        rest = [fitting(part, hints[name], f"{where}.{name}") for name, part in value.items() if name in hints]
        return missing + unknown + list(chain(*rest))
    if origin is list:
        return list(chain(*(fitting(part, arguments[0], f"{where}[]") for part in value)))
    if origin is dict:
        return list(chain(*(fitting(part, arguments[1], f"{where}.{name}") for name, part in value.items())))
    if origin is typing.Literal:
        return [] if value in arguments else [f"{where} is {value!r}"]
    if arguments:
        return [] if any(not fitting(value, part) for part in arguments) else [f"{where} is {value!r}"]
    accepted = (int, float) if kind is float else kind
    return [] if isinstance(value, accepted) else [f"{where} is {value!r}"]


def test_a_live_stream_is_steered(client):
    video = {"type": "video", "frame_rate": 25, "width": 64, "height": 48, "encoder": "libx264"}
    rate = {"codec_config": {"bit_rate": 200_000}, "encoder_option": {"maxrate": 200_000, "bufsize": 200_000}}
    with client.create_writer(streams=[{**video, **rate}], format="mpegts", open=True) as writer:
        assert writer.request_key_frame() == [0]
        assert writer.change_stream(0, bit_rate="100k")["index"] == 0
        writer.send(0, np.zeros((5, 48, 64, 3), np.uint8))
        assert writer.status()["streams"][0]["encoder_bit_rate"] == 100_000
    with client.create_writer(streams=[{**video, "encoder": "mpeg4"}], format="mpegts", open=True) as writer:
        with pytest.raises(penstock.Problem) as refused:
            writer.change_stream(0, bit_rate=100_000)
        assert refused.value.supported and "libx264" in refused.value.supported


def test_one_stream_is_encoded_several_times(new_server):
    client = penstock.Client(new_server().url)
    rate = {"codec_config": {"bit_rate": 200_000}, "encoder_option": {"maxrate": 200_000, "bufsize": 200_000}}
    renditions = [
        {"name": "hd"},
        {"name": "sd", "encoder": "libx264", "encoder_width": 32, "encoder_height": 24, **rate},
    ]
    video = {"type": "video", "frame_rate": 25, "width": 64, "height": 48, "renditions": renditions}
    with client.create_writer(streams=[video], format="matroska", open=True) as writer:
        assert writer.request_key_frame(0, rendition="sd") == [0]
        writer.change_stream(0, rendition="sd", bit_rate=100_000)
        writer.send(0, np.zeros((5, 48, 64, 3), np.uint8))
        large, small = writer.status()["streams"][0]["renditions"]
        assert (large["name"], large["encoder_width"], small["encoder_width"]) == ("hd", 64, 32)
        assert (small["encoder_bit_rate"], small["frames_encoded"]) == (100_000, 5)
        with pytest.raises(penstock.Problem, match="rendition") as refused:
            writer.change_stream(0, bit_rate=100_000)
        assert refused.value.supported == ["hd", "sd"]


def test_one_upload_goes_to_several_outputs(new_server):
    client = penstock.Client(new_server("--allow-output", "tcp://127.0.0.1:*").url)
    video = {"type": "video", "frame_rate": 25, "width": 64, "height": 48, "encoder": "libx264"}
    outputs = [
        {"name": "record", "format": "matroska"},
        {"name": "live", "dst": "tcp://127.0.0.1:9", "format": "mpegts", "on_failure": "continue"},
    ]
    writer = client.create_writer(streams=[video], outputs=outputs, open=True)
    writer.send(0, np.zeros((5, 48, 64, 3), np.uint8))
    assert [warning["code"] for warning in writer.finalize()["warnings"]].count("output-failed") == 1
    record = writer.status()
    assert fitting(record, types.Writer) == []
    assert [output["state"] for output in record["outputs"]] == ["closed", "failed"]
    assert record["outputs"][0]["output"].endswith("/outputs/record")


def test_each_output_is_read_by_its_name(client):
    video = {"type": "video", "frame_rate": 25, "width": 64, "height": 48, "encoder": "libx264"}
    outputs = [{"name": "record", "format": "matroska"}, {"name": "copy", "format": "mpegts"}]
    writer = client.create_writer(streams=[video], outputs=outputs, open=True)
    writer.send(0, np.zeros((5, 48, 64, 3), np.uint8))
    writer.finalize()
    first, second = b"".join(writer.output("record")), b"".join(writer.output("copy", offset=188))
    assert first == b"".join(writer.output()) and first.startswith(b"\x1a\x45\xdf\xa3")
    assert second[::188] == b"\x47" * (len(second) // 188)
    assert int(writer.output_headers("copy")["Content-Length"]) == len(second) + 188
    with pytest.raises(penstock.Problem) as missing:
        list(writer.output("other"))
    assert missing.value.status == 404 and missing.value.supported == ["record", "copy"]


def test_what_the_server_sends_is_of_the_types(client):
    video = {"type": "video", "frame_rate": "30000/1001", "width": 64, "height": 48, "encoder": "libx264"}
    sound = {"type": "audio", "sample_rate": 44100, "num_channels": 2, "encoder": "libopus", "metadata": {"title": "a"}}
    request = {"streams": [video, sound], "format": "matroska", "open": True}
    assert fitting(client.plan_writer(request), types.WriterPlan) == []
    writer = client.create_writer(**request)
    assert fitting(writer.status(), types.Writer) == []
    assert fitting(writer.send(0, np.zeros((5, 48, 64, 3), np.uint8)), types.Receipt) == []
    assert fitting(writer.flush(), types.Writer) == []
    assert fitting(writer.finalize(), types.Result) == []
    assert fitting(client.list_writers(limit=1), types.WriterList) == []
    assert writer.id in [record["id"] for record in client.writers(state="closed")]
    assert fitting(client.delete_writer(writer.id), types.Deletion) == []
    assert fitting(client.get_version(), types.Version) == []
    assert fitting(client.readyz(), types.Readiness) == []
    assert fitting(client.livez(), types.Status) == []
    assert fitting(client.list_muxers(), list[types.Muxer]) == []
    assert fitting(client.get_muxer("mp4"), types.Muxer) == []
    assert fitting(client.list_output_devices(), list[types.Muxer]) == []
    assert fitting(client.list_audio_encoders(), list[types.Encoder]) == []
    assert fitting(client.list_video_encoders(), list[types.Encoder]) == []
    assert fitting(client.get_encoder("libx264"), types.Encoder) == []
    assert fitting(client.list_filters(), list[types.Filter]) == []
    assert fitting(client.get_filter("volume"), types.Filter) == []
    assert "rtmp" in client.list_output_protocols()
    assert "penstock_" in client.get_metrics()
    assert yaml.safe_load(client.get_contract())["openapi"] == "3.1.0"
    with pytest.raises(penstock.Problem) as caught:
        client.get_encoder("nothing")
    assert fitting(caught.value.details, types.Problem) == []


def test_the_check_of_types_finds_what_does_not_fit():
    assert fitting({"status": 1}, types.Status) == ["value.status is 1"]
    assert fitting({"more": 1}, types.Status) == ["value lacks status", "value has more"]


def test_a_dry_run_makes_nothing_and_names_what_creating_would_refuse(client):
    before = client.list_writers()
    with pytest.raises(penstock.InvalidRequest) as caught:
        client.plan_writer({"format": "wav", "streams": [{"type": "audio", "sample_rate": 8000}]})
    assert caught.value.parameter == "num_channels"
    assert client.list_writers() == before


def test_a_client_goes_through_a_pickle(server):
    client = pickle.loads(pickle.dumps(penstock.Client(server.url, retry_for=3)))
    assert client.livez() == {"status": "ok"} and repr(client) == f"<penstock.Client of {server.url}>"


def test_sound_and_pictures_are_encoded_in_one_call(server, client):
    samples = np.arange(-800, 800, dtype=np.int16).reshape(800, 2)
    assert client.encode(samples, format="s16le", sample_rate=8000) == samples.tobytes()
    assert client.encode(samples[:, 0], format="s16le", sample_rate=8000) == samples[:, 0].tobytes()
    of_bytes = {"sample_rate": 8000, "num_channels": 2, "sample_format": "s16"}
    assert client.encode(samples.tobytes(), format="s16le", **of_bytes) == samples.tobytes()
    pictures = np.random.default_rng(1).integers(0, 256, (4, 3, 20, 30), dtype=np.uint8)
    packed = np.ascontiguousarray(pictures.transpose(0, 2, 3, 1))
    raw = {"format": "rawvideo", "frame_rate": 25, "encoder": "rawvideo", "encoder_format": "rgb24"}
    assert penstock.encode(pictures, server=server.url, **raw) == packed.tobytes()
    assert penstock.encode(packed, server=server.url, **raw) == packed.tobytes()
    assert penstock.encode(packed.tobytes(), server=client, width=30, height=20, **raw) == packed.tobytes()
    options = {"encoder_option": {"preset": "ultrafast", "crf": 30}, "metadata": {"title": "a b+c"}}
    encoded = penstock.encode(pictures, server=client, format="matroska", frame_rate=25, encoder="libx264", **options)
    assert b"a b+c" in encoded


@pytest.mark.parametrize(
    ("array", "parameters", "says"),
    [
        (np.zeros((5, 3, 4, 3), "u1"), {"frame_rate": 25}, 'layout="nchw" or layout="packed"'),
        (np.zeros((5, 2, 4, 6), "u1"), {"frame_rate": 25}, "does not show"),
        (np.zeros((5, 2), "u1"), {"frame_rate": 25}, "pictures have the shape"),
        (np.zeros((5, 2, 4, 3), "f8"), {"frame_rate": 25}, "3 channels of float64"),
        (np.zeros((5, 2, 4), "f4"), {"sample_rate": 8000}, "sound has the shape"),
        (np.zeros((2, 8000), "f4"), {"sample_rate": 8000}, "transpose it"),
        (np.zeros((8000, 2), "u2"), {"sample_rate": 8000}, "not of uint16"),
    ],
)
def test_an_array_that_could_be_anything_is_refused_with_what_decides(client, array, parameters, says):
    with pytest.raises(penstock.InvalidArray, match=says):
        client.encode(array, format="matroska", **parameters)
    with pytest.raises(TypeError, match="sample_rate"):
        client.encode(array, format="matroska")


def test_an_encoding_that_is_cut_goes_on_by_a_writer(client, new_proxy):
    # Less for a connection than the array takes.
    proxy = new_proxy(lambda: 60_000)
    samples = np.random.default_rng(1).integers(-9000, 9000, 200_000, dtype=np.int16)
    distant = penstock.Client(proxy.url)
    assert distant.encode(samples, format="s16le", sample_rate=8000) == samples.tobytes()
    assert proxy.cuts > 10
    with pytest.raises(penstock.PenstockError):
        penstock.Client(proxy.url, retry_for=0).encode(samples, format="s16le", sample_rate=8000)


def test_progress_is_told_to_a_function(client):
    stream = {"type": "audio", "sample_rate": 16000, "num_channels": 1, "format": "s16", "encoder": "pcm_s16le"}
    told = []
    with client.create_writer([stream], format="s16le", open=True, progress=told.append) as writer:
        for _ in range(3):
            writer.send(0, np.zeros(16000, np.int16))
    last = told[-1]
    assert (last.frames, last.bytes_sent, last.frames_encoded, last.bytes_written) == (48000, 96000, 48000, 96000)
    assert last.done and last.fps == pytest.approx(48000 / last.seconds) and not any(each.done for each in told[:-1])


def test_progress_of_a_long_upload_tells_what_the_server_has_done(client, monkeypatch):
    monkeypatch.setattr("penstock._progress.INTERVAL", 0.02)
    stream = {"type": "video", "frame_rate": 25, "width": 320, "height": 180, "encoder": "libx264",
              "encoder_option": {"preset": "slow", "rc-lookahead": 5}}  # fmt: skip
    pictures = np.random.default_rng(1).integers(0, 256, (40, 180, 320, 3), dtype=np.uint8)
    told = []
    with client.create_writer([stream], format="matroska", open=True, progress=told.append) as writer:
        writer.send(0, pictures)
    assert len(told) >= 2
    for before, after in pairwise(told):
        assert before.frames <= after.frames and before.bytes_sent <= after.bytes_sent <= pictures.nbytes
        assert before.bytes_written <= after.bytes_written
    assert any(0 < each.frames_encoded < 40 for each in told) and told[-1].frames == told[-1].frames_encoded == 40


def test_progress_is_one_line_where_there_is_no_tqdm(client, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    stream = {"type": "audio", "sample_rate": 16000, "num_channels": 1, "format": "s16"}
    with client.create_writer([stream], format="wav", open=True, progress=True) as writer:
        writer.send(0, np.zeros(16000, np.int16))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("16000 frames, ")
    monkeypatch.undo()
    with client.create_writer([stream], format="wav", open=True, progress=True) as writer:
        writer.send(0, np.zeros(16000, np.int16))
    assert "16.0kframe" in capsys.readouterr().err
    with pytest.raises(TypeError, match="progress is True, False or a function"):
        client.create_writer([stream], format="wav", progress="yes")


def test_the_async_twin_encodes_streams_side_by_side_and_reads_as_it_goes(server):
    stream = {"type": "audio", "sample_rate": 16000, "num_channels": 1, "format": "s16", "encoder": "pcm_s16le"}
    samples = np.arange(16000, dtype=np.int16)

    async def one(client):
        writer = await client.create_writer([stream], format="s16le", open=True)

        async def read():
            return b"".join([piece async for piece in writer.output()])

        reader = asyncio.create_task(read())
        async with writer:
            for part in np.split(samples, 4):
                assert (await writer.send(0, part))["frames"] == 4000
        return await reader

    async def several():
        async with aio.Client(server.url) as client:
            files = await asyncio.gather(*(one(client) for _ in range(8)))
            encoded = await aio.encode(samples, format="s16le", sample_rate=16000, server=server.url)
            listed = [record["id"] async for record in client.writers()]
            with pytest.raises(penstock.NotFound):
                await client.get_encoder("nothing")
            return files, encoded, len(listed)

    files, encoded, count = asyncio.run(several())
    assert files == [samples.tobytes()] * 8 and encoded == samples.tobytes() and count >= 8


def test_a_cancelled_task_ends_its_upload_and_its_wait_at_once(server):
    stream = {"type": "video", "frame_rate": 25, "width": 640, "height": 360, "encoder": "libx264",
              "encoder_option": {"preset": "slow", "tune": "zerolatency"}}  # fmt: skip
    pictures = np.random.default_rng(1).integers(0, 256, (150, 360, 640, 3), dtype=np.uint8)

    async def work():
        async with aio.Client(server.url) as client:
            writer = await client.create_writer([stream], format="matroska", open=True, on_interrupt="finalize")

            async def read():
                # Nothing comes before the end: it waits for the server.
                return [
                    piece async for piece in (await client.create_writer([stream], format="mp4", open=True)).output()
                ]

            async def send():
                async with writer:
                    await writer.send(0, pictures)

            tasks = [asyncio.create_task(send()), asyncio.create_task(read())]
            while (await writer.status())["streams"][0]["frames"] < 2:
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            done = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 60)
            assert [type(each) for each in done] == [asyncio.CancelledError] * 2
            return await writer.status()

    record = asyncio.run(work())
    assert record["state"] == "closed" and 2 <= record["streams"][0]["frames"] < 150
