"""Files as they come: encodings, dialects, compression, broken rows."""

from __future__ import annotations

import gzip
import json
import random

import pyarrow as pa
import pytest

from perennial.apps.intake.files import sources
from perennial.core.errors import BadValue


def gz(data: bytes) -> bytes:
    """Without the time, so that test ids are the same in every process."""
    return gzip.compress(data, mtime=0)


ROWS = "account_id,name\nA1,Müller\nA2,Dvořák\n"


def names(lake) -> dict[str, str]:
    return {row["account_id"]: row["name"] for row in lake.rows("accounts")}


@pytest.mark.parametrize(
    "content",
    [
        ROWS.encode(),
        ROWS.encode("utf-8-sig"),
        ROWS.encode("utf-16"),
        ROWS.encode("utf-16-le"),
        ROWS.encode("utf-32"),
        ROWS.replace("\n", "\r\n").encode(),
        ROWS.replace("\n", "\r").encode(),
        ROWS.rstrip().encode(),
        ROWS.replace(",", ";").encode(),
        ROWS.replace(",", "\t").encode("utf-16"),
        ROWS.replace(",", "|").encode(),
        ("sep=;\r\n" + ROWS.replace(",", ";")).encode(),
        ("Accounts of today\n\n" + ROWS).encode(),
        ROWS.replace("\n", ",\n").replace("name,", "name").encode(),
        b'"account_id","name"\n"A1","M\xc3\xbcller"\n\n"A2"," Dvo\xc5\x99\xc3\xa1k "\n',
        "account_id,name\nA1,'Müller'\nA2,'Dvořák'\n".encode(),
        gz(ROWS.encode()),
        gz(ROWS[:25].encode()) + gz(ROWS[25:].encode()),
        pa.compress(ROWS.encode(), codec="zstd", asbytes=True),
    ],
)
def test_same_rows_however_they_are_written(load, lake, content) -> None:
    report = load("accounts", content)
    assert names(lake) == {"A1": "Müller", "A2": "Dvořák"}
    assert (report.rows, report.loaded, report.rejected) == (2, 2, 0)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp1252", "Société Générale à Nîmes"),
        ("cp1250", "Žďár nad Sázavou, příliš žluťoučký"),
        ("cp1251", "Газпром нефть и Яндекс маркет"),
        ("shift_jis", "株式会社日立製作所"),
    ],
)
def test_other_encodings_are_recognized(load, lake, encoding, name) -> None:
    content = f"account_id;name\nA1;{name}\n".encode(encoding)
    load("accounts", content)
    assert names(lake) == {"A1": name}


@pytest.mark.parametrize(
    "content",
    [
        random.Random(1).randbytes(5_000),
        bytes(1_000),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + random.Random(2).randbytes(500),
        b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\0>\0\x01\0\0\0" * 50,
    ],
    ids=["noise", "zeros", "png", "elf"],
)
def test_what_is_no_text_is_said_to_be_none(load, lake, content) -> None:
    with pytest.raises(BadValue, match="is no text: save it as CSV"):
        load("accounts", content)
    assert not lake.writes


def test_a_stray_control_character_leaves_text_text(load, lake) -> None:
    load("accounts", "account_id,name\nA1,M\0ller\n" + "B,a longer name\n" * 2)
    assert names(lake)["A1"] == "M\0ller"


def test_an_encoding_can_be_given(load, lake) -> None:
    content = "account_id,name\nA1,Großmöbel\n".encode("cp850")
    load("accounts", content, encoding="cp850")
    assert names(lake) == {"A1": "Großmöbel"}


def test_an_encoding_that_does_not_fit_is_refused(load, lake) -> None:
    with pytest.raises(BadValue, match="not encoded in utf-8"):
        load("accounts", ROWS.encode("cp1250"), encoding="utf-8")
    with pytest.raises(BadValue, match="unknown encoding"):
        load("accounts", ROWS, encoding="klingon")


def test_a_few_broken_bytes_cost_only_their_rows(load, lake) -> None:
    rows = "".join(f"A{n},Žluťoučký kůň\n" for n in range(20)).encode()
    report = load("accounts", b"account_id,name\n" + rows + b"B,M\xfcller\nC,ok\n")
    assert (report.loaded, dict(report.reasons)) == (21, {"malformed_row": 1})
    [reject] = lake.rows("rejects")
    assert reject["row_number"] == 21
    assert "not UTF-8" in reject["reason"]


def test_rows_with_a_wrong_number_of_fields(load, lake, monkeypatch) -> None:
    monkeypatch.setattr(sources, "BATCH_ROWS", 2)
    text = 'account_id,name\nA1,x\nA2\n"A\n3",y\nA4,"a ""b"", c"\nA5,z,zz\n\nA6,ok\n'
    report = load("accounts", text)
    assert names(lake) == {"A1": "x", "A\n3": "y", "A4": 'a "b", c', "A6": "ok"}
    assert (report.rows, report.loaded, report.rejected) == (6, 4, 2)
    rejects = {row["row_number"]: row for row in lake.rows("rejects")}
    assert sorted(rejects) == [2, 5]
    assert rejects[5]["reason"] == "3 fields where 2 belong"
    assert json.loads(rejects[5]["payload"]) == {"line": "A5,z,zz"}


def test_a_quote_that_is_never_closed_swallows_nothing_in_silence(load, lake) -> None:
    report = load("accounts", 'account_id,name\nA1,x\nA2,"y\nA3,z\n')
    assert names(lake) == {"A1": "x"}
    assert dict(report.reasons) == {"malformed_row": 1}
    assert "never closed" in report.sentences[0]


def test_escaped_quotes(load, lake) -> None:
    load("accounts", 'account_id,name\nA1,"the \\"best\\", ever"\n')
    assert names(lake) == {"A1": 'the "best", ever'}


