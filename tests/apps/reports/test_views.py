"""The board and the pages of metrics."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils.html import escape
from pytest_django import Settings

from perennial.apps.customers.segment_actions import archive_segment, create_segment
from perennial.apps.reports import asked as asking
from perennial.apps.reports import board
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.boards import is_a_number
from perennial.apps.reports.ways import WAYS
from perennial.apps.team.models import User, Workspace
from perennial.config.folder import DataFolder
from perennial.core.errors import PerennialError
from perennial.core.windows import Period
from perennial.metrics.registry import all_metrics
from perennial.ui.files import download
from perennial.ui.formats import Regional
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
HTMX = {"HX-Request": "true"}
EN = Regional()


def test_a_cold_board_has_every_metric_and_loads_its_tiles(reader: Client) -> None:
    page = reader.get("/metrics/?board=all").content.decode()
    numbers = {k: m for k, m in all_metrics().items() if is_a_number(m)}
    for key, metric in numbers.items():
        assert escape(metric.title) in page
        assert f'hx-get="/metrics/{key}/tile/?board=all"' in page
    assert page.count('hx-trigger="load"') == len(numbers)
    tile = reader.get("/metrics/mrr/tile/", headers=HTMX).content.decode()
    assert "skeleton" not in tile
    assert "€" in tile
    assert 'hx-get="/metrics/mrr/tile/' not in reader.get("/metrics/").content.decode()


def test_a_tile_fails_alone(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise PerennialError("no rate for CHF")

    monkeypatch.setattr(board, "tile", broken)
    response = reader.get("/metrics/mrr/tile/", headers=HTMX)
    assert response.status_code == 200
    assert "no rate for CHF" in response.content.decode()


def test_strangers_see_nothing_of_it(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    mine = client_of(cast.viewer).get("/metrics/mrr/?wait=1").content.decode()
    theirs = client_of(cast.stranger).get("/metrics/mrr/?wait=1").content.decode()
    assert "Greenfield" in mine
    assert "Greenfield" not in theirs
    assert Client().get("/metrics/").status_code == 302


def test_an_empty_workspace_says_what_will_be_here(
    settings: Settings, tmp_path: Path, cast: Cast, client_of: ClientOf
) -> None:
    settings.DATA = DataFolder(tmp_path)
    client = client_of(cast.viewer)
    assert "Your numbers will be here" in client.get("/metrics/").content.decode()
    assert client.get("/metrics/mrr/").status_code == 200


@pytest.mark.parametrize("key", all_metrics())
def test_every_metric_has_a_page_and_is_explained(key: str, reader: Client) -> None:
    response = reader.get(f"/metrics/{key}/?period=month&compare=year")
    assert response.status_code == 200
    page = response.content.decode()
    if is_a_number(all_metrics()[key]):
        assert "part=rows" in page
        assert f"perennial metric {key} --start 2026-05-01" in page
    drawer = reader.get(
        f"/metrics/{key}/explain/?period=month&compare=year", headers=HTMX
    ).content.decode()
    assert "Know before you quote it" in drawer
    assert "SELECT" in drawer
    assert "<html" not in drawer
    assert "drawer-head" in drawer


def test_an_explanation_is_a_page_too(reader: Client) -> None:
    page = reader.get("/metrics/mrr/explain/").content.decode()
    assert "<html" in page
    assert "Know before you quote it" in page


def test_parts_load_by_themselves(reader: Client) -> None:
    cold = reader.get("/metrics/mrr/").content.decode()
    assert "part=rows" in cold
    part = reader.get("/metrics/mrr/?part=rows", headers=HTMX).content.decode()
    assert "The rows add up" in part
    assert 'href="/accounts/' in part
    parts = reader.get("/metrics/mrr/?part=breakdown&by=segment", headers=HTMX)
    assert "Mid-market" in parts.content.decode()


@pytest.mark.parametrize(
    ("where", "by"),
    [
        ("clv", "industry"),  # known of no single account
        ("uptime", "service"),  # and of none at all
        ("health_distribution", "color"),
        ("customer_churn_rate", "cause"),
        ("csat", "channel"),
    ],
)
def test_parts_and_rows_of_what_is_not_by_account(
    where: str, by: str, reader: Client
) -> None:
    for part in ("rows", "breakdown"):
        path = f"/metrics/{where}/?part={part}&period=month&by={by}"
        response = reader.get(path, headers=HTMX)
        assert response.status_code == 200
        assert "An exchange rate" not in response.content.decode()


def test_a_way_of_counting_has_its_own_unit_direction_and_formula(
    reader: Client,
) -> None:
    for variant, is_share in (("rate", True), ("uses", False)):
        address = f"/metrics/product_usage_rate/?variant={variant}&period=month"
        page = reader.get(address).content.decode()
        value = page.partition('class="hero')[2].partition(">")[2].partition("<")[0]
        assert value.endswith("%") is is_share
        assert ("uses of features" in page.partition("Formula")[2]) is not is_share
    page = reader.get("/metrics/gross_revenue_retention/?variant=trailing_12m").content
    assert "over the 12 months up to the period" in page.decode()
    assert "what the opening customers still pay" in page.decode()
    entry = all_metrics()["email_response_time"]
    assert (entry.good, entry.counted("within_60").good) == ("down", "up")
    for metric in all_metrics().values():
        assert {*metric.units, *metric.goods} <= {*metric.variants}, metric.key


def test_days_of_ones_own_and_the_rows_of_a_point(reader: Client) -> None:
    page = reader.get("/metrics/mrr/?from=2026-04-01&to=2026-04-30").content.decode()
    assert "April" in page or "Apr 2026" in page
    assert "--start 2026-04-01 --end 2026-05-01" in page
    point = "?period=2026-04-01..2026-05-01&amp;grain=month#rows"
    assert point in reader.get("/metrics/mrr/?period=12m").content.decode()
    own = "&of=rows&period=2026-04-01..2026-05-01"
    rows = reader.get(f"/metrics/mrr/?format=csv{own}").content.decode()
    assert {r["period_end"] for r in csv.DictReader(rows.splitlines())} == {
        "2026-05-01"
    }
    for bad in (
        "2026-05-01..2026-04-01",
        "..",
        "2026-05-01..",
        "0001-01-01..9999-12-31",
    ):
        assert reader.get(f"/metrics/mrr/?period={bad}").status_code == 200


def test_unknown_metrics_and_segments_are_refused(reader: Client) -> None:
    assert reader.get("/metrics/nothing/").status_code == 404
    assert reader.get("/metrics/nothing/explain/").status_code == 404
    assert reader.get("/metrics/?segment=Nobody").status_code == 400
    assert reader.get("/metrics/mrr/?segment=x%27%20or%201=1").status_code == 400


def test_a_saved_segment_is_a_filter_and_a_dimension(
    then: Path, cast: Cast, client_of: ClientOf
) -> None:
    reader = client_of(cast.viewer)

    def rows(query: str) -> list[dict[str, str]]:
        text = reader.get(f"/metrics/mrr/?format=csv{query}").content.decode()
        return list(csv.DictReader(text.splitlines()))

    said = {"field": "mrr", "op": "at_least", "value": 300}
    rich = create_segment(
        cast.membership(cast.owner), name="Rich & old", description="", document=said
    )
    every = {row["account"]: float(row["value"]) for row in rows("&of=rows")}
    those = {account: mrr for account, mrr in every.items() if mrr >= 300}
    assert 0 < len(those) < len(every)
    assert float(rows("&member_of=rich-old")[-1]["value"]) == sum(those.values())
    (part,) = rows("&of=parts&by=in_segment")
    assert (part["in_segment"], float(part["value"])) == (rich.key, sum(those.values()))

    page = reader.get("/metrics/mrr/?member_of=rich-old").content.decode()
    assert "Only Rich &amp; old is counted." in page
    assert "?period=3m&amp;member_of=rich-old" in page.replace("&#x27;", "")
    parts = reader.get("/metrics/mrr/?part=breakdown&by=in_segment", headers=HTMX)
    assert "Rich &amp; old" in parts.content.decode()
    assert reader.get("/metrics/?member_of=rich-old&wait").status_code == 200
    bridge = reader.get("/metrics/explore/bridge/?member_of=rich-old&period=12m")
    assert bridge.status_code == 200

    archive_segment(rich, cast.membership(cast.owner))
    assert reader.get("/metrics/mrr/?member_of=rich-old").status_code == 400


def test_unknown_words_of_the_address_are_left_out(reader: Client) -> None:
    query = "?period=9y&compare=x&grain=minute&variant=x&by=x&rows=x&part=x"
    assert reader.get(f"/metrics/mrr/{query}").status_code == 200
    assert reader.get("/metrics/?period=x").status_code == 200


def test_the_series_is_a_file(reader: Client) -> None:
    response = reader.get("/metrics/mrr/?format=csv&period=12m")
    rows = list(csv.DictReader(response.content.decode().splitlines()))
    assert response["Content-Type"].startswith("text/csv")
    assert len(rows) == 13
    assert rows[-1]["period_start"] == "2026-05-01"
    assert float(rows[-1]["value"]) > 0


def test_the_rows_behind_are_a_file_and_add_up(reader: Client) -> None:
    response = reader.get("/metrics/mrr/?format=csv&of=rows")
    rows = list(csv.DictReader(response.content.decode().splitlines()))
    series = reader.get("/metrics/mrr/?format=csv")
    last = list(csv.DictReader(series.content.decode().splitlines()))[-1]
    assert {row["metric"] for row in rows} == {"mrr"}
    assert sum(float(row["value"]) for row in rows) == float(last["value"])


def cells(content: bytes) -> list[list[str]]:
    """The sheet of a workbook, row by row, as it is stored."""
    book = zipfile.ZipFile(io.BytesIO(content))
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    texts = [
        "".join(t.text or "" for t in item.iter(f"{space}t"))
        for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
    ]
    sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert not [*sheet.iter(f"{space}f")], "a text became a formula"
    return [
        [
            texts[int(v)] if cell.get("t") == "s" else v
            for cell in row.iter(f"{space}c")
            for v in [cell.findtext(f"{space}v") or ""]
        ]
        for row in sheet.iter(f"{space}row")
    ]


def test_excel_has_the_rows_of_the_csv(reader: Client) -> None:
    for what in ("", "&of=rows", "&of=parts&by=segment"):
        plain = reader.get(f"/metrics/mrr/?format=csv{what}").content.decode()
        head, *rows = csv.reader(plain.splitlines())
        book = reader.get(f"/metrics/mrr/?format=xlsx{what}")
        assert ".xlsx" in book["Content-Disposition"]
        first, *lines = cells(book.content)
        at = head.index("value")
        assert first == head
        assert [float(line[at]) for line in lines] == [float(row[at]) for row in rows]


def test_parts_boards_and_tables_are_files_too(reader: Client) -> None:
    def rows(path: str) -> list[dict[str, str]]:
        return list(csv.DictReader(reader.get(path).content.decode().splitlines()))

    parts = rows("/metrics/mrr/?format=csv&of=parts&by=segment")
    total = rows("/metrics/mrr/?format=csv")[-1]["value"]
    assert sum(float(part["value"]) for part in parts) == float(total)
    assert len({part["segment"] for part in parts}) == len(parts) > 1
    board = rows("/metrics/?format=csv")
    assert {"mrr", "dau", "nps"} <= {row["metric"] for row in board}
    moved = rows("/metrics/mrr_movements/?format=csv")
    assert {"new", "churn"} <= {row["movement"] for row in moved}


def test_no_text_becomes_a_formula() -> None:
    head = ["=1+1", "value", "day", "n"]
    rows = [["=cmd()", 1.5, date(2026, 6, 1), None]]
    plain = download({}, "x", head, rows).content.decode()
    assert plain.splitlines() == ["'=1+1,value,day,n", "'=cmd(),1.5,2026-06-01,"]
    first, second = cells(download({"format": "xlsx"}, "x", head, rows).content)
    assert (first, second[:2]) == (head, ["=cmd()", "1.5"])


def test_the_palette_finds_metrics(reader: Client) -> None:
    page = reader.get("/palette/?q=%23stick").content.decode()
    assert "/metrics/stickiness/" in page


TODAY = date(2026, 6, 10)


@pytest.mark.parametrize(
    ("name", "start", "end", "previous", "year"),
    [
        ("28d", "2026-05-13", "2026-06-10", "2026-04-15", "2025-05-14"),
        ("month", "2026-05-01", "2026-06-01", "2026-04-01", "2025-05-01"),
        ("3m", "2026-03-01", "2026-06-01", "2025-12-01", "2025-03-01"),
        ("12m", "2025-06-01", "2026-06-01", "2024-06-01", "2024-06-01"),
    ],
)
def test_periods_are_whole(
    name: str, start: str, end: str, previous: str, year: str
) -> None:
    period = asking.period_of(name, TODAY)
    assert period == Period(date.fromisoformat(start), date.fromisoformat(end))
    before = asking.before(name, period, "previous")
    assert before.start == date.fromisoformat(previous)
    assert before.end <= period.start
    assert asking.before(name, period, "year").start == date.fromisoformat(year)


@pytest.mark.parametrize("grain", asking.GRAINS)
@pytest.mark.parametrize("period", asking.PERIODS)
def test_charts_compare_spans_of_one_length(grain: str, period: str) -> None:
    for metric in all_metrics().values():
        asked = Asked(period=period, grain=grain)
        span = asking.chart_span(asked, metric, asking.period_of(period, TODAY), grain)
        before = asking.chart_before(asked, span, grain)
        assert before.end <= span.start
        assert span.end <= TODAY


def test_dates_are_short() -> None:
    month = Period(date(2026, 5, 1), date(2026, 6, 1))
    assert asking.dates(month, EN) == "May 2026"
    year = Period(date(2025, 6, 1), date(2026, 6, 1))
    assert asking.dates(year, EN) == "Jun 2025 – May 2026"
    days = Period(date(2026, 5, 13), date(2026, 6, 10))
    assert asking.dates(days, EN) == "13 May – 9 Jun 2026"


def test_parameters_are_set_on_the_page(reader: Client) -> None:
    path = "/metrics/feature_repeat_rate/?period=3m&p.days=14"
    page = reader.get(path).content.decode()
    assert 'name="p.days" value="14"' in page
    assert "--set days=14" in page
    assert "set=days%3D14" in page
    assert "params={&#x27;days&#x27;: &#x27;14&#x27;}" in page
    again = reader.get("/metrics/feature_repeat_rate/?params=days%3D14&format=csv")
    assert again.status_code == 200
    wrong = reader.get("/metrics/feature_repeat_rate/?p.days=soon")
    assert wrong.status_code == 400
    assert reader.get("/metrics/mrr/?p.days=14").status_code == 200


def test_every_way_of_counting_has_a_name() -> None:
    """ "Crc per customer end" is none, and nobody would translate it."""
    names = {name for metric in all_metrics().values() for name in metric.variants}
    assert names <= {*WAYS}
