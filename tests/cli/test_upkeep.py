"""Backup and restore: everything comes back, and nothing that is not whole does."""

from __future__ import annotations

import io
import json
import sqlite3
import stat
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from perennial.config import archive
from perennial.config.folder import DataFolder
from perennial.core.errors import BadValue
from tests.builders import Case
from tests.cli.test_intake_verbs import Run, run  # noqa: F401 - fixture
from tests.installed import install
from tests.postgres import PASSWORD, Server, postgres  # noqa: F401 - a fixture


def quiet(_share: float, _what: str) -> None:
    """Nobody looks at the progress."""


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """An installation: a database, a lake with two versions of a table, a file."""
    folder = DataFolder(install(tmp_path / "data"))
    folder.prepare()
    case = Case(folder.lake / "default")
    case.events(("ada", "acme", "2026-05-01"))
    case.events(("bob", "acme", "2026-05-02"))
    case.roll_up()
    (folder.media / "notes").mkdir()
    (folder.media / "notes" / "a file").write_bytes(b"\0" * 3_000_000)
    (folder.path / "cache").mkdir()
    (folder.path / "cache" / "kept").write_text("an answer")
    return folder


def content(folder: DataFolder) -> dict[str, bytes]:
    """Every file by its name; the database by what is in it."""
    found = {
        path.relative_to(folder.path).as_posix(): path.read_bytes()
        for path in folder.path.rglob("*")
        if path.is_file() and not {"cache", "_locks", "_index"} & set(path.parts)
    }
    with closing(sqlite3.connect(folder.database)) as database:
        found[folder.database.name] = "\n".join(database.iterdump()).encode()
    return found


def test_everything_comes_back(folder: DataFolder, tmp_path: Path) -> None:
    file, again = tmp_path / "all.tar.zst", DataFolder(tmp_path / "deep" / "again")
    written = archive.back_up(folder, file, quiet)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert archive.restore(file, again, quiet) == written
    assert content(again) == content(folder)
    assert stat.S_IMODE(again.secret_key_file.stat().st_mode) == 0o600
    with pytest.raises(BadValue, match="exists already"):
        archive.back_up(folder, file, quiet)
    with pytest.raises(BadValue, match="not empty"):
        archive.restore(file, again, quiet)
    with pytest.raises(BadValue, match="nothing in"):
        archive.back_up(DataFolder(tmp_path / "nowhere"), tmp_path / "new", quiet)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("all.tar.zst", "data", "deep"),
    ]


def test_it_may_be_written_meanwhile(folder: DataFolder, tmp_path: Path) -> None:
    """Whatever commit each table is caught at, it is whole, and reads."""
    stop, case = Event(), Case(folder.lake / "default")

    def write() -> None:
        day = 0
        while not stop.is_set():
            day += 1
            case.events(
                ("ada", "acme", f"2026-04-{day % 28 + 1:02}T00:00:{day % 60:02}")
            )
            case.facts("users", {"user_id": "ada", "name": f"Ada {day}"})

    writer = Thread(target=write)
    writer.start()
    try:
        for n in range(3):
            archive.back_up(folder, tmp_path / f"{n}", quiet)
            again = DataFolder(tmp_path / f"back-{n}")
            archive.restore(tmp_path / f"{n}", again, quiet)
            restored = Case(again.lake / "default")
            assert len(restored.table("events")) == restored.lake.count("events") >= 2
            assert len(restored.table("users")) <= 1
            restored.events(("ada", "acme", "2026-05-01"))  # it can be written, too
    finally:
        stop.set()
        writer.join()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-2_000])


def turn_a_bit(file: Path) -> None:
    told = bytearray(file.read_bytes())
    told[len(told) // 2] ^= 4
    file.write_bytes(told)


def packed(*members: tuple[str, bytes]) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        with (
            pa.output_stream(file, compression="zstd") as stream,
            tarfile.open(fileobj=stream, mode="w|") as tar,
        ):
            for name, text in members:
                member = tarfile.TarInfo(name)
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text))

    return write


def manifest(**said: Any) -> tuple[str, bytes]:
    told = {"layout": 1, "perennial": "0.1.0", "files": [], **said}
    return "manifest.json", json.dumps(told).encode()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut, "no whole archive|cut off"),
        (turn_a_bit, "no whole archive|damaged|cut off"),
        (lambda file: file.write_text("hello"), "no whole archive"),
        (lambda file: file.write_bytes(b""), "no whole archive"),
        (packed(("lake/a", b"1")), "cut off"),
        (packed(("lake/a", b"1"), manifest()), "damaged"),
        (packed(("../outside", b"1"), manifest()), "no plain file"),
        (packed(("/tmp/outside", b"1"), manifest()), "no plain file"),
        (packed(manifest(layout=99, perennial="9.0")), "9.0, which is newer"),
    ],
)
def test_what_is_not_whole_leaves_nothing_behind(
    folder: DataFolder, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    file, again = tmp_path / "all", DataFolder(tmp_path / "again")
    archive.back_up(folder, file, quiet)
    spoil(file)
    with pytest.raises(BadValue, match=said):
        archive.restore(file, again, quiet)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "data"]


