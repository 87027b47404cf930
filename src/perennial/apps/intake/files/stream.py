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
#: As much of the start of a file as is looked at to recognize what it is.
HEAD = 256 << 10
#: Lines with other than ASCII characters that are shown to the charset detector.
_EVIDENCE = 128 << 10
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
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
                yield Reader(raw, raw, self.path)
                return
            with pa.CompressedInputStream(raw, self.compression) as stream:
                yield Reader(raw, stream, self.path)

    def head(self) -> bytes:
        with self.open() as reader:
            return reader.read(HEAD)

    def digest(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Reader:
    """An open stream that knows how far in the file it is."""

    raw: pa.NativeFile
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

    def done(self) -> float:
        """Share of the file that was read."""
        if self.raw.closed:
            return 1.0
        return float(self.raw.tell()) / max(self.path.stat().st_size, 1)


@dataclass(frozen=True)
class Encoding:
    """How text is stored; `is_lossy`: UTF-8 in which a few bytes are broken.

    `last` is the last character that is not white space: it tells whether the file
    ends inside a quote.
    """

    name: str
    is_lossy: bool = False
    last: str = ""


def recognize_encoding(data: Bytes, given: str | None) -> Encoding:
    """The encoding of a whole file, proven by decoding all of it."""
    if given is not None:
        name = "utf-8-sig" if codecs.lookup(given).name == "utf-8" else given
        last = _last_character(data, name)
        if last is None:
            raise BadValue(f"{data.path.name} is not encoded in {given}")
        return Encoding(name, last=last)
    name = _by_marks(data.head())
    last = _last_character(data, name)
    if last is not None:
        return Encoding(name, last=last)
    evidence, is_mostly_utf8 = _evidence(data)
    if is_mostly_utf8:
        return Encoding("utf-8-sig", is_lossy=True)
    for guess in (*_guesses(evidence), "cp1252", "latin-1"):
        last = _last_character(data, guess)
        if last is not None:
            return Encoding(guess, last=last)
    raise AssertionError("latin-1 decodes everything")


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


def _last_character(data: Bytes, encoding: str) -> str | None:
    """The last printed character of a file; None when it is not so encoded."""
    decoder = codecs.getincrementaldecoder(encoding)()
    last = ""
    try:
        with data.open() as reader:
            for chunk in reader.chunks():
                text = decoder.decode(chunk).rstrip()
                last = text[-1:] or last
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return last


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
    """Likely encodings, best first; Windows Western wins where texts are the same."""
    best = charset_normalizer.from_bytes(evidence, cp_isolation=_CHARSETS).best()
    if best is None:
        return ()
    same = best.could_be_from_charset
    return ("cp1252",) if "cp1252" in same else (best.encoding,)


def decoded_head(data: Bytes, encoding: Encoding) -> tuple[str, bool]:
    """The start of a text, and whether that is all of it."""
    raw = data.head()
    decoder = codecs.getincrementaldecoder(encoding.name)("replace")
    text = decoder.decode(raw).removeprefix("\ufeff")
    return text, len(raw) < HEAD
