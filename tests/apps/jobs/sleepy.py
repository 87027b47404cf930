"""An installation with two more jobs, which sleep: for tests with real processes.

`serve PORT` supervises as `perennial serve` does; `ask JOB SECONDS` asks for a run.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from perennial.apps.jobs.registry import JOBS, Job, Lane, Report

SLEEP = "tests.apps.jobs.sleepy.sleep"
JOBS.append(Job("sleepy", SLEEP, "", "Sleepy", ""))
JOBS.append(Job("nap", SLEEP, "", "Nap", "", lane=Lane.QUICK))


def sleep(workspace: str, report: Report, seconds: float, log: str) -> None:
    with Path(log).open("a") as file:
        file.write(f"start {os.getpid()}\n")
    time.sleep(seconds)
    with Path(log).open("a") as file:
        file.write(f"end {os.getpid()}\n")


def serve(port: str) -> None:
    from perennial.config.serve import Child, Supervisor, _module
    from perennial.config.start import setup

    setup(migrate=True)
    worker = [sys.executable, "-m", "tests.apps.jobs.sleepy", "worker"]
    children = [
        Child("web", _module("web", "127.0.0.1", port)),
        *(Child(lane.label, [*worker, lane.value]) for lane in Lane),
    ]
    Supervisor(children).run()


def worker(lane: str) -> None:
    from perennial.config import serve

    serve.jobs(lane)


def ask(name: str, seconds: str, log: str) -> None:
    from perennial.config.start import setup

    setup()
    from perennial.apps.jobs import actions
    from perennial.apps.team.actions import create_workspace
    from perennial.apps.team.models import Workspace

    found = Workspace.objects.filter(key="default").first()
    workspace = found or create_workspace("default")
    actions.enqueue(name, workspace, seconds=float(seconds), log=log)


if __name__ == "__main__":
    verbs: dict[str, Callable[..., None]] = {
        "serve": serve,
        "worker": worker,
        "ask": ask,
    }
    verbs[sys.argv[1]](*sys.argv[2:])
