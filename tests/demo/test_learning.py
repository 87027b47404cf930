"""Corrections teach, measured on what the company's customers wrote: nothing of it was
written for this. People correct comments of some accounts; those of others are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

import pytest

from perennial.core.ids import digest
from perennial.demo import asking
from perennial.demo.comments import sentences
from perennial.demo.contracts import CHURN_REASONS
from perennial.demo.generate import generate
from perennial.demo.phrases import LANGUAGES, NEGATIVE, POSITIVE, THEMES
from perennial.scoring import lessons, themes
from perennial.scoring.taxonomy import OTHER
from perennial.scoring.themes import Reader
from tests.demo.conftest import Tables

#: Corrections of the earliest comments that were read wrong.
CORRECTED = 60


@dataclass(frozen=True)
class Said:
    account: str
    text: str
    language: str
    theme: str

    @property
    def is_taught(self) -> bool:
        return int(digest(self.account)[:4], 16) % 2 == 1


@pytest.fixture(scope="module")
def company(end: date) -> Tables:
    return generate(end=end, accounts=120, months=14, requests=100)


def answers(tables: Tables) -> Iterator[Said]:
    planted = {
        text: (language, theme)
        for language, theme, mood in product(LANGUAGES, THEMES, (POSITIVE, NEGATIVE))
        for text in sentences(language, theme, mood)
    }
    for row in tables["survey_responses"].to_pylist():
        if row["comment"]:
            yield Said(row["account_id"], row["comment"], *planted[row["comment"]])


def tickets(tables: Tables) -> Iterator[Said]:
    planted = {
        text: (language, theme or OTHER)
        for language, (topic, theme) in product(LANGUAGES, asking.TOPICS.items())
        for text in asking.messages(language, topic)
    }
    for row in tables["tickets"].to_pylist():
        text = row["description"]
        yield Said(row["account_id"], text, *planted[text])


def taught(some: Sequence[Said]) -> Mapping[str, lessons.Lessons]:
    """What the first corrections of these comments teach, as a refresh learns it."""
    reader, corrected = Reader(), defaultdict(list)
    wrong = [
        s for s in some if set(reader.read(s.text, s.language).topics) != {s.theme}
    ]
    chosen = wrong[:CORRECTED]
    for said in chosen:
        _, found = reader.corrected(said.text, said.language, {said.theme})
        corrected[said.language].append(found)
    others = defaultdict(list)
    for said in some:
        if said not in chosen:
            others[said.language].append(themes.stems_of(said.text, said.language))
    return {
        language: lessons.learn(found, others[language], language)
        for language, found in corrected.items()
    }


def quality(reader: Reader, some: Sequence[Said]) -> tuple[float, float]:
    """Precision and recall of the planted themes, one a comment."""
    found = [set(reader.read(s.text, s.language).topics) for s in some]
    hits = sum(s.theme in topics for s, topics in zip(some, found, strict=True))
    return hits / sum(map(len, found)), hits / len(some)


@pytest.mark.parametrize(
    ("told", "before", "after"),
    [
        (answers, [0.73, 0.87], [0.84, 0.96]),
        (tickets, [0.77, 0.92], [0.90, 0.97]),
    ],
    ids=["answers", "tickets"],
)
def test_comments_of_other_accounts_are_read_better(
    company: Tables, told, before: list[float], after: list[float]
) -> None:
    every = list(told(company))
    teaching = [said for said in every if said.is_taught]
    held_out = [said for said in every if not said.is_taught]
    assert min(len(teaching), len(held_out)) > 200
    assert quality(Reader(), held_out) == pytest.approx(before, abs=0.005)
    now = quality(Reader(taught=taught(teaching)), held_out)
    assert now == pytest.approx(after, abs=0.005)


def test_reasons_to_leave_are_read_as_they_were_planted() -> None:
    reader = Reader()
    found = {reason: set(reader.read(reason, "en").topics) for reason in CHURN_REASONS}
    assert found["Too expensive"] == {"price"}
    assert found["Missing feature"] == {"features"}
    assert found["Support"] == {"support"}
    assert found["Company closed or merged"] == {OTHER}
