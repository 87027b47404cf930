"""Which accounts a playbook starts for, and why not for others.

Starts are written in pieces, each in one transaction; whoever evaluates holds the
lock of the workspace's work (`engine.working`), and the database refuses a second
run of a playbook for an account in any case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from django.db import transaction
from django.db.models import Max

from perennial.apps.customers import queries as customers
from perennial.apps.customers.account import RANK, Account
from perennial.apps.team.models import User
from perennial.apps.work.models import (
    Match,
    Playbook,
    PlaybookVersion,
    Run,
    RunEntry,
    Skip,
)
from perennial.apps.work.playbooks.asking import Asked, Evaluated
from perennial.apps.work.playbooks.document import Book
from perennial.core.windows import DAY, local_date
from perennial.lake.workspace import Workspace as Lake

#: Starts of one playbook for an account in this time, whatever its limits say: a
#: playbook that brings its own condition about again would go round for ever.
LOOP_STARTS, LOOP_DAYS = 3, 30
#: Starts of all playbooks for one account in a week.
ACCOUNT_WEEK = 10
#: Rows written at once.
PIECE = 200
_ACTIVE = (Run.State.RUNNING, Run.State.HELD_OUT)
T = TypeVar("T")


def follow_matches(
    playbook: Playbook, book: Book, asked: Asked, today: date
) -> list[str]:
    """Bring the matches of a playbook up to date; accounts that may start.

    In the caller's transaction, together with the starts. Nobody enters or leaves
    because a scorecard, a model or the mode of health became another one.
    """
    matched = asked.accounts(book.start.condition)
    known = dict(playbook.matches.values_list("account_id", "since"))
    # A merged account did not stop to match: it is as it was should it come back.
    gone = sorted(known.keys() - matched - asked.lake.lake.merges.keys())
    for some in _pieces(gone):
        playbook.matches.filter(account_id__in=some).delete()
    new = sorted(matched - known.keys())
    Match.objects.bulk_create(
        [Match(playbook=playbook, account_id=i, since=today) for i in new],
        ignore_conflicts=True,
        batch_size=500,
    )
    if book.start.trigger == "leaves":
        by_rules = asked.recolored(book.start.condition)
        return [i for i in gone if (i, today) not in by_rules]
    since = {i: known.get(i, today) for i in matched}
    if book.start.trigger == "enters":
        by_rules = asked.recolored(book.start.condition)
        entered = _entered(playbook, since, asked.lake)
        since = {i: day for i, day in entered.items() if (i, day) not in by_rules}
    latest = today - DAY * (book.limits.after_days - 1)
    return sorted(i for i, day in since.items() if day <= latest)


def _entered(
    playbook: Playbook, since: Mapping[str, date], lake: Lake
) -> dict[str, date]:
    """Accounts that began to match after the playbook was turned on, and for which it
    has not started since they did."""
    last = playbook.runs.values_list("account_id").annotate(at=Max("started_at"))
    started = {i: local_date(at, lake.settings.tz) for i, at in last}
    first = playbook.turned_on_on or date.min
    return {
        i: day
        for i, day in since.items()
        if first < day and started.get(i, date.min) < day
    }


def start(
    playbook: Playbook,
    book: Book,
    candidates: Iterable[str],
    lake: Lake,
    done: Evaluated,
    *,
    by: User | None = None,
) -> None:
    """Start runs for accounts, within the limits; what is refused is written down.

    Accounts worst in health first, then by MRR: they get an owner's places first.
    Nobody is held out of what a person (`by`) chose.
    """
    accounts = customers.some(playbook.workspace, tuple(sorted(candidates)))
    if not accounts:
        return
    counted = Counts(playbook, lake.now)
    percent = 0 if by else book.limits.hold_out
    version = playbook.version_in_force
    skipped: dict[str, str] = {}
    new: list[Run] = []
    for account in sorted(accounts.values(), key=_urgency):
        reason = counted.refusal(account, book)
        if reason:
            skipped[account.account_id] = reason
            continue
        is_held = is_held_out(playbook, account.account_id, percent)
        counted.count(account)
        new.append(_run(version, book, account, lake.now, by, is_held=is_held))
    for some in _pieces(new, PIECE):
        _write(some)
    held = sum(run.is_held_out for run in new)
    done.held_out += held
    done.started += len(new) - held
    _note_skips(playbook, skipped, lake.today)


def _urgency(account: Account) -> tuple[int, float, str]:
    return (RANK.get(account.color, len(RANK)), -float(account.mrr), account.account_id)


class Counts:
    """How often accounts and owners got runs lately: read once, then counted on."""

    def __init__(self, playbook: Playbook, now: datetime) -> None:
        self.now = now
        runs = playbook.runs.values_list("account_id", "started_at", "state")
        self.last: dict[str, datetime] = {}
        self.total: Counter[str] = Counter()
        self.lately: Counter[str] = Counter()
        self.active: set[str] = set()
        for account_id, at, state in runs:
            self.last[account_id] = max(at, self.last.get(account_id, at))
            self.total[account_id] += 1
            self.lately[account_id] += at > now - timedelta(days=LOOP_DAYS)
            if state in _ACTIVE:
                self.active.add(account_id)
        week = Run.objects.filter(
            playbook__workspace=playbook.workspace_id,
            started_at__gt=now - timedelta(days=7),
        )
        started = week.filter(is_held_out=False)
        self.account_week = Counter(started.values_list("account_id", flat=True))
        mine = started.filter(playbook=playbook)
        self.owner_week = Counter(mine.values_list("owner_email", flat=True))

    def refusal(self, account: Account, book: Book) -> str:
        """Why an account must not start now; empty where it may."""
        key, limits = account.account_id, book.limits
        last = self.last.get(key)
        rest = timedelta(days=limits.again_after_days)
        owner = (account.owner_email or "").lower()
        refusals = (
            (key in self.active, "running"),
            (last is not None and self.now < last + rest, "resting"),
            (
                limits.most is not None and self.total[key] >= limits.most,
                "often_enough",
            ),
            (self.lately[key] >= LOOP_STARTS, "loop"),
            (self.account_week[key] >= ACCOUNT_WEEK, "too_many_at_once"),
            (
                limits.owner_week is not None
                and self.owner_week[owner] >= limits.owner_week,
                "owner_full",
            ),
        )
        return next((reason for is_so, reason in refusals if is_so), "")

    def count(self, account: Account) -> None:
        self.active.add(account.account_id)
        self.account_week[account.account_id] += 1
        self.owner_week[(account.owner_email or "").lower()] += 1


def is_held_out(playbook: Playbook, account_id: str, percent: int) -> bool:
    """The same for an account however often it is asked, and over all restarts."""
    mixed = sha256(f"{playbook.pk}:{account_id}".encode()).digest()
    return int.from_bytes(mixed[:4]) % 100 < percent


def _run(
    version: PlaybookVersion,
    book: Book,
    account: Account,
    now: datetime,
    by: User | None,
    *,
    is_held: bool,
) -> Run:
    return Run(
        playbook=version.playbook,
        version=version,
        account_id=account.account_id,
        state=Run.State.HELD_OUT if is_held else Run.State.RUNNING,
        is_held_out=is_held,
        started_at=now,
        started_by=by,
        owner_email=(account.owner_email or "").lower(),
        facts=facts_of(account),
        position=book.first,
    )


@transaction.atomic
def _write(runs: Sequence[Run]) -> None:
    Run.objects.bulk_create(runs)
    RunEntry.objects.bulk_create(
        RunEntry(
            run=run,
            at=run.started_at,
            what="held_out" if run.is_held_out else "started",
        )
        for run in runs
    )


def facts_of(account: Account) -> dict[str, object]:
    """What held of an account when its run started, for results and for the log."""
    return {
        "score": account.score,
        "color": account.color,
        "mrr": float(account.mrr),
        "active_users": account.active_users,
        "days_to_renewal": account.days_to_renewal,
    }


def _note_skips(playbook: Playbook, skipped: Mapping[str, str], today: date) -> None:
    """An account that is refused for the same reason again gets a later last day."""
    known = {(s.account_id, s.reason): s for s in playbook.skips.all()}
    again = [known[pair] for pair in skipped.items() if pair in known]
    for skip in again:
        skip.last_on = today
    Skip.objects.bulk_update(again, ["last_on"], batch_size=500)
    new = [
        Skip(playbook=playbook, account_id=i, reason=r, first_on=today, last_on=today)
        for i, r in skipped.items()
        if (i, r) not in known
    ]
    Skip.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)


def _pieces(rows: Sequence[T], size: int = 500) -> Iterable[Sequence[T]]:
    return (rows[n : n + size] for n in range(0, len(rows), size))
