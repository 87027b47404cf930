"""Did a playbook help? Runs held against the accounts it left alone.

The same is asked of both: is the account still a customer, and how far did its
health move. Differences come with 95 % intervals; where one holds zero, nothing was
shown. Held-out accounts are chosen by chance (`starting.is_held_out`), so that the
comparison is fair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from perennial.apps.customers import queries as customers
from perennial.apps.work.models import Playbook
from perennial.core.windows import DAY
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.differences import Effect, of_means, of_shares
from perennial.scoring.statistics import wilson

#: Days after its start from which a run can be judged.
AFTER_DAYS = 30
#: Fewer runs on a side show nothing.
FEWEST = 10


@dataclass(frozen=True)
class Side:
    """Accounts with a run, or held out: how many stayed, and the change of health."""

    n: int
    stayed: int
    changes: Sequence[float]

    @property
    def share(self) -> float | None:
        return self.stayed / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.stayed, self.n) if self.n else None

    @property
    def change(self) -> float | None:
        return mean(self.changes) if self.changes else None


@dataclass(frozen=True)
class Results:
    run: Side
    held_out: Side
    stayed: Effect | None
    health: Effect | None

    @property
    def is_enough(self) -> bool:
        return min(self.run.n, self.held_out.n) >= FEWEST


def results(playbook: Playbook, lake: Lake) -> Results:
    """Of runs that began at least 30 days ago; the last one of each account. What
    became of an account that was merged says nothing of either of the two."""
    since = lake.now - DAY * AFTER_DAYS
    runs = playbook.runs.filter(started_at__lte=since, started_by=None)
    mixed = {*lake.lake.merges, *lake.lake.merges.values()}
    last = {
        run.account_id: run
        for run in runs.order_by("started_at")
        if run.account_id not in mixed
    }
    known = customers.some(playbook.workspace, tuple(sorted(last)))
    sides: dict[bool, list[tuple[bool, float | None]]] = {True: [], False: []}
    for account_id, run in last.items():
        account = known.get(account_id)
        stayed = account is not None and account.is_customer
        before, now = run.facts.get("score"), account.score if account else None
        moved = now - before if now is not None and before is not None else None
        sides[run.is_held_out].append((stayed, moved))
    return compared(_side(sides[False]), _side(sides[True]))


def _side(found: Sequence[tuple[bool, float | None]]) -> Side:
    moved = [change for _stayed, change in found if change is not None]
    return Side(len(found), sum(stayed for stayed, _ in found), moved)


def compared(run: Side, held_out: Side) -> Results:
    """The sides and their differences; None where a side says too little."""
    stayed = of_shares(run.stayed, run.n, held_out.stayed, held_out.n)
    return Results(run, held_out, stayed, of_means(run.changes, held_out.changes))
