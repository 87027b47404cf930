"""Errors a person can act on."""

from __future__ import annotations


class PerennialError(Exception):
    """Base of all errors whose message is written for the user.

    The command line prints it as one line and exits with 1; the API answers
    with 400. It never carries secrets.
    """


class UnknownName(PerennialError):
    """A metric, table, dimension, variant or setting that does not exist."""

    def __init__(self, what: str, name: str, known: list[str]) -> None:
        others = f"; known: {', '.join(known)}" if known else ""
        super().__init__(f"unknown {what} {name!r}{others}")
        self.name = name


class BadValue(PerennialError):
    """An argument or a setting whose value does not fit."""


class Forbidden(PerennialError):
    """Somebody asked for what is not theirs to do."""
