"""Metrics that are tables of their own: cohorts and movements."""

from __future__ import annotations

import csv
import re

import pytest
from django.test import Client
from django.utils.html import strip_tags

from perennial.apps.reports import boards
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.metrics.registry import all_metrics

TABLES = [key for key, m in all_metrics().items() if not boards.is_a_number(m)]


@pytest.mark.parametrize("key", TABLES)
def test_each_has_a_page(key: str, reader: Client) -> None:
    page = reader.get(f"/metrics/{key}/").content.decode()
    assert "Formula" in page
    assert f"perennial metric {key} --start" in page


def test_movements_of_a_month_are_those_of_the_metric(
    reader: Client, workspace: Workspace
) -> None:
    page = reader.get("/metrics/mrr_movements/").content.decode()
    [row] = re.findall(r"<tr><th[^>]*>May 2026.*?</tr>", page, re.S)
    shown = [strip_tags(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
    found = lake_of(workspace).metric(
        "mrr_movements", start="2026-05-01", end="2026-06-01"
    )
    values = [r["value"] for r in found.to_dicts()]
    amounts = [float(re.sub(r"[^\d.]", "", t)) * (-1 if "−" in t else 1) for t in shown]
    assert amounts[:-1] == pytest.approx(values, abs=1)
    assert amounts[-1] == pytest.approx(sum(values), abs=1)


def test_a_cohort_begins_with_all_of_it(reader: Client) -> None:
    page = reader.get("/metrics/logo_cohort_retention/").content.decode()
    rows = re.findall(r"<tr><th scope=\"row\".*?</tr>", page, re.S)
    assert rows
    for row in rows:
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
        assert strip_tags(cells[1]) == "100%"
    assert "shade-10" in page


def test_a_movement_leads_to_its_accounts(reader: Client) -> None:
    page = reader.get("/metrics/mrr_movements/").content.decode()
    path = re.search(r'href="(\?period=[^"]*rows=churn)#rows"', page)
    assert path
    where = "/metrics/mrr_movements/" + path[1].replace("&amp;", "&")
    assert "The rows add up" in reader.get(where).content.decode()
    text = reader.get(f"{where}&format=csv&of=rows").content.decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["movement"] for row in rows} == {"churn"}
    assert all(row["account"] and float(row["value"]) < 0 for row in rows)
    bridge = reader.get("/metrics/explore/bridge/?period=12m").content.decode()
    assert "variant=bridge" in bridge
    assert "rows=churn#rows" in bridge


def test_a_cohort_leads_to_those_who_left(reader: Client) -> None:
    page = reader.get("/metrics/logo_cohort_retention/").content.decode()
    path = re.search(r'href="(\?period=[^"]*rows=(\d+))#rows"', page)
    assert path
    where = "/metrics/logo_cohort_retention/" + path[1].replace("&amp;", "&")
    shown = reader.get(where).content.decode()
    assert f"{path[2]} months later" in shown
    assert 'href="/accounts/' in shown
