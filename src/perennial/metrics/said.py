"""Where customers say something in their own words: the one list of it (F04).

Reading topics, the metric, pages and corrections all know comments from here. The id
of a comment is that of the answer it came with, and elsewhere that of its row with the
source before it: `ticket:4711`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir

#: What is told of a comment, with what an answer to a survey adds to it.
_TYPES: Final = {
    "response_id": "string",
    "account_id": "string",
    "user_id": "string",
    "at": "timestamp('UTC', 6)",
    "comment": "string",
    "language": "string",
    "kind": "string",
    "survey": "string",
}


@dataclass(frozen=True)
class Source:
    """A table in which people say something. `told` makes comments of its rows."""

    name: str
    table: str
    told: Callable[[ir.Table], ir.Table]
    #: Are its rows of single users?
    has_users: bool = False

    def said(self, rows: ir.Table) -> ir.Table:
        """Comments in rows of the table, one row each: who (account_id, user_id) said
        what (comment) when (at); `language`, `kind` and `survey` as they were told.
        Rows that say nothing are left out."""
        told = self.told(rows)
        told = told.mutate(
            **{n: ibis.null(of) for n, of in _TYPES.items() if n not in told.columns}
        )
        told = told.filter(told.comment.strip() != "")
        return told.select(
            source=ibis.literal(self.name),
            **{name: told[name].cast(of) for name, of in _TYPES.items()},
        )


def _answers(rows: ir.Table) -> ir.Table:
    columns = [name for name in _TYPES if name != "at"]
    return rows.select(*columns, at="answered_at")


def _tickets(rows: ir.Table) -> ir.Table:
    """Of a ticket that went into another one, that one speaks."""
    is_spam = rows.is_spam.fill_null(False)
    rows = rows.filter(~is_spam & rows.merged_into.isnull())
    told = rows.subject.fill_null("") + "\n" + rows.description.fill_null("")
    return rows.select(
        *("account_id", "user_id"),
        response_id=_id("ticket", rows.ticket_id),
        at="opened_at",
        comment=told,
    )


def _contacts(rows: ir.Table) -> ir.Table:
    return rows.select(
        *("account_id", "at"),
        response_id=_id("contact", rows.touchpoint_id),
        comment="summary",
    )


def _notes(rows: ir.Table) -> ir.Table:
    return rows.select(
        *("account_id", "at"),
        response_id=_id("note", rows.note_id),
        comment="text",
    )


def _cancellations(rows: ir.Table) -> ir.Table:
    """Terms of merged accounts that began on one day are one. Where nobody knows when
    it was said, at the end of the term: at noon, which is that day almost anywhere."""
    noon = rows.term_end.cast(_TYPES["at"]) + ibis.interval(hours=12)
    told = rows.group_by("account_id", "term_start").agg(
        comment=rows.churn_reason.max(), at=rows.outcome_at.coalesce(noon).max()
    )
    key = told.account_id + ":" + told.term_start.cast("string")
    return told.select(
        *("account_id", "at", "comment"), response_id=_id("cancellation", key)
    )


def _id(source: str, key: ir.StringValue) -> ir.StringValue:
    return ibis.literal(f"{source}:") + key


#: By their names, in the order in which they are shown.
SOURCES: Final[Mapping[str, Source]] = {
    source.name: source
    for source in (
        Source("survey", "survey_responses", _answers, has_users=True),
        Source("ticket", "tickets", _tickets, has_users=True),
        Source("contact", "touchpoints", _contacts),
        Source("note", "notes", _notes),
        Source("cancellation", "contracts", _cancellations),
    )
}
TABLES: Final = tuple(source.table for source in SOURCES.values())


def everything(table: Callable[[str], ir.Table]) -> ir.Table:
    """Comments of every source; `table` gives a fact table by name."""
    return ibis.union(*(each.said(table(each.table)) for each in SOURCES.values()))


def source_of(response_id: str) -> str:
    """The source of a comment, by its id."""
    before, colon, _ = response_id.partition(":")
    return before if colon and before in SOURCES else "survey"
