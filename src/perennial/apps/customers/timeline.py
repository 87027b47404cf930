"""What happened with one account, newest first, from the facts themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

import polars as pl
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from perennial.apps.customers import money
from perennial.apps.customers.account import DETRACTOR, Account, shown
from perennial.apps.customers.breakdown import Snapshot, biggest_move
from perennial.apps.customers.kept import kept
from perennial.apps.customers.parts import part_name
from perennial.apps.customers.scope import rows_of
from perennial.apps.customers.words import Text, name_of
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.money import SCALE
from perennial.core.windows import day_start
from perennial.lake.workspace import Workspace as Lake
from perennial.ui import formats
from perennial.ui.formats import Regional
from perennial.ui.templatetags.ui import label, state_word

#: Entries shown.
MOST = 20
_URGENT = {"urgent", "high"}


@dataclass(frozen=True)
class Entry:
    """One thing that happened: when, with which icon, in words.

    `kind` is what the page filters by (`timeline_feed.KINDS`); `html` is a longer text
    that is safe already; `url` leads to what it speaks of. Personal data in `quote`,
    what a customer wrote, and in `title` and `said`, what was written of them, is for
    some only.
    """

    at: date | datetime
    icon: str
    text: SafeString | str
    title: str = ""
    detail: str = ""
    quote: str = ""
    said: str = ""
    kind: str = ""
    html: SafeString | str = ""
    url: str = ""


def timeline(
    workspace: Workspace,
    account: Account,
    history: Sequence[tuple[date, Snapshot]],
    names: Mapping[str, str],
    users: Mapping[str, str],
    regional: Regional,
) -> list[Entry]:
    """The newest entries of every kind, put together.

    `names` are of one's own people by address, `users` of the account's by id.
    """
    lake = lake_of(workspace)
    people = _People(lake, names, users)
    found = [
        *usage_entries(_today(lake, account), regional),
        *fact_entries(_facts(lake, account)[:MOST], account, people, regional),
        *seat_entries(money.seat_levels(workspace, account), regional),
        *mrr_entries(money.mrr_levels(workspace, account), regional),
        *health_entries(history, regional),
    ]
    return sorted(found, key=lambda e: instant_of(e.at, regional), reverse=True)[:MOST]


def instant_of(at: date | datetime, regional: Regional) -> datetime:
    return at if isinstance(at, datetime) else day_start(at, regional.zone)


# --- use, as it happens -------------------------------------------------------


class Use(NamedTuple):
    """What was done since the day the numbers speak of began."""

    last_at: datetime
    users: int
    events: int


@kept("user_days", "users", "assignments")
def _today(lake: Lake, account: Account) -> Use | None:
    wanted = ("user_id", "last_at", "events")
    days = rows_of(lake, "user_days", account.account_id, wanted, account.as_of)
    [found] = (
        days.filter(pl.col("events") > 0)
        .select(
            pl.col("last_at").max(),
            pl.col("user_id").drop_nulls().n_unique(),
            pl.col("events").sum(),
        )
        .rows()
    )
    return Use(*found) if found[0] else None


def usage_entries(use: Use | None, regional: Regional) -> Iterator[Entry]:
    if use is None:
        return
    people = ngettext("%(n)s person", "%(n)s people", use.users) % {
        "n": formats.number(use.users, regional)
    }
    events = ngettext("%(n)s event", "%(n)s events", use.events) % {
        "n": formats.number(use.events, regional)
    }
    text = _("In the product today: %(people)s, %(events)s")
    text = text % {"people": people, "events": events}
    yield Entry(use.last_at, "activity", text, kind="usage")


# --- contacts, tickets and answers --------------------------------------------


def every(
    lake: Lake,
    account: Account,
    names: Mapping[str, str],
    users: Mapping[str, str],
    regional: Regional,
) -> Iterator[Entry]:
    """All contacts, tickets and answers, and what was done today."""
    people = _People(lake, names, users)
    yield from usage_entries(_today(lake, account), regional)
    yield from fact_entries(_facts(lake, account), account, people, regional)


@kept("touchpoints", "tickets", "survey_responses")
def _facts(lake: Lake, account: Account) -> list[dict[str, Any]]:
    """Contacts, tickets and answers before the day the data speak of, newest first.

    Notes are shown as what they are, not as the touchpoints they became.
    """
    end = day_start(account.as_of, lake.settings.tz)
    found: list[dict[str, Any]] = []
    for name, columns in _FACTS.items():
        rows = lake.engine.rows(name, account.account_id, list(columns.values()))
        rows = rows.select(**columns).filter(pl.col("at") < end)
        if name == "tickets":
            rows = rows.filter(~pl.col("is_spam").fill_null(value=False))
            rows = rows.filter(pl.col("merged_into").is_null())
        if name == "touchpoints":
            rows = rows.filter(~pl.col("id").str.starts_with("note:"))
        found += [{"table": name, **row} for row in rows.to_dicts()]
    return sorted(found, key=lambda row: row["at"], reverse=True)


_FACTS = {
    "touchpoints": {
        "id": "touchpoint_id",
        "at": "at",
        "kind": "kind",
        "who": "staff_email",
        "said": "summary",
        "number": "minutes",
    },
    "tickets": {
        "at": "opened_at",
        "kind": "priority",
        "topic": "topic",
        "subject": "subject",
        "description": "description",
        "ticket_id": "ticket_id",
        "solved_at": "solved_at",
        "closed_at": "closed_at",
        "is_spam": "is_spam",
        "merged_into": "merged_into",
    },
    "survey_responses": {
        "at": "answered_at",
        "kind": "kind",
        "who": "user_id",
        "said": "comment",
        "number": "score",
        "of": "scale_max",
    },
}


@dataclass(frozen=True)
class _People:
    """Names: one's own people by address, the account's by id."""

    lake: Lake
    own: Mapping[str, str]
    users: Mapping[str, str]

    def of_users(self, ids: set[str]) -> Mapping[str, str]:
        gone = frozenset(ids - set(self.users))
        return {**self.users, **_names(self.lake, gone)} if gone else self.users


def fact_entries(
    rows: Sequence[Mapping[str, Any]],
    account: Account,
    people: _People,
    regional: Regional,
) -> Iterator[Entry]:
    answers = [r for r in rows if r["table"] == "survey_responses"]
    users = people.of_users({r["who"] for r in answers if r["who"]})
    for row in rows:
        if row["table"] == "touchpoints":
            yield replace(_contact(row, people.own, regional), kind="contact")
        elif row["table"] == "tickets":
            yield replace(_ticket(row, account, regional), kind="ticket")
        else:
            yield replace(_answer(row, users, regional), kind="survey")


# --- contacts ----------------------------------------------------------------


@dataclass(frozen=True)
class _Kind:
    icon: str
    word: Text


_KINDS = {
    "call": _Kind(icon="phone", word=pgettext_lazy("kind of contact", "Call")),
    "meeting": _Kind(
        icon="calendar-event", word=pgettext_lazy("kind of contact", "Meeting")
    ),
    "e-mail": _Kind(icon="mail", word=pgettext_lazy("kind of contact", "E-mail")),
    "training": _Kind(icon="school", word=pgettext_lazy("kind of contact", "Training")),
}
_SAD = _Kind(icon="mood-sad", word="")
_CONTACT = _Kind(icon="message", word=pgettext_lazy("kind of contact", "Contact"))


def _contact(
    row: Mapping[str, Any], names: Mapping[str, str], regional: Regional
) -> Entry:
    kind = _KINDS.get(row["kind"] or "", _CONTACT)
    parts = [str(kind.word)]
    if row["number"] and row["kind"] != "e-mail":
        parts.append(_("%(n)s min") % {"n": formats.number(row["number"], regional)})
    if row["who"]:
        parts.append(name_of(row["who"], names))
    return Entry(row["at"], kind.icon, ", ".join(parts), said=row["said"] or "")


# --- tickets -----------------------------------------------------------------


def _ticket(row: Mapping[str, Any], account: Account, regional: Regional) -> Entry:
    priority = (row["kind"] or "").lower()
    mark = label(priority, "red") if priority in _URGENT else ""
    said = _("Ticket: <b>{topic}</b> {mark}")
    topic = row["topic"] or row["ticket_id"]
    text = format_html(said, topic=topic, mark=mark)
    wrote = [part.strip() for part in (row["subject"], row["description"]) if part]
    return Entry(
        row["at"],
        "ticket",
        text,
        detail=_course(row, account, regional),
        quote=" – ".join(wrote),
    )


def _course(row: Mapping[str, Any], account: Account, regional: Regional) -> str:
    """How a ticket went, as of the day the data speak of."""
    end = day_start(account.as_of, regional.zone)
    done = row["solved_at"] or row["closed_at"]
    if done is not None and done < end:
        took = _span((done - row["at"]).total_seconds(), regional)
        return _("Solved in %(time)s") % {"time": took}
    took = _span((end - row["at"]).total_seconds(), regional)
    return _("Open for %(time)s") % {"time": took}


def _span(seconds: float, regional: Regional) -> str:
    hours = round(seconds / 3600)
    if hours < 48:
        n = max(hours, 1)
        return ngettext("%(n)s hour", "%(n)s hours", n) % {"n": n}
    days = round(seconds / 86400)
    return ngettext("%(n)s day", "%(n)s days", days) % {
        "n": formats.number(days, regional)
    }


# --- answers -----------------------------------------------------------------


def _answer(
    row: Mapping[str, Any], users: Mapping[str, str], regional: Regional
) -> Entry:
    score = formats.number(row["number"], regional)
    if row["of"] and row["kind"] != "nps":
        top = formats.number(row["of"], regional)
        score = _("%(score)s of %(top)s") % {"score": score, "top": top}
    who = users.get(row["who"], "")
    text = format_html(
        "{} <b>{}</b>{}", row["kind"].upper(), score, f", {who}" if who else ""
    )
    is_bad = row["kind"] == "nps" and row["number"] <= DETRACTOR
    kind = _SAD if is_bad else _CONTACT
    return Entry(row["at"], kind.icon, text, quote=row["said"] or "")


@kept("users")
def _names(lake: Lake, ids: frozenset[str]) -> dict[str, str]:
    """Names of those who have no seat any more."""
    users = lake.table("users")
    found = users.filter(users.user_id.isin(sorted(ids))).select("user_id", "name")
    return {
        user_id: name for user_id, name in lake.engine.run(found).iter_rows() if name
    }


# --- seats, money, health ----------------------------------------------------


def seat_entries(changes: Sequence[money.Level], regional: Regional) -> Iterator[Entry]:
    for level in changes:
        if level.before is None or level.value is None:
            continue
        by = level.value - level.before
        count = formats.number(abs(by), regional)
        if by > 0:
            said = ngettext("%(n)s seat added", "%(n)s seats added", by) % {"n": count}
        else:
            said = ngettext("%(n)s seat removed", "%(n)s seats removed", -by) % {
                "n": count
            }
        values = (formats.number(v, regional) for v in (level.before, level.value))
        text = f"{said}: {' → '.join(values)}"
        yield Entry(level.since, icon="armchair", text=text)


def mrr_entries(changes: Sequence[money.Level], regional: Regional) -> Iterator[Entry]:
    for level in changes:
        before, now = (Decimal(v or 0) / SCALE for v in (level.before, level.value))
        if before == now:
            continue
        amount = formats.money(abs(now - before), regional, level.currency)
        values = tuple(
            formats.money(v, regional, level.currency) for v in (before, now)
        )
        pair = {"before": values[0], "now": values[1]}
        if not before:
            text, detail = _("First MRR: %(now)s") % pair, ""
        elif not now:
            text, detail = _("MRR ended: it was %(before)s") % pair, ""
        else:
            sign = "+" if now > before else formats.MINUS
            text, detail = (
                format_html("MRR <b>{}{}</b>", sign, amount),
                " → ".join(values),
            )
        yield Entry(level.since, icon="coins", text=text, detail=detail)


def health_entries(
    history: Sequence[tuple[date, Snapshot]],
    regional: Regional,
) -> Iterator[Entry]:
    """Changes of color between two snapshots that follow each other."""
    scored = [(day, s) for day, s in history if s.score is not None]
    for (_before_day, before), (day, now) in pairwise(scored):
        if before.color == now.color:
            continue
        text = format_html(
            _("Health <b>{before} → {now}</b>, {was} to {score}"),
            before=state_word(before.color),
            now=state_word(now.color),
            was=_score(before, regional),
            score=_score(now, regional),
        )
        moved = biggest_move(now, before)
        detail = move_text(moved, regional)
        yield Entry(day, icon="activity-heartbeat", text=text, detail=detail)


def _score(snapshot: Snapshot, regional: Regional) -> str:
    return formats.number(shown(snapshot.score or 0.0, snapshot.cuts), regional)


def move_text(moved: tuple[str, float] | None, regional: Regional) -> str:
    """ "Breadth −4.0": the part that moved most, in points of the score."""
    if moved is None or abs(moved[1]) < 0.05:
        return ""
    name, points = moved
    sign = "+" if points > 0 else ""
    return f"{part_name(name)} {sign}{formats.number(points, regional, 1)}"
