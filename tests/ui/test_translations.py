"""The catalogs of German and Swedish are complete."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings

from docs import words

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
#: What a translation keeps: values, tags, and the bar between the halves of a formula.
KEPT = (r"%\(\w+\)s", r"\{\w+\}", r"</?\w+", r"%%", r" / ")


def catalog(folder: Path, language: str) -> Catalog:
    with (folder / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(found: Catalog) -> dict[tuple[str, str], Message]:
    return {(str(m.context or ""), _first(m.id)): m for m in found if m.id}


def _first(text: object) -> str:
    return str(text[0] if isinstance(text, (tuple, list)) else text)


def _last(text: object) -> str:
    return str(text[-1] if isinstance(text, (tuple, list)) else text)


def _forms(message: Message) -> list[str]:
    text = message.string
    return list(text) if isinstance(text, (tuple, list)) else [str(text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_translated(language: str) -> None:
    for message in messages(catalog(words.FOLDER, language)).values():
        assert all(_forms(message)), message.id
        assert not message.fuzzy, message.id
        assert not list(message.check()), message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_their_places(language: str) -> None:
    for message in messages(catalog(words.FOLDER, language)).values():
        singular, *plurals = _forms(message)
        pairs = [(_first(message.id), singular)]
        pairs += [(_last(message.id), plural) for plural in plurals]
        for text, form in pairs:
            for pattern in KEPT:
                wanted = sorted(re.findall(pattern, text))
                assert sorted(re.findall(pattern, form)) == wanted, text


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs GNU gettext")
def test_the_catalogs_know_every_word() -> None:
    wanted = set(messages(words.wanted()))
    assert len(wanted) > 1000
    for language in LANGUAGES:
        known = set(messages(catalog(words.FOLDER, language)))
        assert known == wanted, "run `make words` and translate what is new"
