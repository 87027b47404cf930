"""Routes, keys and answers of Segment's HTTP tracking protocol. Pure.

What clients need of a server, as measured on the SDKs themselves: 200 and nothing
else on success (201, 202 and 204 are failures to several), `code` and `message` in
the JSON of every error (some retry an error without them for hours), an integer
`Retry-After` where later is better.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

Message = dict[str, Any]
Headers = list[tuple[bytes, bytes]]

#: What the paths are called; `/v1/import` is how server-side libraries named batch.
_NAMES: Final = {
    "batch": "batch",
    "import": "batch",
    "track": "track",
    "identify": "identify",
    "group": "group",
    "page": "page",
    "screen": "screen",
    "alias": "alias",
    "b": "batch",
    "t": "track",
    "i": "identify",
    "g": "group",
    "p": "page",
    "s": "screen",
    "a": "alias",
}
PREFIX: Final = "/v1/"
#: path -> call, with and without a slash at the end.
ROUTES: Final = {
    f"{PREFIX}{name}{slash}": call
    for name, call in _NAMES.items()
    for slash in ("", "/")
}
_SETTINGS: Final = re.compile(r"/v1/projects/([^/]+)/settings/?")
_HOST: Final = re.compile(r"[A-Za-z0-9.\-_]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
#: Longer is no key of ours (`WriteKey.key`).
KEY_LENGTH: Final = 64

_COMMON: Final[Headers] = [
    (b"content-type", b"application/json"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Retry-After"),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """The two ASGI messages of a complete answer."""

    start: Message
    body: Message

    @property
    def status(self) -> int:
        return int(self.start["status"])


def _answer(status: int, content: bytes, extra: Headers) -> Answer:
    headers = [*_COMMON, (b"content-length", b"%d" % len(content)), *extra]
    start = {"type": "http.response.start", "status": status, "headers": headers}
    return Answer(start, {"type": "http.response.body", "body": content})


def _json(status: int, value: object, extra: Headers) -> Answer:
    return _answer(status, msgspec.json.encode(value), extra)


_NOT_KEPT: Final = (b"cache-control", b"no-store")
#: Made once: it is what nearly every request is answered.
TAKEN: Final = _json(200, {"success": True}, [_NOT_KEPT])
#: Browsers ask first because of `Authorization`; any origin may send events, and
#: none gets at cookies (there is no `allow-credentials`).
PREFLIGHT: Final = _answer(
    200,
    b"",
    [
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (
            b"access-control-allow-headers",
            b"Authorization, Content-Type, Content-Encoding, X-Retry-Count",
        ),
        (b"access-control-max-age", b"86400"),
    ],
)


class Refusal(Exception):
    """What a client is told instead of a 200; never holds what it sent."""

    def __init__(
        self, status: int, code: str, message: str, *headers: tuple[bytes, bytes]
    ) -> None:
        super().__init__(message)
        self.status = status
        words = {"code": code, "message": message, "success": False}
        self.answer = _json(status, words, [_NOT_KEPT, *headers])


def invalid(message: str) -> Refusal:
    return Refusal(400, "invalid_request", message)


def unauthorized() -> Refusal:
    return Refusal(
        401, "invalid_write_key", "The write key is missing, unknown or revoked."
    )


def not_found() -> Refusal:
    return Refusal(404, "not_found", "There is nothing at this address.")


def not_allowed(*methods: str) -> Refusal:
    allowed = ", ".join((*methods, "OPTIONS")).encode()
    message = "This method is not allowed here."
    return Refusal(405, "method_not_allowed", message, (b"allow", allowed))


def too_slow() -> Refusal:
    return Refusal(408, "request_timeout", "The body did not arrive in time.")


def too_large(limit: int) -> Refusal:
    message = f"The body may have {limit:,} bytes, unpacked."
    return Refusal(413, "payload_too_large", message)


def too_many(limit: int) -> Refusal:
    message = f"A batch may have {limit:,} events."
    return Refusal(413, "payload_too_large", message)


def unknown_encoding() -> Refusal:
    message = "Content-Encoding may be gzip, deflate or identity."
    return Refusal(415, "unsupported_encoding", message)


def later(seconds: int) -> Refusal:
    """Too much waits: the client is to keep its events and come back."""
    retry = (b"retry-after", b"%d" % seconds)
    message = f"Too many events wait to be loaded; try again in {seconds} s."
    return Refusal(429, "too_many_requests", message, retry)


def unavailable(seconds: int) -> Refusal:
    """Nothing was stored; the client is to keep its events and come back."""
    retry = (b"retry-after", b"%d" % seconds)
    message = f"Events cannot be stored now; try again in {seconds} s."
    return Refusal(503, "unavailable", message, retry)


def key_of(authorization: bytes) -> str | None:
    """The key of `Basic key:` or `Bearer key`; None where there is none to read."""
    scheme, _, value = authorization.strip().partition(b" ")
    value = value.strip()
    match scheme.lower():
        case b"basic":
            value = _decoded(value).partition(b":")[0]
        case b"bearer":
            pass
        case _:
            return None
    try:
        return value.decode("ascii") or None
    except UnicodeDecodeError:
        return None


def _decoded(value: bytes) -> bytes:
    """Base64, also of clients that leave out the padding."""
    try:
        return base64.b64decode(value + b"=" * (-len(value) % 4))
    except binascii.Error:
        return b""


def settings_key(path: str) -> str | None:
    """The key in `/v1/projects/{key}/settings`; None for any other path."""
    match = _SETTINGS.fullmatch(path)
    return match[1] if match else None


def is_host(text: str) -> bool:
    return _HOST.fullmatch(text) is not None


def settings(key: str, host: str, scheme: str) -> Answer:
    """What analytics.js asks for before it starts: send everything to us, load
    nothing from elsewhere, report nothing about yourself.

    `protocol` matters: without it the library speaks https to any host.
    """
    target = {"apiHost": f"{host}/v1", "protocol": scheme}
    segment = {
        "apiKey": key,
        **target,
        "addBundledMetadata": True,
        "unbundledIntegrations": [],
        "maybeBundledConfigIds": {},
        "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
    }
    metrics = {"sampleRate": 0, "host": target["apiHost"], "protocol": scheme}
    plan: dict[str, Any] = {"track": {}, "identify": {}, "group": {}}
    value = {
        "integrations": {"Segment.io": segment},
        "plan": plan,
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {"routingRules": []},
        "enabledMiddleware": {},
        "metrics": metrics,
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }
    return _json(200, value, [(b"cache-control", b"private, max-age=60")])
