"""Columns of the list, views that are saved, the list as a workbook."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from perennial.apps.customers import edit_actions, hooks, view_actions
from perennial.apps.customers.models import View
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.models import User, Workspace
from perennial.core.errors import BadValue
from tests.apps.customers.company import GREEN, KESTREL
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]


@pytest.fixture
def data(own: Path) -> Path:
    return own


def test_columns_are_chosen(data: Path, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.viewer)
    usual = client.get("/accounts/").content.decode()
    assert "License use</a>" in usual
    assert ">Industry</th>" not in usual
    few = client.get("/accounts/?col=mrr&col=seats&col=since").content.decode()
    assert "License use</a>" not in few
    assert ">Seats</th>" in few
    assert "cols=mrr%2Cseats%2Csince" in few  # links keep them
    assert (
        ">Customer since</th>"
        in client.get("/accounts/?cols=mrr,seats,since").content.decode()
    )
    assert client.get("/accounts/?cols=nothing,x" + ",y" * 500).status_code == 200


def test_attributes_and_tags_are_columns(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    admin, member = cast.membership(cast.admin), cast.membership(cast.teammate)
    edit_actions.define_attribute(
        admin, key="region", title="Region", kind="text", choices=()
    )
    edit_actions.edit_accounts(member, "region", {GREEN: "Norrland"})
    edit_actions.edit_accounts(member, "tags", {GREEN: ["vip", "pilot"]})
    page = client_of(cast.viewer).get("/accounts/?cols=attribute:region,tags")
    text = page.content.decode()
    assert "Norrland" in text
    assert "vip, pilot" in text


def open_tasks(workspace: Workspace, ids: Sequence[str]) -> Mapping[str, int]:
    assert KESTREL in ids
    return {KESTREL: 41}


def a_column() -> hooks.Column:
    return hooks.Column("open_tasks", "Open tasks", open_tasks)


def test_another_application_adds_a_column(
    data: Path, cast: Cast, client_of: ClientOf, settings: Settings
) -> None:
    settings.ACCOUNT_COLUMNS = [f"{__name__}.a_column"]
    page = client_of(cast.viewer).get("/accounts/").content.decode()
    assert ">Open tasks</th>" in page
    assert ">41<" in page
    without = client_of(cast.viewer).get("/accounts/?cols=mrr").content.decode()
    assert ">Open tasks</th>" not in without


# --- views -------------------------------------------------------------------

QUERY = "?health=red&health=orange&sort=-mrr&cols=mrr,owner"


def test_a_view_is_a_tab_with_filters_and_columns(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    form = {"query": QUERY, "name": "My worries", "do": "new"}
    response = client.post("/accounts/-/view/", form)
    view = View.objects.get()
    page = client.get(response["Location"]).content.decode()
    assert f"view={view.pk}" in response["Location"]
    assert 'aria-current="page">My worries' in page
    assert "Greenfield" not in page
    assert "License use</a>" not in page
    changed = {**form, "query": f"?view={view.pk}", "name": "All", "do": "change"}
    client.post("/accounts/-/view/", changed)
    view.refresh_from_db()
    assert (view.name, view.query) == ("All", "?")
    client.post("/accounts/-/view/", {"query": f"?view={view.pk}", "do": "delete"})
    assert not View.objects.exists()


def test_views_are_private_until_shared(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    bob = cast.membership(cast.teammate)
    view = view_actions.save_view(bob, name="Bob's", query=QUERY, is_shared=False)
    vera = client_of(cast.viewer)
    assert "Bob&#x27;s" not in vera.get("/accounts/").content.decode()
    delete = {"query": f"?view={view.pk}", "do": "delete"}
    assert vera.post("/accounts/-/view/", delete).status_code == 404
    view_actions.save_view(bob, name="Bob's", query=QUERY, is_shared=True, view=view)
    assert "Bob&#x27;s" in vera.get("/accounts/").content.decode()
    assert "Bob" not in client_of(cast.stranger).get("/accounts/").content.decode()
    with pytest.raises(NotAllowed):
        view_actions.delete_view(view, cast.membership(cast.viewer))
    with pytest.raises(NotAllowed):
        view_actions.save_view(
            cast.membership(cast.viewer), name="x", query="", is_shared=True
        )
    with pytest.raises(BadValue):
        view_actions.save_view(bob, name=" ", query="", is_shared=False)
    view_actions.delete_view(view, cast.membership(cast.admin))


def test_the_list_is_a_workbook(data: Path, cast: Cast, client_of: ClientOf) -> None:
    response = client_of(cast.viewer).get("/accounts.csv?health=orange&format=xlsx")
    assert response["Content-Disposition"] == (
        'attachment; filename="accounts-2026-06-01.xlsx"'
    )
    with zipfile.ZipFile(io.BytesIO(response.content)) as book:
        texts = book.read("xl/sharedStrings.xml").decode()
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "Kestrel &amp; Sons" in texts
    assert "Greenfield" not in texts
    assert sheet.count("<row ") == 2
    assert "<f>" not in sheet
