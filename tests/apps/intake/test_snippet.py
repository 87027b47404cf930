"""The file of the browser snippet: for everybody, cached, compressed."""

from __future__ import annotations

import gzip
from pathlib import Path

import brotli
import pytest
from django.test import Client

from perennial.apps.intake import snippet

URL = "/snippet/v1.js"
TEXT = b"!function(){}();"


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(snippet, "FOLDER", tmp_path)
    (tmp_path / "v1.js").write_bytes(TEXT)
    (tmp_path / "v1.js.gz").write_bytes(gzip.compress(TEXT))
    (tmp_path / "v1.js.br").write_bytes(brotli.compress(TEXT))
    return tmp_path


@pytest.mark.parametrize("part", ["", "show", "pick"])
def test_it_is_public_and_of_every_origin(
    client: Client, built: Path, part: str
) -> None:
    (built / f"v1-{part}.js").write_bytes(TEXT)
    response = client.get(f"/snippet/v1/{part}.js" if part else URL)
    assert response.status_code == 200
    assert response.content == TEXT
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=3600"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


@pytest.mark.parametrize("copy", ["identity", "gzip"])
def test_what_a_browser_has_is_not_sent_again(client: Client, copy: str) -> None:
    first = client.get(URL, headers={"accept-encoding": copy})
    for asked in (
        {"if-none-match": first["ETag"]},
        {"if-modified-since": first["Last-Modified"]},
    ):
        again = client.get(URL, headers={"accept-encoding": copy, **asked})
        assert again.status_code == 304
        assert again.content == b""
        assert again["ETag"] == first["ETag"]
        assert again["Cache-Control"] == "public, max-age=3600"
        assert again["Access-Control-Allow-Origin"] == "*"
        assert again["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_a_new_build_is_sent(client: Client, built: Path) -> None:
    first = client.get(URL)
    (built / "v1.js").write_bytes(b"new")
    again = client.get(URL, headers={"if-none-match": first["ETag"]})
    assert again.content == b"new"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("gzip;q=0.0", None),
        ("deflate", None),
        ("", None),
    ],
)
def test_compressed_as_the_browser_takes_it(
    client: Client, accepted: str, coding: str | None
) -> None:
    response = client.get(URL, headers={"accept-encoding": accepted})
    assert response.get("Content-Encoding") == coding
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}
    assert unpack[coding](response.content) == TEXT
    assert "Accept-Encoding" in response["Vary"]
    plain = client.get(URL)
    assert (response["ETag"] == plain["ETag"]) == (coding is None)


def test_only_for_reading(client: Client) -> None:
    assert client.head(URL).status_code == 200
    assert client.post(URL).status_code == 405


def test_neverbuilt_is_not_found(client: Client, built: Path) -> None:
    for file in built.iterdir():
        file.unlink()
    assert client.get(URL).status_code == 404
