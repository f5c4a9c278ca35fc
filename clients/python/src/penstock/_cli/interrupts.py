"""Ends from outside: Ctrl-C and SIGTERM."""

import signal


class Ended(KeyboardInterrupt):
    """SIGTERM has come, which ends the output as Ctrl-C does."""


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """What shells give for a program that a signal has ended."""
    return 128 + (signal.SIGTERM if isinstance(interrupt, Ended) else signal.SIGINT)
