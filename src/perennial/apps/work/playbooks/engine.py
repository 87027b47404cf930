"""Starting playbooks and taking their next steps, for all accounts at once.

Each start and each advance is one transaction: the run's position moves together
with the tasks and messages it made. A process that dies in between leaves the run
where it was, and the next evaluation goes on from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from perennial.apps.customers import queries as customers
from perennial.apps.customers.account import RANK, Account
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User, Workspace
from perennial.apps.work.models import (
    Match,
    Playbook,
    PlaybookVersion,
    Run,
    RunEntry,
    Skip,
)
from perennial.apps.work.playbooks import doing
from perennial.apps.work.playbooks.document import Book, WaitStep, read
from perennial.apps.work.playbooks.runs import Place, advance
from perennial.core.errors import PerennialError
from perennial.core.windows import DAY
from perennial.lake import incidents, matching
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics.conditions import Condition

#: Starts of one playbook for an account in this time, whatever its limits say: a
#: playbook that brings its own condition about again would go round for ever.
LOOP_STARTS, LOOP_DAYS = 3, 30
#: Starts of all playbooks for one account in a week.
ACCOUNT_WEEK = 10
_ACTIVE = (Run.State.RUNNING, Run.State.HELD_OUT)


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


def evaluate(workspace: Workspace) -> Evaluated:
    """Start what is to start, then take every step that is due.

    Run again at once it changes nothing. A playbook whose condition can no longer be
    asked is left alone; the others go on.
    """
    lake, done = lake_of(workspace), Evaluated()
    if incidents.of_yesterday(lake) is not None:
        return done  # tracking broke: what seems to hold of customers does not
    asked = Asked(lake)
    for playbook in workspace.playbooks.filter(state=Playbook.State.ON):
        try:
            _start_due(playbook, asked, done)
        except PerennialError as error:
            playbook.problem = str(error)[:500]
            playbook.save(update_fields=["problem"])
    advance_due(workspace, asked, done)
    return done


# --- starting ----------------------------------------------------------------


def _start_due(playbook: Playbook, asked: Asked, done: Evaluated) -> None:
    book = read(playbook.version_in_force.document)
    if book.start.trigger == "manual":
        return
    today = asked.lake.today
    candidates = follow_matches(playbook, book, asked, today)
    start(playbook, book, candidates, asked.lake, done)


def follow_matches(
    playbook: Playbook, book: Book, asked: Asked, today: date
) -> list[str]:
    """Bring the matches of a playbook up to date; accounts that may start."""
    matched = asked.accounts(book.start.condition)
    known = dict(playbook.matches.values_list("account_id", "since"))
    gone = sorted(known.keys() - matched)
    with transaction.atomic():
        for some in _pieces(gone):
            playbook.matches.filter(account_id__in=some).delete()
        Match.objects.bulk_create(
            [
                Match(playbook=playbook, account_id=i, since=today)
                for i in sorted(matched - known.keys())
            ],
            ignore_conflicts=True,
            batch_size=500,
        )
    if book.start.trigger == "leaves":
        return gone
    since = {i: known.get(i, today) for i in matched}
    latest = today - DAY * (book.limits.after_days - 1)
    before = playbook.turned_on_on if book.start.trigger == "enters" else None
    first = before or date.min
    return sorted(i for i, day in since.items() if first < day <= latest)


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
    """
    ids = tuple(sorted(candidates))
    accounts = customers.some(playbook.workspace, ids)
    ranked = sorted(accounts.values(), key=_urgency)
    counted = Counts(playbook, lake.now)
    skipped: dict[str, str] = {}
    for account in ranked:
        reason = counted.refusal(account, book)
        if reason:
            skipped[account.account_id] = reason
            continue
        # Nobody is held out of what a person chose.
        percent = 0 if by else book.limits.hold_out
        is_held = is_held_out(playbook, account.account_id, percent)
        if _start(playbook, book, account, lake, by, is_held=is_held):
            counted.count(account)
            done.held_out += is_held
            done.started += not is_held
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
        started = week.exclude(state=Run.State.HELD_OUT)
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


