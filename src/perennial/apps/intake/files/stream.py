"""Bytes of a file: compression, digest, and the encoding of its text."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import charset_normalizer
import pyarrow as pa

from perennial.core.errors import BadValue

_CHUNK = 4 << 20
#: As much of the start of a file as is looked at to recognize what it is; the csv
#: module takes no longer field.
HEAD = 128 << 10
#: Lines with other than ASCII characters that are shown to the charset detector.
_EVIDENCE = 128 << 10
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Candidates, the more usual first.
_CHARSETS = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "iso8859_2", "koi8_r"]
_CHARSETS += ["shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "mac_roman", "cp850"]


@dataclass(frozen=True)
class Bytes:
    """A file on disk, and how it is compressed."""

    path: Path
    compression: str | None

    @classmethod
    def of(cls, path: Path) -> Bytes:
        with path.open("rb") as file:
            magic = file.read(4)
        if not magic:
            raise BadValue(f"{path.name} is empty")
        if magic[:2] == b"\x1f\x8b":
            return cls(path, "gzip")
        return cls(path, "zstd" if magic == b"\x28\xb5\x2f\xfd" else None)

    @contextmanager
    def open(self) -> Iterator[Reader]:
        """The content, decompressed, as a stream."""
        with pa.OSFile(str(self.path), "rb") as raw:
            if self.compression is None:
                yield Reader(raw, self.path)
                return
            with pa.CompressedInputStream(raw, self.compression) as stream:
                yield Reader(stream, self.path)

    def head(self) -> bytes:
        with self.open() as reader:
            return reader.read(HEAD)

    def digest(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Reader:
    """An open file as a stream of bytes, unpacked."""

    stream: pa.NativeFile
    path: Path

    def read(self, size: int = _CHUNK) -> bytes:
        try:
            data: bytes = self.stream.read(size)
        except OSError as error:
            raise BadValue(f"{self.path.name} cannot be unpacked: {error}") from error
        return data

    def chunks(self) -> Iterator[bytes]:
        while data := self.read():
            yield data


@dataclass(frozen=True)
class Encoding:
    """How text is stored; `is_lossy`: UTF-8 in which a few bytes are broken.

    `size` is the length of the whole text in bytes of UTF-8. `last` is its last
    character that is not white space: it tells whether the file ends inside a quote.
    """

    name: str
    is_lossy: bool = False
    size: int = 0
    last: str = ""


def recognize_encoding(data: Bytes, given: str | None) -> Encoding:
    """The encoding of a whole file, proven by decoding all of it."""
    if given is not None:
        name = "utf-8-sig" if codecs.lookup(given).name == "utf-8" else given
        encoding = _decoded(data, name)
        if encoding is None:
            raise BadValue(f"{data.path.name} is not encoded in {given}")
        return encoding
    encoding = _decoded(data, _by_marks(data.head()))
    if encoding is not None:
        return encoding
    evidence, is_mostly_utf8 = _evidence(data)
    if is_mostly_utf8:
        size = data.path.stat().st_size
        return Encoding("utf-8-sig", is_lossy=True, size=size)
    for guess in (*_guesses(evidence), "cp1252"):
        encoding = _decoded(data, guess)
        if encoding is not None:
            return encoding
    return _decoded(data, "latin-1") or Encoding("latin-1")


def _by_marks(head: bytes) -> str:
    """From a byte-order mark, or from the zero bytes that UTF-16 puts into text."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    half = max(len(head) // 2, 1)
    if head[1::2].count(0) > 0.4 * half:
        return "utf-16-le"
    if head[0::2].count(0) > 0.4 * half:
        return "utf-16-be"
    return "utf-8-sig"


def _decoded(data: Bytes, name: str) -> Encoding | None:
    """What decoding a file shows; None when it is not so encoded."""
    decoder = codecs.getincrementaldecoder(name)()
    last = ""
    size = 0
    try:
        with data.open() as reader:
            for chunk in reader.chunks():
                text = decoder.decode(chunk)
                size += len(chunk) if name == "utf-8-sig" else len(text.encode())
                last = text.rstrip()[-1:] or last
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return Encoding(name, size=size, last=last)


def _evidence(data: Bytes) -> tuple[bytes, bool]:
    """Lines that are not ASCII, and whether they are UTF-8 but for a few bytes."""
    lines: list[bytes] = []
    size = 0
    with data.open() as reader:
        for chunk in reader.chunks():
            for line in chunk.splitlines():
                if not line.isascii() and size < _EVIDENCE:
                    lines.append(line)
                    size += len(line)
            if size >= _EVIDENCE:
                break
    evidence = b"\n".join(lines)
    text = evidence.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(not character.isascii() for character in text) - broken
    return evidence, whole > 4 * broken


def _guesses(evidence: bytes) -> tuple[str, ...]:
    """Likely encodings, best first; of equally likely ones the more usual."""
    found = charset_normalizer.from_bytes(evidence, cp_isolation=_CHARSETS)
    likely = {
        name: (match.chaos, -match.coherence)
        for match in reversed(list(found))
        for name in match.could_be_from_charset
    }
    usual = [name for name in _CHARSETS if name in likely]
    return tuple(sorted(usual, key=lambda name: likely[name]))


def decoded_head(data: Bytes, encoding: Encoding) -> tuple[str, bool]:
    """The start of a text, and whether that is all of it."""
    raw = data.head()
    decoder = codecs.getincrementaldecoder(encoding.name)("replace")
    text = decoder.decode(raw).removeprefix("\ufeff")
    return text, len(raw) < HEAD
