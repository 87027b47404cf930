"""Segments on screen: the editor, who may change them, the list by them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import QueryDict
from django.test import Client

from perennial.apps.customers import condition_form, segment_actions
from perennial.apps.customers.models import Segment
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry, User
from perennial.core.errors import BadValue
from perennial.lake import segments as lake_segments
from perennial.metrics import conditions
from tests.apps.customers.company import FRESH, GONE, GREEN, KESTREL, SILENT
from tests.apps.team.cast import Cast

RISKY = {"all": [{"field": "health_color", "op": "is", "value": ["red", "orange"]}]}

ClientOf = Callable[[User], Client]


@pytest.fixture
def data(own: Path) -> Path:
    return own


@pytest.fixture
def risky(data: Path, cast: Cast) -> Segment:
    by = cast.membership(cast.teammate)
    return segment_actions.create_segment(
        by, name="At risk", description="", document=RISKY
    )


def sent(*rows: dict[str, object], join: str = "all", **more: str) -> dict[str, object]:
    """A form as a browser sends it."""
    told: dict[str, object] = {"join": join, "row": [str(n) for n in range(len(rows))]}
    for n, row in enumerate(rows):
        told |= {f"{name}.{n}": value for name, value in row.items()}
    return {**told, **more}


def query(told: dict[str, object]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in told.items():
        data.setlist(name, value if isinstance(value, list) else [value])  # type: ignore[list-item]
    return data


def test_a_segment_is_made_told_and_audited(risky: Segment, cast: Cast) -> None:
    assert risky.key == "at-risk"
    lake = lake_of(cast.workspace)
    assert lake_segments.members(lake, "at-risk") == [KESTREL, SILENT]
    entry = AuditEntry.objects.get(verb="segment.created")
    assert (entry.actor, entry.target) == (cast.teammate, "At risk")


def test_viewers_change_nothing(risky: Segment, cast: Cast) -> None:
    viewer = cast.membership(cast.viewer)
    for refused in (
        lambda: segment_actions.create_segment(
            viewer, name="x", description="", document=RISKY
        ),
        lambda: segment_actions.change_segment(
            risky, viewer, name="x", description="", document=RISKY
        ),
        lambda: segment_actions.archive_segment(risky, viewer),
        lambda: segment_actions.restore_segment(risky, viewer),
    ):
        with pytest.raises(NotAllowed):
            refused()


def test_what_fails_in_the_lake_is_not_kept_at_all(data: Path, cast: Cast) -> None:
    document = {"all": [{"field": "metric:nothing", "op": "at_least", "value": 1}]}
    by = cast.membership(cast.teammate)
    with pytest.raises(Exception, match="unknown metric"):
        segment_actions.create_segment(by, name="x", description="", document=document)
    assert not Segment.objects.exists()
    assert not AuditEntry.objects.filter(verb="segment.created").exists()


def test_one_that_others_speak_of_stays(risky: Segment, cast: Cast) -> None:
    by = cast.membership(cast.teammate)
    rest = {"field": "member_of", "op": "is_not", "value": ["at-risk"]}
    others = segment_actions.create_segment(
        by, name="Others", description="", document={"all": [rest]}
    )
    with pytest.raises(BadValue, match="Others"):
        segment_actions.archive_segment(risky, by)
    segment_actions.archive_segment(others, by)
    segment_actions.archive_segment(risky, by)
    lake = lake_of(cast.workspace)
    assert lake_segments.members(lake, "at-risk") == []
    segment_actions.restore_segment(risky, by)
    assert lake_segments.members(lake, "at-risk") == [KESTREL, SILENT]


# --- the form ----------------------------------------------------------------


def test_the_form_says_what_a_document_says(data: Path, cast: Cast) -> None:
    document = {
        "any": [
            {"field": "license_use", "op": "at_least", "value": 0.9},
            {"field": "mrr", "op": "more_than", "value": 1200.5},
            {"field": "health_color", "op": "is", "value": ["red"]},
            {"field": "renewal", "op": "within", "value": 90.0},
            {"field": "feature:board", "op": "less_than", "value": 1.0, "days": 14},
            {"field": "attribute:size", "op": "is", "value": ["a", "b"]},
            {"field": "created", "op": "from", "value": "2026-01-31"},
            {"field": "nps", "op": "known"},
            {"not": {"all": [{"field": "nps", "op": "known"}]}},
        ]
    }
    shown = condition_form.editor(cast.workspace, document)
    told: dict[str, object] = {"join": "any"}
    every = [each for line in shown.lines for each in line.every]
    told["row"] = [line.n for line in every]
    for line in every:
        if line.joins:
            told[f"join.{line.n}"] = next(str(o.value) for o in line.joins if o.on)
            continue
        chosen = [o.value for o in line.options if o.on]
        told |= {
            f"field.{line.n}": line.field,
            f"was.{line.n}": line.field,
            f"op.{line.n}": next(o.value for o in line.operators if o.on),
            f"value.{line.n}": chosen or line.value,
            f"days.{line.n}": "" if line.days is None else str(line.days),
        }
    again = condition_form.document_of(query(told))
    assert conditions.to_document(conditions.read(again)) == document
    assert shown.lines[0].value == "90"
    assert shown.lines[0].unit == "%"
    assert [line.n for line in shown.lines[-1].every] == ["8", "8-0"]


def test_rows_are_counted_and_incomplete_ones_wait(data: Path, cast: Cast) -> None:
    rows = (
        {"field": "state", "op": "is", "value": ["paying"], "was": "state"},
        {"field": "mrr", "op": "at_least", "value": "", "was": "mrr"},
        {"field": "mrr", "op": "at_least", "value": "1 00,0", "was": "mrr"},
        {"field": "mrr", "op": "at_least", "value": "lots", "was": "mrr"},
    )
    shown = condition_form.editor(cast.workspace, query(sent(*rows)))
    assert [line.count for line in shown.lines] == [4, None, 3, None]
    assert not shown.lines[1].problem
    assert "must be a number" in shown.lines[3].problem


def test_another_field_starts_anew(data: Path, cast: Cast) -> None:
    row = {"field": "mrr", "was": "health_color", "op": "is", "value": ["red"]}
    [line] = condition_form.editor(cast.workspace, query(sent(row))).lines
    assert (line.field, line.value, line.problem) == ("mrr", "", "")
    assert [o.value for o in line.operators if o.on] == ["at_least"]


def test_rows_are_added_and_taken_out(data: Path, cast: Cast) -> None:
    row = {"field": "nps", "was": "nps", "op": "known"}
    added = condition_form.editor(cast.workspace, query(sent(row, do="add_condition")))
    assert [line.field for line in added.lines] == ["nps", "health_color"]
    gone = condition_form.editor(cast.workspace, query(sent(row, do="remove.0")))
    assert gone.lines == []
    turned = condition_form.editor(cast.workspace, query(sent(row, do="join_any")))
    assert turned.join == "any"


# --- pages -------------------------------------------------------------------


def test_a_segment_is_made_and_opened_on_screen(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    assert "Groups of accounts" in client.get("/segments/").content.decode()
    row = {"field": "mrr", "was": "mrr", "op": "at_least", "value": "100"}
    told = sent(row, name="Big ones", description="Those that pay.", do="save")
    response = client.post("/segments/new/", told)
    assert response["Location"] == "/segments/of/big-ones/"
    page = client.get(response["Location"]).content.decode()
    assert "3 accounts are in it." in page
    assert "is at least" in page
    yaml = client.get("/segments/of/big-ones/?format=yaml").content.decode()
    assert conditions.parse(yaml) == conditions.read(
        {"all": [{"field": "mrr", "op": "at_least", "value": 100}]}
    )
    listed = client.get("/segments/").content.decode()
    assert "MRR is at least 100 EUR" in listed


def test_what_cannot_be_saved_is_shown_again(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    row = {"field": "mrr", "was": "mrr", "op": "at_least", "value": "lots"}
    response = client.post("/segments/new/", sent(row, name="Big", do="save"))
    assert response.status_code == 422
    page = response.content.decode()
    assert "all[0].value: must be a number" in page
    assert 'value="Big"' in page
    nameless = client.post("/segments/new/", sent(name=" ", do="save"))
    assert "A segment has a name." in nameless.content.decode()
    assert not Segment.objects.exists()


def test_yaml_is_saved_as_written(
    risky: Segment, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    text = "any:\n- all:\n  - {field: mrr, op: at_least, value: 200}\n"
    client.post(
        "/segments/of/at-risk/change/",
        {"name": "Rich", "text": text, "do": "save_text", "row": []},
    )
    risky.refresh_from_db()
    assert risky.name == "Rich"
    assert "any" in risky.document
    lake = lake_of(cast.workspace)
    assert lake_segments.members(lake, "at-risk") == [GREEN, SILENT]
    broken = client.post(
        "/segments/of/at-risk/change/",
        {"name": "Rich", "text": "all: [", "do": "save_text"},
    )
    assert broken.status_code == 422
    assert "all: [" in broken.content.decode()


def test_a_viewer_reads_and_a_stranger_sees_nothing(
    risky: Segment, cast: Cast, client_of: ClientOf
) -> None:
    page = client_of(cast.viewer).get("/segments/of/at-risk/").content.decode()
    assert "2 accounts are in it." in page
    assert "Save the segment" not in page
    assert (
        client_of(cast.viewer).post("/segments/of/at-risk/change/").status_code == 403
    )
    for path in ("/segments/of/at-risk/", "/accounts/?in=at-risk"):
        answer = client_of(cast.stranger).get(path)
        assert "At risk" not in answer.content.decode()
    assert client_of(cast.stranger).get("/segments/of/at-risk/").status_code == 404


def test_the_list_is_narrowed_to_a_segment(
    risky: Segment, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.viewer)
    page = client.get("/accounts/?state=all&in=at-risk").content.decode()
    assert "Silent Mills" in page
    assert "Kestrel &amp; Sons" in page
    assert "Greenfield" not in page
    assert "2 accounts" in page
    lines = b"".join(client.get("/accounts.csv?state=all&in=at-risk")).decode()
    assert FRESH not in lines
    assert GONE not in lines
    assert len(lines.strip().splitlines()) == 3


def test_a_change_answers_with_rows_counts_and_matches(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    row = {"field": "health_color", "was": "health_color", "op": "is", "value": ["red"]}
    answer = client_of(cast.teammate).post(
        "/segments/condition/", sent(row, with_matches="1")
    )
    page = answer.content.decode()
    assert "1 matches" in page
    assert "Silent Mills" in page
    assert 'hx-swap-oob="true"' in page
