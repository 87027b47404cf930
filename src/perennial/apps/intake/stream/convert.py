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
import pyarrow.compute as pc

from perennial.apps.intake.files.sql import any_of
from perennial.apps.intake.stream import reading, requests
from perennial.apps.intake.stream.people import Heard
from perennial.apps.intake.stream.requests import Request
from perennial.apps.intake.stream.steps import MOST_NAMES, Drop, dropped, is_leaving
from perennial.lake.duck import connect
from perennial.lake.tables import TABLES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Room for the calls of one request in a reject's number.
_CALLS_OF_ONE = 2**20


def _at(us: str) -> str:
    return f"make_timestamptz({us})"


#: SQL of an event's columns.
_COLUMNS = {
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
    "excluded_as": "CASE WHEN is_impersonated THEN 'impersonated' END",
}
#: What else is asked of a call: where it stood and why it is refused,
_REFUSED = ("batch_id", "idx", "received", "source_id", "dropped")
#: and what it says of people.
_TOLD = (
    *("type", "user_id", "anonymous_id", "account_id", "previous_id", "at_us"),
    *("properties", "is_leaving"),
)
#: SQL of one row a call with all of it; read once, for JSON is what takes the time.
_CALLS = f"""
    SELECT batch_id, idx, received, dropped, type, previous_id, happened AS at_us,
           user_agent AS bare_agent,
           coalesce({is_leaving()}, false) AS is_leaving,
           coalesce({is_leaving()}, false)
               OR type IN {any_of(("identify", "group", "alias"))} AS is_about_people,
           {", ".join(f"{sql} AS {name}" for name, sql in _COLUMNS.items())}
    FROM (SELECT *, {dropped()} AS dropped FROM ({reading.CALLS}))
"""


@dataclass(frozen=True)
class Calls:
    """Requests taken apart: `rows` has one a call, as they came. `raw` are those
    that could be read."""

    rows: pa.Table
    raw: pa.Table
    unreadable: Sequence[Request] = ()


@dataclass(frozen=True)
class Converted:
    """What requests become. `names` are event names that were not known before."""

    events: pa.Table
    rejects: pa.Table
    heard: Heard
    names: frozenset[str]


def read(sent: pa.Table) -> Calls:
    """Take requests apart: most of the work, and it depends on nothing before them."""
    try:
        raw = _as_text(sent)
        return Calls(_rows(raw), raw)
    except (pa.ArrowInvalid, duckdb.InvalidInputException):
        pass  # some of them are not what DuckDB calls JSON: look closer
    every = list(requests.rows(sent))
    repaired = [r._replace(body=_repaired(r.body)) for r in every]
    raw = _as_text(requests.table(r for r in repaired if r.body))
    unreadable = [r for r, to in zip(every, repaired, strict=True) if not to.body]
    return Calls(_rows(raw), raw, unreadable)


def _as_text(sent: pa.Table) -> pa.Table:
    """Raises where a body is not UTF-8."""
    return _replaced(sent, "body", sent["body"].cast(pa.string()))


def _rows(raw: pa.Table) -> pa.Table:
    with connect() as duck:
        for macro in reading.MACROS:
            duck.execute(f"CREATE TEMP MACRO {macro}")
        duck.register("raw", raw)
        return _in_order(duck.sql(_CALLS).to_arrow_table())


