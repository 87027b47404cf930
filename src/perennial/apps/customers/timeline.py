"""What happened with one account, newest first, from the facts themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import ibis
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from perennial.apps.customers import money
from perennial.apps.customers.account import DETRACTOR, Account, Cuts, shown
from perennial.apps.customers.breakdown import Snapshot, biggest_move
from perennial.apps.customers.words import Text, name_of
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.money import SCALE
from perennial.core.settings import HealthTargets
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
    """One thing that happened: when, with which icon, in words."""

    at: date | datetime
    icon: str
    text: SafeString | str
    detail: str = ""
    quote: str = ""


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
    found = [
        *_touchpoints(lake, account, names, regional),
        *_tickets(lake, account, regional),
        *_answers(lake, account, users, regional),
        *seat_entries(money.seat_levels(workspace, account), regional),
        *mrr_entries(money.mrr_levels(workspace, account), regional),
        *health_entries(history, lake.settings.health, regional),
    ]
    return sorted(found, key=lambda e: _instant(e.at, regional), reverse=True)[:MOST]


def _instant(at: date | datetime, regional: Regional) -> datetime:
    return at if isinstance(at, datetime) else day_start(at, regional.zone)


def _newest(
    lake: Lake, account: Account, name: str, column: str
) -> list[dict[str, Any]]:
    """The newest rows of a fact table before the day the data speak of."""
    table = lake.table(name)
    end = ibis.literal(day_start(account.as_of, lake.settings.tz))
    mine = table.filter(
        (table.account_id == account.account_id) & (table[column] < end)
    )
    return lake.engine.run(mine.order_by(ibis.desc(column)).limit(MOST)).to_dicts()


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


def _touchpoints(
    lake: Lake, account: Account, names: Mapping[str, str], regional: Regional
) -> Iterator[Entry]:
    for row in _newest(lake, account, "touchpoints", "at"):
        kind = _KINDS.get(row["kind"] or "", _CONTACT)
        parts = [str(kind.word)]
        if row["minutes"] and row["kind"] != "e-mail":
            minutes = formats.number(row["minutes"], regional)
            parts.append(_("%(n)s min") % {"n": minutes})
        if row["staff_email"]:
            parts.append(name_of(row["staff_email"], names))
        yield Entry(row["at"], kind.icon, ", ".join(parts), detail=row["summary"] or "")


# --- tickets -----------------------------------------------------------------


def _tickets(lake: Lake, account: Account, regional: Regional) -> Iterator[Entry]:
    for row in _newest(lake, account, "tickets", "opened_at"):
        if row["is_spam"] or row["merged_into"]:
            continue
        priority = (row["priority"] or "").lower()
        mark = label(priority, "red") if priority in _URGENT else ""
        topic = row["topic"] or row["ticket_id"]
        text = format_html(_("Ticket: <b>{topic}</b> {mark}"), topic=topic, mark=mark)
        yield Entry(
            row["opened_at"], "ticket", text, detail=_course(row, account, regional)
        )


def _course(row: Mapping[str, Any], account: Account, regional: Regional) -> str:
    """How a ticket went, as of the day the data speak of."""
    end = day_start(account.as_of, regional.zone)
    done = row["solved_at"] or row["closed_at"]
    if done is not None and done < end:
        took = _span((done - row["opened_at"]).total_seconds(), regional)
        return _("Solved in %(time)s") % {"time": took}
    took = _span((end - row["opened_at"]).total_seconds(), regional)
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


def _answers(
    lake: Lake, account: Account, users: Mapping[str, str], regional: Regional
) -> Iterator[Entry]:
    rows = _newest(lake, account, "survey_responses", "answered_at")
    ids = {row["user_id"] for row in rows if row["user_id"]}
    names = {**users, **_names(lake, ids - set(users))}
    for row in rows:
        name = row["kind"].upper()
        score = formats.number(row["score"], regional)
        if row["scale_max"] and row["kind"] != "nps":
            top = formats.number(row["scale_max"], regional)
            score = _("%(score)s of %(top)s") % {"score": score, "top": top}
        who = names.get(row["user_id"], "")
        text = format_html("{} <b>{}</b>{}", name, score, f", {who}" if who else "")
        is_bad = row["kind"] == "nps" and row["score"] <= DETRACTOR
        kind = _SAD if is_bad else _CONTACT
        yield Entry(row["answered_at"], kind.icon, text, quote=row["comment"] or "")


def _names(lake: Lake, ids: set[str]) -> dict[str, str]:
    """Names of those who have no seat any more."""
    if not ids:
        return {}
    users = lake.table("users")
    found = users.filter(users.user_id.isin(sorted(ids))).select("user_id", "name")
    return {
        user_id: name for user_id, name in lake.engine.run(found).iter_rows() if name
    }


# --- seats, money, health ----------------------------------------------------


def seat_entries(changes: Sequence[money.Level], regional: Regional) -> Iterator[Entry]:
    for level in changes[:MOST]:
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
    for level in changes[:MOST]:
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
    targets: HealthTargets,
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
            was=_score(before, targets.cuts, regional),
            score=_score(now, targets.cuts, regional),
        )
        moved = biggest_move(now, before, targets)
        detail = move_text(moved, regional)
        yield Entry(day, icon="activity-heartbeat", text=text, detail=detail)


def _score(snapshot: Snapshot, cuts: Cuts, regional: Regional) -> str:
    return formats.number(shown(snapshot.score or 0.0, cuts), regional)


def move_text(moved: tuple[str, float] | None, regional: Regional) -> str:
    """ "Breadth −4.0": the part that moved most, in points of the score."""
    if moved is None or abs(moved[1]) < 0.05:
        return ""
    name, points = moved
    sign = "+" if points > 0 else ""
    return f"{PARTS[name]} {sign}{formats.number(points, regional, 1)}"


#: Names of the parts of the score.
PARTS: Mapping[str, Text] = {
    "frequency": pgettext_lazy("part of the health score", "Frequency"),
    "breadth": pgettext_lazy("part of the health score", "Breadth"),
    "depth": pgettext_lazy("part of the health score", "Depth"),
    "growth": pgettext_lazy("part of the health score", "Growth"),
}
