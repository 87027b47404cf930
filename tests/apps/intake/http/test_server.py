"""The real server: what only granian, a2wsgi and a kill can show."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.installed import install

ROOT = Path(__file__).parents[4]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@dataclass
class Server:
    folder: Path
    port: int
    key: str
    session: str
    process: subprocess.Popen[bytes]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def track(self, body: bytes, **headers: str) -> int:
        named = {"Authorization": f"Bearer {self.key}", **headers}
        status, _, _ = self.ask("POST", "/v1/track", body, **named)
        return int(status)

    def stored(self) -> list[bytes]:
        database = sqlite3.connect(self.folder / "perennial.sqlite3")
        try:
            return [
                body for (body,) in database.execute("SELECT body FROM intake_batch")
            ]
        finally:
            database.close()

    def peak_mb(self) -> float:
        """The largest of the processes that ever was."""
        peaks = []
        for pid in _group(self.process.pid):
            status = Path(f"/proc/{pid}/status").read_text()
            line = next(row for row in status.splitlines() if row.startswith("VmHWM"))
            peaks.append(int(line.split()[1]) / 1024)
        return max(peaks)


def _group(leader: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader:
            found.append(int(stat.parent.name))
    return found


def _prepared(folder: Path) -> tuple[str, str]:
    """A folder with a write key and somebody who is signed in."""
    program = """
from perennial.config.start import setup
setup()
from django.test import Client
from perennial.apps.intake.models import Source, WriteKey
from perennial.apps.team.actions import create_workspace, initialize
from perennial.apps.team.models import User
initialize("ada@example.com")
source = Source.objects.create(workspace=create_workspace("default"), name="App")
client = Client()
client.force_login(User.objects.get(), "django.contrib.auth.backends.ModelBackend")
print(WriteKey.objects.create(source=source).key, client.cookies["sessionid"].value)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=_environment(install(folder)),
        capture_output=True,
        text=True,
        check=True,
    )
    key, session = done.stdout.split()
    return key, session


