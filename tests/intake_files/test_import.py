"""The import as a whole: mapping, filters, recognition, idempotency, memory."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import textwrap
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perennial.apps.intake.files import ImportOptions, import_file, sources
from perennial.apps.intake.files.columns import recognize_table
from perennial.apps.intake.files.given import Format
from perennial.apps.intake.files.sql import one
from perennial.apps.intake.files.where import Filter
from perennial.core.errors import BadValue, UnknownName
from perennial.lake.duck import connect
from perennial.lake.tables import FACTS

SUBSCRIPTIONS = """account_id,product,start_date,end_date,mrr,quantity,units
A,basic,2022-01-11,2022-02-11,500.0,25,users
A,meetings,2022-01-11,2022-02-11,300,5000,calls
B,basic,2023-01-11,,100,5,users
"""


def test_templates_constants_and_filters(load, lake) -> None:
    report = load(
        "subscription_items",
        SUBSCRIPTIONS,
        mapping={"subscription_id": "{account_id}-{product}", "item_id": "Product"},
        constants={"currency": "EUR", "interval": "yearly"},
        where="units = 'users'",
    )
    assert (report.rows, report.loaded) == (2, 2)
    first, second = lake.rows("subscription_items")
    assert (first["subscription_id"], first["item_id"]) == ("A-basic", "basic")
    assert (first["product"], first["currency"]) == ("basic", "EUR")
    assert (second["subscription_id"], second["interval"]) == ("B-basic", "year")
    assert report.mapping["subscription_id"] == "{account_id}-{product}"
    assert report.mapping["currency"] == "= EUR"
    assert report.mapping["valid_from"] == "start_date"
    assert json.loads(first["properties"]) == {"units": "users"}


def test_a_template_without_one_of_its_parts_is_missing(load) -> None:
    report = load("features", "a,b\nx,1\nx,\n", mapping={"feature_id": "{a}/{b}"})
    assert dict(report.reasons) == {"missing_value": 1}


def test_a_path_into_json(load, lake) -> None:
    text = '{"type": "a", "at": "2025-01-01", "user": {"id": 7}, "org": {"x y": "A"}}'
    load(
        "events",
        text,
        name="a.jsonl",
        mapping={
            "event": "type",
            "timestamp": "at",
            "user_id": "user.id",
            "account_id": "org.x y",
        },
    )
    [row] = lake.rows("events")
    assert (row["user_id"], row["account_id"]) == ("7", "A")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mapping": {"name": "Firm"}}, "no column Firm; it has account_id"),
        ({"mapping": {"name": "{a}-{b}"}}, "no column a, b; it has"),
        ({"mapping": {"nope": "account_id"}}, "accounts has no column nope; it has"),
        ({"constants": {"nope": "1"}}, "accounts has no column nope"),
        ({"constants": {"is_test": "perhaps"}}, "'perhaps' does not fit"),
        ({"mapping": {"name": "{a!r}"}}, "only names columns"),
        ({"mapping": {"name": "{a"}}, "is not a template"),
        ({"where": "color = 'red'"}, "no column color; it has account_id"),
        ({"mapping": {"name": "x"}, "constants": {"name": "x"}}, "at once"),
    ],
)
def test_what_cannot_be_meant(load, lake, options, message) -> None:
    with pytest.raises(BadValue, match=message):
        load("accounts", "account_id,seats\nA,1\n", **options)
    assert not lake.writes


def test_required_columns_are_looked_for_before_rows(load) -> None:
    with pytest.raises(BadValue, match="events needs event, timestamp, user_id or"):
        load("events", "a,b\n1,2\n")
    with pytest.raises(UnknownName, match="invoices"):
        load("invoices", "a,b\n1,2\n")


def test_a_file_that_is_not_there(lake, tmp_path) -> None:
    with pytest.raises(BadValue, match="there is no file"):
        import_file(lake, "accounts", tmp_path / "a.csv", ImportOptions())


def test_a_folder_and_a_pipe_are_no_files(lake, tmp_path) -> None:
    with pytest.raises(BadValue, match=r"is a folder: name the files in it, as .*\*"):
        import_file(lake, "accounts", tmp_path, ImportOptions())
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadValue, match="only once"):
        import_file(lake, "accounts", tmp_path / "pipe", ImportOptions())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "account_id,name,name\nA,1,2\n",
            "2 columns for name: say --map name=name or ",
        ),
        ("account_id,Name,NAME\nA,1,2\n", "say --map name=Name or --map name=NAME$"),
        ("customer,name,customer\nA,1,B\n", "account_id=customer_2$"),
    ],
)
def test_one_of_two_columns_is_not_chosen_silently(load, content, message) -> None:
    with pytest.raises(BadValue, match=message):
        load("accounts", content)


def test_columns_that_repeat_are_all_kept(load, lake) -> None:
    head = "account_id,Name,name,color,color"
    load("accounts", f"{head}\nA,shown,plain,red,blue\n")
    [row] = lake.rows("accounts")
    assert row["name"] == "plain"
    kept = {"Name": "shown", "color": "red", "color_2": "blue"}
    assert json.loads(str(row["properties"])) == kept

    load("accounts", "account_id,name,name\nA,1,2\n", mapping={"name": "name_2"})
    [row] = lake.rows("accounts")
    assert (row["name"], json.loads(str(row["properties"]))) == ("2", {"name": 1})


def test_repeated_columns_of_parquet_are_all_kept(load, lake) -> None:
    columns = [pa.array(["A"]), pa.array(["red"]), pa.array(["blue"])]
    file = io.BytesIO()
    pq.write_table(pa.table(columns, names=["account_id", "color", "color"]), file)
    load("accounts", file.getvalue())
    [row] = lake.rows("accounts")
    assert json.loads(str(row["properties"])) == {"color": "red", "color_2": "blue"}


@pytest.mark.parametrize("width", [2_001, 100_000])
def test_too_many_columns_are_refused_at_once(load, lake, width) -> None:
    names = ["account_id", *(f"x{at}" for at in range(width - 1))]
    as_csv = ",".join(names) + "\n" + ",".join("1" * width) + "\n"
    as_json = json.dumps(dict.fromkeys(names, 1)) + "\n"
    for content in (as_csv, as_json):
        with pytest.raises(BadValue, match="more than 2,000 columns"):
            load("accounts", content)
    assert not lake.writes


def test_of_many_columns_a_message_names_some(load) -> None:
    names = ",".join(f"x{at}" for at in range(1_000))
    with pytest.raises(BadValue, match=r"x0, x1, .*, x19 and 980 more \("):
        load("accounts", f"{names}\n")


ROWS = """id,units,n,at,ok
1,users,5,31-01-2025,true
2,Users,12,01-02-2025,false
3,,7.5,,
"""


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("units = 'users'", "1"),
        ("units != 'users'", "2"),
        ("'users' = Units", "1"),
        ("units in ('users', 'Users')", "12"),
        ("units not in ('users')", "2"),
        ("units is null", "3"),
        ("units IS NOT NULL AND n > 5", "2"),
        ("n >= 5 and (n < 8 or ok = true)", "13"),
        ("not n = 5", "23"),
        ("7 < n", "23"),
        ("n > -1", "123"),
        ("n in (5, 7.5)", "13"),
        ("ok", None),
        ("ok = false", "2"),
        ("ok is true", "1"),
        ("ok is not true", "23"),
        ("at >= '2025-02-01'", "2"),
        ("at < '2025-02-01'", "1"),
        ("units = 'it''s'", ""),
    ],
)
def test_where(where, expected) -> None:
    header, *lines = [line.split(",") for line in ROWS.splitlines()]
    columns = tuple(
        sources.SourceColumn(name, index, "text") for index, name in enumerate(header)
    )
    if expected is None:
        with pytest.raises(BadValue, match="allowed are"):
            Filter(where, columns)
        return
    condition = Filter(where, columns).sql({"c3": Format(date="dmy")}, "UTC")
    rows = pa.table(
        {f"c{at}": [line[at] or None for line in lines] for at in range(len(header))}
    )
    with closing(connect()) as duck:
        duck.register("rows", rows)
        query = f"SELECT string_agg(c0, '' ORDER BY c0) FROM rows WHERE {condition}"
        assert (one(duck, query)[0] or "") == expected


def test_where_knows_how_the_file_writes_dates_and_numbers(load, lake) -> None:
    text = "id;at;n\n1;31-01-2025;1,5\n2;01-02-2025;1.234,5\n"
    where = "at >= '2025-02-01' and n > 1000"
    report = load("features", text, mapping={"feature_id": "id"}, where=where)
    assert (report.rows, lake.rows("features")[0]["feature_id"]) == (1, "2")


@pytest.mark.parametrize(
    "where",
    [
        "1 = 1; DROP TABLE x",
        "id = 1 UNION SELECT 1",
        "id in (SELECT 1)",
        "id = (SELECT 1)",
        "exists (SELECT 1)",
        "read_text('/etc/passwd') = 'x'",
        "id = upper('a')",
        "id = id",
        "id like '%'",
        "id = 1 LIMIT 1",
        "id = 1 ORDER BY id",
        "x.id = 1",
        "id::int = 1",
        "id = $1",
        "id = 1 --",
        "id = ?",
        "id between 1 and 2",
        "id is 5",
        "case when true then 1 end = 1",
        "id in (1, 'a')",
        "id + 1 = 2",
        "'a' = 'a'",
        "true",
        "",
        "id =",
        "id = 'a' GROUP BY 1",
    ],
)
def test_where_refuses_all_else(where) -> None:
    columns = (sources.SourceColumn("id", 0, "text"),)
    if where == "id = 1 --":  # a comment is nothing
        assert Filter(where, columns).sql({}, "UTC")
        return
    with pytest.raises(BadValue):
        Filter(where, columns)


def header(name: str) -> list[sources.SourceColumn]:
    return [
        sources.SourceColumn(column, index, "text")
        for index, column in enumerate(FACTS[name].names)
    ]


@pytest.mark.parametrize("name", list(FACTS))
def test_every_table_is_recognized_by_its_own_header(name) -> None:
    found = recognize_table(header(name), ImportOptions(), file_name="upload")
    assert found.name == name


def test_tables_that_cannot_be_told_apart(load) -> None:
    text = "user_id,account_id,email\nu,A,a@b.c\n"
    with pytest.raises(BadValue, match="may be users or memberships: name the table"):
        load("auto", text)
    assert load("auto", text, name="Users 2025.csv").table == "users"
    with pytest.raises(BadValue, match="no table fits the columns a, b"):
        load("auto", "a,b\n1,2\n")


def test_auto_follows_mapping_and_file_name(load) -> None:
    text = "id,channel,country\n1,web,NY\n"
    report = load("auto", text, mapping={"account_id": "id"})
    assert report.table == "accounts"


def test_the_same_file_twice_changes_nothing(load, lake) -> None:
    text = "account_id,name\nA,x\nB,y\n,z\n"
    first = load("accounts", text)
    before = json.dumps([lake.rows(name) for name in lake.tables], default=str)
    again = load("accounts", text)
    assert json.dumps([lake.rows(name) for name in lake.tables], default=str) == before
    assert (first.loaded, first.unchanged, first.rejected) == (2, 0, 1)
    assert (again.loaded, again.unchanged, again.rejected) == (0, 2, 1)
    [record] = lake.rows("imports")
    assert record["import_id"] == first.import_id == again.import_id
    assert (record["rows"], record["loaded"], record["rejected"]) == (3, 2, 1)
    assert json.loads(record["reasons"]) == {"missing_value": 1}


def test_a_changed_file_changes_its_rows(load, lake) -> None:
    load("accounts", "account_id,name\nA,x\nB,y\n")
    report = load("accounts", "account_id,name\nA,x\nB,z\n")
    assert (report.loaded, report.unchanged) == (1, 1)


REQUESTS = "at,status\n2025-01-01,200\n2025-01-01,200\n2025-01-02,500\n2025-01-02,x\n"


def test_a_table_without_a_key_takes_a_file_once(load, lake) -> None:
    first = load("requests", REQUESTS)
    again = load("requests", REQUESTS)
    assert (first.loaded, first.unchanged, first.rejected) == (3, 0, 1)
    assert (again.loaded, again.unchanged, again.rejected) == (0, 3, 1)
    assert again.sentences == ("1 row: a value is not a number",)
    assert len(lake.rows("requests")) == 3
    assert load("requests", REQUESTS, where="status = '500'").loaded == 1


def test_an_import_that_was_cut_off_goes_on(load, lake, monkeypatch) -> None:
    monkeypatch.setattr(sources, "BATCH_ROWS", 1)
    write = lake.write

    def fail(name, rows, **kwargs):
        if name == "requests" and len(lake.rows("requests")) == 2:
            raise KeyboardInterrupt
        return write(name, rows, **kwargs)

    monkeypatch.setattr(lake, "write", fail)
    with pytest.raises(KeyboardInterrupt):
        load("requests", REQUESTS)
    assert lake.rows("imports")[0]["finished_at"] is None
    monkeypatch.setattr(lake, "write", write)
    report = load("requests", REQUESTS)
    assert (report.loaded, report.unchanged) == (1, 2)
    assert len(lake.rows("requests")) == 3
    assert lake.rows("imports")[0]["finished_at"] is not None


def test_a_dry_run_writes_nothing_and_shows_rows(load, lake) -> None:
    text = "account_id,name\n" + "".join(f"A{n},x\n" for n in range(50)) + ",x\n"
    report = load("accounts", text, dry_run=True)
    assert not lake.writes
    assert report.dry_run
    assert (report.rows, report.loaded, report.rejected) == (51, 50, 1)
    assert len(report.sample) == 10
    assert report.sample[0]["account_id"] == "A0"
    assert report.recognized["delimiter"] == ","


@pytest.mark.parametrize("table", ["users", "events"])
def test_progress_rises_to_one(load, monkeypatch, table) -> None:
    monkeypatch.setattr(sources, "BATCH_ROWS", 10)
    monkeypatch.setattr("perennial.apps.intake.files.lines._BLOCK", 600)
    rows = "".join(f"u{n},login,2025-01-01 10:00:{n % 60:02}\n" for n in range(200))
    seen: list[float] = []
    load(table, "user_id,event,timestamp\n" + rows, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len({round(share, 1) for share in seen}) > 5


MEASURE = """
    import sys
    from pathlib import Path
    from perennial.apps.intake.files import ImportOptions, import_file, lines, sources
    from perennial.lake.tables import TABLES

    class Written:
        inserted, updated, unchanged = 1, 0, 0

    class Nowhere:
        def write(self, name, rows, progress=None):
            return Written

        def read(self, name):
            return TABLES[name].schema().empty_table()

    sources.BATCH_ROWS, lines._BLOCK = 100_000, 1 << 18
    rows = "".join(
        f"event{n % 50},2025-01-01 10:{n % 60:02}:00,u{n},a{n % 999},said about {n}\\n"
        for n in range(50_000)
    )

    def peak(times):
        path = Path(sys.argv[1]) / f"{times}.csv"
        with path.open("w") as file:
            file.write("event,timestamp,user_id,account_id,note\\n")
            file.writelines(rows for _ in range(times))
        report = import_file(Nowhere(), "events", path, ImportOptions())
        assert not report.rejected
        # Not ru_maxrss: a child inherits that from the process it was forked from.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    print(peak(4), peak(24))
