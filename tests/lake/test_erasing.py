"""Somebody who is erased was never there: in no table, file, log or number."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from perennial.lake import comments, erasing
from perennial.lake.erasing import Subject
from perennial.lake.tables import TABLES
from tests.builders import Case

ADA, DEVICE, ADDRESS = "ada", "device-7", "Ada.L@acme.example"
#: An id that stumbles over JSON, expressions and SQL.
ACME = 'ac\'me "50%" (ü)'


def quiet(_share: float, _what: str) -> None:
    """Nobody looks at the progress."""


def others(case: Case) -> None:
    """Bob is at Beta and at Acme; nothing here is Ada's."""
    case.facts("accounts", {"account_id": "beta", "name": "Beta"})
    case.facts(
        "users", {"user_id": "bob", "email": "bob@acme.example"}, {"user_id": "adam"}
    )
    case.facts("memberships", {"user_id": "bob", "account_id": "beta"})
    case.events(
        ("bob", "beta", "2026-05-01T10:00", "Viewed", "b1"),
        ("bob", "beta", "2026-05-02T10:00", "Viewed", "b2"),
        ("adam", "beta", "2026-05-02T11:00", "Viewed", "b3"),
    )
    case.facts("tickets", {"ticket_id": "t2", "account_id": "beta", "user_id": "bob", "opened_at": "2026-05-02"})  # fmt: skip
    case.facts(
        "survey_responses",
        {"response_id": "r2", "kind": "nps", "score": 9, "user_id": "bob", "account_id": "beta", "answered_at": "2026-05-03"},
    )  # fmt: skip


def theirs(case: Case) -> None:
    """Ada at Acme: seen before she signed in, in mails, answers, and others' rows."""
    case.facts("accounts", {"account_id": ACME, "name": "Acme"})
    case.facts("users", {"user_id": ADA, "email": ADDRESS, "name": "Ada"})
    case.facts("identities", {"previous_id": DEVICE, "user_id": ADA, "kind": "anonymous", "at": "2026-05-01"})  # fmt: skip
    case.facts("memberships", {"user_id": ADA, "account_id": ACME}, {"user_id": "bob", "account_id": ACME})  # fmt: skip
    case.events(
        (ADA, ACME, "2026-05-01T10:00", "Viewed", "a1"),
        (ADA, ACME, "2026-05-02T10:00", "Viewed", "a2"),
        (ADA, ACME, "2026-05-02T10:10", "Viewed", "a3"),
    )
    case.facts("events", {"event_id": "a0", "event": "Viewed", "timestamp": "2026-05-01T09:00", "received_at": "2026-05-01T09:00", "anonymous_id": DEVICE})  # fmt: skip
    case.facts(
        "emails",
        {"message_id": "m1", "sent_at": "2026-05-01", "from_address": "cs@us.example", "to_addresses": f"x@y.example, {ADDRESS.upper()}", "account_id": ACME},
        {"message_id": "m2", "sent_at": "2026-05-01", "from_address": ADDRESS, "to_addresses": "cs@us.example"},
    )  # fmt: skip
    case.facts("survey_responses", {"response_id": "r1", "kind": "nps", "score": 2, "user_id": ADA, "account_id": ACME, "answered_at": "2026-05-03", "comment": "slow"})  # fmt: skip
    case.facts("tickets", {"ticket_id": "t1", "account_id": ACME, "user_id": ADA, "opened_at": "2026-05-01", "subject": "Export is slow"})  # fmt: skip
    case.facts("contracts", {"account_id": ACME, "term_start": "2025-05-01", "term_end": "2026-05-01", "outcome": "cancelled", "churn_reason": "The export is too slow"})  # fmt: skip
    case.facts("goals", {"goal_id": "g1", "account_id": ACME})
    case.facts(
        "goal_values", {"goal_id": "g1", "measured_at": "2026-05-01", "value": 1.0}
    )
    case.facts(
        "rejects",
        {"source": "http:app", "table_name": "events", "row_number": 1, "reason": "no name", "payload": '{"userId": "ada"}', "rejected_at": "2026-05-01"},
        {"source": "http:app", "table_name": "events", "row_number": 2, "reason": "no name", "payload": '{"userId": "adam"}', "rejected_at": "2026-05-01"},
    )  # fmt: skip


