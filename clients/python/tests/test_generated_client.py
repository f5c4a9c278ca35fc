"""That openapi.yaml is good enough for generators: a client that openapi-python-client makes of it encodes sound."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

import pytest

CONTRACT = pathlib.Path(__file__).parents[3] / "openapi.yaml"
#: The bin folder of a venv with openapi-python-client; scripts/test-python.sh makes it.
GENERATOR = os.environ.get("OPENAPI_GENERATOR_BIN")

SMOKE = """
import io, json, sys
from generated import AuthenticatedClient, models
from generated.api.capabilities import get_encoder, list_muxers
from generated.api.encode import encode
from generated.api.output import get_output
from generated.api.streams import add_stream, write_chunk
from generated.api.writers import delete_writer, finalize_writer, get_writer, list_writers, open_writer, put_writer
from generated.types import File

client = AuthenticatedClient(base_url=sys.argv[1], token="unused")
samples = bytes(range(256)) * 100
put_writer.sync("generated", client=client, body=models.WriterRequest(format_="s16le"))
sound = models.AudioStreamRequest(type_="audio", sample_rate=8000, num_channels=2, format_=models.SampleFormat.S16)
stream = add_stream.sync("generated", client=client, body=sound)
open_writer.sync("generated", client=client, body=models.OpenRequest())
receipt = write_chunk.sync("generated", stream.index, client=client, body=File(io.BytesIO(samples)), pts=0)
closed = finalize_writer.sync("generated", client=client)
output = get_output.sync("generated", client=client)
refused = put_writer.sync_detailed("generated", client=client, body=models.WriterRequest(format_="wav"))
again = get_writer.sync("generated", client=client)
listed = list_writers.sync(client=client, state=models.State.CLOSED)
encoded = encode.sync(
    client=client, body=File(io.BytesIO(samples)), format_="s16le", sample_rate=8000, num_channels=2,
    sample_format=models.SampleFormat.S16,
)
missing = get_encoder.sync("x264", client=client)
deletion = delete_writer.sync("generated", client=client)
print(json.dumps({
    "encoder": stream.encoder, "frames": receipt.frames, "ended_by": closed.result.ended_by.value,
    "whole": output.payload.read() == samples, "refused": [refused.status_code, refused.parsed.type_],
    "state": again.state.value, "listed": [writer.id for writer in listed.writers],
    "encoded": encoded.payload.read() == samples, "missing": missing.did_you_mean or missing.detail,
    "wav": any(muxer.name == "wav" for muxer in list_muxers.sync(client=client).muxers), "left": deletion.left_count,
}))
"""


@pytest.mark.skipif(GENERATOR is None, reason="OPENAPI_GENERATOR_BIN names no venv with openapi-python-client")
def test_a_generated_client_encodes_sound(new_server, tmp_path):
    server = new_server()
    environment = {**os.environ, "PATH": f"{GENERATOR}:{os.environ['PATH']}"}
    command = ["openapi-python-client", "generate", "--path", CONTRACT, "--meta", "none"]
    command += ["--output-path", tmp_path / "generated"]
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    # What it can't make of the contract it leaves out, and says so.
    assert "will not be generated" not in made.stdout + made.stderr
    done = subprocess.run(
        ["python", "-c", SMOKE, server.url], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "libx264" in found.pop("missing")
    assert found == {
        "encoder": "pcm_s16le",
        "frames": 6400,
        "ended_by": "finalize",
        "whole": True,
        "refused": [409, "urn:penstock:problem:writer-exists"],
        "state": "closed",
        "listed": ["generated"],
        "encoded": True,
        "wav": True,
        "left": 0,
    }
