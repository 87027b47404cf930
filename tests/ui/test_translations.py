"""The catalogs of German and Swedish are complete."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.makemessages import Command
from pytest_django import Settings

import perennial

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
SOURCE = Path(perennial.__file__).parent
#: What has words that people see.
COVERED = ("config", "ui", "apps")
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
    for message in messages(catalog(SOURCE / "config/locale", language)).values():
        assert all(_forms(message)), message.id
        assert not message.fuzzy, message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_their_places(language: str) -> None:
    for message in messages(catalog(SOURCE / "config/locale", language)).values():
        singular, *plurals = _forms(message)
        pairs = [(_first(message.id), singular)]
        pairs += [(_last(message.id), plural) for plural in plurals]
        for text, form in pairs:
            for pattern in KEPT:
                wanted = sorted(re.findall(pattern, text))
                assert sorted(re.findall(pattern, form)) == wanted, text


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs GNU gettext")
def test_the_catalogs_know_every_word(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in COVERED:
        only = shutil.ignore_patterns("static", "locale", "__pycache__")
        shutil.copytree(SOURCE / folder, tmp_path / folder, ignore=only)
    settings.LOCALE_PATHS = [tmp_path / "words"]
    (tmp_path / "words").mkdir()
    options = [*Command.xgettext_options, "--keyword=noop"]
    monkeypatch.setattr(Command, "xgettext_options", options)
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", locale=["de"], verbosity=0)
    wanted = set(messages(catalog(tmp_path / "words", "de")))
    assert len(wanted) > 800
    for language in LANGUAGES:
        known = messages(catalog(SOURCE / "config/locale", language))
        assert wanted - set(known) == set(), language