def asked(url: str, question: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as database:
        answer = database.execute(question)
        return answer.fetchall() if answer.description else []


def tables(url: str) -> dict[str, list[tuple[Any, ...]]]:
    named = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    return {
        name: asked(url, f"SELECT * FROM {name} ORDER BY 1")
        for (name,) in asked(url, named)
    }


WORKSPACE = (
    "INSERT INTO team_workspace (key, name, timezone, currency) "
    "VALUES ('{0}', 'Ängby', 'Europe/Stockholm', 'SEK') RETURNING id"
)


def test_a_database_of_postgresql_comes_back_with_it(
    folder: DataFolder,
    tmp_path: Path,
    postgres: Server,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, file = postgres.migrated(), tmp_path / "all.tar.zst"
    [(first,)] = asked(url, WORKSPACE.format("north"))
    commands: list[str] = []
    plain = subprocess.run

    def spied(command: list[str], **more: Any) -> Any:
        commands.append(" ".join(map(str, command)))
        return plain(command, **more)

    monkeypatch.setattr(subprocess, "run", spied)
    written = archive.back_up(folder, file, quiet, url=url)
    names = {entry["name"] for entry in written}
    assert "perennial.pgdump" in names
    assert folder.database.name not in names, "left from before"

    again, other = DataFolder(tmp_path / "again"), postgres.empty()
    asked(other, "CREATE TYPE team_workspace AS ENUM ('in the way')")
    with pytest.raises(BadValue, match='type "team_workspace" already exists'):
        archive.restore(file, again, quiet, url=other)
    assert (tables(other), again.path.exists()) == ({}, False), "all or nothing"
    asked(other, "DROP TYPE team_workspace")

    assert archive.restore(file, again, quiet, url=other) == written
    assert tables(other) == tables(url)
    assert asked(other, WORKSPACE.format("south")) == [(first + 1,)]
    left = {path.name for path in again.path.iterdir()}
    assert left == {"lake", "media", folder.secret_key_file.name}
    assert commands
    assert not [line for line in commands if PASSWORD in line]

    nowhere = DataFolder(tmp_path / "nowhere")
    archive.back_up(folder, tmp_path / "sqlite", quiet)
    for source, to, said in (
        (file, other, "database is not empty"),
        (file, "", "database of PostgreSQL in it"),
        (tmp_path / "sqlite", postgres.empty(), "database of SQLite in it"),
        (file, other.replace("test_", "none_"), "does not answer"),
    ):
        with pytest.raises(BadValue, match=said) as refused:
            archive.restore(source, nowhere, quiet, url=to)
        assert "\n" not in str(refused.value)
        assert PASSWORD not in str(refused.value)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadValue, match="pg_dump is not installed"):
        archive.back_up(folder, tmp_path / "none", quiet, url=url)
    assert not (tmp_path / "none").exists()
    assert not nowhere.path.exists()


def test_as_people_call_it(run: Run, tmp_path: Path) -> None:  # noqa: F811
    people, file = tmp_path / "users.csv", tmp_path / "all.tar.zst"
    people.write_text("user_id,email\nada,ada@acme.example\nbob,bob@acme.example\n")
    assert run("import", "users", str(people)).returncode == 0
    assert run("backup", str(file)).stdout.endswith(f"MB in {file}\n")
    full = run("restore", str(file))
    assert (full.returncode, full.stderr.count("\n")) == (1, 1)

    both = run("erase", "--user", "ada", "--account", "acme")
    assert both.returncode == 2
    assert run("erase").returncode == 2
    nobody = run("erase", "--user", "eve")
    assert (nobody.returncode, nobody.stderr) == (
        1,
        "perennial: there is nothing of eve here\n",
    )
    look = run("erase", "--user", "ada", "--dry-run", "--format", "json")
    assert json.loads(look.stdout) == [{"place": "lake.users", "rows": 1}]
    done = run("erase", "--user", "ada", "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == [{"place": "lake.users", "erased": 1, "left": 0}]
    assert run("erase", "--user", "ada").returncode == 1

    other = tmp_path / "other"
    back = run("--data", str(other), "restore", str(file))
    assert back.returncode == 0
    kept = run("--data", str(other), "export", "users", "--format", "csv").stdout
    assert "ada@acme.example" in kept
    assert run("--data", str(other), "check").returncode == 0
