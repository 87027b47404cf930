"""What is known of a source value: where it is, what it is, how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from perennial.apps.intake.files.sources import Kind


@dataclass(frozen=True)
class Given:
    """A source value in SQL: where it is, and what kind of value stands there."""

    sql: str
    kind: Kind


@dataclass(frozen=True)
class Format:
    """How one column writes numbers and times.

    `date`: iso, dmy, mdy; s, ms, us, ns since 1970; or a strptime pattern.
    """

    decimal: str = "."
    date: str = "iso"


PLAIN = Format()
#: Formats of source values, by their SQL.
Formats = Mapping[str, Format]
