"""The whole product as a process of its own, as a user starts it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from perennial.lake.duck import connect
from perennial.lake.store import Lake

_START_S = 60.0


class Server:
    """`perennial serve` on a folder; `url` is where it answers."""

    def __init__(self, data: Path) -> None:
        self.data = data
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [*self._command, "serve", "--port", str(self.port)], env=self._environment
        )
        try:
            wait_for(self._answers, "the server to answer", _START_S)
        except BaseException:
            self.stop()  # or it would live on beside all other tests
            raise

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)

    def children(self) -> list[int]:
        """Process groups of what the supervisor keeps alive."""
        assert self._process is not None
        task = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in task.read_text().split()]

    def new_key(self, source: str) -> tuple[str, str]:
        """A write key, and the id of its source."""
        made = subprocess.run(
            [*self._command, "keys", "create", "--name", source, "--format", "json"],
            env=self._environment,
            capture_output=True,
            check=True,
        )
        found = json.loads(made.stdout)
        return found["key"], found["source_id"]

    @property
    def lake(self) -> Lake:
        return Lake(self.data / "lake" / "default")

    def events(self, source: str) -> list[dict[str, Any]]:
        return self._rows("events", f"source_id = '{source}'")

    def rejects(self, source: str) -> list[dict[str, Any]]:
        return self._rows("rejects", f"source = 'http:{source}'")

    def _rows(self, table: str, where: str) -> list[dict[str, Any]]:
        with connect() as duck:
            rows = duck.sql(f"FROM {self.lake.source(table)} WHERE {where}")
            found: list[dict[str, Any]] = rows.to_arrow_table().to_pylist()
            return found

    @property
    def _command(self) -> list[str]:
        return [sys.executable, "-m", "perennial.cli.main", "--data", str(self.data)]

    @property
    def _environment(self) -> dict[str, str]:
        plain = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")}
        return {**plain, "PYTHONPATH": "src"}

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def wait_for(is_done: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.2)
