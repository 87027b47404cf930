"""A refresh reads new comments, once, and writes over nobody's word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perennial.lake import comments
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
