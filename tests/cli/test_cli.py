"""The program as people call it: files in, numbers out, one clear line on error."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from perennial.cli.main import VERBS, cli
from perennial.core.errors import UnknownName

Run = Callable[..., Result]

EVENTS = """event_id,event,timestamp,user_id,account_id
e1,Report Viewed,2026-03-01T10:00:00Z,u1,A
e2,Report Viewed,2026-03-01T10:10:00Z,u1,A
e3,Report Viewed,2026-03-02T10:00:00Z,u2,B
e4,Report Viewed,yesterday,u2,B
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(*arguments: str) -> Result:
        return CliRunner().invoke(
            cli, ["--data", str(tmp_path / "data"), *arguments], catch_exceptions=False
        )

    return call


@pytest.fixture
def loaded(run: Run, tmp_path: Path) -> Run:
    path = tmp_path / "events.csv"
    path.write_text(EVENTS)
    assert run("import", "events", str(path)).exit_code == 0
    assert run("refresh").exit_code == 0
    return run


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_good_rows_load_and_bad_ones_are_explained(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(EVENTS)
    first = run("import", "events", str(path), "--format", "json")
    (report,) = json.loads(first.stdout)
    assert [report[k] for k in ("rows", "loaded", "unchanged", "rejected")] == [
        4,
        3,
        0,
        1,
    ]
    assert "yesterday" in first.stderr
    (again,) = rows(run("import", "events", str(path), "--format", "json"))
    assert [again[k] for k in ("rows", "loaded", "unchanged", "rejected")] == [
        4,
        0,
        3,
        1,
    ]
    rejects = run("export", "rejects", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["row_number"] for line in rejects] == [4]


def test_what_is_loaded_is_told_though_a_later_file_fails(
    run: Run, tmp_path: Path
) -> None:
    good = tmp_path / "accounts.csv"
    good.write_text("account_id,name\nA,Acme\n")
    found = run("import", "accounts", str(good), str(tmp_path / "none.csv"))
    assert found.exit_code == 1
    assert "accounts.csv" in found.stdout
    assert "none.csv" in found.stderr


def test_a_dry_run_loads_nothing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(EVENTS)
    (report,) = rows(run("import", "auto", str(path), "--dry-run", "--format", "json"))
    assert (report["table"], report["loaded"]) == ("events", 3)
    assert len(run("export", "events").stdout.splitlines()) == 1  # the header


def test_a_metric_in_every_format(loaded: Run) -> None:
    asked = (
        "metric",
        "dau",
        "--start",
        "2026-03-01",
        "--end",
        "2026-03-03",
        "--grain",
        "day",
    )
    found = rows(loaded(*asked, "--format", "json"))
    assert list(found[0]) == [
        "metric",
        "period_start",
        "period_end",
        "value",
        "numerator",
        "denominator",
        "n",
        "status",
    ]
    assert [row["value"] for row in found] == [1.0, 1.0]
    table = list(csv.DictReader(io.StringIO(loaded(*asked, "--format", "csv").stdout)))
    assert [row["value"] for row in table] == ["1.0", "1.0"]
    assert "2026-03-02" in loaded(*asked).stdout


def test_dimensions_are_columns(loaded: Run) -> None:
    found = rows(
        loaded(
            "metric",
            "sessions",
            "--start",
            "2026-03-01",
            "--by",
            "account",
            "--format",
            "json",
        )
    )
    assert {row["account"]: row["value"] for row in found} == {"A": 1.0, "B": 1.0}


def test_no_data_is_null(loaded: Run) -> None:
    (row,) = rows(loaded("metric", "mrr", "--as-of", "2026-03-01", "--format", "json"))
    assert (row["value"], row["status"]) == (None, "no_data")


def test_explain_names_formula_inputs_and_rows(loaded: Run) -> None:
    asked = (
        "metric",
        "sessions",
        "--start",
        "2026-03-01",
        "--end",
        "2026-03-03",
        "--explain",
    )
    told = loaded(*asked).stdout
    assert "sessions that began in the period" in told
    assert "The rows behind, by account (2)" in told
    facts = json.loads(loaded(*asked, "--format", "json").stdout)
    assert sum(row["value"] for row in facts["behind"]) == facts["rows"][0]["value"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("metric", "nonsense"), "unknown metric 'nonsense'"),
        (("metric", "dau", "--start", "soon"), "not a date: 'soon'"),
        (("metric", "dau", "--by", "moon"), "unknown dimension 'moon'"),
        (("metric", "mau", "--variant", "x"), "unknown variant of mau 'x'"),
        (("metric", "dau", "--where", "drop table"), "cannot"),
        (("metric", "dau", "--where", "plan ="), "near '='; write it as in"),
        (("metric", "dau", "--where", "plan = 'a"), "ends in the middle; write"),
        (("metric", "dau", "--where", " "), "the condition is empty"),
        (("export", "nonsense"), "unknown table 'nonsense'"),
        (("health", "--account", "nobody"), "no account 'nobody'"),
        (("import", "events", "missing.csv"), "missing.csv"),
    ],
)
def test_a_users_error_is_one_line_and_status_1(
    loaded: Run, arguments: tuple[str, ...], said: str
) -> None:
    result = loaded(*arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_wrong_usage_is_status_2(run: Run) -> None:
    assert run("metric").exit_code == 2
    assert run("no-such-verb").exit_code == 2
    assert run("import", "events", "x.csv", "--map", "no-equals-sign").exit_code == 2


def test_without_a_data_folder_it_says_how_to_make_one(run: Run) -> None:
    result = run("metric", "dau")
    assert result.exit_code == 1
    assert "perennial init" in result.stderr


def test_only_what_adds_data_makes_a_workspace(loaded: Run, tmp_path: Path) -> None:
    other = loaded("--workspace", "other", "metric", "dau")
    assert (other.exit_code, other.stderr) == (
        1,
        "perennial: unknown workspace 'other'; known: default\n",
    )
    outside = loaded("--workspace", "../x", "import", "events", "events.csv")
    assert (outside.exit_code, outside.stderr.count("\n")) == (1, 1)
    path = str(tmp_path / "events.csv")
    assert loaded("--workspace", "other", "import", "events", path).exit_code == 0
    assert loaded("--workspace", "other", "metric", "dau").exit_code == 0


def test_what_the_system_refuses_is_one_line(loaded: Run, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    result = loaded("export", "events", "--output", str(taken))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert str(taken) in result.stderr


def test_a_home_folder_is_meant_by_its_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here as in the application, which had meant another folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "events.csv"
    path.write_text(EVENTS)
    asked = ["--data", "~/mine", "import", "events", str(path)]
    assert CliRunner().invoke(cli, asked).exit_code == 0
    assert (tmp_path / "mine" / "lake" / "default" / "events").is_dir()


def test_every_verb_explains_itself(run: Run) -> None:
    listed = run("--help").stdout
    for verb in VERBS:
        assert verb in listed
        result = run(verb, "--help")
        assert result.exit_code == 0
        assert len(result.stdout) > 100


def test_the_catalog_lists_every_metric(run: Run) -> None:
    keys = {row["key"] for row in rows(run("metrics", "--format", "json"))}
    assert {"dau", "wau", "mau", "mrr", "arr", "arpa", "license_utilization"} <= keys


def test_the_installed_program_runs() -> None:
    program = Path(sys.executable).parent / "perennial"
    done = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    )
    assert "0.1.0" in done.stdout


def test_a_metric_of_ones_own(loaded: Run) -> None:
    asked = ("--measure", "unique", "--column", "user_id", "--of", "events")
    (made,) = rows(loaded("define", "people", *asked, "--format", "json"))
    assert (made["version"], made["formula"]) == (1, "distinct user_id of events")
    loaded("refresh")
    span = ("--start", "2026-03-01", "--end", "2026-03-03", "--format", "json")
    (row,) = rows(loaded("metric", "people", *span))
    assert (row["value"], row["n"]) == (2, 3)
    known = rows(loaded("metrics", "--format", "json"))
    assert "people" in {m["key"] for m in known}
    assert len(rows(loaded("define", "--format", "json"))) == 1
    loaded("define", "people", "--retire")
    gone = loaded("metric", "people", *span)
    assert gone.exit_code == 1
    assert "unknown metric 'people'" in gone.output
    assert loaded("define", "mrr", *asked).exit_code == 1


def test_targets(loaded: Run) -> None:
    (kept,) = rows(loaded("targets", "dau", "--target", "2", "--format", "json"))
    assert (kept["metric"], kept["target"]) == ("dau", 2)
    assert rows(loaded("targets", "dau", "--remove", "--format", "json")) == []
    assert loaded("targets", "dau").exit_code == 2
    assert loaded("targets", "nothing", "--target", "2").exit_code == 1


@pytest.mark.parametrize("port", ["0", "99999", "x"])
def test_a_port_that_cannot_be_is_wrong_usage(run: Run, port: str) -> None:
    assert run("serve", "--port", port).exit_code == 2


def test_a_file_that_cannot_be_written_is_named(loaded: Run, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "a.parquet"
    for format_ in ("csv", "jsonl", "parquet"):
        result = loaded(
            "export", "events", "--format", format_, "--output", str(missing)
        )
        assert result.exit_code == 1
        assert result.stderr == f"perennial: {missing}: no such file or directory\n"
        there = tmp_path / f"a.{format_}"
        loaded("export", "events", "--format", format_, "--output", str(there))
        assert there.stat().st_size > 0


def test_an_import_says_where_the_refused_rows_are(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text(EVENTS)
    assert "perennial export rejects" in run("import", "events", str(file)).stderr
    dry = run("import", "events", str(file), "--dry-run")
    assert "export rejects" not in dry.stderr


def test_a_name_where_none_is_known_lists_nothing() -> None:
    assert str(UnknownName("key", "nope", [])) == "unknown key 'nope'"
    assert str(UnknownName("key", "c", ["a", "b"])) == "unknown key 'c'; known: a, b"
