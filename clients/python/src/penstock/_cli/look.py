"""`status` and `encoders`: tables, as the server makes them, or with --json the API's objects."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .._calls import segment
from ..client import Client
from .connection import client_of, named_client
from .stream_options import UsageError

_TABLE = {"Accept": "text/plain"}


def add_status(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `status` to a parser."""
    parser.add_argument("id", nargs="?", metavar="ID", help="one writer, with its streams and how it ended")
    parser.add_argument("--state", help="only writers in it: configuring, open, finalizing, closed or failed")
    parser.add_argument("--json", action="store_true", help="the API's objects")
    parser.set_defaults(run=status)


def add_encoders(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `encoders` to a parser."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="one encoder, with its formats, rates and options")
    parser.add_argument("--json", action="store_true", help="the API's objects")
    parser.set_defaults(run=encoders)


def status(arguments: argparse.Namespace) -> int:
    """Prints the writers of a server, or one of them."""
    if arguments.id is not None and arguments.state is not None:
        raise UsageError("--state is of the list of writers, and not of one")
    client = named_client(arguments)
    if arguments.id is not None:
        _print(client, arguments.json, f"/v1/writers/{segment(arguments.id)}")
    elif arguments.json:
        print(json.dumps({"writers": list(client.writers(state=arguments.state))}, indent=2))
    else:
        _print(client, False, "/v1/writers", state=arguments.state)
    return 0


def encoders(arguments: argparse.Namespace) -> int:
    """Prints the encoders of a server, or one of them."""
    client = client_of(arguments)
    if arguments.name is not None:
        _print(client, arguments.json, f"/v1/encoders/{segment(arguments.name)}")
    elif arguments.json:
        found = [*client.list_video_encoders(), *client.list_audio_encoders()]
        print(json.dumps({"encoders": found}, indent=2))
    else:
        _print(client, False, "/v1/video-encoders")
        print()
        _print(client, False, "/v1/audio-encoders")
    return 0


def _print(client: Client, as_json: bool, path: str, **query: Any) -> None:
    response = client._calls.call("GET", path, query=query, headers=None if as_json else _TABLE)
    print(json.dumps(response.json(), indent=2) if as_json else response.body.decode().rstrip("\n"))
