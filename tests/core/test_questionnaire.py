"""Documents of surveys: what follows which score, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.core.errors import BadValue
from perennial.core.questionnaire import read

DOCUMENT: dict[str, Any] = {
    "kind": "nps",
    "languages": ["en", "de"],
    "ask": {"en": "How likely?", "de": "Wie wahrscheinlich?"},
    "low": {"en": "Not at all"},
    "follow_ups": [
        {"id": "why", "kind": "text", "from": 0, "to": 6, "ask": {"en": "Why?", "de": "Warum?"}},
        {"id": "what", "kind": "choice", "from": 7, "ask": {"en": "What?", "de": "Was?"},
         "options": [{"en": "Speed", "de": "Tempo"}, {"en": "Price", "de": "Preis"}]},
    ],
    "thanks": [{"from": 0, "to": 6, "text": {"en": "Sorry.", "de": "Schade."}}, {"text": {"en": "Great."}}],
}  # fmt: skip


def test_what_follows_depends_on_the_score() -> None:
    survey = read(DOCUMENT)
    names = {s: [each.id for each in survey.following(s)] for s in survey.scores}
    assert names == {s: ["why"] if s <= 6 else ["what"] for s in range(11)}
    assert survey.closing(3, "de") == "Schade."
    assert survey.closing(9, "de") == "Great."
    assert survey.said(survey.low, "de") == "Not at all"
    assert survey.language(["sv-SE", "de-AT"]) == "de"
    assert survey.language(["fr"]) == "en"


def test_answers_to_what_was_not_asked_are_left_out() -> None:
    survey = read(DOCUMENT)
    assert survey.checked(3, {"why": " slow ", "what": "0"}) == {"why": "slow"}
    assert survey.checked(9, {"why": "slow", "what": "1"}) == {"what": "1"}
    assert survey.chosen({"what": "1"}) == {"what": "Price"}
    assert survey.comment({"why": "slow"}) == "slow"
    for score, answers in ((11, {}), (-1, {}), (9, {"what": "2"}), (9, {"what": "x"})):
        with pytest.raises(BadValue):
            survey.checked(score, answers)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "poll"}, "kind"),
        ({"languages": []}, "languages"),
        ({"languages": ["<b>"]}, "languages"),
        ({"ask": {"en": "x"}}, "question: the text in de is missing"),
        ({"ask": {"en": "x" * 1001, "de": "y"}}, "at most"),
        ({"thanks": "x"}, "thanks"),
        ({"thanks": [{"from": 7, "to": 3, "text": {}}]}, "thanks 1: scores within"),
        ({"follow_ups": [{"id": "a b", "ask": {}}]}, "follow-up 1: an id"),
        ({"follow_ups": [{"id": "a", "kind": "choice", "ask": {}}]}, "2 to 12 choices"),
        ({"follow_ups": DOCUMENT["follow_ups"][:1] * 2}, "same id"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadValue, match=said):
        read({**copy.deepcopy(DOCUMENT), **change})


_NAMES = st.sampled_from([*DOCUMENT, "en", "from", "options"])
_VALUES = st.none() | st.integers(0, 12) | st.text(max_size=3)


@settings(max_examples=60)
@given(st.dictionaries(_NAMES, _VALUES | st.lists(st.dictionaries(_NAMES, _VALUES))))
def test_any_change_is_read_or_refused(changes: dict[str, Any]) -> None:
    """Never another error than one that is written for people."""
    try:
        survey = read({**DOCUMENT, **changes})
    except BadValue:
        return
    assert survey.ask[survey.default]