def _start(
    playbook: Playbook,
    book: Book,
    account: Account,
    lake: Lake,
    by: User | None,
    *,
    is_held: bool,
) -> bool:
    """One run; False where another process has just started it."""
    try:
        with transaction.atomic():
            run = Run.objects.create(
                playbook=playbook,
                version=playbook.version_in_force,
                account_id=account.account_id,
                state=Run.State.HELD_OUT if is_held else Run.State.RUNNING,
                started_at=lake.now,
                started_by=by,
                owner_email=(account.owner_email or "").lower(),
                facts=facts_of(account),
                position=book.first,
            )
            RunEntry.objects.create(
                run=run, at=lake.now, what="held_out" if is_held else "started"
            )
    except IntegrityError:
        return False
    return True


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
    known = {
        (s.account_id, s.reason): s
        for s in playbook.skips.filter(account_id__in=list(skipped)[:900])
    }
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


def _pieces(ids: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    return (ids[n : n + size] for n in range(0, len(ids), size))


# --- going on ----------------------------------------------------------------


def advance_due(workspace: Workspace, asked: Asked, done: Evaluated) -> None:
    """Every run that can go further now: its time has come, or a condition holds."""
    active = Run.objects.filter(playbook__workspace=workspace, state__in=_ACTIVE)
    versions = PlaybookVersion.objects.filter(pk__in=active.values("version"))
    for version in versions.select_related("playbook"):
        try:
            ready = _ready(active.filter(version=version), version, asked)
            for pk in ready:
                advance_run(pk, asked, done)
        except PerennialError as error:
            version.playbook.problem = str(error)[:500]
            version.playbook.save(update_fields=["problem"])


def _ready(runs: QuerySet[Run], version: PlaybookVersion, asked: Asked) -> list[int]:
    """Those of one version: most only wait, and are not opened."""
    book, now = read(version.document), asked.lake.now
    too_long = now - timedelta(days=book.end.after_days - 1)
    until = {
        step.id: asked.accounts(step.until)
        for step in book.every_step()
        if isinstance(step, WaitStep) and step.until is not None
    }
    over = asked.accounts(book.end.condition) if book.end.condition else frozenset()
    rows = runs.values_list("pk", "account_id", "position", "due_at", "started_at")
    return [
        pk
        for pk, account_id, position, due_at, started_at in rows
        if due_at is None
        or due_at <= now
        or started_at <= too_long
        or account_id in over
        or account_id in until.get(position, ())
    ]


@transaction.atomic
def advance_run(pk: int, asked: Asked, done: Evaluated) -> None:
    """One run, in a transaction of its own."""
    run = (
        Run.objects.select_for_update(of=("self",))
        .select_related("version", "playbook__workspace", "started_by")
        .filter(pk=pk, state__in=_ACTIVE)
        .first()
    )
    if run is None:
        return
    book, lake = read(run.version.document), asked.lake
    held_out = run.state == Run.State.HELD_OUT
    found = advance(
        book,
        Place("" if held_out else run.position, run.due_at),
        now=lake.now,
        started_at=run.started_at,
        tz=lake.settings.tz,
        holds=lambda condition: run.account_id in asked.accounts(condition),
    )
    if held_out and found.ending == "finished":
        return  # watched until its end: by a condition or by time
    for step in found.todo:
        doing.do(run, step, lake)
        done.steps += 1
    _log(run, [(n.step, n.what, dict(n.details)) for n in found.notes], lake.now)
    _place(run, found.place, found.ending, lake.now)
    done.ended += bool(found.ending)


def _place(run: Run, place: Place, ending: str, now: datetime) -> None:
    run.position, run.due_at = place.position, place.due_at
    if ending:
        is_done = ending == "finished"
        run.state = Run.State.DONE if is_done else Run.State.ENDED
        run.ending, run.ended_at, run.due_at = ending, now, None
        _log(run, [("", ending, {})], now)
    run.save(update_fields=["position", "due_at", "state", "ending", "ended_at"])


def _log(
    run: Run, lines: Iterable[tuple[str, str, Mapping[str, str]]], now: datetime
) -> None:
    RunEntry.objects.bulk_create(
        RunEntry(run=run, at=now, step=step, what=what, details=dict(details))
        for step, what, details in lines
    )
