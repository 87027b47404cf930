"""What the list of accounts and every page's frame read.

All of it is `account_measures`, one row an account, as of the last refresh. A
workspace that was never refreshed has no rows: `book` is then None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import polars as pl
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from perennial.apps.customers import listing
from perennial.apps.customers.account import FULL, Account, from_row
from perennial.apps.customers.kept import kept
from perennial.apps.customers.listing import Filter, Reader
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.errors import BadValue
from perennial.core.money import SCALE
from perennial.core.windows import DAY
from perennial.lake.workspace import Workspace as Lake

#: Rows of the list that come at once.
PAGE = 40
#: Rows of a file that are read at once.
BATCH = 5_000


@dataclass(frozen=True)
class Slice:
    """Customers of one owner, segment and state, by what the built-in views ask."""

    owner: str
    segment: str
    state: str
    accounts: int
    mrr_e4: int
    risky: int
    renewing: int
    untouched: int
    full: int


@dataclass(frozen=True)
class Book:
    """What the whole list is made of; kept until the next refresh."""

    as_of: date
    zone: ZoneInfo
    slices: tuple[Slice, ...]

    @property
    def customers(self) -> int:
        return sum(s.accounts for s in self.paying)

    @property
    def paying(self) -> list[Slice]:
        return [s for s in self.slices if s.state == "paying"]

    @property
    def segments(self) -> list[str]:
        return sorted({s.segment for s in self.slices if s.segment})

    @property
    def owners(self) -> list[str]:
        return sorted({s.owner for s in self.slices if s.owner})

    def owns(self, email: str) -> bool:
        return any(s.owner.lower() == email.lower() for s in self.paying)

    def reader(self, email: str) -> Reader:
        return Reader(email, self.as_of, self.zone)


@dataclass(frozen=True)
class Page:
    """Rows of the list, and the number of the page that follows, if any."""

    accounts: list[Account]
    number: int
    following: int | None


@dataclass(frozen=True)
class Totals:
    accounts: int
    mrr: Decimal


def book(workspace: Workspace) -> Book | None:
    """Counts for tabs, chips and the navigation; None before the first refresh."""
    return _book(lake_of(workspace))


@kept("account_measures", shared=True)
def _book(lake: Lake) -> Book | None:
    measures = lake.table("account_measures")
    newest = lake.engine.run(measures.agg(as_of=measures.as_of.max()))["as_of"][0]
    if newest is None:
        return None
    reader = Reader("", newest, lake.settings.tz)
    rows = lake.engine.run(
        measures.group_by(
            owner=measures.owner_email.fill_null(""),
            segment=measures.segment.fill_null(""),
            state=measures.state,
        ).agg(
            accounts=measures.count(),
            mrr_e4=measures.mrr_e4.sum().fill_null(0),
            risky=_count(measures.health_color.isin(["red", "orange"])),
            renewing=_count(listing.renews_within(measures, newest, 90)),
            untouched=_count(listing.untouched(measures, reader, 30)),
            full=_count(listing.license_use(measures) >= FULL),
        )
    )
    slices = tuple(Slice(**row) for row in rows.iter_rows(named=True))
    return Book(newest, reader.zone, slices)


def _count(condition: ir.BooleanValue) -> ir.IntegerScalar:
    return condition.fill_null(False).cast("int64").sum()


def data_to(workspace: Workspace, as_of: date) -> date | None:
    """The last day the data speak of, where that is not yesterday."""
    return as_of - DAY if as_of < lake_of(workspace).today else None


def live_customers(request: HttpRequest) -> int | None:
    """The number beside "Accounts" in the navigation."""
    workspace = getattr(request, "workspace", None)
    found = book(workspace) if isinstance(workspace, Workspace) else None
    return found.customers if found else None


def page(workspace: Workspace, asked: Filter, reader: Reader, number: int) -> Page:
    """One page of the list; kept until the next refresh, for tabs and for Back."""
    if asked.owner != listing.ME:
        reader = replace(reader, email="")  # the same rows for everybody
    plain = replace(asked, columns=(), view="")
    return _page(lake_of(workspace), plain, reader, number, PAGE)


def _filtered(lake: Lake, asked: Filter, reader: Reader) -> ir.Table:
    measures, members = lake.table("account_measures"), lake.table("segment_members")
    return listing.filtered(measures, asked, reader, members)


@kept("account_measures", "segment_members", size=128)
def _page(lake: Lake, asked: Filter, reader: Reader, number: int, size: int) -> Page:
    rows = _filtered(lake, asked, reader)
    start = (number - 1) * size
    # One row more tells whether there is another page.
    found = lake.engine.run(listing.ordered(rows, asked).limit(size + 1, offset=start))
    accounts = accounts_of(lake, found)
    return Page(accounts[:size], number, number + 1 if len(accounts) > size else None)


def totals(workspace: Workspace, asked: Filter, reader: Reader, first: Page) -> Totals:
    """How many a filter finds, and what they pay.

    A first page that is the only one knows; so does the book, where nothing but
    owner, segment and state is asked for. Else the lake is asked once.
    """
    if first.number == 1 and first.following is None:
        mrr = sum((account.mrr for account in first.accounts), Decimal(0))
        return Totals(len(first.accounts), mrr)
    lake = lake_of(workspace)
    plain = asked.narrowing
    known = _book(lake)
    if known and plain == Filter(
        state=plain.state, segment=plain.segment, owner=plain.owner
    ):
        return _totals_of(known, plain, reader)
    return _totals(lake, plain, reader)


def _totals_of(known: Book, asked: Filter, reader: Reader) -> Totals:
    owner = {listing.ME: reader.email, listing.NOBODY: ""}.get(asked.owner, asked.owner)
    found = [
        s
        for s in known.slices
        if asked.state in {s.state, listing.ANY}
        and asked.segment in {s.segment, ""}
        and (not asked.owner or s.owner.lower() == owner.lower())
    ]
    mrr = Decimal(sum(s.mrr_e4 for s in found)) / SCALE
    return Totals(sum(s.accounts for s in found), mrr)


@kept("account_measures", "segment_members", size=1_024)
def _totals(lake: Lake, asked: Filter, reader: Reader) -> Totals:
    rows = _filtered(lake, asked, reader)
    found = lake.engine.run(rows.agg(n=rows.count(), mrr=rows.mrr_e4.sum()))
    return Totals(found["n"][0], Decimal(found["mrr"][0] or 0) / SCALE)


def every(
    workspace: Workspace, asked: Filter, reader: Reader
) -> Iterator[pl.DataFrame]:
    """All rows of a filter in their order, in batches, for files."""
    lake = lake_of(workspace)
    rows = _filtered(lake, asked, reader)
    found = lake.engine.run(listing.ordered(rows, asked))
    return found.iter_slices(BATCH)


def ids(workspace: Workspace, asked: Filter, reader: Reader) -> list[str]:
    """Ids of all the accounts of a filter."""
    lake = lake_of(workspace)
    found = lake.engine.run(_filtered(lake, asked, reader).select("account_id"))
    return found["account_id"].sort().to_list()


def known_ids(workspace: Workspace, wanted: Sequence[str]) -> list[str]:
    """Those of these ids that are accounts of this workspace."""
    lake = lake_of(workspace)
    measures = lake.table("account_measures")
    mine = measures.filter(measures.account_id.isin(list(wanted)))
    found = lake.engine.run(mine.select("account_id"))
    return found["account_id"].sort().to_list()


def get_account_or_404(workspace: Workspace, account_id: str) -> Account:
    """The account of this workspace; an id of another one is not found."""
    found = _account(lake_of(workspace), account_id)
    if found is None:
        raise Http404
    return found


@kept("account_measures", size=1_024)
def _account(lake: Lake, account_id: str) -> Account | None:
    found = lake.engine.rows("account_measures", account_id)
    return next(iter(accounts_of(lake, found)), None)


def some(workspace: Workspace, ids: tuple[str, ...]) -> Mapping[str, Account]:
    """Accounts by id, for rows that name them; ids that are gone are left out."""
    return _some(lake_of(workspace), ids) if ids else {}


@kept("account_measures")
def _some(lake: Lake, ids: tuple[str, ...]) -> Mapping[str, Account]:
    measures = lake.table("account_measures")
    found = lake.engine.run(measures.filter(measures.account_id.isin(list(ids))))
    return {account.account_id: account for account in accounts_of(lake, found)}


def named(workspace: Workspace, text: str, most: int) -> list[Account]:
    """Accounts whose name holds a text: those that begin with it come first."""
    lake = lake_of(workspace)
    m = lake.table("account_measures")
    name, said = m.name.lower(), text.lower()
    place = ibis.cases(
        (name.startswith(said), 0), (name.contains(f" {said}"), 1), else_=2
    )
    lives = ibis.cases((m.state == "paying", 0), else_=1)
    found = m.filter(name.contains(said) | (m.account_id.lower() == said))
    best = found.order_by([place, lives, name, m.account_id]).limit(most)
    return accounts_of(lake, lake.engine.run(best))


def meant(workspace: Workspace, text: str) -> Account:
    """The account a person means by a name or an id; raises `BadValue`.

    Part of a name is enough where only one has it.
    """
    found = named(workspace, text.strip(), most=20) if text.strip() else []
    exact = [a for a in found if text.strip() in {a.account_id, a.name}]
    if not found:
        raise BadValue(_("There is no account of this name."))
    if len(exact or found) > 1:
        raise BadValue(_("Several accounts are called so; give the id."))
    return (exact or found)[0]


def accounts_of(lake: Lake, rows: pl.DataFrame) -> list[Account]:
    cuts = lake.settings.health.cuts
    # Without an id there is no address to open.
    return [from_row(r, cuts) for r in rows.iter_rows(named=True) if r["account_id"]]
