"""What an evaluation of playbooks asks and counts."""

from __future__ import annotations

from dataclasses import dataclass, field

from perennial.lake import matching
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics.conditions import Condition


@dataclass
class Evaluated:
    """What an evaluation did."""

    started: int = 0
    held_out: int = 0
    ended: int = 0
    steps: int = 0


@dataclass
class Asked:
    """Conditions asked of the lake, each once an evaluation."""

    lake: Lake
    _known: dict[Condition, frozenset[str]] = field(default_factory=dict)

    def accounts(self, condition: Condition) -> frozenset[str]:
        if condition not in self._known:
            self._known[condition] = frozenset(matching.matching(self.lake, condition))
        return self._known[condition]