@pytest.mark.parametrize(
    "text", ["amount;x\n1,5;2,3\n2,5;3,3\n", "amount:x\n10 00:2\n", "a,b\n"]
)
def test_the_header_tells_the_delimiter(load, text) -> None:
    with pytest.raises(BadValue, match="account_id, which the file does not have"):
        load("accounts", text)


def test_headers_match_whatever_their_style(load, lake) -> None:
    load("accounts", "Account ID,isTest,Owner-Email,Signup Date\nA1,yes,a@b.c,\n")
    [row] = lake.rows("accounts")
    assert (row["account_id"], row["is_test"]) == ("A1", True)
    assert row["owner_email"] == "a@b.c"


def test_repeated_and_empty_headers_are_kept(load, lake) -> None:
    load("accounts", "account_id,note,note,,note_2\nA1,a,b,c,d\n")
    [row] = lake.rows("accounts")
    assert json.loads(row["properties"]) == {
        "note": "a",
        "note_2": "b",
        "column_4": "c",
        "note_2_2": "d",
    }


@pytest.mark.parametrize("text", ["account_id,name\n", "account_id,name"])
def test_a_file_with_a_header_only(load, lake, text) -> None:
    report = load("accounts", text)
    assert (report.rows, report.loaded) == (0, 0)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.csv", "is empty"),
        (b" \n \n", "a.csv", "no header"),
        (b"PK\x03\x04....", "a.xlsx", "an Excel workbook"),
        (b"a,b\n1,2\n", "a.json", "does not hold JSON"),
        (gz(b"account_id\n" * 9999)[:60], "a.csv.gz", "cannot be unpacked"),
        (b'[{"account_id": 1}, {"account_id": ]', "a.json", "is not JSON"),
        (b"PAR1 and then nothing", "a.parquet", "not a readable Parquet file"),
    ],
)
def test_files_that_cannot_be_read(load, lake, content, name, message) -> None:
    with pytest.raises(BadValue, match=message):
        load("accounts", content, name=name)
    assert not lake.rows("accounts")


OBJECTS = [
    {"accountId": "A1", "name": " Müller ", "extra": {"b": [1, None], "a": "x"}},
    {"accountId": 2, "name": None, "plan": "pro", "ok": True, "z": "01", "n": None},
]


def lines() -> str:
    return "\n".join(json.dumps(o) for o in OBJECTS)


def packed(text: str) -> bytes:
    return pa.compress(text.encode(), codec="zstd", asbytes=True)


@pytest.mark.parametrize(
    "content",
    [
        lines().encode(),
        lines().encode("utf-8-sig"),
        lines().encode("utf-16"),
        gz(lines().encode()),
        packed(lines()),
        json.dumps(OBJECTS).encode(),
        json.dumps(OBJECTS, indent=2).encode("utf-8-sig"),
        json.dumps(OBJECTS).encode("utf-16"),
        packed(json.dumps(OBJECTS)),
        "\n".join(json.dumps(o, indent=1) for o in OBJECTS).encode(),
    ],
)
def test_json_of_all_layouts(load, lake, content) -> None:
    report = load("accounts", content, name="a.json")
    assert report.loaded == 2, report
    first, second = lake.rows("accounts")
    assert (first["account_id"], first["name"]) == ("A1", "Müller")
    assert json.loads(first["properties"]) == {"extra": {"b": [1, None], "a": "x"}}
    assert (second["account_id"], second["plan"]) == ("2", "pro")
    assert json.loads(second["properties"]) == {"ok": True, "z": "01"}


def test_lines_that_are_no_objects(load, lake) -> None:
    text = '{"account_id": "A1"}\n{"account_id": \n\n[1]\n{"account_id": "A4"}\n'
    report = load("accounts", text, name="a.jsonl")
    assert (report.loaded, dict(report.reasons)) == (2, {"malformed_row": 2})
    assert [row["row_number"] for row in lake.rows("rejects")] == [2, 3]


def test_array_members_that_are_no_objects(load, lake) -> None:
    report = load("accounts", '[{"account_id": "A1"}, 5, null]', name="a.json")
    assert (report.loaded, report.rejected) == (1, 2)


def test_json_keys_that_differ_in_case_only(load, lake) -> None:
    load("accounts", '{"account_id": "A", "Plan/x": 1, "plan/X": "b"}', name="a.jsonl")
    [row] = lake.rows("accounts")
    assert json.loads(row["properties"]) == {"Plan/x": 1, "plan/X": "b"}


def test_the_wrong_delimiter_is_told(load) -> None:
    with pytest.raises(BadValue, match="account_id"):
        load("accounts", ROWS, delimiter=";")
    with pytest.raises(BadValue, match="one character"):
        load("accounts", ROWS, delimiter="ab")


def test_rows_are_numbered_the_same_in_any_batches(load, lake, monkeypatch) -> None:
    lines = [f"A{n}" if n % 3 else "" for n in range(1, 40)]
    text = "account_id,name\n" + "".join(f"{line},x\n" for line in lines)
    expected = [n for n, line in enumerate(lines, start=1) if not line]
    for size in (1, 4, 500_000):
        monkeypatch.setattr(sources, "BATCH_ROWS", size)
        lake.tables.clear()
        load("accounts", text)
        assert [row["row_number"] for row in lake.rows("rejects")] == expected


def test_rows_of_nothing_are_no_rows(load, lake) -> None:
    report = load("accounts", "account_id,name\nA,x\n,\n , \nB,y\n,\n")
    assert (report.rows, report.loaded, report.rejected) == (2, 2, 0)
    report = load("accounts", '{"account_id": "C"}\n   \n{}\n', name="a.jsonl")
    assert (report.rows, report.loaded) == (1, 1)
