"""Answers as other survey tools export them: their columns are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from perennial.apps.intake.files import ImportOptions, import_file
from perennial.core.errors import BadValue
from tests.builders import Case

#: A tool's heads with two rows: a promoter of user u1, a detractor nobody knows.
EXPORTS = {
    "delighted": (
        "Response ID,Name,Email,Score,Comment,Created At\n"
        "91,Ann,Ann@a.example,10,Great,2026-05-04 10:00:00 UTC\n"
        "92,Bo,bo@b.example,2,Slow,2026-05-05 10:00:00 UTC\n"
    ),
    "surveymonkey": (
        "Respondent ID,Collector ID,Start Date,End Date,Email Address,"
        "How likely is it that you would recommend us to a friend?,"
        "What is the reason for your score?\n"
        "91,1,05/04/2026 09:59:00 AM,05/04/2026 10:00:00 AM,ann@a.example,10,Great\n"
        "92,1,05/15/2026 09:59:00 AM,05/15/2026 10:00:00 AM,bo@b.example,2,Slow\n"
    ),
    "typeform": (
        "#,How likely are you to recommend us?,Why?,email,Start Date (UTC),"
        "Submit Date (UTC)\n"
        "91,10,Great,ann@a.example,2026-05-04 09:59:00,2026-05-04 10:00:00\n"
        "92,2,Slow,bo@b.example,2026-05-05 09:59:00,2026-05-05 10:00:00\n"
    ),
    "wootric": (
        "id,email,score,text,created_at\n"
        "91,ann@a.example,10,Great,2026-05-04T10:00:00Z\n"
        "92,bo@b.example,2,Slow,2026-05-05T10:00:00Z\n"
    ),
    "qualtrics": (
        "ResponseId,RecordedDate,RecipientEmail,Q1_NPS_GROUP,Q1,Q2\n"
        "91,2026-05-04 10:00:00,ann@a.example,3,10,Great\n"
        "92,2026-05-05 10:00:00,bo@b.example,1,2,Slow\n"
    ),
}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    made = Case(tmp_path_factory.mktemp("lake"))
    made.facts("users", {"user_id": "u1", "email": "ann@a.example"})
    return made


@pytest.mark.parametrize("tool", EXPORTS)
@pytest.mark.parametrize("table", ["survey_responses", "auto"])
def test_an_export_is_loaded_as_it_is(
    case: Case, tmp_path: Path, tool: str, table: str
) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(EXPORTS[tool])
    report = import_file(case.lake, table, path, ImportOptions())
    assert (report.table, report.rows, report.rejected) == ("survey_responses", 2, 0)
    rows = {r["response_id"]: r for r in case.lake.read("survey_responses").to_pylist()}
    assert {r: (v["kind"], v["score"]) for r, v in rows.items()} == {
        "91": ("nps", 10.0),
        "92": ("nps", 2.0),
    }
    assert (rows["91"]["comment"], rows["92"]["comment"]) == ("Great", "Slow")
    assert (rows["91"]["user_id"], rows["92"]["user_id"]) == ("u1", None)
    assert rows["91"]["answered_at"].isoformat() == "2026-05-04T10:00:00+00:00"
    again = import_file(case.lake, table, path, ImportOptions())
    assert (again.loaded, again.unchanged) == (0, 2)


def test_what_the_options_say_goes_first(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("id,score,rating,date\n7,1,5,2026-05-04\n")
    options = ImportOptions(mapping={"score": "rating"}, constants={"kind": "csat"})
    import_file(case.lake, "survey_responses", path, options)
    [row] = [
        r
        for r in case.lake.read("survey_responses").to_pylist()
        if r["response_id"] == "7"
    ]
    assert (row["kind"], row["score"]) == ("csat", 5.0)


def test_a_file_of_something_else_is_no_survey(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_text("colour,size\nred,3\n")
    with pytest.raises(BadValue, match="no table fits"):
        import_file(case.lake, "auto", path, ImportOptions())
