"""What people did: which of some events, and what followed an instant.

Plain SQL, as in `respondents`: a page that is open somewhere waits for the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from perennial.lake.duck import connect
from perennial.lake.workspace import Workspace


def did(workspace: Workspace, user_id: str, events: Sequence[str]) -> frozenset[str]:
    """Those of the events that a person did at least once, by the roll-up of features:
    events that are log-ins, pages or the system's are not in it."""
    source = workspace.lake.source
    query = f"""
    WITH wanted AS (
        SELECT w.event, coalesce(d.feature_id, w.event) AS feature_id
        FROM (SELECT unnest($events) AS event) w
        LEFT JOIN {source("event_definitions")} d ON d.name = w.event
    )
    SELECT DISTINCT w.event FROM wanted w
    JOIN {source("feature_days")} f USING (feature_id)
    WHERE f.user_id = $user AND f.uses > 0
    """
    with connect() as duck:
        rows = duck.execute(query, {"events": list(events), "user": user_id})
        return frozenset(row[0] for row in rows.fetchall())


def followed(
    workspace: Workspace,
    event: str,
    since: Mapping[str, datetime],
    days: int,
    *,
    by_account: bool = False,
) -> frozenset[str]:
    """Of people, or accounts, each with an instant, those that did an event within so
    many days after it."""
    key = "account_id" if by_account else "user_id"
    query = f"""
    WITH since AS (SELECT unnest($keys) AS key, unnest($ats) AS at)
    SELECT DISTINCT s.key FROM since s
    JOIN {workspace.lake.source("events")} e ON e.{key} = s.key
    WHERE e.event = $event AND e."timestamp" > s.at AND e."timestamp" >= $first
      AND e."timestamp" <= s.at + to_days($days)
    """
    if not since:
        return frozenset()
    given = {
        "keys": list(since),
        "ats": list(since.values()),
        "first": min(since.values()),
        "event": event,
        "days": days,
    }
    with connect() as duck:
        return frozenset(row[0] for row in duck.execute(query, given).fetchall())


def instants(
    workspace: Workspace, event: str, since: datetime
) -> Mapping[str, Sequence[datetime]]:
    """When people did an event since an instant, by the ids they did it under."""
    query = f"""
    SELECT user_id, list("timestamp") FROM {workspace.lake.source("events")}
    WHERE event = $event AND user_id IS NOT NULL
      AND "timestamp" >= $since AND "timestamp" < $until GROUP BY user_id
    """
    given = {"event": event, "since": since, "until": workspace.now}
    with connect() as duck:
        return dict(duck.execute(query, given).fetchall())
