"""Playbooks as the screens ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.customers import queries as customers
from perennial.apps.customers import wording
from perennial.apps.customers.account import Account
from perennial.apps.customers.kept import kept
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.work.models import Match, Playbook, Run, RunEntry, Task
from perennial.apps.work.playbooks import results, words
from perennial.apps.work.playbooks.document import Book, BranchStep, TaskStep, WaitStep
from perennial.apps.work.playbooks.reading import read
from perennial.apps.work.playbooks.starting import Counts
from perennial.apps.work.tasks import queries as tasks
from perennial.core.errors import PerennialError
from perennial.core.windows import DAY
from perennial.lake import matching
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics.conditions import Condition
from perennial.scoring.differences import Effect

LATELY_DAYS = 30
MOST = 200


@dataclass(frozen=True)
class Line:
    """A playbook in the list, with what it did lately; `stayed` is None while too
    little is known to say whether it helps."""

    playbook: Playbook
    situation: words.Text
    running: int
    started: int
    held_out: int
    stayed: Effect | None

    @property
    def holds_out(self) -> bool:
        return bool(self.playbook.document.get("limits", {}).get("hold_out"))

    @property
    def noise(self) -> float:
        """Within its interval around nothing, an effect has no color."""
        return 0.0 if self.stayed and self.stayed.is_shown else 1.0


def lines(workspace: Workspace) -> list[Line]:
    """Those that are on first, then by name."""
    lake = lake_of(workspace)
    since = lake.now - timedelta(days=LATELY_DAYS)
    lately = Q(runs__started_at__gte=since)
    found = workspace.playbooks.annotate(
        running=Count("runs", filter=Q(runs__state=Run.State.RUNNING)),
        started=Count("runs", filter=lately & Q(runs__is_held_out=False)),
        held=Count("runs", filter=Q(runs__state=Run.State.HELD_OUT)),
    )
    made = [
        Line(
            p,
            words.SITUATIONS.get(p.document.get("situation", "other"), ""),
            p.running,
            p.started,
            p.held,
            _stayed(p, lake),
        )
        for p in found
    ]
    return sorted(
        made, key=lambda line: (line.playbook.state != "on", str(line.playbook))
    )


def _stayed(playbook: Playbook, lake: Lake) -> Effect | None:
    """Whether it helps, where it is old enough and left enough accounts alone."""
    if not playbook.runs.filter(is_held_out=True).exists():
        return None
    found = results.results(playbook, lake)
    return found.stayed if found.is_enough else None


def headline(lines: Sequence[Line]) -> tuple[str, str]:
    """How many are on and on their way, and what they have been shown to do."""
    on = sum(line.playbook.state == Playbook.State.ON for line in lines)
    running = sum(line.running for line in lines)
    helping = sum(bool(x.stayed and x.stayed.low > 0) for x in lines)
    lead = _("%(on)s of %(of)s playbooks are on.") % {"on": on, "of": len(lines)}
    going = ngettext(
        "%(n)s run is on its way.", "%(n)s runs are on their way.", running
    )
    shown = ngettext(
        "%(n)s has been shown to help.", "%(n)s have been shown to help.", helping
    )
    none = _(
        "None has been shown to help yet: that takes 30 days, and enough accounts held "
        "out."
    )
    rest = shown % {"n": helping} if helping else none
    return lead, f"{going % {'n': running}} {rest}"


@kept(*matching.READS)
def matching_ids(lake: Lake, condition: Condition) -> tuple[str, ...]:
    """Accounts a condition holds for; kept until something it reads changes."""
    return tuple(matching.matching(lake, condition))


@dataclass(frozen=True)
class Matches:
    """Who matches now, and what would happen to them."""

    accounts: Sequence[Account]
    count: int
    mrr: float


def matches(workspace: Workspace, book: Book) -> Matches | str:
    """Accounts the conditions hold for now, the most urgent first; or why they
    cannot be asked."""
    try:
        ids = matching_ids(lake_of(workspace), book.start.condition)
    except PerennialError as error:
        return str(error)
    found = customers.some(workspace, ids)
    ranked = sorted(found.values(), key=lambda a: (a.score is None, a.score or 0))
    return Matches(ranked[:6], len(ids), float(sum(a.mrr for a in ranked)))


@dataclass(frozen=True)
class Load:
    """Open tasks of a person, and those the playbook would add now."""

    name: str
    open: int
    more: int


def load(workspace: Workspace, book: Book) -> list[Load]:
    """What turning it on now would mean for each owner."""
    try:
        ids = matching_ids(lake_of(workspace), book.start.condition)
    except PerennialError:
        return []
    at_once = takewhile(lambda s: not isinstance(s, WaitStep | BranchStep), book.steps)
    first = sum(isinstance(step, TaskStep) for step in at_once)
    accounts = customers.some(workspace, ids).values()
    more: dict[str, int] = {}
    for account in accounts:
        owner = (account.owner_email or "").lower()
        most = book.limits.owner_week or MOST
        more[owner] = min(more.get(owner, 0) + 1, most)
    counted = dict(
        Task.objects.filter(workspace=workspace, state__in=tasks.ACTIVE)
        .values_list("owner")
        .annotate(n=Count("pk"))
    )
    return [
        Load(
            member.user.display_name,
            counted.get(member.user.pk, 0),
            more.get(member.user.email, 0) * first,
        )
        for member in tasks.workers(workspace)
        if counted.get(member.user.pk) or more.get(member.user.email)
    ]


# --- runs --------------------------------------------------------------------


@dataclass(frozen=True)
class RunLine:
    run: Run
    account: Account | None


def runs(playbook: Playbook, state: str) -> QuerySet[Run]:
    found = playbook.runs.select_related("version").order_by("-started_at", "-pk")
    return found.filter(state=state) if state in Run.State.values else found


def with_accounts(workspace: Workspace, found: Sequence[Run]) -> list[RunLine]:
    known = customers.some(workspace, tuple(sorted({r.account_id for r in found})))
    return [RunLine(run, known.get(run.account_id)) for run in found]


def entries(run: Run, by: Membership) -> list[RunEntry]:
    """The log of a run as a member may read it: not to be saved."""
    found = list(run.entries.all())
    if not wording.reads_all(by):
        told = [(run.account_id, entry.details) for entry in found]
        wording.hide_in(by.workspace, told, "title")
    return found


@dataclass(frozen=True)
class SkipLine:
    account: Account | None
    account_id: str
    reason: words.Text
    first_on: date
    last_on: date


def skips(playbook: Playbook) -> list[SkipLine]:
    """The latest refusals, newest first."""
    found = list(playbook.skips.order_by("-last_on", "account_id")[:MOST])
    ids = tuple(sorted({skip.account_id for skip in found}))
    known = customers.some(playbook.workspace, ids)
    return [
        SkipLine(
            known.get(skip.account_id),
            skip.account_id,
            words.REFUSALS.get(skip.reason, skip.reason),
            skip.first_on,
            skip.last_on,
        )
        for skip in found
    ]


@dataclass(frozen=True)
class Verdict:
    """Would it start for an account today, and why not."""

    account: Account
    refusal: words.Text
    rows: Sequence[tuple[str, bool]]


def verdict(playbook: Playbook, account: Account, say: words.Say) -> Verdict:
    """The test on one account: every condition by itself, then the limits."""
    book, lake = read(playbook.document), lake_of(playbook.workspace)
    condition = book.start.condition
    parts = getattr(condition, "parts", (condition,))
    rows = [
        (say(part), account.account_id in matching_ids(lake, part)) for part in parts
    ]
    holds = account.account_id in matching_ids(lake, condition)
    refusal = _refusal(playbook, book, account, holds=holds)
    return Verdict(account, words.REFUSALS.get(refusal, ""), rows)


def _refusal(playbook: Playbook, book: Book, account: Account, *, holds: bool) -> str:
    if book.start.trigger == "manual":
        return "manual"
    if not holds and book.start.trigger != "leaves":
        return "no_match"
    lake = lake_of(playbook.workspace)
    refused = Counts(playbook, lake.now).refusal(account, book)
    if refused or playbook.state != Playbook.State.ON:
        return refused or "off"
    match = Match.objects.filter(
        playbook=playbook, account_id=account.account_id
    ).first()
    since = match.since if match else lake.today
    if book.start.trigger == "enters" and since <= (playbook.turned_on_on or since):
        return "not_new"
    latest = lake.today - DAY * (book.limits.after_days - 1)
    return "waiting" if since > latest else ""


def of_account(workspace: Workspace, account_id: str) -> list[Run]:
    """Runs of an account, newest first."""
    found = Run.objects.filter(playbook__workspace=workspace, account_id=account_id)
    return list(found.select_related("playbook").order_by("-started_at")[:20])
