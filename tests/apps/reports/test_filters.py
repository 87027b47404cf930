"""Filters of the global bar: typed, told, taken off, and the same number as elsewhere."""

from __future__ import annotations

import csv
import re
from html import unescape

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils.html import strip_tags

from perennial.apps.reports import filtering
from perennial.apps.reports.asked import Asked
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.errors import BadValue


def typed(name: str, sign: str, value: str, before: str = "") -> str:
    query = QueryDict(mutable=True)
    query.update({"f.name": name, "f.is": sign, "f.value": value})
    return filtering.with_typed(Asked(filter=before), query).filter


@pytest.mark.parametrize(
    ("name", "sign", "value", "written"),
    [
        ("mrr", ">=", "1,000", "mrr >= 1000.0"),
        ("mrr", "<=", "1.000,5", "mrr <= 1000.5"),
        ("license_use", "<=", "30 %", "license_use <= 0.3"),
        ("health_color", "!=", "Red", "health_color <> 'red'"),
        ("renewal", "<=", "2026-12-31", "renewal <= '2026-12-31'"),
        ("country", "=", "it's", "country = 'it''s'"),
        ("Company Size", ">=", "50", '"Company Size" >= 50.0'),
        ("x' or 1 = 1 --", "=", "y", "\"x' or 1 = 1 --\" = 'y'"),
    ],
)
def test_what_is_typed_is_a_condition(
    name: str, sign: str, value: str, written: str
) -> None:
    assert typed(name, sign, value) == written
    both = typed(name, sign, value, "plan = 'Pro' or plan = 'Max'")
    assert both == f"(plan = 'Pro' OR plan = 'Max') and {written}"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("mrr", "much", "no number"),
        ("mrr", "nan", "no number"),
        ("health_color", "pink", "none of: Red, Orange"),
        ("renewal", "soon", "no day"),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, value: str, why: str) -> None:
    with pytest.raises(BadValue, match=why):
        typed(name, "=", value)


def test_the_number_is_that_of_those_who_meet_it(
    reader: Client, workspace: Workspace
) -> None:
    form = {"period": "3m", "f.name": "mrr", "f.is": ">=", "f.value": "300"}
    page = reader.get("/metrics/mrr/", form).content.decode()
    assert "Only MRR ≥ 300 is counted." in unescape(strip_tags(page))
    assert "mrr >= 300" in unescape(page), "what is copied says it too"
    [off] = re.findall(r'<a class="chip is-set" href="([^"]*)"', page)
    assert off == "?period=3m"
    address = "filter=mrr+%3E%3D+300.0"
    text = reader.get(f"/metrics/mrr/?{address}&format=csv").content.decode()
    shown = float(list(csv.DictReader(text.splitlines()))[-1]["value"])
    lake = lake_of(workspace)
    [some] = lake.metric("mrr", where="mrr >= 300").to_dicts()
    [every] = lake.metric("mrr").to_dicts()
    assert shown == some["value"] < every["value"]


def test_it_stays_in_every_address_and_on_boards(reader: Client) -> None:
    address = "filter=health_color+%3D+%27red%27"
    board = reader.get(f"/metrics/?{address}&compare=year&wait").content.decode()
    assert "Health = Red" in board
    tiles = re.findall(r'href="(/metrics/\w+/\?[^"]*)"', board)
    assert len(tiles) > 10
    assert all(address in t and "compare=year" in t for t in tiles)
    funnel = reader.get(f"/metrics/explore/bridge/?{address}&period=12m")
    assert "Health = Red" in funnel.content.decode()


def test_a_slip_is_told_and_changes_nothing(reader: Client) -> None:
    form = {"f.name": "mrr", "f.is": ">=", "f.value": "much"}
    page = reader.get("/metrics/mrr/", form).content.decode()
    assert "“much” is no number." in unescape(page)
    assert "is counted" not in strip_tags(page)
    for nonsense in ("filter=nothing+%3D+1", "filter=%29", "filter=1%3B+drop"):
        assert reader.get(f"/metrics/mrr/?{nonsense}").status_code == 400
