"""The application for an ASGI server: `granian --interface asgi …:application`.

`/v1/` goes to intake, which is asynchronous and never sees Django's middleware;
everything else to Django in threads. Django's own ASGI handler is not used: for
synchronous views it takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings

from perennial.config.wsgi import application as django_application

if TYPE_CHECKING:
    from perennial.apps.intake.http.asgi import Message, Receive, Scope, Send
    from perennial.apps.intake.http.endpoint import Endpoint

_FILE_BLOCK: Final = 64 << 10


class _Blocks:
    """A file in blocks: each one is handed from thread to loop, so few are better."""

    def __init__(self, file: Any, _block_size: int = 0) -> None:
        self._file = file
        self.close = getattr(file, "close", lambda: None)

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self._file.read(_FILE_BLOCK), b"")


def _with_blocks(environ: Any, start_response: Any) -> Any:
    environ["wsgi.file_wrapper"] = _Blocks
    return django_application(environ, start_response)


def _make_intake() -> Endpoint:
    # After the import above has set Django up.
    from perennial.apps.intake.http import endpoint, inbox
    from perennial.apps.intake.http.store import DatabaseStore

    store = DatabaseStore()
    return endpoint.Endpoint(
        store,
        inbox.Inbox(store, max_backlog=settings.INTAKE_BACKLOG or inbox.MAX_BACKLOG),
        body_bytes=(settings.INTAKE_BODY_MB or endpoint.BODY_MB) << 20,
        public_url=settings.PUBLIC_URL,
        is_behind_proxy=settings.TRUST_FORWARDED_FOR,
    )


_intake: Final = _make_intake()
_django: Final[Any] = WSGIMiddleware(
    cast(Any, _with_blocks), workers=settings.WEB_THREADS
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["path"].startswith("/v1/"):
        await _intake(scope, receive, send)
    else:
        await _to_django(scope, receive, send)


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    await _intake.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _intake.close()
    await send({"type": "lifespan.shutdown.complete"})


async def _to_django(scope: Scope, receive: Receive, send: Send) -> None:
    async def received() -> Message:
        # a2wsgi wants a coroutine; granian gives another kind of awaitable.
        return await receive()

    # A name with an underscore would pass for the one with a dash, which a proxy
    # has checked (X_Forwarded_Proto).
    headers = [pair for pair in scope["headers"] if b"_" not in pair[0]]
    await _django({**scope, "headers": headers}, received, send)
