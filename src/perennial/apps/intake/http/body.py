"""Reading a request's body within bounds of size, time and memory."""

from __future__ import annotations

import asyncio
from typing import Final

from perennial.apps.intake.http.asgi import Receive
from perennial.apps.intake.http.protocol import later, too_large, too_slow

#: How long a body may take to arrive in whole.
BODY_S: Final = 60.0
#: Bodies that are in memory at once, of all requests; it bounds what a flood costs.
HELD_BYTES: Final = 128 << 20
#: A client that is answered while it still sends sees a broken connection, and
#: tries again: so the rest is read, up to this size, and thrown away.
DRAIN_BYTES: Final = 64 << 20
RETRY_AFTER_S: Final = 10


class Gone(Exception):
    """The client hung up: there is nobody to answer."""


class Memory:
    """What all bodies of the process hold."""

    def __init__(self, limit: int = HELD_BYTES) -> None:
        self.limit = limit
        self.held = 0

    @property
    def is_full(self) -> bool:
        return self.held > self.limit


class Body:
    """Of `length` bytes as announced, 0 if not. Give it back with `forget`."""

    __slots__ = ("_chunks", "_is_over", "_length", "_memory", "_receive", "_size")

    def __init__(self, receive: Receive, memory: Memory, length: int) -> None:
        self._receive = receive
        self._memory = memory
        self._length = length
        self._chunks: list[bytes] = []
        self._size = 0
        self._is_over = False

    async def read(self, limit: int) -> bytes:
        """All of it. Raises `Refusal` beyond a bound, `Gone` when it breaks off."""
        if self._length > limit:
            raise too_large(limit)
        self._hold(await self._next(), limit)
        # The server says that there is no more in a message of its own.
        if self._is_over or self._size == self._length:
            self._is_over = True
            return self._chunks[0]
        try:
            await asyncio.wait_for(self._read_on(limit), BODY_S)
        except TimeoutError:
            self._is_over = True
            raise too_slow() from None
        return b"".join(self._chunks)

    async def drain(self) -> None:
        """Reads off what the client still sends."""
        self.forget()
        try:
            await asyncio.wait_for(self._read_off(), BODY_S)
        except TimeoutError:
            return

    def forget(self) -> None:
        self._memory.held -= self._size
        self._size = 0
        self._chunks.clear()

    async def _read_on(self, limit: int) -> None:
        while not self._is_over:
            self._hold(await self._next(), limit)

    async def _read_off(self) -> None:
        size = 0
        while not self._is_over and size < DRAIN_BYTES:
            size += len(await self._next())

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise Gone
        self._is_over = not message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk

    def _hold(self, chunk: bytes, limit: int) -> None:
        self._chunks.append(chunk)
        self.count(len(chunk))
        if self._size > limit:
            raise too_large(limit)

    def count(self, size: int) -> None:
        """So much is held because of this body: itself, and what was packed in it."""
        self._size += size
        self._memory.held += size
        if self._memory.is_full:
            raise later(RETRY_AFTER_S)
