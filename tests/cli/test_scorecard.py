"""Scorecards as files: shown, checked, published, listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from perennial.cli.main import cli

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "data").mkdir()

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(
            cli, ["--data", str(tmp_path / "data"), *arguments], catch_exceptions=False
        )

    return call


def test_what_is_shown_can_be_checked_and_says_the_same(
    run: Run, tmp_path: Path
) -> None:
    shown = run("scorecard", "show")
    assert "measure: frequency" in shown.stdout
    file = tmp_path / "card.yaml"
    file.write_text(shown.stdout)
    checked = run("scorecard", "check", str(file))
    assert checked.exit_code == 0
    assert "frequency 30.0%, breadth 25.0%, depth 30.0%, growth 15.0%" in checked.stdout
    told = json.loads(run("scorecard", "show", "--format", "json").stdout)
    assert [part["weight"] for part in told["components"]] == [30, 25, 30, 15]


def test_a_bad_file_is_one_line_on_standard_error(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "card.yaml"
    file.write_text("name: Ours\ncuts: [60, 40, 80]\ncomponents: []\n")
    refused = run("scorecard", "check", str(file))
    assert refused.exit_code == 1
    assert refused.stderr.startswith("perennial: ")
    assert "cuts: must rise" in refused.stderr
    assert "components: must be a list" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    gone = run("scorecard", "check", str(tmp_path / "nowhere.yaml"))
    assert (gone.exit_code, "no such file" in gone.stderr) == (1, True)
    assert run("scorecard", "show", "--version", "3").exit_code == 1
    assert run("health", "--set", "version=3").exit_code == 1


def test_publishing_makes_a_version(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verb is the one screens call: tested there; here that it is called."""
    from perennial.apps.health import actions
    from perennial.lake import scorecards
    from perennial.lake.opening import open_workspace

    lake = open_workspace(tmp_path / "data")
    monkeypatch.setattr("perennial.cli.scorecard.application_workspace", lambda _: lake)
    monkeypatch.setattr(
        actions,
        "publish",
        lambda where, card, by, note: scorecards.publish(
            where, card, by="command line", note=note
        ),
    )
    file = tmp_path / "card.json"
    text = run("scorecard", "show", "--format", "json").stdout
    file.write_text(text.replace("[40, 60, 80]", "[30, 60, 80]").replace("40,", "30,"))
    done = run("scorecard", "publish", str(file), "--note", "Red later")
    assert (done.exit_code, "version 1" in done.stdout) == (0, True)
    listed = json.loads(run("scorecard", "history", "--format", "json").stdout)
    assert [(row["version"], row["note"]) for row in listed] == [
        (0, ""),
        (1, "Red later"),
    ]
    assert run("scorecard", "publish", str(file), "--note", " ").exit_code == 1
    assert run("scorecard", "publish", str(file)).exit_code == 2
