"""What was sent: unpacked within a bound, checked to be JSON, split by key. Pure.

Only the outside is looked at: well-formed JSON in UTF-8, an object at the root, a
list of a batch. Whatever an event holds is the loader's to judge, one by one.
"""

from __future__ import annotations

import re
import zlib
from typing import Final, NamedTuple

import msgspec

from perennial.apps.intake.http.protocol import (
    Refusal,
    invalid,
    too_large,
    too_many,
    unknown_encoding,
)

#: Events of one request; the 5 MB of a body hold fewer that say anything.
MAX_EVENTS: Final = 100_000

#: A gzip file may be several, one after the other; clients send one. Each costs a
#: copy of the rest.
_MAX_MEMBERS: Final = 8
_WINDOW_BITS: Final = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
_BOM: Final = b"\xef\xbb\xbf"
#: One escape of JSON: a pair of surrogates, half of one, or any other.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)


class _Event(msgspec.Struct):
    writeKey: str | None = None


class _Batch(msgspec.Struct):
    batch: list[_Event]
    writeKey: str | None = None


_EVENT: Final = msgspec.json.Decoder(_Event)
_BATCH: Final = msgspec.json.Decoder(_Batch)
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)


class Part(NamedTuple):
    """The events of one key in a request, and the JSON object that holds them."""

    key: str | None
    body: bytes
    events: int


def unpack(body: bytes, encoding: bytes, limit: int) -> bytes:
    """The body as it was before `Content-Encoding`; never more than `limit` bytes
    of it are made."""
    encoding = encoding.strip().lower()
    if encoding in {b"", b"identity"}:
        unpacked = body
    elif encoding in _WINDOW_BITS:
        unpacked = _inflate(body, _WINDOW_BITS[encoding], limit)
    else:
        raise unknown_encoding()
    if len(unpacked) > limit:
        raise too_large(limit)
    return unpacked


def _inflate(body: bytes, bits: int, limit: int) -> bytes:
    """The members of a gzip stream, up to one byte more than the limit."""
    pieces: list[bytes] = []
    size = 0
    while body:
        if len(pieces) == _MAX_MEMBERS:
            raise invalid("The packed body has too many members.")
        stream = zlib.decompressobj(wbits=_window(body, bits))
        try:
            piece = stream.decompress(body, limit + 1 - size)
        except zlib.error:
            raise invalid("The body cannot be unpacked.") from None
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            break
        if not stream.eof:
            raise invalid("The packed body is cut off.")
        body = stream.unused_data
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _window(body: bytes, bits: int) -> int:
    """Deflate comes with a zlib header and, from some clients, without."""
    has_header = len(body) > 1 and int.from_bytes(body[:2], "big") % 31 == 0
    return bits if bits == 31 or has_header else -15


def parts(call: str, body: bytes, key: str | None) -> list[Part]:
    """The request by write key: that of an event wins over that of the body, that
    over the one of the headers (`key`). A key that is no text counts as none.

    Raises `Refusal` with status 400 or 413 for what is not JSON of this form.
    """
    body = body.removeprefix(_BOM)
    if not body or body.isspace():
        raise invalid("The body is empty.")
    try:
        body.decode("utf-8")  # msgspec looks only into texts that it hands out
    except UnicodeDecodeError:
        raise _not_json() from None
    try:
        return _read(call, body, key)
    except (msgspec.DecodeError, RecursionError) as error:
        mended = _without_halves(body)
        if isinstance(error, RecursionError) or mended == body:
            raise _not_json(error) from None
    try:
        return _read(call, mended, key)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _not_json(error) from None


def _not_json(error: Exception | None = None) -> Refusal:
    if isinstance(error, RecursionError):
        return invalid("The JSON of the body is nested too deeply.")
    return invalid("The body is not valid JSON in UTF-8.")


def _without_halves(body: bytes) -> bytes:
    """With U+FFFD for half surrogate pairs. JavaScript sends them for a text that
    was cut within an emoji, and a page should not lose its events for that."""
    return _ESCAPE.sub(lambda m: rb"\ufffd" if m["half"] else m[0], body)


def _read(call: str, body: bytes, key: str | None) -> list[Part]:
    try:
        if call == "batch":
            found = _BATCH.decode(body)
            return _batch(body, found.writeKey or key, found.batch)
        return [Part(_EVENT.decode(body).writeKey or key, body, 1)]
    except msgspec.ValidationError:
        # JSON, but not of the usual types: with care, then.
        return _read_carefully(call, body, key)


def _read_carefully(call: str, body: bytes, key: str | None) -> list[Part]:
    """For any JSON: values of the wrong type are left to the loader."""
    fields = _object(body)
    key = _text(fields.get("writeKey")) or key
    if call != "batch":
        return [Part(key, body, 1)]
    return _batch(body, key, [_event(raw) for raw in _list(fields.get("batch"))])


def _object(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _FIELDS.decode(body)
    except msgspec.ValidationError:
        raise invalid("The body has to be a JSON object.") from None


def _list(raw: msgspec.Raw | None) -> list[msgspec.Raw]:
    try:
        return _LIST.decode(raw or b"null")
    except msgspec.ValidationError:
        raise invalid("`batch` has to be a list.") from None


def _event(raw: msgspec.Raw) -> _Event:
    try:
        return _EVENT.decode(raw)
    except msgspec.ValidationError:  # no object, or a key that is no text
        return _Event()


def _text(raw: msgspec.Raw | None) -> str | None:
    """The value if it is a text."""
    try:
        return _TEXT.decode(raw or b"null")
    except msgspec.ValidationError:
        return None


def _batch(body: bytes, key: str | None, events: list[_Event]) -> list[Part]:
    if len(events) > MAX_EVENTS:
        raise too_many(MAX_EVENTS)
    keys = [event.writeKey or key for event in events]
    names = set(keys)
    if len(names) < 2:
        return [Part(names.pop() if names else key, body, len(events))]
    return _split(body, keys)


def _split(body: bytes, keys: list[str | None]) -> list[Part]:
    """A body for each key: the same fields around fewer events."""
    fields = _FIELDS.decode(body)
    events: dict[str | None, list[msgspec.Raw]] = {key: [] for key in keys}
    for key, event in zip(keys, _LIST.decode(fields["batch"]), strict=True):
        events[key].append(event)
    return [
        Part(key, msgspec.json.encode({**fields, "batch": own}), len(own))
        for key, own in events.items()
    ]
