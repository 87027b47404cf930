"""Bring everything derived up to date, doing only what new facts make necessary.

Each derived table records, in the commit that wrote it, which version of each of
its sources it speaks of; a refresh compares and rebuilds what lags behind. A
refresh that dies half-way is done again by the next one, with the same result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from perennial.core.ids import digest
from perennial.core.settings import Settings
from perennial.core.windows import DAY
from perennial.lake import (
    chances,
    closing,
    comments,
    definition_days,
    forecasts,
    former,
    ledgers,
    measures,
    merged,
    models,
    onboarding,
    presence,
    requests,
    scorecards,
    segments,
    snapshots,
    told,
)
from perennial.lake.duck import connect_apart
from perennial.lake.local_days import local_days
from perennial.lake.store import Lake
from perennial.lake.stored import VersionGone
from perennial.lake.tables import ROLLUPS
from perennial.lake.touched import FOLLOWED, Touched
from perennial.lake.usage import UsageBuilder

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

#: Leads pre-aggregated usage to its account: where it changes, all is built again.
_SUBSCRIBERS = "subscription_items"
#: Sources whose commits say which days they touched.
_DAILY = ("events", "usage")
#: The roll-up written last: what it says it speaks of holds for all.
_SPEAKS = "account_days"
#: Roll-ups that neither health nor the account measures are made of.
_UNMEASURED = (
    *(measures.NAME, requests.NAME, definition_days.NAME, presence.NAME),
    "event_days",
)
#: What health and the account measures are made of.
_MEASURED = (
    *(table for table in ROLLUPS if table not in _UNMEASURED),
    *("accounts", "users", "features", "entitlements", "fx_rates", "contracts"),
    *("subscription_items", "tickets", "touchpoints", "emails", "survey_responses"),
    *(scorecards.NAME, told.OVERRIDES, told.PULSES),
)
#: Past this share of all days, building everything is cheaper than days.
_MOST_DAYS = 1 / 4

Progress = Callable[[float, str], None]


@dataclass
class Refreshed:
    """What a refresh did: seconds by step, and the days of usage rebuilt.

    `usage_days` is None after a full build and 0 when usage was up to date.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    usage_days: int | None = 0

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Ledger:
    """A derived table that is rebuilt whole when one of its sources changed."""

    name: str
    build: Callable[[Lake, duckdb.DuckDBPyConnection, Settings], None]
    sources: tuple[str, ...]
    settings: tuple[str, ...] = ("timezone",)
    #: What its commits record beside how far of its sources it is.
    also: Callable[[Lake, Settings, date], Mapping[str, int]] = lambda *_: {}


LEDGERS = (
    Ledger(
        "mrr_ledger",
        ledgers.build_mrr,
        ("subscription_items",),
        closing.RULES,
        closing.book,
    ),
    Ledger("seat_ledger", ledgers.build_seats, ("seat_contracts",)),
    Ledger(
        "assignments",
        ledgers.build_assignments,
        ("memberships", "users", "user_days", "identities"),
    ),
    Ledger("account_attributes", ledgers.build_attributes, ("accounts",), ()),
)


def refresh(
    workspace: Workspace,
    *,
    as_of: date,
    full: bool = False,
    progress: Progress | None = None,
) -> Refreshed:
    """Refresh one workspace; `as_of` D takes the snapshot of the day before D."""
    done = Refreshed()
    report = progress or (lambda _share, _what: None)
    with workspace.lake.lock("refresh"):
        roll_up(workspace, done, full=full, progress=lambda p: report(p * 0.8, "usage"))
        with _timed(done, comments.NAME):
            comments.take(workspace)
        _measure(workspace, done, as_of, full=full, report=report)
        with _timed(done, segments.MEMBERS):
            segments.take(workspace)
        with _timed(done, "onboarding conditions"):
            onboarding.catch_up(workspace)
    report(1.0, "done")
    return done


def roll_up(
    workspace: Workspace,
    done: Refreshed,
    *,
    full: bool = False,
    progress: Callable[[float], None] = lambda _: None,
) -> None:
    """Roll-ups and ledgers: all that metrics need."""
    lake, settings = workspace.lake, workspace.settings
    with lake.lock("roll_up"), connect_apart() as duck:
        _former(workspace, duck)
        with _timed(done, "usage"):
            done.usage_days = _usage(lake, duck, settings, full=full, progress=progress)
        for ledger in LEDGERS:
            with _timed(done, ledger.name):
                _ledger(workspace, duck, ledger, full=full)
        with _timed(done, requests.NAME):
            _requests(lake, duck, settings, full=full)
        with _timed(done, definition_days.NAME):
            definition_days.roll_up(workspace, duck, full=full)
        with _timed(done, "onboarding"):
            onboarding.take(workspace, duck, full=full)


def roll_up_attributes(workspace: Workspace, duck: duckdb.DuckDBPyConnection) -> None:
    """Attributes of accounts and what they were before, under the lock of roll-ups."""
    _former(workspace, duck)
    [ledger] = (each for each in LEDGERS if each.name == "account_attributes")
    _ledger(workspace, duck, ledger, full=False)


def _former(workspace: Workspace, duck: duckdb.DuckDBPyConnection) -> None:
    accounts = _versions(workspace.lake, ("accounts",))
    if _lags(workspace.lake, former.NAME, accounts):
        former.keep(workspace.lake, duck, workspace.today, progress=accounts)


