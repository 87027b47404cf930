"""A folder is made once; who comes later changes nothing that numbers rest on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from perennial.lake.workspace import open_workspace
from tests.installed import install


def init(data: Path, *options: str) -> str:
    program = [sys.executable, "-m", "perennial.cli.main", "--data", str(data), "init"]
    done = subprocess.run(
        [*program, *options], check=True, capture_output=True, text=True
    )
    return done.stdout


def test_a_second_administrator_keeps_currency_and_zone(tmp_path: Path) -> None:
    data = install(tmp_path / "data")
    own = ("--currency", "EUR", "--timezone", "Europe/Berlin")
    assert "/sign-in/" in init(data, "--email", "maja@x.example", *own)
    assert "/sign-in/" in init(data, "--email", "elin@x.example")
    settings = open_workspace(data, "default").settings
    assert (settings.currency, settings.timezone) == ("EUR", "Europe/Berlin")
