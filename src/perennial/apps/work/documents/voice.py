"""The page of a review about support and what people said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.customers import wording
from perennial.apps.customers.account import Account
from perennial.apps.customers.scope import only, rows_of
from perennial.apps.reports import values
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.windows import Period, day_start
from perennial.lake.workspace import Workspace as Lake
from perennial.ui import formats
from perennial.ui.documents import Column, Fact, Items, Page
from perennial.ui.formats import Regional

_MOST_COMMENTS, _MOST_TICKETS, _LONGEST = 4, 6, 170
#: What is told of support and of voice, as far as there is something to tell.
_METRICS = ("first_response_time", "resolution_time", "csat", "nps")


@dataclass(frozen=True)
class _Asked:
    """Facts of an account in a period, in words."""

    lake: Lake
    account: Account
    period: Period
    regional: Regional

    def rows(self, table: str, at: str) -> list[dict[str, Any]]:
        """Rows of a fact table in the period, the newest first."""
        zone = self.lake.settings.tz
        start, end = (day_start(d, zone) for d in (self.period.start, self.period.end))
        found = rows_of(self.lake, table, self.account.account_id)
        inside = found.filter((pl.col(at) >= start) & (pl.col(at) < end))
        return inside.sort(at).to_dicts()[::-1]

    def day(self, value: Any) -> str:
        return formats.day(value, self.regional, self.account.as_of)


def page(
    workspace: Workspace,
    account: Account,
    period: Period,
    regional: Regional,
    *,
    mask: bool,
) -> Page:
    asked = _Asked(lake_of(workspace), account, period, regional)
    tickets = [t for t in asked.rows("tickets", "opened_at") if _counts(t)]
    answers = asked.rows("survey_responses", "answered_at")
    said = ngettext(
        "%(n)s ticket was opened in the 13 weeks,",
        "%(n)s tickets were opened in the 13 weeks,",
        len(tickets),
    ) % {"n": formats.number(len(tickets), regional)}
    rest = ngettext(
        "and %(n)s survey was answered.",
        "and %(n)s surveys were answered.",
        len(answers),
    ) % {"n": formats.number(len(answers), regional)}
    facts = [_fact(asked, key) for key in _METRICS]
    columns = [
        Column([_open_tickets(asked, tickets)]),
        Column([_comments(workspace, asked, answers, mask=mask)], 1.6),
    ]
    shown = [fact for fact in facts if fact]
    return Page(_("Support and voice"), said, rest, columns, shown)


def _counts(ticket: dict[str, Any]) -> bool:
    return not ticket["is_spam"] and ticket["merged_into"] is None


def _fact(asked: _Asked, key: str) -> Fact | None:
    """A metric of the account in the period; None where there is nothing to count."""
    metric = asked.lake.entry(key)
    rows = asked.lake.metric(
        key,
        start=asked.period.start,
        end=asked.period.end,
        where=only(asked.account.account_id),
    ).to_dicts()
    if not rows or rows[0]["value"] is None:
        return None
    value, n = rows[0]["value"], rows[0]["n"]
    note = _("n = %(n)s") % {"n": formats.number(n, asked.regional)}
    return Fact(_(metric.title), values.text(value, metric.unit, asked.regional), note)


def _open_tickets(asked: _Asked, tickets: list[dict[str, Any]]) -> Items:
    """Those that are not solved, the newest first."""
    waiting = [t for t in tickets if t["solved_at"] is None and t["closed_at"] is None]
    items = [
        (
            t["topic"] or t["ticket_id"],
            " · ".join(
                part
                for part in (t["priority"] or "", asked.day(t["opened_at"]))
                if part
            ),
        )
        for t in waiting[:_MOST_TICKETS]
    ]
    return Items(_("Open tickets"), items, empty=_("No ticket is open."))


def _comments(
    workspace: Workspace, asked: _Asked, answers: list[dict[str, Any]], *, mask: bool
) -> Items:
    told = [a for a in answers if (a["comment"] or "").strip()][:_MOST_COMMENTS]
    texts = wording.shown(
        workspace, [(asked.account.account_id, a["comment"]) for a in told], mask=mask
    )
    items = []
    for answer, said in zip(told, texts, strict=True):
        text = " ".join(said.split())
        text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        score = formats.number(answer["score"], asked.regional)
        detail = (
            f"{answer['kind'].upper()} {score} · {asked.day(answer['answered_at'])}"
        )
        items.append((f"“{text}”", detail))
    return Items(_("What people said"), items, empty=_("Nobody left a comment."))
