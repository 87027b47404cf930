"""What arrives just now: events and rejects of the last minutes, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils.functional import Promise

from perennial.apps.intake import rejected
from perennial.apps.intake.arriving import recent_months
from perennial.apps.intake.payloads import pretty
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake.duck import connect
from perennial.lake.workspace import Workspace as Lake

#: How far back the stream reaches, and how many rows it shows.
SPAN: Final = timedelta(minutes=15)
MOST: Final = 100
#: An event can be opened this long after it came.
_OPENED: Final = timedelta(hours=24)
#: What a filter by state may be; empty: all.
STATES: Final = ("taken", "refused")


@dataclass(frozen=True)
class Asked:
    """The filters of the stream, as the address has them."""

    source: str = ""
    event: str = ""
    who: str = ""
    state: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Asked:
        state = query.get("state", "")
        return cls(
            _text(query, "source"),
            _text(query, "event"),
            _text(query, "who"),
            state if state in STATES else "",
        )

    @property
    def is_set(self) -> bool:
        return self != Asked()


def _text(query: Mapping[str, str], name: str) -> str:
    return query.get(name, "").strip().replace("\0", "")[:200]


@dataclass(frozen=True)
class Arrived:
    """One event, or one reject (`code` is its reason, and `id` its number)."""

    slug: str
    id: str
    at: datetime
    happened_at: datetime | None
    event: str
    user: str
    account: str
    excluded_as: str
    code: str

    @property
    def delay_s(self) -> float | None:
        """From when it happened to when it came."""
        if self.happened_at is None:
            return None
        return max((self.at - self.happened_at).total_seconds(), 0.0)

    @property
    def refused(self) -> str | None:
        """What the address of its page says of it."""
        return "1" if self.code else None

    @property
    def about(self) -> str | Promise:
        return rejected.about(self.code) if self.code else ""


@dataclass(frozen=True)
class Opened:
    """An event with all it carries."""

    arrived: Arrived
    user_id: str
    anonymous_id: str
    account_id: str
    sent_at: datetime | None
    properties: str
    context: str


def arrived(workspace: Workspace, asked: Asked) -> list[Arrived]:
    lake = lake_of(workspace)
    parts = []
    if asked.state != "refused":
        parts.append(_events(lake))
    if asked.state != "taken":
        parts.append(_rejects(lake))
    query = f"""
        SELECT * FROM ({" UNION ALL ".join(parts)})
        WHERE ($2 = '' OR slug = $2) AND ($3 = '' OR contains(lower(event), lower($3)))
          AND ($4 = '' OR contains(lower(concat_ws(chr(10), user, account, of_account,
               payload)), lower($4)))
        ORDER BY came_at DESC, id LIMIT {MOST}
    """
    with connect() as duck:
        given = [lake.now - SPAN, asked.source, asked.event, asked.who]
        rows = duck.execute(query, given).fetchall()
    return [_arrived(*row[:9]) for row in rows]


def _events(lake: Lake) -> str:
    return f"""
        SELECT source_id AS slug, event_id AS id, received_at AS came_at, timestamp,
               event,
               coalesce(user_id, anonymous_id) AS user,
               coalesce(a.name, e.account_id) AS account, excluded_as, '' AS code,
               e.account_id AS of_account, NULL AS payload
        FROM (
            FROM {lake.lake.source("events", months=recent_months(lake.now))}
            WHERE received_at > $1 AND source_id IS NOT NULL
        ) e LEFT JOIN {lake.lake.source("accounts")} a USING (account_id)
    """


def _rejects(lake: Lake) -> str:
    """A reject has no columns: what it names is read from its payload."""
    said = "CASE WHEN json_valid(payload) THEN json_extract_string(payload, {}) END"
    event = said.format("['$.event', '$.type']")
    users = said.format("['$.userId', '$.anonymousId']")
    account = said.format("['$.groupId', '$.context.groupId']")
    return f"""
        SELECT source[6:] AS slug, row_number::VARCHAR AS id, rejected_at AS came_at,
               NULL::TIMESTAMPTZ AS timestamp,
               coalesce(nullif({event}[1], ''), {event}[2]) AS event,
               coalesce({users}[1], {users}[2]) AS user,
               coalesce({account}[1], {account}[2]) AS account, NULL AS excluded_as,
               code, NULL AS of_account, left(payload, 2000) AS payload
        FROM {lake.lake.source("rejects")}
        WHERE rejected_at > $1 AND starts_with(source, 'http:')
    """


def _arrived(
    slug: str,
    id_: str,
    at: datetime,
    happened_at: datetime | None,
    *texts: str | None,
) -> Arrived:
    happened = happened_at.astimezone(UTC) if happened_at else None
    event, user, account, excluded_as, code = (text or "" for text in texts)
    return Arrived(
        slug, id_, at.astimezone(UTC), happened, event, user, account, excluded_as, code
    )


def opened(workspace: Workspace, slug: str, event_id: str) -> Opened | None:
    """An event that came lately; None when it is older, or was never there."""
    lake = lake_of(workspace)
    return _opened(
        lake,
        "source_id = $1 AND event_id = $2 AND received_at > $3",
        [slug, event_id, lake.now - _OPENED],
    )


def newest(workspace: Workspace, slug: str) -> Opened | None:
    """The event of a source that came last, in the last 24 hours."""
    lake = lake_of(workspace)
    return _opened(
        lake, "source_id = $1 AND received_at > $2", [slug, lake.now - _OPENED]
    )


def _opened(lake: Lake, condition: str, given: list[Any]) -> Opened | None:
    query = f"""
        SELECT source_id, event_id, received_at, timestamp, event,
               coalesce(user_id, anonymous_id), account_id, excluded_as, '',
               user_id, anonymous_id, account_id, sent_at, properties, context
        FROM {lake.lake.source("events", months=recent_months(lake.now))}
        WHERE {condition} ORDER BY received_at DESC LIMIT 1
    """
    with connect() as duck:
        row = duck.execute(query, given).fetchone()
    if row is None:
        return None
    user_id, anonymous_id, account_id, sent_at, properties, context = row[9:]
    return Opened(
        _arrived(*row[:9]),
        user_id or "",
        anonymous_id or "",
        account_id or "",
        sent_at,
        pretty(properties),
        pretty(context),
    )
