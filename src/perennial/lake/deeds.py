"""What people did: which of some events, and when first after an instant.

Plain SQL, as in `respondents`: a page that is open somewhere waits for the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def first_since(
    workspace: Workspace, event: str, since: datetime
) -> dict[str, list[tuple[str, datetime]]]:
    """Every time somebody did an event since an instant, by person: account and
    instant, the first of each day."""
    query = f"""
    SELECT user_id, coalesce(account_id, ''), min("timestamp")
    FROM {workspace.lake.source("events")}
    WHERE event = $event AND user_id IS NOT NULL
      AND "timestamp" >= $since AND "timestamp" < $until
    GROUP BY 1, 2, date_trunc('day', "timestamp") ORDER BY 3
    """
    given = {"event": event, "since": since, "until": workspace.now}
    found: dict[str, list[tuple[str, datetime]]] = {}
    with connect() as duck:
        for user, account, at in duck.execute(query, given).fetchall():
            found.setdefault(user, []).append((account, at))
    return found
