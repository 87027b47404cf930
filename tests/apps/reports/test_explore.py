"""Explorers: the state is in the address, the table adds up, the file has it."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable

import pytest
from django.test import Client

from perennial.apps.reports import explore, funnel
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.results import Answers
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User, Workspace
from perennial.ui.charts import bridge_chart, curve_chart, to_altair
from perennial.ui.formats import Regional
from tests.apps.team.cast import Cast


def rows(client: Client, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(client.get(path).content.decode().splitlines()))


def test_the_bridge_closes(reader: Client) -> None:
    for address in ("?", "?period=12m", "?segment=Small"):
        assert reader.get(f"/metrics/explore/bridge/{address}").status_code == 200
        found = rows(reader, f"/metrics/explore/bridge/{address}&format=csv")
        amounts = {row["movement"]: float(row["amount"]) for row in found}
        first, last = amounts.pop("opening"), amounts.pop("closing")
        assert last > 0
        assert first + sum(amounts.values()) == pytest.approx(last)


def test_a_bridge_stands_on_what_came_before() -> None:
    steps = [("New", 30.0), ("Churn", -50.0)]
    chart = bridge_chart(
        ("Opening", 100), steps, ("Closing", 80), Regional(), name="MRR"
    )
    bars = [(r["y"], r["to"], r["kind"]) for r in chart.spec["datasets"]["rows"]]
    assert bars == [
        (0, 100, "sum"),
        (100, 130, "gain"),
        (130, 80, "loss"),
        (0, 80, "sum"),
    ]
    assert chart.rows == (("Opening", 100), *steps, ("Closing", 80))
    to_altair(chart)  # raises where it is no specification


def test_a_curve_has_a_point_a_step() -> None:
    kept = [1.0, 0.8, None, 0.5]
    chart = curve_chart(kept, Regional(), name="Kept", step="Months")
    assert chart.rows == ((0, 1.0), (1, 0.8), (3, 0.5))
    to_altair(chart)


def test_cohorts_are_drawn(reader: Client) -> None:
    """A single month is no curve; the same page of a company with history has one."""
    page = reader.get("/metrics/logo_cohort_retention/")
    lines = page.context["grid"].lines
    assert bool(page.context["curve"]) == (len(lines[-1].course) > 1)


def test_features_by_group(reader: Client, workspace: Workspace) -> None:
    lake = lake_of(workspace)
    page = reader.get("/metrics/explore/features/?rows=intensity&by=plan")
    assert page.status_code == 200
    found = rows(
        reader, "/metrics/explore/features/?rows=intensity&by=segment&format=csv"
    )
    day = lake.today
    span = {"start": day.fromordinal(day.toordinal() - 28), "end": day}
    uses = lake.metric("feature_uses", by=["feature"], **span).to_dicts()
    assert sum(float(row["value"] or 0) for row in found) == sum(
        r["value"] for r in uses
    )
    assert len({row["group"] for row in found}) > 1


def test_paths_after_log_in(reader: Client, workspace: Workspace) -> None:
    page = reader.get("/metrics/explore/paths/")
    assert page.status_code == 200
    found = explore.paths(Answers(workspace), Asked(), Regional())
    assert found.grid is not None
    counts = [row[1] for row in found.raw]
    assert counts == sorted(counts, reverse=True)
    assert all(0 <= row[3] <= 1 for row in found.raw)


def test_a_funnel_is_built_by_its_address(reader: Client, workspace: Workspace) -> None:
    answers = Answers(workspace)
    first, second = funnel.offered(answers)[:2]
    address = f"/metrics/explore/funnel/?period=3m&within=14&step={first}&step={second}"
    page = reader.get(address).content.decode()
    assert "Who dropped out" in page
    assert f"selected>{second}" in page
    # What else is chosen keeps the steps.
    assert re.search(rf'href="\?period=12m&amp;step=[^"]*{second.split()[0]}', page)
    steps = rows(reader, f"{address}&format=csv")
    people = [int(row["people"]) for row in steps]
    assert people == sorted(people, reverse=True)
    assert people[0] > 0
    made = funnel.funnel(
        answers, Asked(period="3m"), funnel.Built((first, second), 14), Regional()
    )
    assert made is not None
    assert [step.taken for step in made.steps] == people
    assert made.steps[1].dropped == people[0] - people[1]
    for group in made.parts.lines:
        assert len(group.cells) == 2
    began = sum(int(group.cells[0].text.replace(",", "")) for group in made.parts.lines)
    assert began >= people[0], "a person of two groups is in both"
    by_plan = reader.get(f"{address}&by=plan").content.decode()
    assert "By plan" in by_plan
    lost = [account.count for account in made.accounts]
    assert lost == sorted(lost, reverse=True)


def test_an_empty_funnel_says_what_to_do(reader: Client) -> None:
    page = reader.get("/metrics/explore/funnel/").content.decode()
    assert "Choose two or more events" in page
    nobody = reader.get("/metrics/explore/funnel/?step=Nothing&step=Never")
    assert "Nobody took the first step" in nobody.content.decode()
    assert reader.get("/metrics/explore/nothing/").status_code == 404
    assert reader.get("/metrics/explore/bridge/?segment=Nobody").status_code == 400


def test_a_stranger_sees_nothing_of_it(
    cast: Cast, client_of: Callable[[User], Client], workspace: Workspace
) -> None:
    path = "/metrics/explore/bridge/?format=csv"
    own, other = (rows(client_of(who), path) for who in (cast.viewer, cast.stranger))
    assert own != other
    nobody = client_of(cast.nobody).get("/metrics/explore/bridge/")
    assert nobody.status_code in {302, 404}
