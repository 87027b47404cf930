"""Insights on screen: who may see them, what they say, who decides about versions."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from perennial.apps.customers.chance import chance_of
from perennial.apps.insights import advice, explained, jobs, power, queries, words
from perennial.apps.jobs.models import JobRun
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry, User, Workspace
from perennial.lake import customers, forecasts, healthbook, models, settings_store
from perennial.lake.store import Lake as Store
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.bands import example
from perennial.scoring.review import Review
from perennial.ui.formats import Regional
from tests.apps.team.cast import Cast
from tests.builders import clock, instant
from tests.insights import company

ClientOf = Callable[[User], Client]
PAGES = [
    *("power", "renewal", "backtest", "forecast", "patterns", "product"),
    *("survival", "value", "versions"),
]
EN = Regional("en", "EUR", "UTC")


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return " ".join(strip_tags(response.content.decode()).split())


@pytest.mark.parametrize("name", PAGES)
def test_members_read_and_strangers_learn_nothing(
    name: str, workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    path = reverse(f"insights:{name}")
    assert client_of(cast.viewer).get(path).status_code == 200
    assert client_of(cast.nobody).get(path).status_code == 404
    stranger = text(client_of(cast.stranger), path)
    assert "Reports" not in stranger
    assert "a001" not in stranger


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_workspace_says_what_will_be_here(
    name: str, cast: Cast, client_of: ClientOf
) -> None:
    page = text(client_of(cast.stranger), reverse(f"insights:{name}"))
    assert "Learn from past decisions" in page or "Learn again now" in page


def test_the_power_feature_with_its_numbers(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    page = text(client_of(cast.viewer), reverse("insights:power"))
    found = models.active(lake_of(workspace)).review.discoveries[""]
    best = found.power_feature
    assert "Reports separates those who stayed from those who left." in page
    assert f"{best.auc:.2f}" in page
    decided = f"likely {100 * best.auc_low:.0f}–{best.auc_high:.0%}, 120 decisions"
    assert decided in page
    assert f"{found.n_retained} stayed and {found.n_churned} left" in page
    assert "Left out: log-in" in page
    assert "Left out: part of leaving" in page
    small = text(client_of(cast.viewer), reverse("insights:power") + "?segment=Small")
    own = models.active(lake_of(workspace)).review.discoveries["Small"]
    assert f"{own.n_retained} stayed and {own.n_churned} left" in small


def test_who_is_below_green_is_named_and_what_may_be_lost_comes_first(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.viewer)
    page = text(client, reverse("insights:power"))
    below = power.below_green(queries.told(lake_of(workspace)))
    assert below
    assert all(c.band != "green" and c.gap for c in below)
    risks = [(1 - c.p) * c.mrr for c in below if c.p is not None]
    assert risks == sorted(risks, reverse=True)
    assert f"Help the {len(below)} customers below green to use Reports." in page
    file = client.get(reverse("insights:power"), {"of": "below", "format": "csv"})
    assert len(list(csv.DictReader(file.content.decode().splitlines()))) == len(below)


def test_half_of_the_risk_is_with_few() -> None:
    class Risk(NamedTuple):
        p: float | None
        mrr: float

    due: Any = [Risk(0.5, 100), Risk(0.9, 100), Risk(None, 900), Risk(0.8, 100)]
    told = advice.forecast(due, EN)
    assert told is not None
    assert told.text == "Half of what may be lost is with 1 customer: begin there."
    assert advice.forecast([], EN) is None


def test_every_card_is_explained(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    """As a page, and as a drawer; what was learned says from how many."""
    client = client_of(cast.viewer)
    for name, topics in explained.PAGES.items():
        page = client.get(reverse(f"insights:{name}")).content.decode()
        for topic, about in topics.items():
            url = reverse("insights:explain", args=[topic])
            assert url in page, topic
            told = text(client, url)
            assert str(about.says) in unescape(told)
    drawer = client.get(
        reverse("insights:explain", args=["separates"]) + "?segment=Small",
        headers={"HX-Request": "true"},
    ).content.decode()
    own = models.active(lake_of(workspace)).review.discoveries["Small"]
    assert "<html" not in drawer
    assert f">{own.n_retained}</td>" in drawer
    nothing = reverse("insights:explain", args=["nothing"])
    assert client.get(nothing).status_code == 404


def test_bands_count_the_customers_of_today(workspace: Workspace) -> None:
    lake = lake_of(workspace)
    bands = models.active(lake).review.bands_of(None)
    told = queries.told(lake)
    rows = power.band_rows(bands, told, EN)
    assert sum(r.accounts for r in rows) == len([c for c in told if c.uses is not None])
    assert sum(r.mrr for r in rows) == 100 * sum(r.accounts for r in rows)
    assert [r.uses for r in power.band_rows(example(), told, EN)] == [
        *("0", "1–5", "6–10", "11–15", "16 and more"),
    ]


def test_the_forecast_adds_up(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    page = text(client_of(cast.viewer), reverse("insights:forecast"))
    told = queries.told(lake_of(workspace))
    soon = [c for c in told if c.renewal_on and c.renewal_on < date(2026, 8, 30)]
    assert f"of the €{100 * len(soon):,} that is up in the next 90 days" in page
    expected = sum((c.p or 0) * c.mrr for c in soon)
    assert f"€{expected:,.0f} of the" in page


def test_the_lowest_chances_come_first_with_their_reasons(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    page = text(client_of(cast.viewer), reverse("insights:renewal"))
    told = queries.told(lake_of(workspace))
    chances = [c.p for c in told if c.p is not None]
    assert chances == sorted(chances)
    assert told[0].name in page
    assert "points" in page


def test_every_way_to_tell_stands_side_by_side(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    page = text(client_of(cast.viewer), reverse("insights:backtest"))
    compared = models.active(lake_of(workspace)).review.comparison
    best = max(t.quality.auc for t in compared.trials)
    assert f"tells best who renews: AUC {best:.2f} (likely" in page
    assert f"Tested on {compared.n} later decisions" in page
    for name in ("Health score", "Color of the band", "Gradient boosting", "Base rate"):
        assert name in page
    assert "As things stood 30 days before each decision" in page
    boosted = next(t for t in compared.trials if t.model == "boosted").verdict
    caught = next(e for e in compared.early if (e.way, e.days) == ("boosted", 60))
    assert f"{boosted.precision:.0%} n = {boosted.red}" in page
    assert f"{caught.caught:.0%} / {caught.alarmed:.0%}" in page


def test_survival_tells_who_stays_how_long(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    path = reverse("insights:survival")
    monthly = text(client_of(cast.viewer), path)
    assert "Nobody pays by the month: see all customers." in monthly
    every = text(client_of(cast.viewer), path + "?terms=all")
    left = company.ACCOUNTS - sum(stays for *_, stays, _ in company.fates())
    assert f"{company.ACCOUNTS} customers were watched, {left} of them left." in every
    split = text(client_of(cast.viewer), path + "?terms=all&by=segment")
    assert "Small" in split
    assert "Chance that groups alike differ so (log-rank test):" in split
    # What an address makes up is the usual choice.
    assert text(client_of(cast.viewer), path + "?terms=x&by=y") == monthly


def test_an_accounts_page_tells_why(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    lake = lake_of(workspace)
    account = queries.told(lake)[0].account_id
    chance = chance_of(lake, account, date(2026, 6, 1))
    assert chance is not None
    total = (chance.base or 0) + sum(p.points for p in chance.parts) + chance.rest
    assert total == pytest.approx(chance.p)
    path = reverse("customers:account", args=[account])
    page = text(client_of(cast.viewer), path)
    assert "The reasons add up to the chance of renewal" in page
    assert chance_of(lake, "nobody", date(2026, 6, 1)) is None


# Versions


@pytest.fixture(scope="module")
def fewer(known: Path) -> Review:
    """What there is to learn from fewer decisions."""
    lake = Lake(Store(known / "lake" / "default"), clock=clock(instant(company.NOW)))
    return models.learn(lake, as_of=date(2026, 2, 1))


@pytest.fixture
def proposed(workspace: Workspace, fewer: Review) -> None:
    """It waits for approval, as another version."""
    assert models.propose(lake_of(workspace), fewer) is not None


@pytest.mark.usefixtures("proposed")
def test_admins_approve_and_what_follows_is_asked_for(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    page = text(client_of(cast.viewer), reverse("insights:versions"))
    assert "Version 2 waits for approval." in page
    assert re.search(r"green from \S+ → \S+ uses a month|chance of a band|model ", page)
    path = reverse("insights:decide", args=[2])
    refused = client_of(cast.teammate).post(path, {"do": "approve"})
    assert refused.status_code == 403
    client_of(cast.admin).post(path, {"do": "approve", "note": "looks right"})
    version = models.active(lake_of(workspace))
    assert version is not None
    assert (version.number, version.reviewed_by) == (2, cast.admin.email)
    assert version.note == "looks right"
    asked = set(JobRun.objects.values_list("name", flat=True))
    assert {"refresh", "tell_past_forecasts"} <= asked
    entry = AuditEntry.objects.get(verb="model.approved")
    assert entry.actor == cast.admin


def test_an_account_by_its_chance_of_renewal(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    """The reasons are the parts of its health, told once; the scorecard beside it."""
    lake, client = lake_of(workspace), client_of(cast.viewer)
    settings_store.change(
        lake.lake, {"health_mode": "calibrated"}, by="a@x", at=lake.now
    )
    lake.refresh()
    lowest = queries.told(lake)[0]
    page = text(client, reverse("customers:account", args=[lowest.account_id]))
    assert re.search(r"Why \d+\? \S+ parts? (add|make)", page)
    assert "A usual customer" in page
    assert "By the scorecard:" in page
    assert "uses in 30 days" in page
    assert "The reasons add up to the chance of renewal" not in page
    assert "health down" not in page  # by another mode than 28 days ago
    history = text(client, reverse("health:account", args=[lowest.account_id]))
    assert "Other rules" in history or "The color has not changed" in history
    explained_ = reverse("customers:health", args=[lowest.account_id])
    assert client.get(explained_).status_code == 200


@pytest.mark.usefixtures("proposed")
def test_health_goes_by_what_an_admin_says(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    """Offered with the first approval, and changed back at any time."""
    path, lake = reverse("insights:go_by"), lake_of(workspace)
    assert client_of(cast.teammate).post(path, {"mode": "band"}).status_code == 403
    admin = client_of(cast.admin)
    admin.post(path, {"mode": "of course"})
    assert lake.settings.health_mode == "composite"
    admin.post(path, {"mode": "band"})
    assert lake.settings.health_mode == "band"
    assert AuditEntry.objects.get(verb="settings.changed").target == "health_mode"
    admin.post(path, {"mode": "composite"})
    page = admin.get(reverse("insights:versions")).content.decode()
    assert '<input class="form-check-input" type="checkbox" name="colors">' in page
    decide = reverse("insights:decide", args=[2])
    admin.post(decide, {"do": "approve", "colors": "on"})
    assert lake.settings.health_mode == "calibrated"
    assert "Colors go by the chance of renewal." in text(
        admin, reverse("health:health")
    )


@pytest.mark.usefixtures("proposed")
def test_a_rejected_version_changes_nothing(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    path = reverse("insights:decide", args=[2])
    client_of(cast.owner).post(path, {"do": "reject"})
    assert models.active(lake_of(workspace)).number == 1
    assert not JobRun.objects.exists()
    missing = reverse("insights:decide", args=[9])
    assert client_of(cast.owner).post(missing, {"do": "reject"}).status_code == 404


def test_members_may_ask_to_learn_again(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    path = reverse("insights:look")
    assert client_of(cast.viewer).post(path).status_code == 403
    client_of(cast.teammate).post(path)
    assert JobRun.objects.get().name == "review_models"
    # The same decisions say the same: nothing new is proposed.
    jobs.review_models(workspace.key, lambda _share, _what: None)
    assert len(models.versions(lake_of(workspace))) == 1


def test_past_forecasts_are_told_from_what_was_known_then(workspace: Workspace) -> None:
    lake, today = lake_of(workspace), date(2026, 6, 1)
    assert forecasts.take_past(lake, until=today, quarters=1) == 1
    (found,) = forecasts.hindsight(lake, months=3, until=today)
    assert found.as_of == "2026-03-01"
    stayed = [a for a, end, stays, _ in company.fates() if stays]
    assert found.actual == 100 * len(
        [a for a in stayed if a in _paying(lake, found.as_of)]
    )
    assert found.lower <= found.expected <= found.upper
    # Told once.
    assert forecasts.take_past(lake, until=today, quarters=1) == 0


def _paying(lake: Lake, day: str) -> set[str]:
    return set(customers.customers(lake, date.fromisoformat(day))["account_id"])


def test_reasons_in_words() -> None:
    assert words.missing_text(("retained", "churned")) == (
        "customers who stayed and customers who left"
    )


def test_modes_stand_side_by_side(workspace: Workspace) -> None:
    lake = lake_of(workspace)
    told = {c.account_id: c for c in queries.told(lake)}
    rows = healthbook.scores(lake, as_of=date(2026, 6, 1))
    assert any(row["band"] for row in rows)
    for row in rows:
        known = told.get(row["account_id"])
        assert (row["band"] is None) == (known is None)
        if known:
            assert row["band"]["color"] == known.band
            assert row["calibrated"]["p"] == known.p


@pytest.mark.parametrize("name", PAGES[:-1])
def test_every_table_of_a_page_is_a_file(
    name: str, workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    reader = client_of(cast.viewer)
    path = reverse(f"insights:{name}")
    offered = re.findall(
        r'href="(\?[^"]*format=csv[^"]*)"', reader.get(path).content.decode()
    )
    assert offered
    for link in offered:
        found = reader.get(path + unescape(link))
        assert found["Content-Type"].startswith("text/csv"), link
        assert "attachment" in found["Content-Disposition"]


def test_files_hold_what_the_page_says(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    def rows(name: str, table: str) -> list[dict[str, str]]:
        path = reverse(f"insights:{name}") + f"?format=csv&of={table}"
        text = client_of(cast.viewer).get(path).content.decode()
        return list(csv.DictReader(text.splitlines()))

    told = {c.account_id: c for c in queries.told(lake_of(workspace))}
    written = rows("renewal", "chances")
    assert {row["account_id"] for row in written} == set(told)
    for row in written:
        reasons = dict(told[row["account_id"]].reasons)
        assert {
            name: float(row[f"because_of_{name}"]) for name in reasons
        } == pytest.approx(reasons)
    [power_feature] = [
        row for row in rows("power", "features") if row["is_power_feature"] == "true"
    ]
    assert power_feature["feature"] == "reports"
    bands = rows("power", "bands")
    assert [band["color"] for band in bands] == ["red", "green"]
