"""Real processes, really killed: nothing is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.installed import install

ROOT = Path(__file__).parents[3]


@dataclass
class Installation:
    folder: Path
    port: int
    supervisor: subprocess.Popen[bytes]

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def run(self, *arguments: str) -> None:
        subprocess.run(_command(*arguments), env=_environment(self.folder), check=True)

    def ask(self, seconds: float, *, job: str = "sleepy") -> None:
        self.run("ask", job, str(seconds), str(self.log))

    def lines(self, word: str) -> list[int]:
        """Process ids of the log lines that begin with the word."""
        if not self.log.exists():
            return []
        split = [line.split() for line in self.log.read_text().splitlines()]
        return [int(pid) for what, pid in split if what == word]

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/healthz", timeout=1
            ) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def children(self) -> list[int]:
        return _children(self.supervisor.pid)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.apps.jobs.sleepy", *arguments]


def _environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {
        **os.environ,
        "PYTHONPATH": path,
        "PERENNIAL_DATA": str(folder / "data"),
        "DJANGO_SETTINGS_MODULE": "perennial.config.settings",
    }


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            child = int(stat.parent.name)
            found += [child, *_children(child)]
    return found


def eventually(check: Callable[[], object], seconds: float = 20.0) -> float:
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if check():
            return time.monotonic() - begun
        time.sleep(0.1)
    pytest.fail(f"not within {seconds} s")


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    install(tmp_path / "data")
    supervisor = subprocess.Popen(
        _command("serve", str(port)), env=_environment(tmp_path), cwd=ROOT
    )
    made = Installation(tmp_path, port, supervisor)
    try:
        eventually(made.is_up, 40)
        yield made
    finally:
        supervisor.terminate()
        try:
            supervisor.wait(15)
        except subprocess.TimeoutExpired:
            supervisor.kill()


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_quick_jobs_do_not_wait_for_long_ones(installation: Installation) -> None:
    installation.ask(60)
    eventually(lambda: installation.lines("start"))
    [busy] = installation.lines("start")
    installation.ask(0, job="nap")
    eventually(lambda: installation.lines("end"))
    [quick] = installation.lines("end")
    assert quick != busy, "while the long one still runs"

    os.kill(quick, signal.SIGKILL)  # who cares for both lanes comes again
    os.kill(busy, signal.SIGKILL)
    installation.ask(0, job="nap")
    eventually(lambda: len(installation.lines("end")) == 2)
    eventually(lambda: len(installation.lines("start")) == 4)
    assert not {quick, busy} & set(installation.lines("start")[2:])
    os.kill(installation.lines("start")[-1], signal.SIGKILL)


def test_killed_workers_lose_nothing(installation: Installation) -> None:
    installation.ask(0)
    eventually(lambda: installation.lines("end"))
    idle = installation.lines("end")[-1]

    os.kill(idle, signal.SIGKILL)  # the idle one: the next job still runs
    installation.ask(2)
    eventually(lambda: len(installation.lines("start")) == 2)

    busy = installation.lines("start")[-1]
    assert busy != idle
    os.kill(busy, signal.SIGKILL)  # the busy one: its job is given on
    eventually(lambda: len(installation.lines("end")) == 2)
    assert installation.lines("start")[-1] == installation.lines("end")[-1] != busy
    assert installation.is_up()


def test_sigterm_stops_all_and_the_job_in_hand_is_finished(
    installation: Installation,
) -> None:
    installation.ask(2)
    eventually(lambda: installation.lines("start"))
    children = installation.children()
    assert len(children) >= 3
    begun = time.monotonic()
    installation.supervisor.send_signal(signal.SIGTERM)
    assert installation.supervisor.wait(12) == 0
    assert time.monotonic() - begun < 10
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    assert installation.lines("end"), "the job in hand was cut off"


def test_a_killed_supervisor_leaves_no_orphans(installation: Installation) -> None:
    children = installation.children()
    installation.supervisor.kill()
    installation.supervisor.wait()
    eventually(lambda: not [p for p in children if Path(f"/proc/{p}").exists()], 12)


def test_a_port_that_is_taken_is_said_at_once(tmp_path: Path) -> None:
    from perennial.config.serve import serve
    from perennial.core.errors import BadValue

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadValue, match="cannot listen"):
            serve("127.0.0.1", port, data=tmp_path)


def test_a_child_that_dies_again_and_again_waits_longer() -> None:
    from perennial.config.serve import Child

    child = Child("quick", [sys.executable, "-c", "pass"])
    pauses = []
    for _ in range(8):
        child.start()
        assert child.process is not None
        child.process.wait()
        pauses.append(child.note_death())
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert pauses[-1] == 30.0
