from __future__ import annotations

from typing import Any

import pytest
import yaml

from perennial.core.errors import BadValue
from perennial.scoring import taxonomy_text
from perennial.scoring.taxonomy import STANDARD
from perennial.scoring.themes import Reader


def test_the_standard_is_a_document_as_others_are() -> None:
    document = taxonomy_text.to_document(STANDARD)
    assert taxonomy_text.read(document) == STANDARD
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    assert taxonomy_text.read(yaml.safe_load(text)) == STANDARD


def test_a_topic_of_ones_own_is_met() -> None:
    document: dict[str, Any] = {
        "turntable": {
            "names": {"de": "Drehtisch"},
            "words": {"en": ["Turntable", "spin bed"], "de": "*drehtisch*"},
        }
    }
    topics = taxonomy_text.read(document)
    reader = Reader(topics)
    assert topics[0].names == {"de": "Drehtisch"}
    assert set(reader.read("The turntables are great.").topics) == {"turntable"}
    assert set(reader.read("Der Rundrehtischantrieb ist laut.").topics) == {"turntable"}
    assert set(reader.read("The price is fine.").topics) == {"other"}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "topics by their keys are expected, one at least"),
        ({"Price": {}}, "'Price': a key is of small letters, at most 40"),
        ({"other": {}}, "other: this is what speaks of no topic"),
        ({"a": {"word": {}}}, "a: 'word' is not known: names, words"),
        ({"a": {"words": {"fr": "prix"}}}, "a, words: 'fr' is not known: de, en, sv"),
        ({"a": {"words": {"en": " , "}}}, "a: a word in one language at least"),
        (
            {"a": {"words": {"en": "ok, pri*ce"}}},
            "a, en: 'pri*ce' is no word; a star stands at its ends",
        ),
        (
            {"a": {"words": {"en": "(.*)+"}}},
            "a, en: '(.*)+' is no word; a star stands at its ends",
        ),
        ({"a": {"words": {"en": 3}}}, "a, en: words between commas, or a list"),
    ],
)
def test_what_is_wrong_is_said(document: object, reason: str) -> None:
    with pytest.raises(BadValue) as error:
        taxonomy_text.read(document)
    assert str(error.value) == reason
