"""What is asked of an insight, and what it answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Asked:
    """What is asked of an insight: local day `as_of`, groups, condition, parameters."""

    as_of: date
    by: tuple[str, ...] = ()
    where: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