def _measure(
    workspace: Workspace, done: Refreshed, as_of: date, *, full: bool, report: Progress
) -> None:
    """Health snapshots and account measures, where something they show changed."""
    card = scorecards.active(workspace).card
    read = (
        name
        for m in card.metrics.values()
        for name in workspace.entry(m.key, m.params).tables
    )
    now = _versions(workspace.lake, dict.fromkeys((*_MEASURED, models.NAME, *read)))
    now |= merged.version(workspace.lake)
    every = (setting.name for setting in fields(workspace.settings))
    now["settings"] = _fingerprint(workspace.settings, every)
    now["as_of"] = as_of.toordinal()
    if not full and not _lags(workspace.lake, measures.NAME, now):
        return
    report(0.8, "health")
    with _timed(done, "chances"):  # health may go by them
        chances.take(workspace, as_of)
    with _timed(done, "health"):
        snapshots.take(workspace, as_of)
    report(0.95, "accounts")
    with _timed(done, "account_measures"):
        measures.build(workspace, as_of, progress=now)
    with _timed(done, "forecasts"):
        forecasts.take(workspace, as_of)


@contextmanager
def _timed(done: Refreshed, step: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    done.seconds[step] = round(time.perf_counter() - began, 3)


def _usage(
    lake: Lake,
    duck: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    full: bool,
    progress: Callable[[float], None],
) -> int | None:
    """Bring the usage roll-ups up to date; days rebuilt, None for all."""
    now = _versions(lake, (*_DAILY, *FOLLOWED, _SUBSCRIBERS)) | merged.version(lake)
    now["settings"] = _fingerprint(
        settings, ("timezone", "session_timeout_s", "session_max_h", "late_days")
    )
    stored = {name: lake.progress(_SPEAKS, name) for name in now}
    before = {name: version for name, version in stored.items() if version is not None}
    builder = UsageBuilder(lake, duck, settings, now)
    was = lake.snapshot(presence.SOURCE).version
    changed = None
    if not full and before.keys() == now.keys():
        changed = _days_to_rebuild(lake, duck, settings, before, now)
    if changed is None:
        builder.all(progress)
    elif changed:
        builder.days(changed)
    elif before != now:
        lake.record(_SPEAKS, now)
    # A day is rebuilt with those that a session can reach it from.
    since = min(changed) - DAY * 3 if changed else None
    presence.roll_up(lake, duck, was=was, since=since)
    return None if changed is None else len(changed)


def _days_to_rebuild(
    lake: Lake,
    duck: duckdb.DuckDBPyConnection,
    settings: Settings,
    before: Mapping[str, int],
    now: Mapping[str, int],
) -> set[date] | None:
    """Local days touched since the last build; None when all has to be built."""
    # To merge accounts is rare, and of an account touches most days.
    apart = any(before[name] != now[name] for name in merged.version(lake))
    same = before["settings"] == now["settings"]
    if apart or not same or _subscribers_changed(lake, before, now):
        return None
    events, usage = (lake.days_changed(name, before[name]) for name in _DAILY)
    if events is None or usage is None:
        return None
    if any(before[name] != now[name] for name in FOLLOWED):
        try:
            touched = Touched(lake, duck, settings.late_days, before, now)
            events |= touched.event_days()
            usage |= touched.usage_days()
        except VersionGone:
            return None
    return _if_few(lake, "events", local_days(events, settings.tz) | usage)


def _if_few(lake: Lake, source: str, days: set[date]) -> set[date] | None:
    """Days to rebuild; None where they are so many that all is cheaper."""
    every = sum(28 for _ in lake.files_by_month(source))
    return None if len(days) > every * _MOST_DAYS else days


def _subscribers_changed(
    lake: Lake, before: Mapping[str, int], now: Mapping[str, int]
) -> bool:
    """Can usage lead to other accounts now? Only usage without an account does."""
    return before[_SUBSCRIBERS] != now[_SUBSCRIBERS] and lake.has_nulls(
        "usage", "account_id"
    )


def _requests(
    lake: Lake, duck: duckdb.DuckDBPyConnection, settings: Settings, *, full: bool
) -> None:
    """Bring `request_days` up to date: the days whose requests changed, or all."""
    now = _versions(lake, (requests.SOURCE,))
    if now[requests.SOURCE] < 0:
        return
    now |= merged.version(lake)
    now["settings"] = _fingerprint(settings, ("timezone",))
    before = {name: lake.progress(requests.NAME, name) for name in now}
    if before == now and not full:
        return
    since, days = before[requests.SOURCE], None
    same = all(before[name] == now[name] for name in now if name != requests.SOURCE)
    if not full and since is not None and same:
        changed = lake.days_changed(requests.SOURCE, since)
        if changed is not None:
            local = local_days(changed, settings.tz)
            days = _if_few(lake, requests.SOURCE, local)
    requests.build(lake, duck, settings, now, days)


def _ledger(
    workspace: Workspace,
    duck: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    *,
    full: bool,
) -> None:
    lake, settings = workspace.lake, workspace.settings
    now = _versions(lake, ledger.sources) | merged.version(lake)
    now["settings"] = _fingerprint(settings, ledger.settings)
    now |= ledger.also(lake, settings, workspace.today)
    if full or _lags(lake, ledger.name, now):
        ledger.build(lake, duck, settings)
        with lake.lock(ledger.name):
            lake.replace(duck, ledger.name, f"built_{ledger.name}", progress=now)


def _lags(lake: Lake, name: str, now: Mapping[str, int]) -> bool:
    return any(lake.progress(name, source) != v for source, v in now.items())


def _versions(lake: Lake, names: Iterable[str]) -> dict[str, int]:
    return {name: lake.snapshot(name).version for name in names}


def _fingerprint(settings: Settings, names: Iterable[str]) -> int:
    # A roll-up whose columns changed with a new version is built again, too.
    layout = [str(table.schema()) for table in ROLLUPS.values()]
    text = repr([*(getattr(settings, name) for name in names), layout])
    return int(digest(text)[:12], 16)
