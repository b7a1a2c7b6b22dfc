"""Errors that a user can meet, each with its exit code.

A message states what was seen, where, and what to do next.
"""

from __future__ import annotations

DONE, PROBLEM, WRONG_USE, LOCKED, OUTSIDE, INTERNAL = 0, 1, 2, 3, 4, 70


class OversightError(Exception):
    """Base class of errors that a user can fix."""

    exit_code = PROBLEM


class WrongUse(OversightError):
    """The command cannot work as called: a missing file, an unknown name, an invalid source card."""

    exit_code = WRONG_USE


class AnotherRun(OversightError):
    """Another process holds the lock of the data folder."""

    exit_code = LOCKED


class Stopped(OversightError):
    """The run was stopped by a signal; finished work is kept. 143 is the exit code of SIGTERM."""

    exit_code = 143


class OutsideFailure(OversightError):
    """Something outside the program failed: disk full, no network, a damaged or locked database, a port in use."""

    exit_code = OUTSIDE
