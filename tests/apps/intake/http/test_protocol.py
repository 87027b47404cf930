from __future__ import annotations

import base64
import json

import pytest

from perennial.apps.intake.http import protocol
from perennial.apps.intake.models import CALLS, new_key


@pytest.mark.parametrize("call", CALLS)
def test_every_call_has_its_long_and_its_short_path(call: str) -> None:
    for path in (f"/v1/{call}", f"/v1/{call}/", f"/v1/{call[0]}", f"/v1/{call[0]}/"):
        assert protocol.ROUTES[path] == call


def test_import_is_batch_and_nothing_else_is_a_route() -> None:
    assert protocol.ROUTES["/v1/import"] == "batch"
    assert len(protocol.ROUTES) == 2 * (2 * len(CALLS) + 1)


def _basic(text: str) -> bytes:
    return b"Basic " + base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (_basic("abc:"), "abc"),
        (_basic("abc:password"), "abc"),
        (_basic("abc"), "abc"),
        (b"basic " + base64.b64encode(b"abc:"), "abc"),
        (_basic("abc:").rstrip(b"="), "abc"),
        (b"Bearer abc", "abc"),
        (b"bearer  abc ", "abc"),
        (b"", None),
        (b"Basic", None),
        (b"Basic !", None),
        (b"Basic a", None),
        (_basic(":abc"), None),
        (_basic("é:"), None),
        (b"Bearer \xff", None),
        (b"Digest abc", None),
        (b"abc", None),
    ],
)
def test_the_key_in_the_header(header: bytes, key: str | None) -> None:
    assert protocol.key_of(header) == key


def test_our_keys_fit_into_a_path_and_a_header() -> None:
    for _ in range(100):
        key = new_key()
        assert protocol.settings_key(f"/v1/projects/{key}/settings") == key
        assert protocol.key_of(_basic(f"{key}:")) == key
        assert len(key) <= protocol.KEY_LENGTH


@pytest.mark.parametrize(
    "path",
    ["/v1/projects//settings", "/v1/projects/a/b/settings", "/v1/projects/a"],
)
def test_other_paths_are_no_settings(path: str) -> None:
    assert protocol.settings_key(path) is None


def test_settings_send_analytics_js_back_to_us_and_nowhere_else() -> None:
    answer = protocol.settings("abc", "cs.example.com:8443", "http")
    value = json.loads(answer.body["body"])
    segment = value["integrations"]["Segment.io"]
    assert segment["apiKey"] == "abc"
    # The library makes f"{protocol}://{apiHost}/t" of it.
    assert (segment["protocol"], segment["apiHost"]) == (
        "http",
        "cs.example.com:8443/v1",
    )
    # More than one integration makes it load code of Segment's from their servers.
    assert len(value["integrations"]) == 1
    assert value["remotePlugins"] == []
    assert value["metrics"]["sampleRate"] == 0
    assert "segment.io" not in answer.body["body"].decode()


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ("localhost", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("a.example.com", True),
        ("", False),
        ("a/b", False),
        ("a:b", False),
        ('a"b', False),
        ("user@host", False),
    ],
)
def test_hosts(host: str, good: bool) -> None:
    assert protocol.is_host(host) is good


@pytest.mark.parametrize(
    "refusal",
    [
        protocol.invalid("x"),
        protocol.unauthorized(),
        protocol.not_found(),
        protocol.not_allowed("POST"),
        protocol.too_slow(),
        protocol.too_large(1),
        protocol.too_many(1),
        protocol.unknown_encoding(),
        protocol.later(7),
        protocol.unavailable(7),
    ],
    ids=lambda refusal: str(refusal.status),
)
def test_every_error_has_a_code_and_a_message(refusal: protocol.Refusal) -> None:
    """Older libraries try again for hours where either is missing."""
    said = json.loads(refusal.answer.body["body"])
    assert said["code"]
    assert said["message"]
    headers = dict(refusal.answer.start["headers"])
    assert headers[b"content-type"] == b"application/json"
    if refusal.status in {429, 503}:
        assert 0 < int(headers[b"retry-after"]) <= 300
