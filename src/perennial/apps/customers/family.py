"""Accounts above and below one another: what a group of companies is together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from perennial.apps.customers.account import RANK, Account, color_of
from perennial.apps.customers.kept import kept
from perennial.apps.customers.queries import accounts_of
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.errors import BadValue
from perennial.lake.workspace import Workspace as Lake


@dataclass(frozen=True)
class Family:
    """An account with all below it. `parent` is the one above, where there is one.

    `score` is the mean of the scores, weighted by MRR; None where nobody who pays has
    one. `worst` is the account with the worst color.
    """

    parent: Account | None
    below: Sequence[Account]
    mrr: Decimal
    seats: int
    active_users: int
    score: float | None
    color: str
    worst: Account | None


def family(workspace: Workspace, account: Account) -> Family | None:
    """The group an account is the head or a part of; None for one that is alone."""
    lake = lake_of(workspace)
    above = parents(lake)
    ids = below(above, account.account_id)
    parent_id = above.get(account.account_id)
    if not ids and parent_id is None:
        return None
    found = {a.account_id: a for a in _accounts(lake, (*ids, parent_id or ""))}
    members = sorted((found[i] for i in ids if i in found), key=lambda a: -a.mrr)
    every = [account, *members]
    scored = [(a.score, a.mrr) for a in every if a.score is not None and a.mrr > 0]
    weight = sum((mrr for _, mrr in scored), Decimal(0))
    total = sum(Decimal(str(score)) * mrr for score, mrr in scored)
    score = float(total / weight) if weight else None
    colored = [a for a in every if a.color in RANK]
    return Family(
        found.get(parent_id or ""),
        members,
        sum((a.mrr for a in every), Decimal(0)),
        sum(a.seats or 0 for a in every),
        sum(a.active_users or 0 for a in every),
        score,
        "" if score is None else color_of(score, account.cuts),
        min(colored, key=lambda a: (RANK[a.color], a.score or 0), default=None),
    )


@kept("accounts", size=8)
def parents(lake: Lake) -> Mapping[str, str]:
    """The parent of each account that has one."""
    accounts = lake.table("accounts")
    named = accounts.filter(accounts.parent_account_id.notnull())
    rows = lake.engine.run(named.select("account_id", "parent_account_id"))
    return {child: parent for child, parent in rows.iter_rows() if child != parent}


def below(above: Mapping[str, str], account_id: str) -> list[str]:
    """Everything below an account, whatever circles the sources may hold."""
    children: dict[str, list[str]] = {}
    for child, parent in above.items():
        children.setdefault(parent, []).append(child)
    found, waiting = [], [account_id]
    seen = {account_id}
    while waiting:
        for child in sorted(children.get(waiting.pop(), ())):
            if child not in seen:
                seen.add(child)
                found.append(child)
                waiting.append(child)
    return found


def check_parent(workspace: Workspace, account_id: str, parent: str | None) -> None:
    """Raise `BadValue` for a parent that is not here, or lies below the account."""
    if parent is None:
        return
    lake = lake_of(workspace)
    if not _accounts(lake, (parent,)):
        raise BadValue(_("There is no account “%(id)s”.") % {"id": parent})
    if parent == account_id or parent in below(parents(lake), account_id):
        raise BadValue(_("An account cannot be above itself."))


@kept("account_measures", size=256)
def _accounts(lake: Lake, ids: tuple[str, ...]) -> list[Account]:
    measures = lake.table("account_measures")
    rows = measures.filter(measures.account_id.isin([i for i in ids if i]))
    return accounts_of(lake, lake.engine.run(rows))
