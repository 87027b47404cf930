"""Where other applications join the pages of customers.

Each is a list of dotted names in the settings, as the palette is: this package
imports none of those applications, and they import it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString

from perennial.apps.customers.account import Account
from perennial.apps.customers.timeline import Entry
from perennial.apps.team.access import TeamRequest
from perennial.apps.team.models import Workspace
from perennial.core.event_names import GUIDE_EVENTS
from perennial.ui.formats import Regional

Text = str | Promise

#: Entries before an instant, the newest first, as many as asked for at most.
Provider = Callable[[Workspace, Account, Regional, datetime, int], Iterable[Entry]]


@dataclass(frozen=True)
class Tab:
    """A further page of an account: its template extends `customers/account_base.html`
    with the context of `account_page.shared(request, account, …, key)`."""

    key: str
    label: Text
    url: str
    count: int | None = None


@dataclass(frozen=True)
class BulkAction:
    """What is done with accounts chosen in the list: `url` takes the same form, and
    `edit_views.chosen` reads who was meant."""

    label: Text
    icon: str
    url: str


@dataclass(frozen=True)
class Column:
    """A column of the list: figures by account id, asked once for the rows shown."""

    key: str
    word: Text
    values: Callable[[Workspace, Sequence[str]], Mapping[str, int]]


@dataclass(frozen=True)
class Link:
    """Something to take along from the page of an account."""

    label: Text
    url: str


@dataclass(frozen=True)
class Belonging:
    """Rows of the application that belong to an account, by their `account_id`: they
    go along where accounts are merged.

    - `once`: fields of which an account has a set only once, counted `among` these
      rows. Where the account that stays has the same, the row stays behind; or it
      goes along as `ended` makes it.
    - `retell`: the lake is told again of rows that went back, and changed since.
    """

    word: Text
    rows: QuerySet[Any]
    once: Sequence[str] = ()
    among: Q = field(default_factory=Q)
    ended: Mapping[str, Any] = field(default_factory=dict)
    retell: Callable[[QuerySet[Any], datetime], None] | None = None

    @property
    def label(self) -> str:
        return str(self.rows.model._meta.label)


def _named(paths: Sequence[str]) -> list[Any]:
    return [import_string(path) for path in paths]


def providers() -> list[Provider]:
    """What adds entries to timelines: `settings.TIMELINE`."""
    return cast("list[Provider]", _named(settings.TIMELINE))


def tabs(request: TeamRequest, account: Account) -> list[Tab]:
    """`settings.ACCOUNT_TABS`: functions of (request, account) that give a `Tab`."""
    return [find(request, account) for find in _named(settings.ACCOUNT_TABS)]


def panels(request: TeamRequest, account: Account) -> list[SafeString]:
    """`settings.ACCOUNT_PANELS`: functions of (request, account) that give the HTML of
    a card for the overview, or nothing; the first stands above the timeline."""
    drawn = (draw(request, account) for draw in _named(settings.ACCOUNT_PANELS))
    return [card for card in drawn if card]


def home_panels(request: TeamRequest, owner: str) -> list[SafeString]:
    """`settings.HOME_PANELS`: functions of (request, owner) that give the HTML of a
    card; `owner` is an address, or empty for the whole team."""
    drawn = (draw(request, owner) for draw in _named(settings.HOME_PANELS))
    return [card for card in drawn if card]


def columns() -> list[Column]:
    """`settings.ACCOUNT_COLUMNS`: functions that give a `Column` of the list."""
    return [find() for find in _named(settings.ACCOUNT_COLUMNS)]


def belongings(workspace: Workspace) -> list[Belonging]:
    """`settings.ACCOUNT_BELONGINGS`: functions of a workspace."""
    found = (find(workspace) for find in _named(settings.ACCOUNT_BELONGINGS))
    return [each for some in found for each in some]


def documents(request: TeamRequest, account: Account) -> list[Link]:
    """`settings.ACCOUNT_DOCUMENTS`: functions of (request, account) that give links."""
    found = (find(request, account) for find in _named(settings.ACCOUNT_DOCUMENTS))
    return [each for some in found for each in some]


def guides(workspace: Workspace) -> Mapping[str, str]:
    """`settings.GUIDES`: a function of a workspace that gives the names of guides that
    were ever in force, by their number."""
    return cast("Mapping[str, str]", import_string(settings.GUIDES)(workspace))


def guide_events(workspace: Workspace) -> Sequence[str]:
    """Names of events that guides tell, once there is one."""
    return [*GUIDE_EVENTS.values()] if guides(workspace) else []


def bulk_actions() -> list[BulkAction]:
    """`settings.ACCOUNT_BULK`: functions that give a `BulkAction`."""
    return [find() for find in _named(settings.ACCOUNT_BULK)]