def told_of(case: Case) -> None:
    """Rows of others that speak of them."""
    case.facts("accounts", {"account_id": "beta", "name": "Beta", "parent_account_id": ACME})  # fmt: skip
    case.facts("tickets", {"ticket_id": "t2", "account_id": "beta", "user_id": "bob", "opened_at": "2026-05-02", "properties": '{"cc": "ada.l@ACME.example", "by": "ada", "for": "adam"}'})  # fmt: skip


def read(case: Case) -> dict[str, list[dict[str, Any]]]:
    """All tables, but for when something was done."""
    times = {"computed_at", "recorded_at", "at", "received_at", "imported_at"}
    return {
        name: sorted(
            (
                {k: v for k, v in row.items() if k not in times}
                for row in case.table(name)
            ),
            key=repr,
        )
        for name in TABLES
    }


def stored(root: str) -> str:
    """Every value of every file below a folder, and every log, as one text."""
    found = [path.read_text() for path in Path(root).rglob("*.json")]
    files = Path(root).rglob("*.parquet")
    found += [repr(pq.read_table(f, partitioning=None).to_pylist()) for f in files]
    return "\n".join(found).lower()


def test_a_person_was_never_there(tmp_path: Path) -> None:
    case, without = Case(tmp_path / "with"), Case(tmp_path / "without")
    for each in (case, without):
        others(each)
        case.facts("accounts", {"account_id": ACME, "name": "Acme"})
    without.facts("accounts", {"account_id": ACME, "name": "Acme"})
    without.facts("memberships", {"user_id": "bob", "account_id": ACME})
    without.facts("contracts", {"account_id": ACME, "term_start": "2025-05-01", "term_end": "2026-05-01", "outcome": "cancelled", "churn_reason": "The export is too slow"})  # fmt: skip
    without.facts("goals", {"goal_id": "g1", "account_id": ACME})
    without.facts("goal_values", {"goal_id": "g1", "measured_at": "2026-05-01", "value": 1.0})  # fmt: skip
    without.facts("rejects", {"source": "http:app", "table_name": "events", "row_number": 2, "reason": "no name", "payload": '{"userId": "adam"}', "rejected_at": "2026-05-01"})  # fmt: skip
    theirs(case)
    told_of(case)
    told_of(without)
    case.roll_up()
    comments.take(case.workspace)
    subject = erasing.person(case.lake, ADA)
    assert subject == Subject(
        users=frozenset({ADA, DEVICE}), addresses=frozenset({ADDRESS.lower()})
    )
    before = erasing.rows(case.lake, subject)
    assert before["events"] == 4
    unnamed = {"feedback_annotations"}  # they name a ticket, nobody
    assert erasing.left(case.lake, subject).keys() >= before.keys() - unnamed

    gone = erasing.erase(case.lake, subject, quiet)
    assert gone["events"] == 4
    assert gone["emails"] == 2
    assert gone["feedback_annotations"] >= 2, "of her answer and of her ticket"
    assert gone["tickets"] == 2, "hers, and the one that speaks of her"
    assert gone["rejects"] == 1
    case.roll_up()
    comments.take(case.workspace)
    assert erasing.left(case.lake, subject), "older versions have it still"
    for name in TABLES:
        case.lake.forget(name)

    assert erasing.left(case.lake, subject) == {}
    text = stored(case.lake.root)
    assert ADDRESS.lower() not in text
    assert DEVICE not in text
    assert "'ada'" not in text
    assert '"ada\\"' not in text
    redacted = '{"cc": "[erased]", "by": "[erased]", "for": "adam"}'
    assert [t["properties"] for t in case.table("tickets")] == [redacted]
    without.facts("tickets", {"ticket_id": "t2", "account_id": "beta", "user_id": "bob", "opened_at": "2026-05-02", "properties": redacted})  # fmt: skip
    without.roll_up()
    comments.take(without.workspace)
    assert read(case) == read(without)


