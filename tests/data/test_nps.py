"""Real answers to a survey: 2,385 rows, some without a score, with dates day first."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from perennial.cli.main import cli
from perennial.lake import comments
from perennial.lake.opening import open_workspace
from perennial.lake.workspace import Workspace
from perennial.scoring.themes import Reader

DATA = Path(__file__).parents[3] / "shared" / "data" / "nps" / "nps_verbatims.csv"

pytestmark = pytest.mark.skipif(not DATA.is_file(), reason=f"no data at {DATA}")

SPAN = {"start": "2017-12-01", "end": "2019-01-01"}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with DATA.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def imported(
    rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, dict[str, Any]]:
    """The file as it is, but for an id that it lacks."""
    folder = tmp_path_factory.mktemp("nps")
    numbered = folder / "answers.csv"
    with numbered.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["id", *rows[0]])
        writer.writeheader()
        writer.writerows({"id": n, **row} for n, row in enumerate(rows))
    mapping = {
        "response_id": "id",
        "answered_at": "CUSTOMER_RESPONSE_DATE",
        "score": "NPS_SCORE",
        "comment": "text",
        "touchpoint": "SURVEY_SUB_TYPE",
    }
    arguments = ["--data", str(folder / "data"), "import", "survey_responses"]
    arguments += [str(numbered), "--constant", "kind=nps", "--format", "json"]
    for column, source in mapping.items():
        arguments += ["--map", f"{column}={source}"]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    (report,) = json.loads(result.stdout)
    return open_workspace(folder / "data"), report


def score(scores: list[int]) -> float:
    groups = Counter("p" if s >= 9 else "d" if s <= 6 else "n" for s in scores)
    return 100 * (groups["p"] - groups["d"]) / len(scores)


def test_answers_without_a_score_are_rejected(
    imported: tuple[Workspace, dict[str, Any]], rows: list[dict[str, str]]
) -> None:
    _, report = imported
    without = sum(not row["NPS_SCORE"] for row in rows)
    assert (report["rows"], report["rejected"]) == (2_385, without)
    assert without == 32


def test_the_score_is_that_of_the_plain_rows(
    imported: tuple[Workspace, dict[str, Any]], rows: list[dict[str, str]]
) -> None:
    workspace, _ = imported
    scored = [row for row in rows if row["NPS_SCORE"]]
    (answer,) = workspace.metric("nps", **SPAN).to_dicts()
    assert answer["n"] == len(scored) == 2_353
    assert answer["value"] == pytest.approx(
        score([int(r["NPS_SCORE"]) for r in scored])
    )
    by_touchpoint = defaultdict(list)
    for row in scored:
        by_touchpoint[row["SURVEY_SUB_TYPE"]].append(int(row["NPS_SCORE"]))
    found = workspace.metric("nps", by=["touchpoint"], **SPAN).to_dicts()
    assert {row["touchpoint"]: row["value"] for row in found} == {
        name: pytest.approx(score(told)) for name, told in by_touchpoint.items()
    }


def test_the_source_agrees_about_who_recommends(
    imported: tuple[Workspace, dict[str, Any]], rows: list[dict[str, str]]
) -> None:
    """The file names promoters, passives and detractors itself."""
    workspace, _ = imported
    named = Counter(row["NPS_RATING"] for row in rows if row["NPS_SCORE"])
    shares = {
        name: workspace.metric("nps", variant=name, **SPAN).value
        for name in ("promoters", "passives", "detractors")
    }
    assert shares == {
        name: pytest.approx(100 * named[name[:-1].capitalize()] / named.total())
        for name in shares
    }


def test_months_are_read_day_first(
    imported: tuple[Workspace, dict[str, Any]], rows: list[dict[str, str]]
) -> None:
    workspace, _ = imported
    months = Counter(
        row["CUSTOMER_RESPONSE_DATE"][3:10] for row in rows if row["NPS_SCORE"]
    )
    found = workspace.metric("nps", grain="month", **SPAN).to_dicts()
    told = {f"{row['period_start']:%m/%Y}": row["n"] for row in found if row["n"]}
    assert told == dict(months)


def test_themes_are_those_of_the_plain_rows(
    imported: tuple[Workspace, dict[str, Any]], rows: list[dict[str, str]]
) -> None:
    """F04 counted again by hand: which comments speak of what is read once more, how
    they feel is taken from the annotations."""
    workspace, _ = imported
    comments.take(workspace)
    said = workspace.engine.run(workspace.table("feedback_annotations"))
    felt = {
        (int(response), topic): sentiment
        for response, topic, sentiment in said.select(
            "response_id", "topic", "sentiment"
        ).iter_rows()
        if topic
    }
    points = {
        n: int(row["NPS_SCORE"])
        for n, row in enumerate(rows)
        if row["NPS_SCORE"] and row["text"].strip()
    }
    reader, told = Reader(), defaultdict(list)
    for n in points:
        for topic in reader.read(rows[n]["text"]).topics:
            told[topic].append(n)
    assert {(n, topic) for topic, of in told.items() for n in of} == felt.keys()
    every = sum(points.values())
    for variant in (
        "mentions",
        "share",
        "net_sentiment",
        "mean_score",
        "impact",
        "nps",
    ):
        found = workspace.metric("feedback_topics", variant=variant, **SPAN).to_dicts()
        assert len(found) == len(told) > 10
        for row in found:
            of = told[row["topic"]]
            mine = [points[n] for n in of]
            moods = [felt[n, row["topic"]] for n in of]
            up, down = (sum(s * way >= 0.25 for s in moods) for way in (1, -1))
            others = len(points) - len(of)
            enough = min(len(of), others) >= 5
            assert row["value"] == pytest.approx(
                {
                    "mentions": len(of),
                    "share": len(of) / len(points),
                    "net_sentiment": (up - down) / len(of),
                    "mean_score": sum(mine) / len(mine),
                    "impact": sum(mine) / len(mine) - (every - sum(mine)) / others
                    if enough
                    else None,
                    "nps": score(mine),
                }[variant]
            ), (variant, row["topic"])
