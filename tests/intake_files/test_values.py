"""Numbers, dates, booleans and choices, decided once a column."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perennial.apps.intake.files import ImportOptions, import_file, sources
from perennial.core.errors import BadValue


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def costs(values: list[str]) -> str:
    lines = [f"2025-{n:02}-01;sales;{value}" for n, value in enumerate(values, start=1)]
    return "\n".join(["month;category;amount", *lines]) + "\n"


@pytest.mark.parametrize(
    ("values", "amounts"),
    [
        (["12.5", "3"], ["12.5", "3"]),
        (["1,234.50", "7"], ["1234.5", "7"]),
        (["1,234", "7.25"], ["1234", "7.25"]),
        (["1.234,50", "7"], ["1234.5", "7"]),
        (["1.234", "7,5"], ["1234", "7.5"]),
        (["1.234.567", "1.000"], ["1234567", "1000"]),
        (["0,125", "2,250"], ["0.125", "2.25"]),
        (["1,234", "5,678"], ["1234", "5678"]),  # ambiguous: the dot is the point
        (["1.234", "5.678"], ["1.234", "5.678"]),
        (["$1,234.50", "12 €"], ["1234.5", "12"]),
        (["1 234,50", "1\u00a0000"], ["1234.5", "1000"]),
        (["1'234.50", "-5"], ["1234.5", "-5"]),
        (["1e3", "+.5"], ["1000", "0.5"]),
        (["1234567.12345", "0"], ["1234567.1235", "0"]),
    ],
)
def test_decimal_sign_and_thousands(load, lake, values, amounts) -> None:
    report = load("costs", costs(values))
    assert report.rejected == 0, report.sentences
    assert [row["amount"] for row in lake.rows("costs")] == [
        Decimal(amount) for amount in amounts
    ]


@pytest.mark.parametrize("written", ["2025-03", "2025-3", "2025-03-01", "01.03.2025"])
def test_a_month_is_its_first_day(load, lake, written) -> None:
    load("costs", f"month,category,amount\n{written},sales,1\n")
    [row] = lake.rows("costs")
    assert row["month"] == date(2025, 3, 1)


def test_one_column_decides_for_the_others(load, lake) -> None:
    text = "payment_id;account_id;paid_at;amount;tax\n1;A;2025-01-01;1.234;12,5\n"
    load("payments", text)
    [row] = lake.rows("payments")
    assert (row["amount"], row["tax"]) == (Decimal(1234), Decimal("12.5"))


def test_the_decimal_sign_can_be_given(load, lake) -> None:
    load("costs", costs(["1,234"]), decimal=",")
    assert lake.rows("costs")[0]["amount"] == Decimal("1.234")


NO_NUMBERS = ["12,5", "1,23,4", "abc", "0x1F", "1_000", "inf", "1e99", "--1", "12.5."]


def test_what_is_no_number(load, lake) -> None:
    rows = "".join(f"{n};A;2025-01-01;{v}\n" for n, v in enumerate(NO_NUMBERS))
    text = f"payment_id;account_id;paid_at;amount\n{rows}x;A;2025-01-01;1,234.5\n"
    report = load("payments", text)
    assert dict(report.reasons) == {"not_a_number": len(NO_NUMBERS)}
    assert [reject["reason"] for reject in lake.rows("rejects")] == [
        f'amount: "{value}" is not a number' for value in NO_NUMBERS
    ]


def test_whole_numbers(load, lake) -> None:
    values = ["3", "3.0", "1,000", "9007199254740993", "3.7", "99999999999999999999"]
    lines = "\n".join(f'A{n},"{value}"' for n, value in enumerate(values))
    report = load("seat_contracts", f"account_id,seats\n{lines}\n")
    seats = [row["seats"] for row in lake.rows("seat_contracts")]
    assert seats == [3, 3, 1000, 9007199254740993]
    assert dict(report.reasons) == {"not_a_number": 2}
    assert 'seats: "3.7" is not a whole number' in report.sentences[0]


def opened(load, lake, *values: str, **options: object) -> list[datetime]:
    lines = "\n".join(f'T{n};"{value}"' for n, value in enumerate(values))
    report = load("tickets", f"ticket_id;opened_at\n{lines}\n", **options)
    assert report.rejected == 0, report.sentences
    return [row["opened_at"] for row in lake.rows("tickets")]


ISO = {
    "2025-03-04": at(2025, 3, 4),
    "2025-03-04 05:06": at(2025, 3, 4, 5, 6),
    "2025-03-04T05:06:07": at(2025, 3, 4, 5, 6, 7),
    "2025-03-04T05:06:07.123456Z": at(2025, 3, 4, 5, 6, 7, 123456),
    "2025-03-04T05:06:07.123456789z": at(2025, 3, 4, 5, 6, 7, 123456),
    "2025-03-04T05:06:07+02:00": at(2025, 3, 4, 3, 6, 7),
    "2025-03-04 05:06:07 +0530": at(2025, 3, 3, 23, 36, 7),
    "2025-03-04 05:06:07-08": at(2025, 3, 4, 13, 6, 7),
    "2025-03-04 05:06:07 UTC": at(2025, 3, 4, 5, 6, 7),
    "2025-03-04T05:06:07,5Z": at(2025, 3, 4, 5, 6, 7, 500000),
    "2025/03/04 05:06": at(2025, 3, 4, 5, 6),
    "2025.03.04": at(2025, 3, 4),
    "20250304": at(2025, 3, 4),
    "20250304T050607Z": at(2025, 3, 4, 5, 6, 7),
    "2025-03-04 3:05 pm": at(2025, 3, 4, 15, 5),
}


def test_times_that_clocks_measure_are_rounded(load, lake, tmp_path) -> None:
    """Counts with fractions are mistakes; milliseconds in logs are not."""
    head, at = "at,duration_ms", "2025-03-01T10:00:00Z"
    lines = [f"{at},{ms}" for ms in ("12.4", "12.5", "1e3", "0.2", "7")]
    assert load("requests", "\n".join([head, *lines]) + "\n").rejected == 0
    pq.write_table(
        pa.table({"at": [at], "duration_ms": [99.6]}), tmp_path / "r.parquet"
    )
    import_file(lake, "requests", tmp_path / "r.parquet", ImportOptions())
    assert [r["duration_ms"] for r in lake.rows("requests")] == [
        12,
        13,
        1000,
        0,
        7,
        100,
    ]
    head = "account_id,date,feature_id,uses,seconds"
    told = load("usage", f"{head}\na,2025-03-01,f,1.5,2\na,2025-03-01,g,1,2.6\n")
    assert told.rejected == 1
    assert [row["seconds"] for row in lake.rows("usage")] == [3]


def test_times_that_start_with_the_year(load, lake) -> None:
    assert opened(load, lake, *ISO) == list(ISO.values())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("13/4/2025 3:05 PM", at(2025, 4, 13, 15, 5)),
        ("4/13/2025 12:05:06 a.m.", at(2025, 4, 13, 0, 5, 6)),
        ("4/13/25", at(2025, 4, 13)),
        ("31.12.99", at(1999, 12, 31)),
        ("31.12.2024, 23:59", at(2024, 12, 31, 23, 59)),
        ("1741064767", at(2025, 3, 4, 5, 6, 7)),
        ("1741064767.5", at(2025, 3, 4, 5, 6, 7, 500000)),
        ("1741064767123", at(2025, 3, 4, 5, 6, 7, 123000)),
        ("1741064767123456", at(2025, 3, 4, 5, 6, 7, 123456)),
    ],
)
def test_times_in_other_notations(load, lake, value, expected) -> None:
    assert opened(load, lake, value) == [expected]


@pytest.mark.parametrize(
    ("values", "days"),
    [
        (["02-01-2025", "27-01-2025"], [2, 27]),
        (["01-02-2025", "01-27-2025"], [2, 27]),
        (["01/02/2025", "01/27/2025"], [2, 27]),
        (["02/01/2025", "27/01/2025 10:00"], [2, 27]),
        (["02.01.2025", "03.01.2025"], [2, 3]),  # undecided: day first
        (["02-01-2025", "03-01-2025"], [2, 3]),
        (["01/01/2025"], [1]),  # the same both ways
    ],
)
def test_day_or_month_first(load, lake, values, days) -> None:
    times = opened(load, lake, *values)
    assert [(time.day, time.month) for time in times] == [(day, 1) for day in days]


def test_slashes_that_do_not_tell_must_be_told(load, lake) -> None:
    with pytest.raises(BadValue, match="--date-format"):
        opened(load, lake, "01/02/2025", "03/04/2025")
    assert opened(load, lake, "01/02/2025", date_format="mdy") == [at(2025, 1, 2)]


def test_evidence_may_come_late(load, lake, monkeypatch) -> None:
    monkeypatch.setattr(sources, "BATCH_ROWS", 2)
    times = opened(load, lake, *["01/02/2025"] * 7, "01/31/2025")
    assert times[0] == at(2025, 1, 2)


def test_another_column_may_have_the_evidence(load, lake) -> None:
    load("tickets", "ticket_id,opened_at,closed_at\n1,01/02/2025,01/31/2025\n")
    assert lake.rows("tickets")[0]["opened_at"] == at(2025, 1, 2)


def test_one_stray_date_does_not_decide(load, lake) -> None:
    text = "ticket_id,opened_at\n1,2025-01-02\n2,03/04/2025\n3,2025-01-02\n"
    report = load("tickets", text)
    assert (report.loaded, dict(report.reasons)) == (2, {"not_a_date": 1})


def test_a_pattern_can_be_given(load, lake) -> None:
    times = opened(load, lake, "Mar 4, 2025", date_format="%b %d, %Y")
    assert times == [at(2025, 3, 4)]
    with pytest.raises(BadValue, match="unknown date format"):
        opened(load, lake, "x", date_format="american")


def test_local_times_belong_to_the_zone(load, lake) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    values = ["2025-01-01", "2025-07-01 12:00", "2025-07-01T12:00Z"]
    assert opened(load, lake, *values, timezone="Europe/Berlin") == [
        datetime(2025, 1, 1, tzinfo=berlin),
        datetime(2025, 7, 1, 12, tzinfo=berlin),
        at(2025, 7, 1, 12),
    ]
    gap, overlap = opened(
        load,
        lake,
        "2025-03-30 02:30",
        "2025-10-26 02:30",
        timezone="Europe/Berlin",
    )[:2]
    assert gap == at(2025, 3, 30, 1, 30)
    assert overlap in (at(2025, 10, 26, 0, 30), at(2025, 10, 26, 1, 30))
    with pytest.raises(BadValue):
        ImportOptions(timezone="Mars/Olympus")


def test_dates_are_local_days(load, lake) -> None:
    text = "date,base,quote,rate\n{},EUR,USD,1.1\n"
    for value, expected in [
        ("2025-03-04", date(2025, 3, 4)),
        ("2025-03-04T23:30", date(2025, 3, 4)),
        ("2025-03-04T23:30Z", date(2025, 3, 5)),
    ]:
        lake.tables.clear()
        load("fx_rates", text.format(value), timezone="Europe/Berlin")
        assert lake.rows("fx_rates")[0]["date"] == expected


NO_DATES = [
    "2025-02-30",
    "31-13-2025",
    "yesterday",
    "12:00",
    "2025-01-01 25:00",
    "-1 day",
]


def test_what_is_no_date(load, lake) -> None:
    lines = "\n".join(f"{n},{value}" for n, value in enumerate(NO_DATES))
    report = load("tickets", f"ticket_id,opened_at\n{lines}\nok,2025-01-31\n")
    assert dict(report.reasons) == {"not_a_date": len(NO_DATES)}
    assert [reject["reason"] for reject in lake.rows("rejects")] == [
        f'opened_at: "{value}" is not a date or time' for value in NO_DATES
    ]


def test_never_is_no_end(load, lake) -> None:
    load("seat_contracts", "account_id,seats,ends_at\nA,5,9999-12-31\n")
    assert lake.rows("seat_contracts")[0]["ends_at"] is None


def test_booleans(load, lake) -> None:
    words = ["TRUE", "False", "t", "F", "Yes", "NO", "1", "0", "1.0", "", "maybe"]
    lines = "".join(f"A{n},{word}\n" for n, word in enumerate(words))
    report = load("accounts", f"account_id,is_test\n{lines}")
    found = [row["is_test"] for row in lake.rows("accounts")]
    assert found == [True, False] * 4 + [True, None]
    assert dict(report.reasons) == {"not_a_boolean": 1}


def test_choices_and_defaults(load, lake) -> None:
    text = "touchpoint_id,account_id,at,kind\n1,A,2025-01-01,EMAIL\n2,A,2025-01-01,Call\n3,A,2025-01-01,fax\n4,A,2025-01-01,\n"
    report = load("touchpoints", text)
    kinds = [row["kind"] for row in lake.rows("touchpoints")]
    assert kinds == ["e-mail", "call", None]
    assert dict(report.reasons) == {"not_a_choice": 1}
    load(
        "subscription_items",
        "subscription_id,account_id,mrr,valid_from,interval\nS,A,5,2025-01-01,annual\nT,A,5,2025-01-01,\n",
    )
    first, second = lake.rows("subscription_items")
    assert (first["interval"], second["interval"]) == ("year", "month")
    assert (first["item_id"], first["interval_count"], first["status"]) == (
        "",
        1,
        "active",
    )


def test_words_for_nothing_in_columns_that_are_not_text(load, lake) -> None:
    load("users", "user_id,name,created_at,is_test\n1,null,NULL,n/a\n")
    [row] = lake.rows("users")
    assert (row["name"], row["created_at"], row["is_test"]) == ("null", None, None)


def test_properties_keep_what_nobody_declared(load, lake) -> None:
    text = (
        "account_id;seats;zip;rate;flag;note;properties\n"
        'A;9;01234;1.50;TRUE;say "hi";"{""a"": [1], ""seats"": 1}"\n'
        "B;;12345;2e3;false;;no json\n"
        "C;7;1;1;;;\n"
    )
    load("accounts", text)
    kept = [json.loads(row["properties"]) for row in lake.rows("accounts")]
    assert kept == [
        {
            "a": [1],
            "seats": 9,
            "zip": "01234",
            "rate": 1.5,
            "flag": True,
            "note": 'say "hi"',
        },
        {"properties": "no json", "zip": "12345", "rate": 2000.0, "flag": False},
        {"seats": 7, "zip": "1", "rate": 1},
    ]


def test_parquet_values_keep_their_types(lake, tmp_path) -> None:
    table = pa.table(
        {
            "event_type": pa.array(["a ", "b", "c"]).dictionary_encode(),
            "event_time": pa.array(
                [datetime(2025, 1, 1, n) for n in range(3)],  # noqa: DTZ001
                pa.timestamp("ns"),
            ),
            "user_id": pa.array([1.0, 2.0, None], pa.float64()),
            "account_id": pa.array([7, 8, 9], pa.uint32()),
            "sent_at": pa.array([1741064767123, None, None], pa.int64()),
            "code": ["007", "1", None],
            "nan": [float("nan"), 0.5, float("inf")],
            "deep": [{"x": 1}, None, {"x": None}],
            "half": pa.array([1.5, None, None], pa.float16()),
            "price": pa.array([Decimal("1.50"), None, None], pa.decimal128(9, 2)),
            "day": pa.array([date(2025, 1, 1), None, None]),
            "list": [[1, 2], None, None],
            "ok": [True, False, None],
        }
    )
    path = tmp_path / "events.parquet"
    pq.write_table(table, path)
    report = import_file(lake, "auto", path, ImportOptions(timezone="Asia/Tokyo"))
    assert (report.table, report.loaded) == ("events", 2)
    assert dict(report.reasons) == {"missing_one_of": 1}
    first, second = lake.rows("events")
    assert first["timestamp"] == first["received_at"] == at(2024, 12, 31, 15)
    assert (first["event"], first["user_id"], first["account_id"]) == ("a", "1", "7")
    assert first["sent_at"] == at(2025, 3, 4, 5, 6, 7, 123000)
    assert json.loads(first["properties"]) == {
        "code": "007",
        "deep": {"x": 1},
        "half": 1.5,
        "price": 1.5,
        "day": "2025-01-01",
        "list": [1, 2],
        "ok": True,
    }
    assert json.loads(second["properties"]) == {"code": "1", "nan": 0.5, "ok": False}


def test_the_same_events_as_parquet_csv_and_json_are_the_same(lake, tmp_path) -> None:
    table = pa.table(
        {
            "name": ["login", "open", "open"],
            "at": ["2025-01-01T10:00:00.5Z", "2025-01-01 11:00", "2025-01-02 11:00"],
            "user_id": ["u1", "u1", "u2"],
            "amount": [1.25, None, 7.5],
            "ok": [True, None, False],
        }
    ).rename_columns(["event", "timestamp", "user_id", "amount", "ok"])
    pq.write_table(table, tmp_path / "a.parquet")
    table.to_pandas().to_csv(tmp_path / "a.csv", index=False)
    table.to_pandas().to_json(tmp_path / "a.json", orient="records")
    loaded = [
        import_file(lake, "events", tmp_path / name, ImportOptions()).loaded
        for name in ("a.parquet", "a.csv", "a.json")
    ]
    assert loaded == [3, 0, 0]