def _environment(folder: Path, **more: str) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    named = {"PYTHONPATH": path, "PERENNIAL_DATA": str(folder)}
    return {**os.environ, **named, **more}


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[Server]:
    key, session = _prepared(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "perennial.config.serve", "web", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, str(port)],
        env=_environment(folder, **environment),
        start_new_session=True,
    )
    server = Server(folder, port, key, session, process)
    try:
        _wait(server)
        yield server
    finally:
        if _group(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(server: Server) -> None:
    for _ in range(400):
        try:
            if server.ask("GET", "/healthz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server does not start")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with running(folder) as started:
        yield started


def test_events_of_all_kinds_of_requests(server: Server) -> None:
    before = len(server.stored())
    large = json.dumps({"event": "x" * (4 << 20)}).encode()
    assert server.track(b'{"event":"x"}') == 200
    assert server.track(large) == 200
    packed = gzip.compress(large)
    assert server.track(packed, **{"Content-Encoding": "gzip"}) == 200
    pieces = iter([large[: 1 << 20], large[1 << 20 :]])
    named = {"Authorization": f"Bearer {server.key}"}
    status, headers, body = server.ask("POST", "/v1/t/", pieces, **named)
    assert (status, json.loads(body)) == (200, {"success": True})
    assert headers["content-type"] == "application/json"
    assert server.stored()[before:] == [b'{"event":"x"}', large, large, large]


def test_too_large_is_answered_not_cut_off(server: Server) -> None:
    """With a length and without: a client that sees a broken pipe tries again."""
    body = b" " * (12 << 20)
    for sent in (body, iter([body])):
        status, _, said = server.ask("POST", "/v1/batch", sent)
        assert (status, json.loads(said)["code"]) == (413, "payload_too_large")


def test_one_connection_serves_many_requests(server: Server) -> None:
    connection = server.connect()
    named = {"Authorization": f"Bearer {server.key}"}
    asked = [
        ("POST", "/v1/track", b"{}", 200),
        ("POST", "/v1/track", b"{", 400),
        ("OPTIONS", "/v1/track", None, 200),
        ("GET", "/v1/track", None, 405),
        ("HEAD", f"/v1/projects/{server.key}/settings", None, 200),
        ("GET", f"/v1/projects/{server.key}/settings", None, 200),
        ("GET", "/healthz", None, 200),
        ("POST", "/v1/batch", b'{"batch":[]}', 200),
    ]
    for method, path, body, status in asked * 3:
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status, (method, path)
    connection.close()


def test_nothing_of_django_touches_the_answers(server: Server) -> None:
    _, headers, _ = server.ask("POST", "/v1/track", b"{}")
    assert not {"set-cookie", "vary", "content-security-policy"} & set(headers)


def test_django_answers_everything_else(server: Server) -> None:
    status, headers, body = server.ask("GET", "/sign-in/")
    assert status == 200
    assert b"<html" in body
    assert "content-security-policy" in headers
    assert server.ask("GET", "/v1")[0] in {302, 404}


def test_a_name_with_an_underscore_does_not_pass_for_the_one_with_a_dash(
    tmp_path: Path,
) -> None:
    with running(tmp_path, PERENNIAL_BEHIND_PROXY="1") as server:
        connection = server.connect()
        connection.putrequest("GET", "/sign-in/", skip_host=True)
        connection.putheader("Host", "evil.example")
        connection.putheader("X_Forwarded_Host", "localhost")
        connection.endheaders()
        assert connection.getresponse().status == 400
        connection.close()


def test_a_large_upload_arrives_whole_and_does_not_lie_in_memory(
    server: Server,
) -> None:
    """150 MB through the bridge to Django, which writes them to a file."""
    before = server.peak_mb()
    row = b"a-1,Aldermoor\n" * 75_000  # about a MB
    head = (
        b'--b\r\nContent-Disposition: form-data; name="table"\r\n\r\naccounts\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    )
    tail = b"\r\n--b--\r\n"
    token = "t" * 32
    headers = {
        "Content-Type": "multipart/form-data; boundary=b",
        "Content-Length": str(len(head) + 150 * len(row) + len(tail)),
        "Cookie": f"csrftoken={token}; sessionid={server.session}",
        "X-CSRFToken": token,
    }
    sent = iter([head, *[row] * 150, tail])
    status, answered, _ = server.ask("POST", "/data/import/", sent, **headers)
    assert (status, answered["location"][:13]) == (302, "/data/import/")
    (file,) = server.folder.glob("media/uploads/default/*/a.csv")
    with file.open("rb") as kept:
        for _ in range(150):
            assert kept.read(len(row)) == row
        assert not kept.read()
    assert server.peak_mb() - before < 60


def test_files_arrive_whole(server: Server) -> None:
    static = ROOT / "src/perennial/ui/static"
    files = [path for path in static.rglob("*") if path.is_file()]
    largest = max(files, key=lambda path: path.stat().st_size)
    status, _, body = server.ask("GET", f"/static/{largest.relative_to(static)}")
    assert (status, body) == (200, largest.read_bytes())


@dataclass
class Sender:
    """Sends numbered events until the server is gone; knows what was acknowledged."""

    server: Server
    number: int
    acknowledged: list[bytes] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    def run(self) -> None:
        named = {"Authorization": f"Bearer {self.server.key}"}
        connection = self.server.connect()
        try:
            for n in range(1_000_000):
                body = b'{"messageId":"%d-%d"}' % (self.number, n)
                connection.request("POST", "/v1/track", body, named)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.acknowledged.append(body)
                else:
                    self.refused.append(answer.status)
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_was_acknowledged_is_there_after_the_end(
    tmp_path: Path, number: signal.Signals, workers: str
) -> None:
    with running(tmp_path, PERENNIAL_WEB_WORKERS=workers) as server:
        senders = [Sender(server, n) for n in range(8)]
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        time.sleep(1.5)
        begun = time.monotonic()
        if number == signal.SIGKILL:
            os.killpg(server.process.pid, number)
        else:
            server.process.send_signal(number)
            assert server.process.wait(10) == 0
            assert time.monotonic() - begun < 6
        for thread in threads:
            thread.join(15)
        acknowledged = [body for sender in senders for body in sender.acknowledged]
        assert len(acknowledged) > 100
        stored = server.stored()
        assert set(acknowledged) <= set(stored)
        assert len(stored) == len(set(stored))
        if number == signal.SIGTERM:
            # Told to stop, it finishes what it began, and says no to nobody else.
            assert not [status for sender in senders for status in sender.refused]
            assert len(stored) - len(acknowledged) <= len(senders)


def test_the_background_is_two_lanes_and_one_loader_and_ends_when_told(
    tmp_path: Path,
) -> None:
    _prepared(tmp_path)
    program = "from perennial.config import serve; serve.worker()"
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=_environment(tmp_path)
    )
    try:
        background = ["default", "loader", "quick"]
        _until(lambda: sorted(_verbs(process.pid)) == background)
        time.sleep(3)  # all at work
        children = _children(process.pid)
        assert len(children) == 3, "one of them does not live"
        process.terminate()
        assert process.wait(12) == 0
        assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    finally:
        process.kill()
        process.wait()


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]


def _verbs(pid: int) -> list[str]:
    """What each child was told last: its verb, or the lane of jobs it takes."""
    lines = [Path(f"/proc/{c}/cmdline").read_text() for c in _children(pid)]
    return [line.strip("\0").rpartition("\0")[2] for line in lines]


def _until(check: Callable[[], object]) -> None:
    for _ in range(200):
        if check():
            return
        time.sleep(0.05)
    pytest.fail("not within ten seconds")
