"""A table written as CSV in any dialect is read back equal."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.apps.intake.files import ImportOptions, import_file
from perennial.apps.intake.files.dialect import recognize_dialect

TIMES = {
    "iso": "%Y-%m-%dT%H:%M:%S",
    "dmy-": "%d-%m-%Y %H:%M:%S",
    "dmy.": "%d.%m.%Y %H:%M:%S",
    "dmy/": "%d/%m/%Y %H:%M:%S",
    "mdy/": "%m/%d/%Y %H:%M:%S",
    "mdy12": "%m/%d/%Y %I:%M:%S %p",
}
KINDS = ("recurring", "usage", "one_off", "refund")


@dataclass(frozen=True)
class Dialect:
    delimiter: str
    encoding: str
    decimal: str
    time: str
    quoting: int
    newline: str

    def write(self, rows: list[dict[str, object]]) -> bytes:
        file = io.StringIO(newline="")
        writer = csv.writer(
            file,
            delimiter=self.delimiter,
            quoting=self.quoting,  # type: ignore[arg-type]
            lineterminator=self.newline,
        )
        writer.writerow(
            ["payment_id", "Account ID", "paidAt", "amount", "kind", "note"]
        )
        for row in rows:
            at = row["paid_at"]
            assert isinstance(at, datetime)
            writer.writerow(
                [
                    row["payment_id"],
                    row["account_id"],
                    at.strftime(TIMES[self.time]),
                    str(row["amount"]).replace(".", self.decimal),
                    str(row["kind"]).upper(),
                    row["note"],
                ]
            )
        return file.getvalue().encode(self.encoding)


def texts(characters: str) -> st.SearchStrategy[str]:
    # A text in apostrophes may be taken for a quoted one.
    return st.text(characters, max_size=12).map(lambda text: text.strip(" '\t\n\u2028"))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Dialect, list[dict[str, object]]]:
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    alphabet = "aZ09 ,;|\t\"'\n{}\\:-" + (
        "é€" if encoding == "cp1252" else "éŁ日😀\u2028"
    )
    dialect = Dialect(
        delimiter=draw(st.sampled_from(",;\t|")),
        encoding=encoding,
        decimal=draw(st.sampled_from(".,")),
        time=draw(st.sampled_from(sorted(TIMES))),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        newline=draw(st.sampled_from(["\n", "\r\n"])),
    )
    row = st.fixed_dictionaries(
        {
            "account_id": st.text("AB12-", min_size=1, max_size=5),
            "paid_at": st.datetimes(
                datetime(1971, 1, 1),  # noqa: DTZ001
                datetime(2030, 1, 1),  # noqa: DTZ001
            ).map(lambda at: at.replace(microsecond=0, tzinfo=UTC)),
            "amount": st.decimals(-1_000_000, 1_000_000, places=2, allow_nan=False),
            "kind": st.sampled_from(KINDS),
            "note": texts(alphabet),
        }
    )
    # The first row shows which number is the day.
    telling = draw(row) | {"paid_at": datetime(2025, 1, 31, 13, 5, 7, tzinfo=UTC)}
    rows = [telling, *draw(st.lists(row, max_size=8))]
    return dialect, [
        {"payment_id": f"p{number}", **row} for number, row in enumerate(rows)
    ]


@settings(max_examples=25)
@given(cases())
def test_payments_survive_any_dialect(new_lake, case) -> None:
    dialect, rows = case
    lake = new_lake()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "payments.csv"
        path.write_bytes(dialect.write(rows))
        # A few letters do not tell one Windows code page from another.
        known = dialect.encoding if dialect.encoding == "cp1252" else None
        report = import_file(lake, "payments", path, ImportOptions(encoding=known))
    assert report.rejected == 0, report.sentences
    for row, expected in zip(lake.rows("payments"), rows, strict=True):
        found = dict(row) | json.loads(row["properties"] or '{"note": ""}')
        if not isinstance(found["note"], str):  # all notes were numbers
            expected["note"] = json.loads(str(expected["note"]))
        assert {name: found[name] for name in expected} == expected


HEADER = ["account_id", "name", "created_at"]


@given(
    st.sampled_from(",;\t|"),
    st.lists(st.tuples(*[st.text("ab,;|\t 1.:", max_size=6)] * 3), max_size=20),
)
def test_the_delimiter_is_found_whatever_the_rows(delimiter, rows) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([HEADER, *rows])
    found = recognize_dialect(file.getvalue(), is_whole=True)
    assert (found.delimiter, list(found.header)) == (delimiter, HEADER)
