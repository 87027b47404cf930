"""Boards of one's own: made, arranged, shared, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from perennial.apps.reports.models import Board
from perennial.apps.team.actions import record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue, UnknownName
from perennial.metrics.registry import Metric

Catalog = Mapping[str, Metric]

#: The board one sees first: what a head of customer success reports.
KEY = (
    *("mrr", "arr", "customers", "arpa", "quick_ratio"),
    *("net_revenue_retention:trailing_12m", "gross_revenue_retention:trailing_12m"),
    *("customer_churn_rate", "renewal_rate", "net_mrr_churn"),
    *("dau", "mau", "stickiness", "feature_adoption", "license_utilization"),
    *("health_score", "health_distribution", "product_engagement_score"),
    *("nps", "csat", "ces", "survey_response_rate"),
    *("first_contact_resolution", "first_response_time", "resolution_time"),
    "email_response_time",
    *("onboarding_funnel", "time_to_value", "free_to_paid"),
    *("uptime", "error_rate", "response_time", "apdex"),
)
#: What the address calls the board of all metrics; without a name it is `KEY`.
ALL = "all"

#: Tiles a board can hold: more is a list, not a board.
MOST = 60


@dataclass(frozen=True)
class Choice:
    """What a tile shows: a metric, counted in one of its ways."""

    metric: Metric
    variant: str = ""

    @property
    def counted(self) -> Metric:
        return self.metric.counted(self.variant)

    @property
    def text(self) -> str:
        return f"{self.metric.key}:{self.variant}" if self.variant else self.metric.key


def choice(text: str, catalog: Catalog) -> Choice:
    """The choice a text stands for; raises `UnknownName`."""
    key, _colon, variant = text.partition(":")
    metric = catalog.get(key)
    if metric is None:
        raise UnknownName("metric", key, list(catalog))
    if not is_a_number(metric):
        raise UnknownName("metric for a tile", key, [])
    named = metric.variant(variant)
    return Choice(metric, "" if named == metric.variant(None) else named)


def is_a_number(metric: Metric) -> bool:
    """Has it one number for a tile, or is it a table of its own?"""
    return not metric.makes or bool(metric.focus)


def built_in(name: str, catalog: Catalog) -> list[Choice] | None:
    """The tiles of a board everybody has; None where it is no such board."""
    if name == ALL:
        return [Choice(m) for m in catalog.values() if is_a_number(m)]
    return [choice(text, catalog) for text in KEY] if name == "" else None


def choices(board: Board) -> list[Choice]:
    """The tiles of a board; what this version does not know is left out."""
    found, catalog = [], lake_of(board.workspace).catalog
    for text in board.tiles:
        try:
            found.append(choice(text, catalog))
        except UnknownName:
            continue
    return found


def visible(member: Membership) -> QuerySet[Board]:
    """One's own boards and those that are shared, by name."""
    mine = Q(owner=member.user) | Q(is_shared=True)
    boards = Board.objects.filter(mine, workspace=member.workspace)
    return boards.select_related("owner").order_by("name", "pk")


def may_change(board: Board, member: Membership) -> bool:
    """Its owner; admins too, once it is shared."""
    is_admin = board.is_shared and member.covers(Role.ADMIN)
    return board.owner_id == member.user_id or is_admin


def create(member: Membership, name: str, tiles: list[str] | None = None) -> Board:
    board = Board(workspace=member.workspace, owner=member.user)
    board.name = _checked(name)
    catalog = lake_of(member.workspace).catalog
    board.tiles = [choice(text, catalog).text for text in tiles or []]
    board.save()
    record(member.workspace, member.user, "board.created", board.name)
    return board


def change(board: Board, name: str, *, is_shared: bool, by: Membership) -> None:
    board.name = _checked(name)
    if is_shared != board.is_shared:
        verb = "board.shared" if is_shared else "board.unshared"
        record(board.workspace, by.user, verb, board.name)
    board.is_shared = is_shared
    _save(board)


def add(board: Board, text: str) -> None:
    """A tile at the end; one that is there already stays where it is."""
    added = choice(text, lake_of(board.workspace).catalog).text
    if len(board.tiles) >= MOST:
        raise BadValue(_("A board holds at most %(n)s tiles.") % {"n": MOST})
    if added not in board.tiles:
        board.tiles.append(added)
        _save(board)


def remove(board: Board, text: str) -> None:
    board.tiles = [tile for tile in board.tiles if tile != text]
    _save(board)


def move(board: Board, text: str, places: int) -> None:
    """A tile so many places on (or back), within the board."""
    if text not in board.tiles:
        return
    at = board.tiles.index(text)
    to = min(max(at + places, 0), len(board.tiles) - 1)
    board.tiles.insert(to, board.tiles.pop(at))
    _save(board)


def delete(board: Board, *, by: Membership) -> None:
    record(board.workspace, by.user, "board.deleted", board.name)
    board.delete()


def _save(board: Board) -> None:
    board.changed_at = timezone.now()
    board.save()


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 80:
        raise BadValue(_("A board has a name of at most 80 characters."))
    return name
