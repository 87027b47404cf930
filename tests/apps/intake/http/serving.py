"""The endpoint on an event loop of its own, for tests that are not asynchronous."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from perennial.apps.intake.http.asgi import Message
from perennial.apps.intake.http.endpoint import Endpoint
from perennial.apps.intake.http.inbox import Inbox
from perennial.apps.intake.http.store import Row, Store

KEY, OTHER = "key-of-the-first-source", "key-of-the-other-source"


@dataclass
class Memory:
    """A store without a database. `fail` is called with the rows of each commit."""

    usable: dict[str, int] = field(default_factory=lambda: {KEY: 1, OTHER: 2})
    commits: list[list[Row]] = field(default_factory=list)
    fail: Callable[[Sequence[Row]], None] = lambda rows: None
    rows_waiting: int = 0
    free: int | None = None
    queries: int = 0
    is_down: bool = False

    @property
    def rows(self) -> list[Row]:
        return [row for commit in self.commits for row in commit]

    def write(self, rows: Sequence[Row]) -> None:
        self.fail(rows)
        self.commits.append(list(rows))

    def backlog(self) -> int:
        return self.rows_waiting

    def free_bytes(self) -> int | None:
        return self.free

    def keys(self) -> dict[str, int]:
        self.queries += 1
        if self.is_down:
            raise OSError("the database is down")
        return dict(self.usable)

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Request:
    path: str = "/v1/track"
    body: bytes | Sequence[bytes] = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    hangs_up: bool = False

    def scope(self) -> dict[str, Any]:
        headers = [(k.lower().encode(), v.encode()) for k, v in self.headers.items()]
        return {
            "type": "http",
            "method": self.method,
            "path": self.path,
            "scheme": "http",
            "headers": headers,
        }

    def messages(self) -> list[Message]:
        chunks = [self.body] if isinstance(self.body, bytes) else list(self.body)
        sent: list[Message] = [
            {"type": "http.request", "body": chunk, "more_body": True}
            for chunk in chunks
        ]
        if self.hangs_up:
            return [*sent, {"type": "http.disconnect"}]
        return [*sent, {"type": "http.request", "body": b"", "more_body": False}]


class Serving:
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.run(endpoint.start())

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def close(self) -> None:
        self.run(self.endpoint.close())
        self.run(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def ask(self, request: Request) -> Reply | None:
        """None when nothing was answered."""
        answered: Reply | None = self.run(self._ask(request))
        return answered

    def all(self, requests: Sequence[Request]) -> list[Reply]:
        """All at once."""

        async def together() -> list[Reply]:
            return list(await asyncio.gather(*map(self._ask, requests)))  # type: ignore[arg-type]

        replies: list[Reply] = self.run(together())
        return replies

    def post(
        self,
        path: str = "/v1/track",
        body: object = None,
        key: str | None = KEY,
        **headers: str,
    ) -> Reply:
        """JSON with the key as a Bearer token."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            named.setdefault("authorization", f"Bearer {key}")
        sent = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        reply = self.ask(Request(path, sent, named))
        assert reply is not None
        return reply

    async def _ask(self, request: Request) -> Reply | None:
        waiting = iter(request.messages())
        sent: list[Message] = []

        async def receive() -> Message:
            return next(waiting)

        async def send(message: Message) -> None:
            sent.append(message)

        await self.endpoint(request.scope(), receive, send)
        return _reply(sent) if sent else None


def _reply(sent: Sequence[Message]) -> Reply:
    start, body = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert headers["content-length"] == str(len(body["body"]))
    assert headers["access-control-allow-origin"] == "*"
    return Reply(start["status"], headers, body["body"])


@contextmanager
def serving(store: Store, max_backlog: int = 1000, **options: Any) -> Iterator[Serving]:
    served = Serving(Endpoint(store, Inbox(store, max_backlog=max_backlog), **options))
    try:
        yield served
    finally:
        served.close()