"""


def test_memory_does_not_grow_with_the_file(tmp_path) -> None:
    """1,200,000 rows, 65 MB as text, need about what 200,000 need: one batch."""
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    small, large = map(int, found.stdout.split())
    assert large < 500
    assert large - small < 60


RAVENSTACK = {
    "accounts": ("accounts", 500, 500, {}),
    "subscriptions": ("subscription_items", 5000, 5000, {}),
    "feature_usage": ("usage", 25_000, 24_997, {"repeated_key": 3}),
    "support_tickets": ("tickets", 2000, 2000, {}),
}


@pytest.mark.parametrize("name", list(RAVENSTACK))
def test_ravenstack(lake, data, name) -> None:
    table, rows, loaded, reasons = RAVENSTACK[name]
    path = data / "ravenstack" / f"ravenstack_{name}.csv"
    report = import_file(lake, "auto", path, ImportOptions())
    assert (report.table, report.rows, report.loaded) == (table, rows, loaded)
    assert dict(report.reasons) == reasons
    assert {v for k, v in report.recognized.items() if k.startswith("dates")} == {"dmy"}


def test_ravenstack_churn_events_fit_no_table(lake, data) -> None:
    path = data / "ravenstack" / "ravenstack_churn_events.csv"
    with pytest.raises(BadValue, match="no table fits"):
        import_file(lake, "auto", path, ImportOptions())


def test_crm5(lake, data) -> None:
    items = import_file(
        lake,
        "subscription_items",
        data / "crm5" / "subscription.csv",
        ImportOptions(mapping={"subscription_id": "{account_id}-{product}"}),
    )
    seats = import_file(
        lake,
        "seat_contracts",
        data / "crm5" / "subscription.csv",
        ImportOptions(where="units = 'users'"),
    )
    assert (items.loaded, items.rejected) == (6492, 0)
    assert (seats.rows, seats.rejected) == (2164, 0)
    assert seats.mapping["seats"] == "quantity"


def test_github_events(lake, data) -> None:
    mapping = {"event": "type", "event_id": "id", "timestamp": "created_at"}
    mapping |= {"user_id": "actor.login", "account_id": "org.login"}
    report = import_file(
        lake,
        "events",
        data / "gharchive" / "events.jsonl.gz",
        ImportOptions(mapping=mapping),
    )
    assert (report.rows, report.loaded) == (7702, 7702)
