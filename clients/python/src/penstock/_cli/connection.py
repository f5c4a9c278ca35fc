"""Which server a command is about: the same as everywhere in this package."""

from __future__ import annotations

import argparse
import os

from .._calls import RETRY_FOR
from .._problems import NoServer
from ..client import Client
from .stream_options import UsageError


def add(parser: argparse.ArgumentParser, *, private: bool = True) -> None:
    """Adds the options that name a server; `private` says that one of the program's own will do."""
    group = parser.add_argument_group("the server")
    otherwise = "a private one, from the `penstock` on PATH" if private else "none"
    group.add_argument(
        "--server", metavar="URL", help=f"its address (http://…, unix:/…); default PENSTOCK_URL, without it {otherwise}"
    )
    group.add_argument(
        "--token", help="default PENSTOCK_TOKEN, which other users don't see as they see arguments; for PENSTOCK_URL"
    )
    group.add_argument(
        "--retry-for", type=_seconds, default=RETRY_FOR, metavar="SECONDS",
        help=f"how long failures are borne, from the last progress (default {RETRY_FOR:g})",
    )  # fmt: skip


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds from 0 on")
    return seconds


def client_of(arguments: argparse.Namespace, *, retry_for: float | None = None) -> Client:
    """The client of the server that is meant."""
    seconds = arguments.retry_for if retry_for is None else retry_for
    try:
        return Client(arguments.server, token=arguments.token, retry_for=seconds)
    except ValueError as error:
        raise UsageError(str(error)) from None


def is_named(arguments: argparse.Namespace) -> bool:
    """Whether a server is named, by an argument or the environment."""
    return bool(arguments.server or os.environ.get("PENSTOCK_URL"))


def named_client(arguments: argparse.Namespace) -> Client:
    """The client of the server that is named. Raises NoServer where none is: a new one would have nothing to show."""
    if not is_named(arguments):
        raise NoServer("no server is named: give --server http://host:8080, or PENSTOCK_URL in the environment")
    return client_of(arguments)
