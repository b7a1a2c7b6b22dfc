"""The errors that a user can meet, each with the exit code that the command line ends with.

A message is one plain sentence or two: what was seen, where, and what to do next.
"""

from __future__ import annotations

DONE, PROBLEM, WRONG_USE, LOCKED, OUTSIDE, INTERNAL = 0, 1, 2, 3, 4, 70


class OversightError(Exception):
    """Something a user can mend; `exit_code` says of which sort."""

    exit_code = PROBLEM


class WrongUse(OversightError):
    """The command was called in a way that cannot work: a missing file, an unknown name, a broken card."""

    exit_code = WRONG_USE


class AnotherRun(OversightError):
    """Another run holds the lock of the data folder."""

    exit_code = LOCKED


class Stopped(OversightError):
    """The run was told to stop and did so in order; what it had done is kept; 143 is what SIGTERM ends with."""

    exit_code = 143


class OutsideFailure(OversightError):
    """Something outside the program failed: disk full, no network, a corrupt or locked database, a port in use."""

    exit_code = OUTSIDE
