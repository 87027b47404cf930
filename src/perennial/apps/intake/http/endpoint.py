"""The ASGI application of `/v1/`."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from perennial.apps.intake.http import protocol
from perennial.apps.intake.http.asgi import Receive, Scope, Send
from perennial.apps.intake.http.body import RETRY_AFTER_S, Body, Gone, Memory
from perennial.apps.intake.http.inbox import Inbox
from perennial.apps.intake.http.keys import Keys
from perennial.apps.intake.http.payload import Part, parts, unpack
from perennial.apps.intake.http.protocol import Answer, Refusal
from perennial.apps.intake.http.store import Row, Store

logger = logging.getLogger(__name__)

#: A batch of rudder's SDKs may have 4 MiB, the largest of those we know.
BODY_MB: Final = 5


class Asked(NamedTuple):
    """The headers that matter."""

    authorization: bytes = b""
    encoding: bytes = b""
    length: int = 0
    host: str = ""
    forwarded_proto: str = ""


class Endpoint:
    """Takes events in. `start` before the first request, `close` after the last."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        *,
        body_bytes: int = BODY_MB << 20,
        public_url: str = "",
        is_behind_proxy: bool = False,
    ) -> None:
        self._inbox = inbox
        self._keys = Keys(store)
        self._limit = body_bytes
        self._public = urlsplit(public_url)
        self._is_behind_proxy = is_behind_proxy
        self._memory = Memory()

    async def start(self) -> None:
        await self._keys.start()
        self._inbox.start()

    async def close(self) -> None:
        await self._inbox.close()
        await self._keys.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except Refusal as refusal:
            answer = refusal.answer
        except Gone:
            return
        except Exception:
            # No more of the path: settings carry a key in theirs.
            logger.exception("a request to %s failed", scope["path"][:12])
            answer = protocol.unavailable(RETRY_AFTER_S).answer
        await send(answer.start)
        await send(answer.body)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        method = scope["method"]
        call = protocol.ROUTES.get(scope["path"])
        if call is not None and method == "POST":
            return await self._take(call, _asked(scope["headers"]), receive)
        if method == "OPTIONS":
            return protocol.PREFLIGHT
        if call is not None:
            raise protocol.not_allowed("POST")
        key = protocol.settings_key(scope["path"])
        if key is None:
            raise protocol.not_found()
        if method not in {"GET", "HEAD"}:
            raise protocol.not_allowed("GET", "HEAD")
        return await self._settings(key, scope)

    # --- events

    async def _take(self, call: str, asked: Asked, receive: Receive) -> Answer:
        body = Body(receive, self._memory, asked.length)
        try:
            unpacked = unpack(await self._read(body), asked.encoding, self._limit)
            if asked.encoding:
                body.count(len(unpacked))
            await self._store(call, asked, unpacked)
        finally:
            body.forget()
        return protocol.TAKEN

    async def _store(self, call: str, asked: Asked, body: bytes) -> None:
        received_at = datetime.now(UTC)
        found = parts(call, body, protocol.key_of(asked.authorization))
        sources = [await self._source(part) for part in found]
        rows = [
            Row(source, call, received_at, part.body)
            for part, source in zip(found, sources, strict=True)
            if part.events
        ]
        if rows:
            await self._inbox.put(rows)

    async def _source(self, part: Part) -> int:
        """All or nothing: one bad key in a request refuses it, storing none of it."""
        if part.key is None:
            raise protocol.unauthorized()
        source = self._keys.known(part.key)
        if source is None:
            source = await self._keys.find(part.key)
        if source is None:
            raise protocol.unauthorized()
        return source

    async def _read(self, body: Body) -> bytes:
        """The body as sent. Where it is refused, the rest of it is read first."""
        try:
            self._inbox.check()
            return await body.read(self._limit)
        except Refusal:
            await body.drain()
            raise

    # --- what analytics.js asks for first

    async def _settings(self, key: str, scope: Scope) -> Answer:
        if self._keys.known(key) is None and await self._keys.find(key) is None:
            raise protocol.not_found()
        host, scheme = self._reached_at(scope)
        if not protocol.is_host(host):
            raise protocol.invalid("The Host header is no host.")
        return protocol.settings(key, host, scheme)

    def _reached_at(self, scope: Scope) -> tuple[str, str]:
        """Host and scheme that a browser reaches us at."""
        if self._public.netloc:
            return self._public.netloc, self._public.scheme
        asked = _asked(scope["headers"])
        if self._is_behind_proxy and asked.forwarded_proto in {"http", "https"}:
            return asked.host, asked.forwarded_proto
        return asked.host, scope.get("scheme", "http")


def _asked(headers: Iterable[tuple[bytes, bytes]]) -> Asked:
    found = {name: value for name, value in headers if name in _WANTED}
    length = found.get(b"content-length", b"")
    return Asked(
        found.get(b"authorization", b""),
        found.get(b"content-encoding", b""),
        int(length) if length.isdigit() and len(length) < 20 else 0,
        found.get(b"host", b"").decode("latin-1"),
        found.get(b"x-forwarded-proto", b"").decode("latin-1"),
    )


_WANTED: Final = frozenset(
    (
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"host",
        b"x-forwarded-proto",
    )
)
