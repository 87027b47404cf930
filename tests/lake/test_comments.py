"""A refresh reads new comments, once, and writes over nobody's word."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from perennial.core.errors import BadValue
from perennial.lake import comments, merged, quotes
from tests.builders import Case

PERIOD = {"start": "2026-05-01", "end": "2026-06-01"}


def said(name: str, comment: str | None, **more: Any) -> dict[str, Any]:
    return {
        "response_id": name,
        "kind": "nps",
        "score": 3.0,
        "comment": comment,
        "answered_at": "2026-05-10T09:00",
        **more,
    }


def topics(case: Case) -> dict[str, float]:
    rows = case.workspace.metric("feedback_topics", **PERIOD).to_dicts()
    return {row["topic"]: row["value"] for row in rows if row["value"]}


def rows_of(case: Case, name: str) -> list[tuple[Any, ...]]:
    rows = [r for r in case.table("feedback_annotations") if r["response_id"] == name]
    return sorted((r["version"], r["topic"], r["annotated_by"]) for r in rows)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_nothing_to_read(case: Case) -> None:
    assert comments.take(case.workspace) == 0
    case.facts("survey_responses", said("silent", None), said("blank", "  "))
    assert comments.take(case.workspace) == 0
    assert case.table("feedback_annotations") == []


def test_new_comments_are_read_once_and_changed_ones_again(case: Case) -> None:
    case.facts(
        "survey_responses",
        said("price", "Too expensive."),
        said("svenska", "Supporten är långsam.", language="en"),
        said("none", "???"),
    )
    case.refresh()
    assert topics(case) == {"price": 1, "support": 1, "performance": 1}
    assert rows_of(case, "none") == [(1, None, "built_in")]
    read = {r["response_id"]: r["language"] for r in case.table("feedback_annotations")}
    assert read == {"price": "en", "svenska": "sv", "none": None}
    assert comments.take(case.workspace) == 0

    case.facts(
        "survey_responses",
        said("price", "Too expensive.", score=4.0),
        said("svenska", "Rapporterna är bra."),
        said("late", "Die App stürzt ab.", answered_at="2026-05-02T09:00"),
    )
    assert comments.take(case.workspace) == 2
    assert rows_of(case, "price") == [(1, "price", "built_in")]
    assert rows_of(case, "svenska")[-1] == (2, "reports", "built_in")
    assert topics(case).keys() == {"price", "reports", "mobile app", "performance"}
    before = case.table("feedback_annotations")
    assert comments.take(case.workspace) == 0
    assert case.table("feedback_annotations") == before


def test_nobodys_word_is_written_over(case: Case) -> None:
    """An analysis that came with an import looked at all comments of its survey up to
    the last one it speaks of; a person's word counts whatever is read later."""
    early, late = "2026-05-03T09:00", "2026-05-20T09:00"
    case.facts(
        "survey_responses",
        said("given", "The price is high.", survey="old"),
        said("looked_at", "The price is high.", survey="old", answered_at=early),
        said("after", "The price is high.", survey="old", answered_at=late),
        said("elsewhere", "The price is high.", survey="new", answered_at=early),
        said("corrected", "The price is high.", survey="new"),
    )
    case.facts(
        "feedback_annotations",
        {"response_id": "given", "topic": "ux", "sentiment": -0.5},
        {"response_id": "corrected", "topic": "contract", "annotated_by": "person"},
    )
    assert comments.take(case.workspace) == 3
    assert rows_of(case, "given") == [(None, "ux", None)]
    assert rows_of(case, "looked_at") == []
    assert topics(case) == {"ux": 1, "price": 2, "contract": 1}


def test_an_analysis_that_comes_later_goes_before(case: Case) -> None:
    case.facts("survey_responses", said("one", "The app is slow."))
    comments.take(case.workspace)
    case.facts("feedback_annotations", {"response_id": "one", "topic": "ux"})
    assert topics(case) == {"ux": 1}


