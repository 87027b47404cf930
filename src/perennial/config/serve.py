"""`perennial serve`: web application, loader and workers, kept alive together.

The supervisor starts each as a process group of its own, restarts one that dies,
with growing pauses, and on SIGTERM or SIGINT stops all of them within ten seconds.
Nothing is lost by a kill: what was answered is committed, and a job that was cut
off is given to the next worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from perennial.config.start import setup
from perennial.core.errors import BadValue

logger = logging.getLogger(__name__)

#: How long a child may take to stop before it is killed.
STOP_S: Final = 8.0
#: A child that lived this long starts again at once.
STEADY_S: Final = 30.0
_LONGEST_PAUSE_S: Final = 30.0
_WATCH_EVERY_S: Final = 0.2


@dataclass
class Child:
    """One process of the installation, and how often it died lately."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    deaths: int = field(default=0)

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            list(self.command),
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def note_death(self) -> float:
        """Clears what is left of its group; the pause before the next start."""
        self.signal(signal.SIGKILL)
        lived = time.monotonic() - self.started_at
        self.deaths = 0 if lived >= STEADY_S else self.deaths + 1
        pause = min(0.5 * 2.0 ** (self.deaths - 1), _LONGEST_PAUSE_S)
        self.due_at = time.monotonic() + (pause if self.deaths else 0.0)
        return pause

    def signal(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)  # else the group is gone


def _die_with_parent() -> None:
    """A supervisor that is killed takes its children along (Linux)."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


class Supervisor:
    def __init__(self, children: Sequence[Child]) -> None:
        self.children = children
        self.stopping = threading.Event()

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        for child in self.children:
            child.start()
        try:
            while not self.stopping.wait(_WATCH_EVERY_S):
                self._watch()
        finally:
            self.stop()

    def _watch(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.is_alive():
                continue
            if child.process is not None:
                code = child.process.returncode
                pause = child.note_death()
                child.process = None
                logger.error(
                    "%s ended with %s; again in %.1f s", child.name, code, pause
                )
            elif now >= child.due_at:
                child.start()

    def stop(self) -> None:
        for child in self.children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        while time.monotonic() < deadline and any(c.is_alive() for c in self.children):
            time.sleep(0.05)
        for child in self.children:
            child.signal(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()


def _module(verb: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "perennial.config.serve", verb, *arguments]


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    web_only: bool = False,
    data: Path | str | None = None,
    extra: Sequence[Child] = (),
) -> None:
    """Migrates, then serves until told to stop. `extra` children live and die with
    the others."""
    _check_free(host, port)
    setup(data, migrate=True)
    children = [Child("web", _module("web", host, str(port)))]
    if not web_only:
        children += _background()
    Supervisor([*children, *extra]).run()


def _background() -> list[Child]:
    """What works without being asked over HTTP; one of each in an installation."""
    return [
        Child("quick jobs", _module("jobs", "quick")),
        Child("long jobs", _module("jobs", "default")),
        Child("loader", _module("loader")),
    ]


def _check_free(host: str, port: int) -> None:
    """Says at once what would otherwise be a child that dies again and again."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or "not possible"
            raise BadValue(f"cannot listen on {host}:{port}: {reason}") from error


def web(host: str, port: int) -> None:
    """The web application and intake. One worker with four threads for Django: two
    workers give more requests a second, but twice the memory and twice the writers."""
    from django.conf import settings
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        "perennial.config.asgi:application",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=settings.WEB_WORKERS,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        websockets=False,
        log_level="warning",  # type: ignore[arg-type]
    ).serve()


def worker(data: Path | str | None = None) -> None:
    """Background work alone: jobs, and the loader of events."""
    setup(data)
    Supervisor(_background()).run()


def jobs(lane: str) -> None:
    """Takes the runs of a lane; ends after the one in hand."""
    setup()
    from perennial.apps.jobs.registry import Lane
    from perennial.apps.jobs.worker import run

    run(Lane(lane))


def loader() -> None:
    """Takes events from the inbox into the lake; ends after the step in hand."""
    setup()
    from perennial.apps.intake.stream.loader import run_forever

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_forever(stop)


def main(arguments: Sequence[str]) -> None:
    """How the supervisor starts its children."""
    verbs: dict[str, Callable[[], None]] = {
        "web": lambda: web(arguments[1], int(arguments[2])),
        "jobs": lambda: jobs(arguments[1]),
        "loader": loader,
    }
    verbs[arguments[0]]()


if __name__ == "__main__":
    main(sys.argv[1:])
