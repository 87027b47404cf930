"""Two small servers for tests of the browser snippet, each an origin of its own:
the web site of a customer, and an intake that writes down what it is sent.

The intake can be one of `Intake`: the tests only ask what has arrived.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, TypeAlias

from perennial.ui.assets import DIST

Message: TypeAlias = dict[str, Any]


class Intake(Protocol):
    """Where the snippet comes from and sends to."""

    url: str
    key: str

    def messages(self) -> list[Message]:
        """What has arrived, once each, in the order of arrival."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: str | bytes = ""
    headers: dict[str, str] = field(default_factory=dict)


class Server:
    """One origin. It can go away and come back at the same address."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self._answer = answer
        self._port = 0
        self.start()
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._http.daemon_threads = True
        self._port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                body = self.rfile.read(length).decode()
                given = answer(
                    Request(self.command, self.path, dict(self.headers), body)
                )
                content = given.body
                raw = content.encode() if isinstance(content, str) else content
                self.send_response(given.status)
                for name, value in given.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_POST = do_OPTIONS = do_GET

            def log_message(self, *args: object) -> None:
                """Tests print nothing."""

        return Handler


class Site(Server):
    """The customer's pages, by path; a path without one shows `page`."""

    def __init__(self) -> None:
        self.head = ""
        self.headers: dict[str, str] = {}
        super().__init__(self._page)

    def _page(self, request: Request) -> Answer:
        if request.path == "/favicon.ico":
            return Answer(HTTPStatus.NO_CONTENT)
        html = (
            f"<!doctype html><html lang='en'><head><title>Shop</title>{self.head}"
            "</head><body><h1>Shop</h1><a href='/next'>Next</a></body></html>"
        )
        return Answer(200, html, {"Content-Type": "text/html", **self.headers})


class Recorder(Server):
    """An intake that keeps what it is sent, and answers what the test wants."""

    key = "0123456789abcdef0123456789abcdef"

    def __init__(self) -> None:
        self.requests: list[Request] = []
        #: Answered one after the other; then 200.
        self.answers: list[Answer] = []
        super().__init__(self._take)

    def messages(self) -> list[Message]:
        unique: dict[str, Message] = {}
        for message in self.deliveries():
            unique.setdefault(message["messageId"], message)
        return list(unique.values())

    def deliveries(self) -> list[Message]:
        """As they came, those that came again as well."""
        return [
            message
            for request in list(self.requests)
            for message in json.loads(request.body)["batch"]
        ]

    def _take(self, request: Request) -> Answer:
        if request.path == "/snippet/v1.js":
            script = (DIST / "snippet" / "v1.js").read_bytes()
            return Answer(200, script, {"Content-Type": "text/javascript"})
        if request.path == "/v1/batch" and request.method == "POST":
            return self._batch(request)
        return Answer(HTTPStatus.NOT_FOUND)

    def _batch(self, request: Request) -> Answer:
        given = self.answers.pop(0) if self.answers else Answer(200, '{"success":true}')
        if given.status == HTTPStatus.OK:
            self.requests.append(request)
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Retry-After",
            "Content-Type": "application/json",
        }
        return Answer(given.status, given.body, {**headers, **given.headers})


def until(is_true: Callable[[], object], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