def test_an_account_goes_with_its_people_and_without_those_of_others(
    tmp_path: Path,
) -> None:
    case = Case(tmp_path)
    others(case)
    theirs(case)
    told_of(case)
    case.roll_up()
    comments.take(case.workspace)
    assert {"survey", "ticket", "cancellation"} == {
        row["source"] for row in case.table("feedback_annotations")
    }
    subject = erasing.account(case.lake, ACME)
    assert subject.users == {ADA}, "bob is in another account"
    erasing.erase(case.lake, subject, quiet)
    case.roll_up()
    for name in TABLES:
        case.lake.forget(name)
    assert erasing.left(case.lake, subject) == {}
    assert "ac'me" not in stored(case.lake.root)
    assert case.roll_up().usage_days == 0, "what is derived goes on from here"
    [beta] = case.table("accounts")
    assert (beta["account_id"], beta["parent_account_id"]) == ("beta", None)
    assert {row["user_id"] for row in case.table("users")} == {"bob", "adam"}
    assert case.table("goal_values") == []
    assert case.value("mau", as_of=date(2026, 5, 10)) == 2


def test_what_was_read_in_their_words_goes_with_them(tmp_path: Path) -> None:
    """Topics of tickets, contacts, notes and cancellations, of these accounts alone."""
    case = Case(tmp_path)
    for account in ("beta", "gamma"):
        of = {"account_id": account, "at": "2026-05-02"}
        case.facts("tickets", {"ticket_id": account, "account_id": account, "opened_at": "2026-05-02", "subject": "Slow"})  # fmt: skip
        case.facts("touchpoints", {**of, "touchpoint_id": account, "summary": "Slow"})
        case.facts("notes", {**of, "note_id": account, "text": "Slow"})
        case.facts("contracts", {"account_id": account, "term_start": "2025-05-01", "term_end": "2026-05-01", "churn_reason": "Slow"})  # fmt: skip
    assert comments.take(case.workspace) == 8
    subject = Subject(accounts=frozenset({"beta"}))
    assert erasing.rows(case.lake, subject)["feedback_annotations"] == 4
    erasing.erase(case.lake, subject, quiet)
    left = {row["response_id"] for row in case.table("feedback_annotations")}
    assert len(left) == 4
    assert not any("beta" in name for name in left)


def test_what_another_process_holds_is_read_and_written_on(tmp_path: Path) -> None:
    case = Case(tmp_path)
    others(case)
    other = Case(tmp_path)
    assert other.lake.count("users") == 2
    subject = erasing.person(case.lake, "bob")
    erasing.erase(case.lake, subject, quiet)
    for _again in range(2):
        for name in TABLES:
            case.lake.forget(name)
    assert [row["user_id"] for row in other.table("users")] == ["adam"]
    other.facts("users", {"user_id": "eve"})
    assert {row["user_id"] for row in case.table("users")} == {"adam", "eve"}
    assert erasing.left(case.lake, subject) == {}


@pytest.mark.parametrize("word", ["ada", "(", "ü\\", '"', ".*", "'"])
def test_only_the_whole_id_in_quotes_is_a_mention(word: str) -> None:
    subject = Subject(users=frozenset({word}), addresses=frozenset({"a+b@c.example"}))
    for ascii_ in (True, False):
        text = json.dumps({"by": word, "not": f"{word}x", "A+B@C.example": 1}, ensure_ascii=ascii_)  # fmt: skip
        told = json.loads(subject.redacted(text))
        assert told == {"by": "[erased]", "not": f"{word}x", "[erased]": 1}
