"""What an evaluation of playbooks asks and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from perennial.lake import matching, transitions
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

    def recolored(self, condition: Condition) -> frozenset[tuple[str, date]]:
        """Accounts and days on which another scorecard, model or mode gave them another
        color; none for a condition that does not ask for health."""
        asks = matching.asks_for_health(self.lake, condition)
        return self._recolored if asks else frozenset()

    @cached_property
    def _recolored(self) -> frozenset[tuple[str, date]]:
        table = self.lake.table(transitions.NAME)
        rows = table.filter(table.cause == "model_change").select("account_id", "date")
        return frozenset(self.lake.engine.run(rows).iter_rows())
