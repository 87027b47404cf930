"""What a playbook would have done in the past 90 days: nothing is started or sent.

Each day is asked as it was (`lake.matching`), and the limits are kept as the engine
keeps them. Held against what has become of the accounts since.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from perennial.apps.jobs.registry import Report
from perennial.apps.team.lake import lake_of
from perennial.apps.work.models import Playbook
from perennial.apps.work.playbooks.document import Book, Limits
from perennial.apps.work.playbooks.reading import read
from perennial.core.ids import digest
from perennial.core.windows import DAY
from perennial.lake import matching
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics.conditions import read as read_condition

DAYS = 90
_LEFT = read_condition({"field": "state", "op": "is", "value": ["churned"]})
_PAYING = read_condition({"field": "state", "op": "is", "value": ["paying"]})


@dataclass
class Tried:
    """Would-be starts by day, account by account."""

    starts: dict[date, list[str]] = field(default_factory=lambda: defaultdict(list))
    last: dict[str, date] = field(default_factory=dict)
    total: Counter[str] = field(default_factory=Counter)

    def may_start(self, account: str, day: date, limits: Limits) -> bool:
        last = self.last.get(account)
        rests = last is not None and (day - last).days < limits.again_after_days
        is_enough = limits.most is not None and self.total[account] >= limits.most
        return not rests and not is_enough

    def is_new(self, account: str, since: date) -> bool:
        """It has not started since the account began to match."""
        return self.last.get(account, date.min) < since

    def start(self, account: str, day: date) -> None:
        self.starts[day].append(account)
        self.last[account] = day
        self.total[account] += 1


def simulate(book: Book, matches: Mapping[date, frozenset[str]]) -> Tried:
    """Starts over days that follow each other; pure.

    What matches on the first day did not enter then. Runs are taken to be over when
    the rest of their account is.
    """
    tried, since, first = Tried(), dict[str, date](), min(matches)
    before: frozenset[str] | None = None
    for day, now in sorted(matches.items()):
        gone = (before or frozenset()) - now
        since = {i: since.get(i, day) for i in now}
        if book.start.trigger == "leaves":
            ready = gone
        else:
            latest = day - DAY * (book.limits.after_days - 1)
            ready = frozenset(i for i, s in since.items() if s <= latest)
            if book.start.trigger == "enters":
                ready = frozenset(
                    i for i in ready if first < since[i] and tried.is_new(i, since[i])
                )
        for account in sorted(ready):
            if tried.may_start(account, day, book.limits):
                tried.start(account, day)
        before = now
    return tried


def keep(playbook: Playbook, report: Report) -> None:
    """Try the document as it stands and keep what came out."""
    document = playbook.document
    found = try_out(lake_of(playbook.workspace), read(document), report)
    tried = {**found, "digest": digest(repr(document))}
    Playbook.objects.filter(pk=playbook.pk).update(tried=tried)


def is_of(playbook: Playbook) -> bool:
    """Does what was kept speak of the document as it stands?"""
    kept = playbook.tried or {}
    return kept.get("digest") == digest(repr(playbook.document))


def try_out(lake: Lake, book: Book, report: Report) -> dict[str, Any]:
    """Starts a week, accounts, and how many left, with and without a start."""
    today = lake.today
    days = [today - DAY * n for n in range(DAYS - 1, -1, -1)]
    condition = book.start.condition
    matches = {}
    for n, day in enumerate(days):
        matches[day] = frozenset(matching.matching(lake, condition, day))
        report(n / DAYS, _("Asking what held on each day"))
    tried = simulate(book, matches)
    started = set(tried.total)
    left = _left_since(lake, days[0])
    return {
        "days": DAYS,
        "until": today.isoformat(),
        "starts": sum(tried.total.values()),
        "accounts": len(started),
        "weeks": _weeks(tried, days),
        "left": len(started & left),
        "missed": len(left - started),
        "matching": len(matches[today]),
    }


def _left_since(lake: Lake, day: date) -> set[str]:
    """Customers of that day that are none any more."""
    before = set(matching.matching(lake, _PAYING, day))
    return before & set(matching.matching(lake, _LEFT))


def _weeks(tried: Tried, days: list[date]) -> list[list[Any]]:
    """Starts by week, each by its first day."""
    found: Counter[date] = Counter()
    for day in days:
        monday = day - DAY * day.weekday()
        found[monday] += len(tried.starts.get(day, ()))
    return [[monday.isoformat(), count] for monday, count in sorted(found.items())]
