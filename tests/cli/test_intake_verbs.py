"""Settings, keys, the tail of events and the health check, each test in a process of its own."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.installed import install


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]

#: Runs one command a line, as the program would: to start it takes over a second.
SHELL = """
import json, sys
from click.testing import CliRunner
from perennial.cli.main import cli
for line in sys.stdin:
    done = CliRunner().invoke(cli, json.loads(line))
    print(json.dumps([done.exit_code, done.stdout, done.stderr]), flush=True)
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    install(tmp_path)
    plain = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")}
    with subprocess.Popen(
        [sys.executable, "-c", SHELL],
        env={**plain, "PYTHONPATH": "src"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        given, said = shell.stdin, shell.stdout

        def call(*arguments: str) -> Done:
            given.write(json.dumps(["--data", str(tmp_path), *arguments]) + "\n")
            given.flush()
            return Done(*json.loads(said.readline()))

        yield call
        given.close()


def put(folder: Path, key: str, *calls: dict[str, object]) -> None:
    """A request as the web process leaves it in the inbox."""
    body = json.dumps({"batch": calls}).encode()
    with sqlite3.connect(folder / "perennial.sqlite3") as database:
        database.execute(
            "INSERT INTO intake_batch (source_id, call, received_at, body, size) "
            "SELECT source_id, 'batch', datetime('now'), ?, ? "
            "FROM intake_writekey WHERE key = ?",
            (body, len(body), key),
        )
    database.close()


def test_a_key_lives_and_dies(run: Run) -> None:
    made = run("keys", "create", "--kind", "write", "--name", "Web", "--format", "json")
    key = json.loads(made.stdout)["key"]
    assert len(key) == 32
    again = json.loads(
        run("keys", "create", "--name", "Web", "--format", "json").stdout
    )
    listed = json.loads(run("keys", "list", "--format", "json").stdout)
    assert {row["key"] for row in listed} == {key, again["key"]}
    assert len({row["source_id"] for row in listed}) == 1, "one source, two keys"
    assert run("keys", "revoke", key[:8]).returncode == 0
    listed = json.loads(run("keys", "list", "--format", "json").stdout)
    assert [row["key"] for row in listed if row["revoked_at"]] == [key]
    unknown = run("keys", "revoke", "nonsense")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)


def test_refresh_loads_the_inbox_and_the_tail_shows_it(
    run: Run, tmp_path: Path
) -> None:
    key = json.loads(run("keys", "create", "--name", "Web", "--format", "json").stdout)[
        "key"
    ]
    put(
        tmp_path,
        key,
        {"type": "track", "event": "Report opened", "userId": "ada", "messageId": "m1"},
        {"type": "track", "userId": "ada"},
    )
    assert run("events", "tail", "--no-follow").stdout == ""
    assert run("refresh").returncode == 0
    tail = run("events", "tail", "--no-follow", "--format", "json").stdout
    lines = [json.loads(line) for line in tail.splitlines()]
    assert {line["what"] for line in lines} == {"event", "reject: no_name"}
    table = run("events", "tail", "--no-follow", "--last", "1").stdout
    assert table.count("\n") == 1


def test_check_says_what_is_wrong(run: Run, tmp_path: Path) -> None:
    key = json.loads(run("keys", "create", "--name", "Web", "--format", "json").stdout)[
        "key"
    ]
    put(tmp_path, key, {"type": "track", "event": "E", "userId": "ada"})
    run("refresh")
    good = run("check", "--format", "json")
    assert good.returncode == 0, good.stdout + good.stderr
    found = {row["check"]: row for row in json.loads(good.stdout)}
    assert "0 requests wait" in found["intake"]["said"]
    assert found["tables"]["status"] == "ok"

    with sqlite3.connect(tmp_path / "perennial.sqlite3") as database:
        database.execute(
            "INSERT INTO intake_batch (source_id, call, received_at, body, size) "
            "SELECT id, 'track', datetime('now', '-5 minutes'), '{}', 2 "
            "FROM intake_source"
        )
    database.close()
    [file] = (tmp_path / "lake" / "default" / "users").rglob("*.parquet")
    file.write_bytes(b"not parquet")
    bad = run("check", "--format", "json")
    assert bad.returncode == 1
    found = {row["check"]: row for row in json.loads(bad.stdout)}
    assert found["table users"]["status"] == "failed"
    assert "has been waiting for 5 min" in found["loader"]["said"]


def test_accounts_are_merged_and_taken_apart(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text(
        "account_id,name,lifecycle_stage,owner_email,created_at\n"
        "ada,Ada,Trial,,2026-01-01\nbo,Bo,Adopting,eva@x.example,2026-01-01\n"
    )
    run("import", "accounts", str(file))
    run("refresh")
    asked = ("accounts", "merge", "Bo", "--into", "ada", "--format", "json")
    dry = run(*asked, "--dry-run")
    differs = {r["what"]: r["stays_and_goes"] for r in json.loads(dry.stdout)}
    assert differs == {"name": "Ada / Bo", "lifecycle_stage": "Trial / Adopting"}
    assert json.loads(run("accounts", "merges", "--format", "json").stdout) == []
    for wrong in (("merge", "bo", "--into", "bo"), ("merge", "nobody", "--into", "ada"),
                  ("merge", "bo", "--into", "ada", "--take", "nothing"),
                  ("unmerge", "bo")):  # fmt: skip
        failed = run("accounts", *wrong)
        assert (failed.returncode, failed.stderr.count("\n")) == (1, 1), wrong
    done = run(*asked, "--take", "lifecycle_stage")
    assert (done.returncode, done.stderr.split(".")[0]) == (0, "bo counts as ada")
    run("refresh")
    listed = json.loads(run("export", "accounts", "--format", "jsonl").stdout)
    assert (listed["name"], listed["lifecycle_stage"], listed["owner_email"]) == ("Ada", "Adopting", "eva@x.example")  # fmt: skip
    [row] = json.loads(run("accounts", "merges", "--format", "json").stdout)
    assert (row["account_id"], row["into"], row["by"]) == ("bo", "ada", "command line")
    assert run("accounts", "unmerge", "bo").returncode == 0
    run("refresh")
    back = run("export", "accounts", "--format", "jsonl").stdout.splitlines()
    assert {json.loads(line)["lifecycle_stage"] for line in back} == {
        "Trial",
        "Adopting",
    }


def test_settings_are_listed_and_changed(run: Run) -> None:
    everything = json.loads(run("settings", "--format", "json").stdout)
    assert {"timezone", "mau_days"} < {row["setting"] for row in everything}
    done = run("settings", "mau_days=28", "timezone=Asia/Tokyo", "--format", "json")
    kept = {row["setting"]: row["value"] for row in json.loads(done.stdout)}
    assert kept == {"mau_days": "28", "timezone": "Asia/Tokyo"}
    assert "next refresh" in done.stderr
    for wrong, status in (("mau_days=0", 1), ("mau=28", 1), ("mau_days", 2)):
        assert run("settings", wrong).returncode == status
