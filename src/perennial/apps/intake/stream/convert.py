"""Requests as they were sent become events, rejects, and what is heard of people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import crawleruseragents
import duckdb
import pyarrow as pa

from perennial.apps.intake.files.sql import any_of, one
from perennial.apps.intake.stream import reading
from perennial.apps.intake.stream.people import Heard
from perennial.apps.intake.stream.steps import MOST_NAMES, Drop, dropped, is_leaving
from perennial.lake.duck import connect
from perennial.lake.tables import TABLES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Requests in one piece of work: small enough that every core gets some.
_PIECE = 128
#: Room for the calls of one request in a reject's number.
_CALLS = 2**20


@dataclass(frozen=True)
class Request:
    """A request in the inbox. `received_at` is UTC."""

    id: int
    source_id: str
    call: str
    received_at: datetime
    body: bytes


@dataclass(frozen=True)
class Converted:
    """What requests become. `names` are event names that were not known before."""

    events: pa.Table
    rejects: pa.Table
    heard: Heard
    names: frozenset[str]


def convert(requests: Sequence[Request], known_names: frozenset[str]) -> Converted:
    """Every call of the requests is in `events`, or in `rejects` with its reason."""
    with connect() as duck:
        for macro in reading.MACROS:
            duck.execute(f"CREATE TEMP MACRO {macro}")
        unreadable = _read(duck, requests)
        names = _limit_names(duck, known_names)
        _register_bots(duck)
        rejects = [*_rejects(duck), *(_whole(r, Drop.UNREADABLE) for r in unreadable)]
        return Converted(
            _events(duck),
            pa.Table.from_pylist(rejects, schema=TABLES["rejects"].schema()),
            _heard(duck),
            names,
        )


def refused(request: Request) -> Converted:
    """A request that cannot be loaded, put aside as it came."""
    return Converted(
        TABLES["events"].schema().empty_table(),
        pa.Table.from_pylist(
            [_whole(request, Drop.FAILED)], schema=TABLES["rejects"].schema()
        ),
        Heard(),
        frozenset(),
    )


def _read(
    duck: duckdb.DuckDBPyConnection, requests: Sequence[Request]
) -> list[Request]:
    """Fill `read` with the calls; the requests that cannot be read are given back."""
    query = (
        "CREATE OR REPLACE TEMP TABLE read AS "
        f"SELECT *, {dropped()} AS dropped FROM ({reading.CALLS})"
    )
    try:
        duck.register("raw", _raw(requests, [r.body for r in requests]))
        duck.execute(query)
        return []
    except (pa.ArrowInvalid, duckdb.InvalidInputException):
        pass  # some of them are not what DuckDB calls JSON: look closer
    bodies = [_repaired(request.body) for request in requests]
    readable = [r for r, body in zip(requests, bodies, strict=True) if body]
    duck.register("raw", _raw(readable, [body for body in bodies if body]))
    duck.execute(query)
    return [r for r, body in zip(requests, bodies, strict=True) if not body]


def _raw(requests: Sequence[Request], bodies: Sequence[bytes]) -> pa.Table:
    """Requests as a table, in pieces; raises where a body is not UTF-8."""
    table = pa.table(
        {
            "batch_id": pa.array([r.id for r in requests], pa.int64()),
            "source_id": pa.array([r.source_id for r in requests], pa.string()),
            "received": pa.array([_us(r.received_at) for r in requests], pa.int64()),
            "call": pa.array([r.call for r in requests], pa.string()),
            "body": pa.array(bodies, pa.binary()).cast(pa.string()),
        }
    )
    return pa.Table.from_batches(table.to_batches(_PIECE), schema=table.schema)


def _repaired(body: bytes) -> bytes | None:
    """JSON of other tools (half an emoji, NaN) as others can read it, if it is any."""
    try:
        found = json.loads(body, parse_constant=lambda _name: None)
        text = json.dumps(found, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    return text.encode("utf-8", "replace") if isinstance(found, dict) else None


def _limit_names(
    duck: duckdb.DuckDBPyConnection, known: frozenset[str]
) -> frozenset[str]:
    """Drop events with too many new names; the new names that are taken."""
    found = duck.sql(
        "SELECT event FROM read WHERE dropped IS NULL "
        "GROUP BY event ORDER BY min((batch_id, idx))"
    ).fetchall()
    fresh = [name for (name,) in found if name not in known]
    room = max(0, MOST_NAMES - len(known))
    if fresh[room:]:
        duck.register("over", pa.table({"event": fresh[room:]}))
        duck.execute(
            f"UPDATE read SET dropped = '{Drop.TOO_MANY_NAMES}' "
            "WHERE dropped IS NULL AND event IN (FROM over)"
        )
    return frozenset(fresh[:room])


def _register_bots(duck: duckdb.DuckDBPyConnection) -> None:
    """`bot`: agents of crawlers, seen without a user: who signs in is a person."""
    agents = duck.sql(
        "SELECT DISTINCT user_agent FROM read "
        "WHERE user_agent IS NOT NULL AND user_id IS NULL AND dropped IS NULL"
    ).fetchall()
    bots = [agent for (agent,) in agents if _is_bot(agent)]
    duck.register("bot", pa.table({"user_agent": pa.array(bots, pa.string())}))


@lru_cache(maxsize=10_000)
def _is_bot(agent: str) -> bool:
    return bool(crawleruseragents.is_crawler(agent))


def _events(duck: duckdb.DuckDBPyConnection) -> pa.Table:
    columns = {
        "event_id": reading.EVENT_ID,
        "event": "event",
        "timestamp": _at("happened"),
        "user_id": "user_id",
        "anonymous_id": "anonymous_id",
        "account_id": "account_id",
        "sent_at": _at("sent"),
        "received_at": _at("received"),
        "properties": "nullif(properties::VARCHAR, '{}')",
        "context": "nullif(context::VARCHAR, '{}')",
        "source_id": "source_id",
        "excluded_as": "CASE WHEN is_impersonated THEN 'impersonated' WHEN user_id "
        "IS NULL AND user_agent IN (FROM bot) THEN 'bot' END",
    }
    schema = TABLES["events"].schema()
    selected = ", ".join(f"{columns[name]} AS {name}" for name in schema.names)
    query = f"SELECT {selected} FROM read WHERE dropped IS NULL ORDER BY batch_id, idx"
    return duck.sql(query).to_arrow_table().cast(schema)


def _at(us: str) -> str:
    return f"make_timestamp({us})::TIMESTAMPTZ"


def _heard(duck: duckdb.DuckDBPyConnection) -> Heard:
    """Who was named, and what the calls that are not only events say."""
    heard = Heard()
    named = "(SELECT DISTINCT {} FROM read WHERE dropped IS NULL AND {} IS NOT NULL)"
    for known, column in ((heard.users, "user_id"), (heard.accounts, "account_id")):
        for (id_,) in duck.sql(f"FROM {named.format(column, column)}").fetchall():
            known[id_] = []
    calls = duck.sql(
        "SELECT type, user_id, anonymous_id, account_id, previous_id, "
        "happened AS at_us, properties::VARCHAR AS properties, "
        f"{is_leaving()} AS is_leaving FROM read "
        f"WHERE dropped IS NULL AND (type IN {any_of(('identify', 'group', 'alias'))} "
        f"OR {is_leaving()}) ORDER BY batch_id, idx"
    )
    for call in calls.to_arrow_table().to_pylist():
        heard.hear(call)
    return heard


def _rejects(duck: duckdb.DuckDBPyConnection) -> Iterable[dict[str, Any]]:
    if not one(duck, "SELECT count(dropped) FROM read")[0]:
        return
    # Each request is taken apart once, whatever the number of its rejects.
    rows = duck.sql(
        """
        WITH odd AS (SELECT DISTINCT batch_id FROM read WHERE dropped IS NOT NULL),
        sent AS (
            SELECT batch_id, generate_subscripts(told.batch, 1) - 1 AS idx,
                   unnest(told.batch) AS message, NULL AS kind,
                   told.context AS outer_context, told.sentAt AS outer_sent
            FROM (SELECT batch_id, from_json(body, '{"batch": ["JSON"],
                      "context": "JSON", "sentAt": "JSON"}') AS told
                  FROM raw SEMI JOIN odd USING (batch_id) WHERE call = 'batch')
            UNION ALL
            SELECT batch_id, 0, body, call, NULL, NULL FROM raw WHERE call != 'batch'
        )
        SELECT batch_id, idx, source_id, received, dropped, kind, outer_context,
               outer_sent, message
        FROM read JOIN sent USING (batch_id, idx) WHERE dropped IS NOT NULL
        """
    )
    for row in rows.to_arrow_table().to_pylist():
        number = row["batch_id"] * _CALLS + row["idx"]
        at = _EPOCH + timedelta(microseconds=row["received"])
        yield _reject(row["source_id"], number, Drop(row["dropped"]), _payload(row), at)


def _payload(row: Mapping[str, Any]) -> str:
    """The call alone, as it can be sent again."""
    message = json.loads(row["message"] or "null")
    if not isinstance(message, dict):
        return json.dumps(message)
    if row["kind"]:
        message["type"] = row["kind"]
    for name, outer in (
        ("context", row["outer_context"]),
        ("sentAt", row["outer_sent"]),
    ):
        if outer is not None and message.get(name) is None:
            message[name] = json.loads(outer)
    return json.dumps(message, ensure_ascii=False)


def _whole(request: Request, reason: Drop) -> dict[str, Any]:
    """A request as it came, as a batch where it can be read: to be sent again."""
    payload = request.body.decode("utf-8", "replace")
    repaired = _repaired(request.body)
    if repaired and request.call != "batch":
        call = {**json.loads(repaired), "type": request.call}
        payload = json.dumps({"batch": [call]}, ensure_ascii=False)
    number = request.id * _CALLS
    return _reject(request.source_id, number, reason, payload, request.received_at)


def _reject(
    source_id: str, number: int, reason: Drop, payload: str, at: datetime
) -> dict[str, Any]:
    return {
        "source": f"http:{source_id}",
        "table_name": "events",
        "row_number": number,
        "reason": str(reason.about),
        "code": str(reason),
        "payload": payload,
        "rejected_at": at,
    }


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
