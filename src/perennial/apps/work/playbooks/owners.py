"""Who gets an account: the owner a step finds by its rule.

The choice is among people who own accounts already, unless the step names some; who
is away is passed over. Accounts given by a batch count at once, so that a batch does
not end with one person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from perennial.apps.customers.account import Account
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.apps.work.playbooks.document import AssignStep
from perennial.core.money import SCALE
from perennial.lake.workspace import Workspace as Lake

#: Accounts that are work: not those who left, nor what was put away.
_LIVE = ("paying", "trial", "free", "lead", "paused")


class Nobody(StrEnum):
    """Why a rule finds no owner."""

    GONE = "gone"
    AWAY = "away"
    LEFT = "left"
    NONE = "none"


class Owners:
    """What each of some people has: accounts and MRR, counted on as they are given."""

    def __init__(
        self, lake: Lake, members: Mapping[str, Membership], away: Sequence[str]
    ) -> None:
        able = {e for e, m in members.items() if m.covers(Role.MEMBER)}
        self._able, self._here = able, frozenset((able - {*away}) or able)
        table = lake.table("account_measures")
        live = table.filter(table.state.isin(_LIVE) & table.owner_email.notnull())
        sums = live.group_by(email=live.owner_email.lower()).agg(
            n=live.count(), mrr=live.mrr_e4.sum().fill_null(0)
        )
        rows = lake.engine.run(sums).iter_rows()
        self._has = {email: (n, int(mrr)) for email, n, mrr in rows}

    def choose(self, step: AssignStep, account: Account | None) -> str | Nobody:
        """The address of the one with least, the account itself left aside; it counts
        as theirs from now on."""
        if account is None:
            return Nobody.GONE
        named = {email.lower() for email in step.among}
        if named:
            people = self._here & named
        else:
            people = (self._here & self._has.keys()) or self._here
        if not people:
            return self._why_nobody(named)
        mrr = int(account.mrr * SCALE)
        self._count((account.owner_email or "").lower(), -1, -mrr)
        found = min(people, key=lambda email: self._load(step, email))
        self._count(found, 1, mrr)
        return found

    def _why_nobody(self, named: set[str]) -> Nobody:
        if not named:
            return Nobody.NONE
        return Nobody.AWAY if self._able & named else Nobody.LEFT

    def _load(self, step: AssignStep, email: str) -> tuple[int, int, str]:
        accounts, mrr = self._has.get(email, (0, 0))
        first, then = (mrr, accounts) if step.by == "least_mrr" else (accounts, mrr)
        return (first, then, email)

    def _count(self, email: str, accounts: int, mrr: int) -> None:
        n, has = self._has.get(email, (0, 0))
        self._has[email] = (n + accounts, has + mrr)