def convert(calls: Calls, known_names: frozenset[str]) -> Converted:
    """Every call is in `events`, or in `rejects` with its reason."""
    rows, names = _limit_names(calls.rows, known_names)
    rejects = [
        *_rejects(rows, calls.raw),
        *(_whole(request, Drop.UNREADABLE) for request in calls.unreadable),
    ]
    taken = rows.filter(pc.is_null(rows["dropped"])) if rejects else rows
    return Converted(
        _mark_bots(taken).select(list(_COLUMNS)).cast(TABLES["events"].schema()),
        pa.Table.from_pylist(rejects, schema=TABLES["rejects"].schema()),
        _heard(taken),
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


def _in_order(read: pa.Table) -> pa.Table:
    """Calls as they came; that is how one thread of DuckDB gives them, as a rule."""
    at = read["batch_id"].to_numpy() * _CALLS_OF_ONE + read["idx"].to_numpy()
    return read if (at[1:] > at[:-1]).all() else read.take(at.argsort())


def _repaired(body: bytes) -> bytes:
    """JSON of other tools (half an emoji, NaN) as others can read it; else nothing."""
    try:
        found = json.loads(body, parse_constant=lambda _name: None)
        text = json.dumps(found, ensure_ascii=False)
    except (ValueError, RecursionError):
        return b""
    return text.encode("utf-8", "replace") if isinstance(found, dict) else b""


def _limit_names(
    read: pa.Table, known: frozenset[str]
) -> tuple[pa.Table, frozenset[str]]:
    """Drop events with too many new names; also the new names that are taken."""
    is_taken = pc.is_null(read["dropped"])
    found = pc.unique(read["event"].filter(is_taken)).to_pylist()
    fresh = [name for name in found if name not in known]
    room = max(0, MOST_NAMES - len(known))
    if fresh[room:]:
        over = pc.is_in(read["event"], pa.array(fresh[room:], pa.string()))
        reason = pc.if_else(
            pc.and_(is_taken, over), str(Drop.TOO_MANY_NAMES), read["dropped"]
        )
        read = _replaced(read, "dropped", reason)
    return read, frozenset(fresh[:room])


def _mark_bots(read: pa.Table) -> pa.Table:
    """Agents of crawlers, seen without a user: who signs in is a person."""
    agents = pc.unique(read["bare_agent"]).drop_null().to_pylist()
    bots = [agent for agent in agents if _is_bot(agent)]
    if not bots:
        return read
    is_bot = pc.is_in(read["bare_agent"], pa.array(bots, pa.string()))
    reason = pc.coalesce(
        read["excluded_as"], pc.if_else(is_bot, "bot", pa.scalar(None, pa.string()))
    )
    return _replaced(read, "excluded_as", reason)


def _replaced(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


@lru_cache(maxsize=10_000)
def _is_bot(agent: str) -> bool:
    return bool(crawleruseragents.is_crawler(agent))


def _heard(read: pa.Table) -> Heard:
    """Who was named, and what the calls that are not only events say."""
    heard = Heard()
    for name, column in (("users", "user_id"), ("accounts", "account_id")):
        heard.named[name].update(pc.unique(read[column]).drop_null().to_pylist())
    told = read.filter(read["is_about_people"]).select(_TOLD)
    for call in told.to_pylist():
        heard.hear(call)
    return heard


def _rejects(rows: pa.Table, raw: pa.Table) -> Iterable[dict[str, Any]]:
    odd = rows.filter(pc.is_valid(rows["dropped"]))
    if not odd.num_rows:
        return
    for row in _with_messages(odd.select(_REFUSED), raw).to_pylist():
        number = row["batch_id"] * _CALLS_OF_ONE + row["idx"]
        at = _EPOCH + timedelta(microseconds=row["received"])
        yield _reject(row["source_id"], number, Drop(row["dropped"]), _payload(row), at)


def _with_messages(odd: pa.Table, raw: pa.Table) -> pa.Table:
    """Calls with what was sent."""
    # Each request is taken apart once, whatever the number of its rejects.
    query = """
        WITH sent AS (
            SELECT id AS batch_id, generate_subscripts(told.batch, 1) - 1 AS idx,
                   unnest(told.batch) AS message, NULL AS kind,
                   told.context AS outer_context, told.sentAt AS outer_sent
            FROM (SELECT id, from_json(body, '{"batch": ["JSON"],
                      "context": "JSON", "sentAt": "JSON"}') AS told
                  FROM raw SEMI JOIN odd ON id = batch_id WHERE call = 'batch')
            UNION ALL
            SELECT id, 0, body, call, NULL, NULL FROM raw WHERE call != 'batch'
        )
        SELECT batch_id, idx, source_id, received, dropped, kind, outer_context,
               outer_sent, message
        FROM odd JOIN sent USING (batch_id, idx) ORDER BY batch_id, idx
    """
    with connect() as duck:
        duck.register("odd", odd)
        duck.register("raw", raw)
        return duck.sql(query).to_arrow_table()


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
    number = request.id * _CALLS_OF_ONE
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
