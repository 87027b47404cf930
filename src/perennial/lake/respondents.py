"""People who can be asked something: who they are, where they work, what they did.

Plain SQL over a few small tables: a page that is open somewhere waits for the answer,
and building an Ibis question takes longer than answering this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from perennial.core.windows import local_date
from perennial.lake import flowbook
from perennial.lake.duck import connect
from perennial.lake.workspace import Workspace


@dataclass(frozen=True)
class Person:
    """A user with the account of today, and the first day anybody saw them.

    `is_own`: a test user or one's own people. `language` as their traits say it.
    """

    user_id: str
    account_id: str = ""
    email: str = ""
    name: str = ""
    role: str = ""
    language: str = ""
    first_seen_on: date | None = None
    is_own: bool = False


@dataclass(frozen=True)
class Happened:
    """Something that a survey may be about; `occasion` tells it from others."""

    user_id: str
    account_id: str
    occasion: str


def people(
    workspace: Workspace, user_ids: Sequence[str] | None = None
) -> dict[str, Person]:
    """People by id, those named or all who are not switched off."""
    source, today = workspace.lake.source, workspace.today
    only = "" if user_ids is None else "AND u.user_id IN (SELECT unnest($ids))"
    query = f"""
    WITH seat AS (
        SELECT user_id, arg_max(account_id, coalesce(date_from, DATE '1990-01-01')) AS account_id
        FROM {source("assignments")} u
        WHERE coalesce(date_to >= $today, true) {only} GROUP BY user_id
    )
    SELECT u.user_id, seat.account_id, u.email, u.name, u.role,
           coalesce(json_extract_string(u.properties, '$.language'),
                    json_extract_string(u.properties, '$.locale')),
           u.created_at,
           coalesce(u.is_test, false) OR coalesce(u.is_internal, false)
               OR coalesce(a.is_test, false)
    FROM {source("users")} u LEFT JOIN seat USING (user_id)
    LEFT JOIN {source("accounts")} a ON a.account_id = seat.account_id
    WHERE coalesce(u.deactivated_at > $now, true) {only}
    """
    given: dict[str, object] = {"today": today, "now": workspace.now}
    if user_ids is not None:
        given["ids"] = list(user_ids)
    with connect() as duck:
        rows = duck.execute(query, given).fetchall()
    unknown = [row[0] for row in rows if row[6] is None]
    seen = _first_days(workspace, unknown)
    return {row[0]: _person(workspace, row, seen) for row in rows}


def _person(
    workspace: Workspace, row: tuple[object, ...], seen: Mapping[str, date]
) -> Person:
    user_id, *texts, created, is_own = row
    account_id, email, name, role, language = (str(text or "") for text in texts)
    first = seen.get(str(user_id))
    if isinstance(created, datetime):
        first = local_date(created, workspace.settings.tz)
    return Person(
        str(user_id), account_id, email, name, role, language, first, bool(is_own)
    )


def _first_days(workspace: Workspace, user_ids: Sequence[str]) -> dict[str, date]:
    """The first day with activity of those whose beginning nobody wrote down."""
    if not user_ids:
        return {}
    query = f"""
    SELECT user_id, min(date) FROM {workspace.lake.source("user_days")}
    WHERE user_id IN (SELECT unnest($ids)) GROUP BY user_id
    """
    with connect() as duck:
        return dict(duck.execute(query, {"ids": list(user_ids)}).fetchall())


def happened(
    workspace: Workspace,
    trigger: str,
    since: datetime,
    *,
    event: str = "",
    user_id: str = "",
) -> list[Happened]:
    """What happened since an instant that a survey may ask about, once each.

    - `ticket_solved`: tickets of a known person that were solved.
    - `onboarding_done`: everybody in an account that completed its onboarding, by what
      is known of the account or in a flow; or who finished a flow for people. It is one
      occasion, whichever says so first.
    - `event`: whoever sent it, once a day.
    """
    query = _QUERIES[trigger](workspace)
    given: dict[str, object] = {"since": since, "until": workspace.now}
    if trigger == "event":
        given |= {"event": event, "zone": workspace.settings.timezone}
    if trigger == "onboarding_done":
        chain = flowbook.chains(workspace.lake)
        given |= {"today": workspace.today, "chain": chain}
    if user_id:
        query = f"SELECT * FROM ({query}) WHERE user_id = $user"
        given["user"] = user_id
    with connect() as duck:
        rows = duck.execute(query, given).fetchall()
    return [Happened(row[0], row[1] or "", row[2]) for row in rows]


def _tickets(workspace: Workspace) -> str:
    return f"""
    SELECT DISTINCT user_id, account_id, ticket_id
    FROM {workspace.lake.source("tickets")}
    WHERE solved_at >= $since AND solved_at < $until AND user_id IS NOT NULL
      AND NOT coalesce(is_spam, false) AND merged_into IS NULL
    """


def _onboarded(workspace: Workspace) -> str:
    source = workspace.lake.source
    return f"""
    WITH link AS (
        SELECT unnest($chain::STRUCT(flow VARCHAR, version BIGINT, step VARCHAR)[],
                      recursive := true)
    ), done AS (
        SELECT flow, coalesce(user_id, account_id) AS who, step, min(completed_at) AS taken
        FROM {source("onboarding_steps")} GROUP BY ALL
    ), finished AS (
        SELECT e.account_id, e.user_id
        FROM {source("onboarding_entries")} e JOIN link USING (flow, version)
        LEFT JOIN done ON done.flow = e.flow AND done.step = link.step
         AND done.who = coalesce(e.user_id, e.account_id)
        GROUP BY e.flow, e.account_id, e.user_id
        HAVING count(*) = count(taken)
           AND max(taken) >= $since AND max(taken) < $until
    ), account AS (
        SELECT account_id FROM finished WHERE user_id IS NULL
        UNION
        SELECT account_id FROM {source("accounts")}
        WHERE onboarding_completed_at >= $since AND onboarding_completed_at < $until
    )
    SELECT s.user_id, s.account_id, 'onboarding'
    FROM account JOIN {source("assignments")} s USING (account_id)
    WHERE coalesce(s.date_to >= $today, true)
    UNION
    SELECT user_id, account_id, 'onboarding' FROM finished WHERE user_id IS NOT NULL
    """


def _events(workspace: Workspace) -> str:
    return f"""
    SELECT DISTINCT user_id, account_id, strftime(timezone($zone, "timestamp"), '%Y-%m-%d')
    FROM {workspace.lake.source("events")}
    WHERE event = $event AND user_id IS NOT NULL
      AND "timestamp" >= $since AND "timestamp" < $until
    """


_QUERIES = {
    "ticket_solved": _tickets,
    "onboarding_done": _onboarded,
    "event": _events,
}
