"""`doctor`: whether there is a server, what it is and can do, and what to do where something is missing."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

from .. import __version__, _private
from .._problems import Forbidden, NoServer, Overloaded, PenstockError, Problem, Unauthorized, Unreachable
from ..client import Client
from .connection import client_of, is_named

#: Encoders that most outputs are made with.
_USUAL = ("libx264", "libx265", "libvpx-vp9", "libsvtav1", "aac", "libopus", "libmp3lame", "flac")


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `doctor` to a parser."""
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints what there is and what is missing; 1 where something is."""
    return _Doctor(arguments).run()


class _Doctor:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._is_well = True

    def run(self) -> int:
        client = self._server()
        if client is not None and self._answers(client):
            self._token(client)
            self._sandbox(client)
            self._abilities(client)
        print("all is well" if self._is_well else "something is missing: see the lines with !!")
        return 0 if self._is_well else 1

    def _good(self, what: str, found: str) -> None:
        print(f"ok  {what:<8} {found}")

    def _bad(self, what: str, found: str, advice: str) -> None:
        self._is_well = False
        print(f"!!  {what:<8} {found}\n{' ' * 13}{advice}")

    def _server(self) -> Client | None:
        try:
            # What is asked here is asked once: a doctor says what is so now.
            client = client_of(self._arguments, retry_for=0)
        except NoServer as error:
            found, _, advice = str(error).partition(". ")
            self._bad("server", found, advice or "docs/operations/install.md says how to install one")
            return None
        if is_named(self._arguments):
            by = "--server" if self._arguments.server else "PENSTOCK_URL"
            self._good("server", f"{client.address}, by {by}")
        else:
            self._good("server", f"a private one, started from {_private.program()}")
        return client

    def _answers(self, client: Client) -> bool:
        try:
            client.livez()
        except Unreachable as error:
            self._bad("answer", str(error), "start the server, or correct its address; a firewall may be between")
            return False
        except Problem as error:
            self._bad("answer", str(error), "something else than Penstock listens there, or a proxy stands before it")
            return False
        try:
            version = client.get_version()
        except (Unauthorized, Forbidden):
            # Where this needs a token, its own line says so.
            self._good("answer", "Penstock; its version is told to those with a token")
        else:
            self._good("answer", f"Penstock {version['penstock']}, FFmpeg {version['ffmpeg']}; client {__version__}")
        return True

    def _token(self, client: Client) -> None:
        given = self._arguments.token or (not self._arguments.server and os.environ.get("PENSTOCK_TOKEN"))
        try:
            client.list_writers(limit=1)
        except Unauthorized as error:
            advice = "the operator has its tokens (`penstock serve --token-file`): give it in PENSTOCK_TOKEN or --token"
            self._bad("token", error.detail if given else f"none was given: {error.detail}", advice)
        except Forbidden as error:
            self._bad("token", error.detail, "it may do other things; ask the operator for one that may use writers")
        except PenstockError as error:
            self._bad("token", str(error), "see the server's log")
        else:
            self._good("token", "is taken" if given else "none is needed")

    def _sandbox(self, client: Client) -> None:
        try:
            ready = client.readyz()
        except Overloaded as error:
            self._bad("ready", str(error), "it takes no new work: wait, or use another node")
            return
        except PenstockError as error:
            self._bad("ready", str(error), "see the server's log")
            return
        self._good("ready", "takes new work")
        sandbox = ready["sandbox"]
        if sandbox["missing"]:
            self._bad(
                "sandbox", f"not whole, {', '.join(sandbox['missing'])} missing",
                "Linux 6.12 with Landlock and seccomp has all of it; in a container its policy must allow them",
            )  # fmt: skip
        else:
            self._good("sandbox", f"whole (Landlock {sandbox['landlock_abi']}, seccomp)")

    def _abilities(self, client: Client) -> None:
        try:
            encoders: list[Mapping[str, Any]] = [*client.list_video_encoders(), *client.list_audio_encoders()]
            muxers = len(client.list_muxers())
        except (Unauthorized, Forbidden):
            # The token's own line has said so.
            return
        except PenstockError as error:
            self._bad("encoders", str(error), "see the server's log")
            return
        names = {str(encoder["name"]) for encoder in encoders if encoder.get("allowed", True)}
        self._good("encoders", f"{len(names)} and {muxers} formats; {' '.join(n for n in _USUAL if n in names)}")
        if not names:
            self._bad("encoders", "none", "the server's FFmpeg has none that clients may use: `penstock check` there")
        hardware = sorted(str(encoder["name"]) for encoder in encoders if encoder["hardware"])
        if hardware:
            self._good("hardware", f"encoders of FFmpeg's, if the machine has the device: {' '.join(hardware)}")
