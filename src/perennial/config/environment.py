"""What an installation decides, read from its environment.

Raises `BadValue`, one line that names the variable, where a value cannot be meant.
Each variable is described in docs/how-to/run-a-server.md; a test compares.
"""

from __future__ import annotations

import logging
import os
from urllib.parse import SplitResult, urlsplit

from perennial.core.errors import BadValue
from perennial.core.numbers import whole

_YES, _NO = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def flag(name: str) -> bool:
    value = text(name).lower()
    if value not in _YES | _NO:
        raise BadValue(f"{name} is 1 or 0, not {value!r}")
    return value in _YES


def number(name: str, default: int) -> int:
    """A whole number from 1."""
    value = text(name)
    found = whole(value) if value else default
    if found is None or (value and found < 1):
        raise BadValue(f"{name} is a whole number from 1, not {value!r}")
    return found


def log_level(name: str, default: str) -> str:
    value, known = text(name, default).upper(), logging.getLevelNamesMapping()
    if value not in known:
        raise BadValue(f"{name} is one of {', '.join(known)}, not {value!r}")
    return value


def url(name: str, *schemes: str) -> SplitResult:
    """An address of a server, or an empty one. Never said: it may hold a password."""
    try:
        found = urlsplit(text(name))
        found.port  # noqa: B018 - raises where it is none
    except ValueError as error:
        raise BadValue(f"{name} is no URL: {error}") from None
    if text(name) and (found.scheme not in schemes or not found.hostname):
        raise BadValue(f"{name} must be {schemes[0]}://host, or {schemes[-1]}://host")
    return found
