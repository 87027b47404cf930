"""The people who matter at an account: roles, coverage, last touch, who left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import ibis
import polars as pl

from perennial.apps.customers.account import Account
from perennial.apps.customers.kept import kept
from perennial.apps.customers.models import Contact
from perennial.apps.customers.people import Person
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.windows import day_start
from perennial.lake.workspace import Workspace as Lake

#: A champion who used the product on as many days of four weeks, and then on none for
#: as many days, has left.
REGULAR_DAYS, REGULAR_WITHIN, SILENT_DAYS = 4, 28, 30
#: Roles that every account should have somebody in.
WANTED = (
    Contact.Role.CHAMPION,
    Contact.Role.DECISION_MAKER,
    Contact.Role.ECONOMIC_BUYER,
)


@dataclass(frozen=True)
class Gone:
    """A champion whose use of the product ended; `why` is deactivated or silent."""

    account_id: str
    user_id: str
    name: str
    why: str
    since: date


@dataclass(frozen=True)
class Known:
    """A contact as pages show it."""

    contact: Contact
    name: str
    last_touch_at: datetime | None
    last_seen_at: datetime | None
    gone: Gone | None = None


@dataclass(frozen=True)
class Covered:
    """A role that should be known, and who is in it."""

    role: Contact.Role
    people: Sequence[Known]


def contacts_of(
    workspace: Workspace, account: Account, staff: Sequence[Person]
) -> list[Known]:
    """Contacts of an account that play a part, or do not use the product."""
    rows = workspace.contacts.filter(account_id=account.account_id)
    found = [row for row in rows.order_by("role", "name", "pk") if row.role or row.name]
    if not found:
        return []
    users = {person.user_id: person for person in staff}
    lake = lake_of(workspace)
    touched = _touched(lake, account.account_id)
    emails = _emails(lake, tuple(sorted(row.user_id for row in found if row.user_id)))
    left = {g.user_id: g for g in gone(workspace) if g.account_id == account.account_id}
    return [
        Known(
            row,
            row.name or (users[row.user_id].name if row.user_id in users else
                         emails.get(row.user_id, ("", row.user_id))[1]),
            touched.get(row.email or emails.get(row.user_id, ("", ""))[0]),
            users[row.user_id].last_seen_at if row.user_id in users else None,
            left.get(row.user_id) if row.user_id else None,
        )
        for row in found
    ]  # fmt: skip


def coverage(known: Sequence[Known]) -> list[Covered]:
    """Whom an account should have, and has; one who left covers nothing."""
    return [
        Covered(role, [k for k in known if k.contact.role == role and not k.gone])
        for role in WANTED
    ]


def gone(workspace: Workspace) -> list[Gone]:
    """Champions who left, of all accounts, in one question; for alerts, too."""
    pairs = workspace.contacts.filter(role=Contact.Role.CHAMPION).exclude(user_id="")
    wanted = tuple(sorted(pairs.values_list("account_id", "user_id")))
    return list(_gone(lake_of(workspace), wanted)) if wanted else []


@kept("users", "user_days", "account_measures", size=64)
def _gone(lake: Lake, wanted: tuple[tuple[str, str], ...]) -> list[Gone]:
    as_of = lake.lake.least("account_measures", "as_of") or lake.today
    users = lake.table("users")
    mine = users.filter(users.user_id.isin(sorted({user for _, user in wanted})))
    columns = mine.select("user_id", "name", "email", "deactivated_at")
    people = {r["user_id"]: r for r in lake.engine.run(columns).iter_rows(named=True)}
    used = _used(lake, as_of, sorted(people))
    found = []
    for account_id, user_id in wanted:
        person = people.get(user_id)
        if person is None:
            continue
        name = person["name"] or person["email"] or user_id
        ended = person["deactivated_at"]
        if ended is not None and ended < day_start(as_of, lake.settings.tz):
            day = ended.astimezone(lake.settings.tz).date()
            found.append(Gone(account_id, user_id, name, "deactivated", day))
            continue
        last, days = used.get((account_id, user_id), (None, 0))
        if last and days >= REGULAR_DAYS and (as_of - last).days > SILENT_DAYS:
            found.append(Gone(account_id, user_id, name, "silent", last))
    return found


def _used(
    lake: Lake, as_of: date, ids: Sequence[str]
) -> Mapping[tuple[str, str], tuple[date, int]]:
    """The last day of use, and days of use in the four weeks that end with it."""
    days = lake.table("user_days")
    days = days.filter(
        days.user_id.isin(list(ids)) & (days.events > 0) & (days.date < as_of)
    )
    each = days.select("account_id", "user_id", "date").distinct()
    newest = ibis.window(group_by=["account_id", "user_id"])
    each = each.mutate(last=each.date.max().over(newest))
    near = each.filter(each.date > each["last"] - ibis.interval(days=REGULAR_WITHIN))
    found = near.group_by("account_id", "user_id").agg(
        last=near["last"].max(), days=near.count()
    )
    rows: list[dict[str, Any]] = lake.engine.run(found).to_dicts()
    return {(r["account_id"], r["user_id"]): (_day(r["last"]), r["days"]) for r in rows}


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


@kept("emails", size=256)
def _touched(lake: Lake, account_id: str) -> Mapping[str, datetime]:
    """The last e-mail with each address, either way."""
    wanted = ("sent_at", "from_address", "to_addresses", "is_automatic")
    emails = lake.engine.rows("emails", account_id, wanted)
    mine = emails.filter(~pl.col("is_automatic").fill_null(value=False))
    found: dict[str, datetime] = {}
    for at, sender, to, _automatic in mine.sort("sent_at").iter_rows():
        for address in (sender, *(to or "").split(",")):
            found[address.strip().lower()] = at
    return found


@kept("users", size=256)
def _emails(lake: Lake, ids: tuple[str, ...]) -> Mapping[str, tuple[str, str]]:
    """Address and name of users."""
    users = lake.table("users")
    rows = lake.engine.run(
        users.filter(users.user_id.isin(list(ids))).select("user_id", "email", "name")
    )
    return {
        key: ((email or "").lower(), name or email or key)
        for key, email, name in rows.iter_rows()
    }
