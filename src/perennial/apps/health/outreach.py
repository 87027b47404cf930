"""Whom to call: customers in their order, with what is missing to green."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.customers import today
from perennial.apps.customers.account import Account
from perennial.apps.customers.breakdown import Snapshot, effective_weights, snapshot
from perennial.apps.customers.kept import kept
from perennial.apps.customers.parts import part_name
from perennial.apps.customers.reasons import Sentence
from perennial.lake import chances
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring import outreach
from perennial.scoring.outreach import Case
from perennial.ui import formats
from perennial.ui.formats import Regional

#: Rows of the page: more nobody calls in a week.
MOST = 100


@dataclass(frozen=True)
class Row:
    """A customer to call. `at_risk` is a month's money, None where no model says."""

    account: Account
    p_renew: float | None
    at_risk: float | None
    missing: float | None
    gap: str


def rows(
    lake: Lake, accounts: Sequence[Account], as_of: date, regional: Regional
) -> list[Row]:
    """The first of them in the order of H05."""
    chance = _chances(lake, as_of)
    by_id = {account.account_id: account for account in accounts}
    cases = [
        Case(
            a.account_id, a.color, float(a.mrr), chance.get(a.account_id), a.renewal_on
        )
        for a in accounts
    ]
    first = outreach.ordered(cases, as_of)[:MOST]
    stored = {
        row["account_id"]: snapshot(lake, row)
        for row in today.snapshots_of(lake, [as_of], [c.account_id for c in first])
    }
    return [
        _row(by_id[c.account_id], c, stored.get(c.account_id), as_of, regional)
        for c in first
    ]


def _row(
    account: Account, case: Case, now: Snapshot | None, as_of: date, regional: Regional
) -> Row:
    at_risk = outreach.value_at_risk(case, as_of)
    if now is None or now.score is None:
        return Row(account, case.p_renew, at_risk, None, "")
    weights = effective_weights(now.parts)
    green = now.cuts[-1]
    gap = outreach.gap_to_green(now.parts, weights, now.score, green)
    missing = green - now.score if gap else None
    return Row(account, case.p_renew, at_risk, missing, _gap(gap, regional))


def _gap(gap: Mapping[str, float], regional: Regional) -> str:
    """ "Depth up to +18.2, breadth up to +9.0": where the points are."""
    told = [
        _("%(part)s up to +%(points)s")
        % {"part": part_name(name), "points": formats.number(points, regional, 1)}
        for name, points in list(gap.items())[:2]
        if points >= 0.05
    ]
    return ", ".join(told)


def headline(
    accounts: Sequence[Account], rows: Sequence[Row], regional: Regional
) -> Sentence:
    if not accounts:
        return Sentence(_("No account is red or orange."), "")
    lead = ngettext(
        "%(n)s account is red or orange.",
        "%(n)s accounts are red or orange.",
        len(accounts),
    ) % {"n": formats.number(len(accounts), regional)}
    money = sum((account.mrr for account in accounts), Decimal(0))
    rest = _("They pay %(money)s a month.") % {"money": formats.money(money, regional)}
    if not any(row.p_renew is not None for row in rows):
        rest += " " + _(
            "The largest come first: no model tells chances of renewal yet."
        )
    return Sentence(lead, rest)


@kept(chances.NAME, size=64, shared=True)
def _chances(lake: Lake, as_of: date) -> Mapping[str, float | None]:
    found = chances.of_day(lake, as_of)
    return dict(found.select("account_id", "p").iter_rows())
