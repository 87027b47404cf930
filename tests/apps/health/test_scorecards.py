"""Drafts, previews, back-tests and publishing: roles, reasons, records."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.html import strip_tags

from perennial.apps.health import actions, backtest, editor, jobs, preview, tried
from perennial.apps.health.models import Draft
from perennial.apps.jobs.models import JobRun
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.models import AuditEntry, User, Workspace
from perennial.core.errors import BadValue
from perennial.core.settings import HealthTargets
from perennial.lake import scorecards
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics.registry import all_metrics
from perennial.scoring.scorecard import standard, with_tried
from perennial.scoring.scorecard_reading import read
from perennial.scoring.scorecard_text import parse, to_document, write
from perennial.ui.formats import Regional
from tests.apps.customers.company import AS_OF
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
STANDARD = standard(HealthTargets())


@pytest.fixture
def draft(workspace: Workspace, cast: Cast) -> Draft:
    return actions.start_draft(cast.membership(cast.teammate), STANDARD, based_on=0)


def where(draft: Draft, page: str = "") -> str:
    return f"/health/scorecards/drafts/{draft.pk}/{page}"


def said(page: bytes) -> str:
    return " ".join(strip_tags(page.decode()).split())


# Who may do what


@pytest.mark.parametrize("page", ["", "preview/", "verdict/", "try/"])
def test_everybody_here_may_read_a_draft(
    page: str, draft: Draft, cast: Cast, client_of: ClientOf
) -> None:
    assert client_of(cast.viewer).get(where(draft, page)).status_code == 200
    assert client_of(cast.stranger).get(where(draft, page)).status_code == 404
    assert client_of(cast.nobody).get(where(draft, page)).status_code == 404


def test_viewers_change_nothing(draft: Draft, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.viewer)
    assert client.post("/health/scorecards/drafts/", {"version": 0}).status_code == 403
    assert client.post(where(draft), {"name": "Mine"}).status_code == 404
    for page in ("backtest/", "review/", "discard/"):
        assert client.post(where(draft, page)).status_code == 403
    draft.refresh_from_db()
    assert str(draft) == "Standard"


def test_members_draft_and_admins_publish(
    draft: Draft, cast: Cast, client_of: ClientOf
) -> None:
    given = {"note": "Depth counts more"}
    draft.document["components"][0]["weight"] = 20
    draft.document["components"][2]["weight"] = 40
    draft.save()
    member, admin = client_of(cast.teammate), client_of(cast.admin)
    assert "Admins publish" in said(member.get(where(draft, "review/")).content)
    assert member.post(where(draft, "review/"), given).status_code == 422
    assert Draft.objects.exists()
    with pytest.raises(NotAllowed):
        actions.publish_draft(draft, cast.membership(cast.teammate), "x")
    assert admin.post(where(draft, "review/"), {"note": " "}).status_code == 422
    assert admin.post(where(draft, "review/"), given).status_code == 302
    assert not Draft.objects.exists()
    entry = AuditEntry.objects.get(verb="scorecard.published")
    assert (entry.actor, entry.details["version"]) == (cast.admin, 1)
    assert entry.details["note"] == "Depth counts more"
    assert JobRun.objects.filter(name="refresh").exists(), "scores follow"
    page = said(admin.get("/health/scorecards/").content)
    assert "Depth counts more" in page


# The editor


def test_the_form_changes_the_document(
    draft: Draft, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    form = {
        "weight__frequency": "20", "weight__breadth": "25", "weight__depth": "40",
        "weight__growth": "15", "target__frequency__active_days": "8,5",
        "missing__depth": "zero", "cut__0": "30", "cut__1": "50", "cut__2": "70",
        "min_coverage": "60", "onboarding": "score",
    }  # fmt: skip
    assert client.post(where(draft), form).status_code == 302
    draft.refresh_from_db()
    card = read(draft.document)
    assert [c.weight for c in card.components] == [20, 25, 40, 15]
    assert card.components[0].source.targets["active_days"] == 8.5  # type: ignore[union-attr]
    assert card.components[2].missing == "zero"
    assert (card.cuts, card.min_coverage, card.onboarding) == (
        (30, 50, 70),
        0.6,
        "score",
    )
    assert "scorecard.changed" in AuditEntry.objects.values_list("verb", flat=True)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"weight__depth": "90"}, "weights add up to 160, not 100"),
        ({"weight__depth": "many"}, "components[2].weight"),
        ({"cut__0": "90", "cut__1": "60", "cut__2": "80"}, "cuts: must rise"),
        ({"text": "name: [x"}, "line 1"),
        ({"text": "name: x"}, "components: must be a list"),
    ],
)
def test_what_is_wrong_is_said_and_not_kept(
    form: dict[str, str], reason: str, draft: Draft, cast: Cast, client_of: ClientOf
) -> None:
    response = client_of(cast.teammate).post(where(draft), form)
    assert response.status_code == 422
    assert reason in said(response.content)
    draft.refresh_from_db()
    assert read(draft.document) == STANDARD


def test_parts_are_added_and_taken_out(
    draft: Draft, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    add = {"do": "add", "offer": "metric:license_utilization", "offer_target": "0.8"}
    assert client.post(where(draft), add).status_code == 302
    client.post(where(draft), {"do": "add", "offer": "pulse:relationship"})
    client.post(where(draft), {"remove": "growth"})
    draft.refresh_from_db()
    card = read(draft.document)
    assert card.names == ("frequency", "breadth", "depth", "license_utilization",
                          "relationship")  # fmt: skip
    assert card.normalize_weights
    page = said(client.get(where(draft)).content)
    assert "License utilization; 100 points from 80.0% on" in page


def test_yaml_goes_out_and_comes_in(
    draft: Draft, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    file = client.get(where(draft) + "?format=yaml")
    assert file["Content-Disposition"].endswith('.yaml"')
    assert parse(file.content.decode()) == STANDARD
    other = write(with_tried(STANDARD, cuts=(10, 20, 30)))
    upload = SimpleUploadedFile("ours.yaml", other.encode())
    made = client.post("/health/scorecards/drafts/", {"file": upload})
    assert made.status_code == 302
    newest = Draft.objects.latest("pk")
    assert read(newest.document).cuts == (10, 20, 30)
    broken = SimpleUploadedFile("ours.yaml", b"name: x")
    refused = client.post("/health/scorecards/drafts/", {"file": broken}, follow=True)
    assert "components: must be a list" in said(refused.content)
    assert Draft.objects.count() == 2


def test_a_draft_is_discarded(draft: Draft, cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.teammate).post(where(draft, "discard/")).status_code == 302
    assert not Draft.objects.exists()
    assert AuditEntry.objects.filter(verb="scorecard.discarded").exists()


def test_every_offer_makes_a_scorecard(draft: Draft) -> None:
    for offer, _title in editor.offers(STANDARD, all_metrics()):
        read(editor.with_part(draft.document, offer, "1", all_metrics()))


def test_differences_are_all_that_differs(regional: Regional) -> None:
    document = to_document(STANDARD)
    document["components"] += [
        {"name": "nps", "weight": 0, "metric": "nps",
         "scale": {"linear": {"from": -100, "to": 100}}}
    ]  # fmt: skip
    document["cuts"] = [30, 60, 80]
    found = editor.differences(STANDARD, read(document), regional)
    assert [what for what, _old, _new in found] == [
        "Edges of colors",
        "Weight of Net Promoter Score",
        "Net Promoter Score",
    ]
    assert editor.differences(STANDARD, STANDARD, regional) == []


# Preview and back-test


def test_the_preview_counts_every_customer_once(lake: Lake) -> None:
    found = preview.preview(lake, with_tried(STANDARD, cuts=(43, 60, 90)), AS_OF)
    total = sum(cell.accounts for _state, cells in found.matrix for cell in cells)
    assert total == sum(found.before.values()) == sum(found.after.values())
    assert (found.worse, found.better) == (2, 0), "Kestrel to red, Greenfield to yellow"
    assert {(row.now, row.draft) for row in found.accounts} == {
        ("orange", "red"),
        ("green", "yellow"),
    }
    same = preview.preview(lake, STANDARD, AS_OF)
    assert (same.changed, same.accounts) == (0, [])


def test_the_preview_follows_the_form(
    draft: Draft, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    form = {"cut__0": "43", "cut__1": "60", "cut__2": "90"}
    page = said(client.post(where(draft, "preview/"), form).content)
    assert "2 accounts would change color. 2 worse and 0 better" in page
    form["cut__0"] = "70"
    assert "must rise" in said(client.post(where(draft, "preview/"), form).content)
    draft.refresh_from_db()
    assert read(draft.document) == STANDARD, "nothing is kept"


def test_who_would_change_is_a_file(
    draft: Draft, cast: Cast, client_of: ClientOf
) -> None:
    draft.document = to_document(with_tried(STANDARD, cuts=(43, 60, 90)))
    draft.save()
    answer = client_of(cast.viewer).get(where(draft, "preview/") + "?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(r["name"], r["color"], r["color_draft"]) for r in rows] == [
        ("Greenfield", "green", "yellow"),
        ("Kestrel & Sons", "orange", "red"),
    ]


def test_one_account_is_tried_under_the_draft(
    draft: Draft, cast: Cast, client_of: ClientOf, lake: Lake, regional: Regional
) -> None:
    """Kestrel by hand: without growth, depth alone of half the weight."""
    document = editor.without_part(draft.document, "growth")
    document["components"][0]["weight"] = 0
    card = actions.save_draft(draft, document, cast.membership(cast.teammate))
    found = tried.of(lake, card, AS_OF, "kes/50% ü", regional)
    assert found is not None
    assert found.breakdown is not None
    points = {p.name: float(p.points or 0) for p in found.breakdown.parts}
    by_hand = {"breadth": 50 * 25 / 55, "depth": 63.571 * 30 / 55}
    for name, expected in by_hand.items():
        assert points[name] == pytest.approx(expected, abs=0.1)
    assert sum(points.values()) == pytest.approx(float(found.breakdown.total))
    # Against today's 42.8, growth and frequency count by what they give no more.
    assert float(found.breakdown.change or 0) == pytest.approx(
        sum(by_hand.values()) - 42.82, abs=0.1
    )
    client = client_of(cast.viewer)
    page = said(client.get(where(draft, "try/"), {"account": "GREENF"}).content)
    assert "Greenfield" in page
    part = client.get(
        where(draft, "try/"), {"account": "nobody"}, headers={"HX-Request": "true"}
    )
    assert "No account is called “nobody”." in said(part.content)
    assert b"<html" not in part.content


def test_the_back_test_is_kept_with_the_draft_it_is_of(
    draft: Draft, cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest, "_YEARS_DAYS", 60)
    client = client_of(cast.teammate)
    client.post(where(draft, "backtest/"))
    assert JobRun.objects.get(name="backtest_scorecard").arguments == {
        "draft": draft.pk
    }
    assert "Waiting" in said(client.get(where(draft, "verdict/")).content)
    jobs.backtest_scorecard("default", lambda _share, _text: None, draft=draft.pk)
    JobRun.objects.update(state="done")
    draft.refresh_from_db()
    assert draft.judged == backtest.digest_of(STANDARD)
    page = said(client.get(where(draft, "verdict/")).content)
    assert "Leavers caught" in page
    assert "Too few have decided" in page
    client.post(where(draft), {"cut__0": "30", "cut__1": "60", "cut__2": "80"})
    changed = said(client.get(where(draft, "verdict/")).content)
    assert "was changed since it was judged" in changed


def test_a_back_test_of_what_is_gone_does_nothing(workspace: Workspace) -> None:
    jobs.backtest_scorecard("default", lambda _share, _text: None, draft=77)


def test_the_same_card_is_not_published_twice(draft: Draft, cast: Cast) -> None:
    with pytest.raises(BadValue, match="the same"):
        actions.publish_draft(draft, cast.membership(cast.owner), "Nothing new")
    assert scorecards.active(actions.lake_of(draft.workspace)).number == 0
