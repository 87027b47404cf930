"""Real tickets of a software firm: 3,804 logs of what was done to each."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest
from click.testing import CliRunner

from perennial.cli.main import cli
from perennial.lake.opening import open_workspace
from perennial.lake.workspace import Workspace

DATA = Path(__file__).parents[3] / "shared" / "data" / "helpdesk" / "helpdesk.csv"

pytestmark = pytest.mark.skipif(not DATA.is_file(), reason=f"no data at {DATA}")

#: What was done: a ticket is taken in, worked on, and closed.
CLOSED = "6"
SPAN = {"start": "2010-01-01", "end": "2015-01-01"}

Log = list[tuple[datetime, str]]


@pytest.fixture(scope="module")
def logs() -> dict[str, Log]:
    found: dict[str, Log] = defaultdict(list)
    with DATA.open(encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["CompleteTimestamp"]).replace(tzinfo=UTC)
            found[row["CaseID"]].append((at, row["ActivityID"]))
    return {case: sorted(log) for case, log in found.items()}


def solved_at(log: Log) -> datetime | None:
    """When it was closed for the last time."""
    return max((at for at, what in log if what == CLOSED), default=None)


def reopened(log: Log) -> int:
    """How often something else followed a closing."""
    states = [what == CLOSED for _, what in log]
    return sum(a and not b for a, b in pairwise(states))


@pytest.fixture(scope="module")
def workspace(
    logs: dict[str, Log], tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """One ticket a log, imported from a file."""
    folder = tmp_path_factory.mktemp("helpdesk")
    file = folder / "tickets.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["ticket_id", "opened_at", "solved_at", "reopened_count"])
        for case, log in logs.items():
            solved = solved_at(log)
            told = solved.isoformat() if solved else ""
            writer.writerow([case, log[0][0].isoformat(), told, reopened(log)])
    arguments = ["--data", str(folder / "data"), "import", "tickets", str(file)]
    result = CliRunner().invoke(
        cli, [*arguments, "--format", "json"], catch_exceptions=False
    )
    (report,) = json.loads(result.stdout)
    assert (report["rows"], report["rejected"]) == (3_804, 0)
    return open_workspace(folder / "data")


def hours(logs: dict[str, Log], keep: Callable[[datetime], bool]) -> list[float]:
    spans = [(log[0][0], solved_at(log)) for log in logs.values()]
    return sorted(
        (end - start).total_seconds() / 3600
        for start, end in spans
        if end is not None and keep(end)
    )


def test_times_of_all_tickets(workspace: Workspace, logs: dict[str, Log]) -> None:
    taken = hours(logs, lambda _: True)
    assert len(taken) > 3_000
    told: dict[str, Any] = {}
    for variant in ("median", "mean", "p90"):
        (row,) = workspace.metric("resolution_time", variant=variant, **SPAN).to_dicts()
        told[variant] = row["value"]
        assert row["n"] == len(taken)
    assert told == {
        "median": pytest.approx(median(taken)),
        "mean": pytest.approx(fmean(taken)),
        "p90": pytest.approx(taken[-(-len(taken) * 9 // 10) - 1]),
    }


def test_times_by_year(workspace: Workspace, logs: dict[str, Log]) -> None:
    for row in workspace.metric("resolution_time", grain="year", **SPAN).to_dicts():
        year = row["period_start"].year
        taken = hours(logs, lambda end, year=year: end.year == year)  # type: ignore[misc]
        assert row["n"] == len(taken)
        assert row["value"] == (pytest.approx(median(taken)) if taken else None)


def test_without_a_number_of_answers_first_contact_is_unknown(
    workspace: Workspace,
) -> None:
    (row,) = workspace.metric("first_contact_resolution", **SPAN).to_dicts()
    assert (row["value"], row["status"]) == (None, "no_data")


def test_reopened_tickets_break_first_contact(
    workspace: Workspace, logs: dict[str, Log]
) -> None:
    """With one answer each, all that speaks against it is reopening."""
    known = workspace.lake.read("tickets")
    told = known.set_column(
        known.schema.get_field_index("agent_replies"),
        known.schema.field("agent_replies"),
        [[1] * len(known)],
    )
    workspace.lake.write("tickets", told)
    solved = [log for log in logs.values() if solved_at(log)]
    again = sum(reopened(log) > 0 for log in solved)
    assert again > 0
    (row,) = workspace.metric("first_contact_resolution", **SPAN).to_dicts()
    assert (row["numerator"], row["denominator"]) == (len(solved) - again, len(solved))