def test_scores_teach_words_of_what_comes_after(case: Case) -> None:
    """Two hundred answers before it say what a depot means to these customers."""
    past = [
        said(
            f"p{n}",
            f"It is the {'crew' if n % 2 else 'depot'}",
            score=10.0 if n % 2 else 1.0,
            answered_at=f"2026-04-{n % 28 + 1:02}T09:00",
        )
        for n in range(220)
    ]
    case.facts("survey_responses", *past)
    assert comments.take(case.workspace) == 220
    case.facts("survey_responses", said("new", "It is the depot", score=None))
    assert comments.take(case.workspace) == 1
    felt = {
        r["response_id"]: r["sentiment"] for r in case.table("feedback_annotations")
    }
    assert felt["new"] <= -0.25
    # Nothing came before these.
    assert felt["p0"] == felt["p1"] == 0


def elsewhere(case: Case) -> None:
    """Something said in every other source, and what says nothing or is nobody's."""
    at = "2026-05-10T09:00"
    ticket = {"opened_at": at, "account_id": "a"}
    case.facts(
        "tickets",
        {**ticket, "ticket_id": "1", "subject": "Invoice", "description": "Too high."},
        {**ticket, "ticket_id": "2", "topic": "billing"},
        {**ticket, "ticket_id": "3", "subject": "The price!", "is_spam": True},
        {**ticket, "ticket_id": "4", "subject": "The price!", "merged_into": "1"},
    )
    touch = {"touchpoint_id": "7", "account_id": "a", "at": at}
    case.facts("touchpoints", {**touch, "summary": "Die App stürzt ab."})
    case.facts("notes", {"note_id": "7", "account_id": "b", "at": at, "text": "Slow."})
    term = {"account_id": "b", "term_start": "2025-05-12", "term_end": "2026-05-12"}
    case.facts("contracts", {**term, "churn_reason": "Too expensive"})


def test_what_is_said_elsewhere_is_read_too(case: Case) -> None:
    elsewhere(case)
    assert comments.take(case.workspace) == 4
    assert comments.take(case.workspace) == 0
    read = {
        (r["source"], r["response_id"], r["topic"])
        for r in case.table("feedback_annotations")
    }
    left = "cancellation:b:2025-05-12"
    assert read == {
        ("ticket", "ticket:1", "price"),
        ("contact", "contact:7", "mobile app"),
        ("contact", "contact:7", "performance"),
        ("note", "note:7", "performance"),
        ("cancellation", left, "price"),
    }
    rows = case.workspace.metric("feedback_topics", by=["source"], **PERIOD).to_dicts()
    found = {(r["source"], r["topic"]): r["value"] for r in rows if r["value"]}
    assert found == {(source, topic): 1 for source, _, topic in read}
    # A note that changed is read again, and only that.
    at = "2026-05-10T09:00"
    case.facts("notes", {"note_id": "7", "account_id": "b", "at": at, "text": "Price."})
    assert comments.take(case.workspace) == 1
    assert rows_of(case, "note:7")[-1] == (2, "price", "built_in")
    # A person's word counts for each.
    for name in ("ticket:1", left):
        quotes.correct(case.workspace, name, ["support"])
    start, end = (date.fromisoformat(day) for day in PERIOD.values())
    spoken = {q.response_id: q for q in quotes.quotes(case.workspace, start, end)}
    assert spoken["ticket:1"].topics.keys() == {"support"}
    assert spoken["ticket:1"].comment == "Invoice\nToo high."
    assert spoken["ticket:1"].points is None
    assert spoken["contact:7"].language == "de"
    assert (spoken[left].source, spoken[left].account_id) == ("cancellation", "b")
    assert f"{spoken[left].at:%m-%d %H:%M}" == "05-12 12:00"
    with pytest.raises(BadValue, match="no comment ticket:2"):
        quotes.correct(case.workspace, "ticket:2", ["support"])


def test_a_cancellation_follows_its_account_where_that_was_merged(case: Case) -> None:
    case.facts("accounts", {"account_id": "b"}, {"account_id": "c"})
    elsewhere(case)
    comments.take(case.workspace)
    merged.merge(case.workspace, "b", "c", by="ada@example.com")
    assert comments.take(case.workspace) == 1
    rows = case.workspace.metric("feedback_topics", by=["account"], **PERIOD).to_dicts()
    found = {(r["account"], r["topic"]) for r in rows if r["value"]}
    assert found >= {("c", "price"), ("c", "performance"), ("a", "price")}
