"""Targets on screen: set, seen on tiles and pages, by API, and kept from others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry, User, Workspace
from perennial.lake import targets as store
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
WHERE = "/metrics/license_utilization/targets/"


@pytest.fixture(autouse=True)
def _no_targets(workspace: Workspace) -> Iterator[None]:
    """The folder is shared by the tests: each leaves it as it was."""
    yield
    lake_of(workspace).lake.delete(store.NAME, "true")


def test_set_and_seen(workspace: Workspace, cast: Cast, client_of: ClientOf) -> None:
    client, lake = client_of(cast.teammate), lake_of(workspace)
    values = lake.metric("license_utilization", by=["account"]).to_dicts()
    known = sorted(v["value"] for v in values if v["value"] is not None)
    assert len(known) > 2
    floor, ceiling = (known[0] + known[1]) / 2, (known[-2] + known[-1]) / 2
    said = {"target": "99.9", "floor": f"{floor * 100}", "ceiling": f"{ceiling * 100}"}
    assert client.post(WHERE, said).status_code == 302
    (kept,) = lake.targets
    assert (kept.target, kept.segment) == (pytest.approx(0.999), "")
    entry = AuditEntry.objects.get(verb="target.set")
    assert entry.target == "license_utilization"
    page = client.get(WHERE).content.decode()
    assert "Need support" in page
    assert "Ready to expand" in page
    tile = client.get("/metrics/license_utilization/tile/").content.decode()
    assert "below target 99.9%" in tile
    shown = client.get(
        "/metrics/license_utilization/?wait=1&by=segment"
    ).content.decode()
    assert shown.count("below target 99.9%") >= 2
    assert '"name": "Target"' in shown
    # All three empty, it goes.
    client.post(WHERE, {"target": "", "floor": "", "ceiling": ""})
    assert lake.targets == []
    assert "No target is set yet." in client.get(WHERE).content.decode()


def test_who_may_and_what_is_refused(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    viewer = client_of(cast.viewer)
    page = viewer.get(WHERE)
    assert page.status_code == 200
    assert "Set a target" not in page.content.decode()
    assert viewer.post(WHERE, {"target": "5"}).status_code == 404
    client = client_of(cast.teammate)
    wrong = {"floor": "60", "ceiling": "20"}
    assert client.post(WHERE, wrong).status_code == 422
    assert client.post(WHERE, {"target": "5", "segment": "Nobody"}).status_code == 422
    assert client.get("/metrics/mrr_movements/targets/").status_code == 404
    assert lake_of(workspace).targets == []
    assert "Class" in client.get("/metrics/usage_frequency/targets/").content.decode()
