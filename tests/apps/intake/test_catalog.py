"""The event catalog: what is known of names, and what people say of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from perennial.apps.intake import catalog, definitions
from perennial.apps.intake.catalog import Asked, described
from perennial.apps.intake.definitions import Said
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.models import JobRun, State
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry, User
from perennial.core.errors import BadValue
from tests.apps.intake.stream.conftest import Intake, Track, intake, track  # noqa: F401
from tests.apps.team.cast import Cast
from tests.builders import write

ClientOf = Callable[[User], Client]
FORM = {"kind": "feature", "feature": "Reports", "is_key": "on", "counts": "on"}


@pytest.fixture
def teammate(cast: Cast, client_of: ClientOf) -> Client:
    return client_of(cast.teammate)


@pytest.fixture
def seen(intake: Intake, track: Track) -> Intake:  # noqa: F811
    """Three names and an identify, in two months."""
    now = datetime.now(UTC)
    old = now - timedelta(days=40)
    intake.send(track("Report made", timestamp=old.isoformat()), at=old)
    intake.send(
        track("Report made", userId="u1", properties={"rows": 7, "format": "pdf"}),
        track("Report made", userId="u2", properties={"rows": "many"}),
        track("Signed in"),
        track("heartbeat"),
        {"type": "identify", "userId": "u1", "traits": {"name": "Ann"}},
        at=now,
    )
    intake.load()
    intake.roll_up()
    return intake


def line(intake: Intake, name: str) -> catalog.Line:  # noqa: F811
    found = catalog.line(intake.workspace, name)
    assert found is not None, name
    return found


def rows(intake: Intake, table: str) -> list[dict[str, Any]]:  # noqa: F811
    return intake.rows(table)


def test_names_are_counted(seen: Intake) -> None:
    found = line(seen, "Report made").seen
    assert (found.events, found.recent, found.users) == (3, 2, 2)
    assert found.weeks[-6:] == (1, 0, 0, 0, 0, 0)  # whole weeks, without today
    assert found.sources == (seen.source.slug,)
    assert found.first_at is not None
    assert found.last_at is not None
    assert (found.last_at - found.first_at).days == 40


def test_names_are_guessed(seen: Intake) -> None:
    kinds = {
        one.name: (one.definition.kind, one.definition.counts, one.definition.is_guess)
        for one in catalog.lines(seen.workspace)
    }
    assert kinds == {
        "Report made": ("feature", True, True),
        "Signed in": ("login", True, True),
        "heartbeat": ("system", False, True),
        "$identify": ("system", False, False),
    }


def test_the_catalog_is_searched_filtered_and_sorted(seen: Intake) -> None:
    every = catalog.lines(seen.workspace)

    def names(**asked: Any) -> list[str]:
        return [one.name for one in catalog.chosen(every, Asked(**asked))]

    assert names()[0] == "Report made"
    assert names(sort="event", descending=False) == [
        "$identify",
        "heartbeat",
        "Report made",
        "Signed in",
    ]
    assert names(q="REPORT") == ["Report made"]
    assert names(kind="system", sort="event") == ["heartbeat", "$identify"]
    assert "$identify" not in names(guesses=True)


@pytest.mark.parametrize(
    "query", ["", "?sort=-first", "?sort=x&kind=y&page=9", "?q=zzz", "?guesses=1"]
)
def test_the_page_takes_any_query(
    seen: Intake, cast: Cast, client_of: ClientOf, query: str
) -> None:
    page = client_of(cast.viewer).get(f"/data/events/{query}").content.decode()
    assert ("No event matches" in page) == ("zzz" in query)
    assert ("Report made" in page) == ("zzz" not in query)


def test_five_thousand_names_are_paged(
    intake: Intake,  # noqa: F811
    track: Track,  # noqa: F811
    teammate: Client,
) -> None:
    intake.send(*(track(f"Event {n:04d}") for n in range(5_000)))
    intake.load()
    intake.roll_up()
    page = teammate.get("/data/events/?sort=event&page=2").content.decode()
    assert "51–100 of 5000" in page
    assert page.count("?name=Event%2000") == 50


def test_properties_have_types_shares_and_examples() -> None:
    found = described(
        [
            {"rows": 7, "shared": True, "gone": None},
            {"rows": "x" * 200, "tags": ["a"]},
            {"rows": 8.5, "at": {"x": 1}},
            "no object",
        ]
    )
    assert found.events == 4
    assert [one.name for one in found.properties] == ["rows", "at", "shared", "tags"]
    by_name = {one.name: one for one in found.properties}
    assert by_name["rows"].types == ("number", "text")
    assert by_name["rows"].share == 0.75
    assert by_name["rows"].examples == ("7", "x" * 79 + "…", "8.5")
    assert by_name["shared"].types == ("boolean",)
    assert (by_name["tags"].types, by_name["tags"].examples) == (("list",), ('["a"]',))
    assert by_name["at"].types == ("object",)


def test_one_name_has_a_page(seen: Intake, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.viewer)
    page = client.get("/data/events/name/", {"name": "Report made"}).content.decode()
    assert "2 events in the last 30 days," in page
    assert "<code>rows</code>" in page
    assert "number, text" in page
    assert "Confirm" not in page
    assert client.get("/data/events/name/", {"name": "Nothing"}).status_code == 404


def test_a_strange_name_has_a_page(
    intake: Intake,  # noqa: F811
    track: Track,  # noqa: F811
    teammate: Client,
) -> None:
    name = "a/b?c=d&e #<i>%20 ../ü"
    intake.send(track(name), at=datetime.now(UTC))
    intake.load()
    intake.roll_up()
    page = teammate.get("/data/events/").content.decode()
    href = page.split("/data/events/name/?name=")[1].split('"')[0]
    page = teammate.get(f"/data/events/name/?name={href}").content.decode()
    assert "a/b?c=d&amp;e #&lt;i&gt;%20 ../ü" in page


def test_a_person_says_what_it_means(
    seen: Intake, teammate: Client, cast: Cast
) -> None:
    response = teammate.post("/data/events/define/?name=Report+made", FORM, follow=True)
    page = response.content.decode()
    assert "Saved." in page
    meaning = line(seen, "Report made").definition
    assert meaning.feature_name == "Reports"
    assert (meaning.is_key, meaning.counts, meaning.is_guess) == (True, True, False)
    [row] = [r for r in rows(seen, "event_definitions") if r["name"] == "Report made"]
    assert (row["kind"], row["feature_id"], row["counts_as_activity"]) == (
        "feature",
        "Reports",
        True,
    )
    entry = AuditEntry.objects.get(verb="event.defined")
    assert (entry.actor, entry.target) == (cast.teammate, "Report made")
    assert entry.details == {
        "before": "feature Report made, counts",
        "after": "feature Reports, key, counts",
    }
    assert "feature Reports, key, counts" in page


def test_numbers_follow_what_is_said(seen: Intake, teammate: Client) -> None:
    def features() -> set[str]:
        return {row["feature_id"] for row in rows(seen, "feature_days")}

    assert features() == {"Report made"}
    teammate.post("/data/events/define/?name=Report+made", FORM)
    run = JobRun.objects.get(name=definitions.JOB)
    page = teammate.get("/data/events/").content.decode()
    assert "The numbers that depend on it are derived again." in page
    jobs.execute(run.pk)
    run.refresh_from_db()
    assert run.state == State.DONE, run.error
    assert features() == {"Reports"}
    assert 'hx-trigger="every 2s"' not in teammate.get("/data/events/").content.decode()


def test_saying_it_again_restores(seen: Intake, cast: Cast) -> None:
    before = line(seen, "Report made").definition
    definitions.define(
        seen.workspace, "Report made", Said("system", counts=False), by=cast.admin
    )
    assert line(seen, "Report made").definition.kind == "system"
    definitions.define(
        seen.workspace, "Report made", Said("feature", counts=True), by=cast.admin
    )
    after = line(seen, "Report made").definition
    assert (after.kind, after.feature_id, after.counts) == (
        before.kind,
        before.feature_id,
        before.counts,
    )
    assert not after.is_guess
    assert JobRun.objects.filter(name=definitions.JOB).count() == 2


def test_a_feature_is_found_by_its_name(seen: Intake, cast: Cast) -> None:
    lake = lake_of(seen.workspace).lake
    write(lake, "features", [{"feature_id": "f1", "name": "Reports", "area": "Office"}])
    definitions.define(
        seen.workspace,
        "Report made",
        Said("feature", True, "Reports", is_key=True),
        by=cast.admin,
    )
    assert rows(seen, "features") == [
        {
            "feature_id": "f1",
            "name": "Reports",
            "area": "Office",
            "is_key": True,
            "is_core": None,
            "released_at": None,
            "properties": None,
        }
    ]
    assert line(seen, "Report made").definition.feature_id == "f1"


def test_a_meaning_that_began_later_is_the_one_changed(
    seen: Intake, cast: Cast
) -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    lake = lake_of(seen.workspace).lake
    write(
        lake,
        "event_definitions",
        [
            {"name": "Report made", "kind": "system"},
            {"name": "Report made", "kind": "page", "valid_from": begun},
        ],
    )
    definitions.define(
        seen.workspace, "Report made", Said("support", counts=True), by=cast.admin
    )
    kinds = {
        row["valid_from"]: row["kind"]
        for row in rows(seen, "event_definitions")
        if row["name"] == "Report made"
    }
    assert kinds == {None: "system", begun: "support"}


def test_a_meaning_that_ended_is_kept(seen: Intake, cast: Cast) -> None:
    ended = datetime(2026, 1, 1, tzinfo=UTC)
    lake = lake_of(seen.workspace).lake
    row = {"name": "Report made", "kind": "system", "valid_to": ended}
    write(lake, "event_definitions", [row])
    definitions.define(
        seen.workspace, "Report made", Said("login", counts=True), by=cast.admin
    )
    found = [r for r in rows(seen, "event_definitions") if r["name"] == "Report made"]
    kinds = {(r["kind"], r["valid_from"], r["valid_to"]) for r in found}
    assert kinds == {("system", None, ended), ("login", ended, None)}


def test_the_own_names_stay_as_they_are(
    seen: Intake, teammate: Client, cast: Cast
) -> None:
    response = teammate.post("/data/events/define/?name=%24identify", FORM)
    assert response.status_code == 422
    with pytest.raises(BadValue):
        definitions.define(
            seen.workspace, "$identify", Said("login", counts=True), by=cast.admin
        )
    assert not AuditEntry.objects.filter(verb="event.defined").exists()


def test_a_wrong_form_says_so(seen: Intake, teammate: Client) -> None:
    path = "/data/events/define/?name=Report+made"
    response = teammate.post(path, {"kind": "nonsense"})
    assert response.status_code == 422
    assert "nonsense is not one of the available choices" in response.content.decode()


def test_viewers_and_strangers_say_nothing(
    seen: Intake, cast: Cast, client_of: ClientOf
) -> None:
    path = "/data/events/define/?name=Report+made"
    assert client_of(cast.viewer).post(path, FORM).status_code == 403
    assert client_of(cast.stranger).post(path, FORM).status_code == 404
    page = client_of(cast.stranger).get("/data/events/").content.decode()
    assert "Report made" not in page
    assert line(seen, "Report made").definition.is_guess
