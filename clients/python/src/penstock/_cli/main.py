"""What `python -m penstock` does with its arguments."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__
from .._parameters import InvalidParameter
from .._problems import PenstockError, Problem
from . import connection, doctor, look, send
from .interrupts import exit_code
from .stream_options import UsageError

FAILED, WRONG_USAGE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Does it, and gives the exit code: 0, 1 of a failure, 2 of a command line that can't be meant, 128 + a signal."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except (UsageError, InvalidParameter) as error:
        print(f"penstock: {error}", file=sys.stderr)
        return WRONG_USAGE
    except BrokenPipeError:
        # Who read standard output has gone; what is still kept for it is not to raise again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print("penstock: standard output was closed before all was written", file=sys.stderr)
        return FAILED
    except (PenstockError, OSError) as error:
        print(f"penstock: {error}", file=sys.stderr)
        if isinstance(error, Problem):
            _print_further(error)
        return FAILED
    except KeyboardInterrupt as interrupt:
        print("penstock: interrupted", file=sys.stderr)
        return exit_code(interrupt)


def _print_further(problem: Problem) -> None:
    if problem.supported and len(problem.supported) > 12:
        print(f"it takes: {', '.join(problem.supported)}", file=sys.stderr)
    for line in problem.log:
        print(f"    {line}", file=sys.stderr)
    if problem.request_id is not None:
        print(f"request {problem.request_id}", file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"penstock: {message}\n{self.format_usage() if self._subparsers else ''}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m penstock", description="Encode media by a Penstock server.", allow_abbrev=False,
        epilog="Exit codes: 0, 1 of a failure, 2 of a command line that can't be meant, 130 of Ctrl-C, 143 of SIGTERM.",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"penstock {__version__}, the Python client")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    sending = commands.add_parser(
        "send", help="encode a file or standard input", allow_abbrev=False, description=send.DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    send.add(sending)
    connection.add(sending)
    of_writers = "list a server's writers, or show one"
    status = commands.add_parser("status", help=of_writers, allow_abbrev=False, description=of_writers)
    look.add_status(status)
    connection.add(status, private=False)
    of_encoders = "list a server's encoders, or show one"
    encoders = commands.add_parser("encoders", help=of_encoders, allow_abbrev=False, description=of_encoders)
    look.add_encoders(encoders)
    connection.add(encoders)
    of_doctor = "say whether there is a server, what it can do, and what is missing"
    doctors = commands.add_parser("doctor", help=of_doctor, allow_abbrev=False, description=of_doctor)
    doctor.add(doctors)
    connection.add(doctors)
    return parser
