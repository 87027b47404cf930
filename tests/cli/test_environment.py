"""What the environment decides, and what it cannot mean."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from perennial.config import environment
from perennial.core.errors import BadValue

ROOT = Path(__file__).parents[2]
NAME = "PERENNIAL_TRIED"
#: Set by `perennial demo` for the processes it starts.
INTERNAL = {"PERENNIAL_DEMO", "PERENNIAL_DEMO_EMAIL"}


@pytest.mark.parametrize(
    ("value", "found"), [("", False), ("0", False), ("no", False), ("Yes", True)]
)
def test_flags(monkeypatch: pytest.MonkeyPatch, value: str, found: bool) -> None:
    monkeypatch.setenv(NAME, value)
    assert environment.flag(NAME) is found


def test_what_is_empty_is_not_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "")
    assert environment.text(NAME, "else") == "else"
    assert environment.number(NAME, 7) == 7
    assert environment.log_level(NAME, "warning") == "WARNING"
    assert environment.url(NAME, "smtp", "smtps").geturl() == ""


def test_what_is_said_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "12")
    assert environment.number(NAME, 7) == 12
    monkeypatch.setenv(NAME, "smtps://user:secret@mail.example:465")
    assert environment.url(NAME, "smtp", "smtps").port == 465


@pytest.mark.parametrize("value", ["maybe", "-1", "0", "smtp://mail:x", "http://"])
def test_a_bad_value_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(NAME, value)
    readings = [
        lambda: environment.number(NAME, 1),
        lambda: environment.log_level(NAME, "INFO"),
        lambda: environment.url(NAME, "smtp", "smtps"),
    ]
    readings += [] if value == "0" else [lambda: environment.flag(NAME)]
    for reading in readings:
        with pytest.raises(BadValue, match=rf"^{NAME} .*$") as error:
            reading()
        assert "\n" not in str(error.value)


def test_a_password_is_never_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "mail://user:secret@host")
    with pytest.raises(BadValue) as error:
        environment.url(NAME, "smtp", "smtps")
    assert "secret" not in str(error.value)


def test_every_variable_is_described() -> None:
    read = set[str]()
    for path in (ROOT / "src").rglob("*.py"):
        read |= set(re.findall(r"PERENNIAL_[A-Z_]+", path.read_text()))
    page = (ROOT / "docs/how-to/run-a-server.md").read_text()
    described = set(re.findall(r"^\| `(PERENNIAL_[A-Z_]+)`", page, re.MULTILINE))
    assert described == read - INTERNAL
