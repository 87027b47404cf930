"""Findings in words: what, how sure, on how many, what to do; and silence otherwise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, cast

import polars as pl
import pytest
from django.test import Client

from perennial.apps.reports import findings
from perennial.apps.reports.results import Answers, Row
from perennial.apps.team.models import User, Workspace
from perennial.core.settings import Settings
from perennial.scoring.patterns import UnusedFeature
from perennial.ui.formats import Regional
from tests.apps.team.cast import Cast

TODAY = date(2026, 6, 10)
USUAL = {"events": 1000, "dau": 100, "errors": 2, "sessions": 200, "short": 10}


class Told:
    """Answers that were prepared."""

    def __init__(self, days: pl.DataFrame, unused: Any = (), dips: Any = ()) -> None:
        self.today = TODAY
        self._kept = {
            "findings days": days,
            "findings features": list(unused),
            "features": {"maps": "Maps"},
        }
        self._dips = list(dips)
        self.lake = self
        self.settings = Settings()

    def keep(self, name: str, _tables: Any, _compute: Any) -> Any:
        return self._kept[name]

    def rows(self, _question: Any) -> list[Row]:
        return self._dips


def days(**changed: dict[str, int]) -> pl.DataFrame:
    """Ten weeks of usual days with a little noise, some changed: `d3` is 3 days ago."""
    rows = []
    for back in range(1, 71):
        noise = {name: value + (back // 7) % 3 - 1 for name, value in USUAL.items()}
        row = {**noise, **changed.get(f"d{back}", {})}
        rows.append({"date": TODAY - timedelta(days=back), **row})
    return pl.DataFrame(rows)


def told(*given: Any, **more: Any) -> list[findings.Finding]:
    return findings.found(cast(Answers, Told(*given, **more)), Regional())


def test_a_usual_week_tells_nothing() -> None:
    assert told(days()) == []


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"dau": 40}, "dau", "On Sunday, 7 Jun, 40 users were active."),
        ({"dau": 300}, "dau", "On Sunday, 7 Jun, 300 users were active."),
        ({"errors": 90}, "errors", "On Sunday, 7 Jun, features failed 90 times."),
        (
            {"short": 150},
            "short_session_share",
            "On Sunday, 7 Jun, 75.0% of the sessions were suspiciously short.",
        ),
        ({"events": 2000}, "events", "On Sunday, 7 Jun, 2,000 events came in."),
        (
            {"events": 100, "dau": 10},
            "outage",
            "On Sunday, 7 Jun, half of the usual events are missing.",
        ),
    ],
)
def test_a_day_unlike_its_weekdays(changed: Any, kind: str, said: str) -> None:
    changed = {**USUAL, **changed}
    (finding,) = told(days(d3=changed))
    assert (finding.kind, finding.lead) == (kind, said)
    assert "eight weeks" in finding.evidence
    assert finding.advice
    assert finding.url


def test_what_is_missing_comes_first_and_dips_are_told() -> None:
    def dip(k: int, value: float) -> Row:
        now = 0.6 * (1 + value)
        return Row(TODAY, TODAY, value, now, 0.6, 25, "ok", {"k": str(k)})

    unused = UnusedFeature("maps", None, 1, 400, 1 / 400)
    every = told(
        days(d2={**USUAL, "events": 10}),
        unused=[unused],
        dips=[dip(5, -0.1), dip(6, -0.31), dip(7, -0.25)],
    )
    assert [one.kind for one in every] == ["outage", "dip", "unused"]
    _, fallen, alone = every
    assert fallen.lead == "In month 6 after onboarding, use falls by 31%."
    assert "41% of the seats are used then, 60%" in fallen.evidence
    assert "25 accounts" in fallen.evidence
    assert alone.lead == "Hardly anybody uses Maps."
    assert "1 of 400 active users" in alone.evidence
    # A fall that is no dip is none of these.
    assert told(days(), dips=[dip(6, -0.19)]) == []


def test_the_page(
    workspace: Workspace, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    page = client_of(cast.viewer).get("/metrics/findings/")
    assert page.status_code == 200
    answers = Answers(workspace)
    every = findings.found(answers, Regional())
    text = page.content.decode()
    for one in every:
        assert one.lead in text or one.kind == "unused"
    assert bool(every) != ("Nothing unusual" in text)
