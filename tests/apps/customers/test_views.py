"""The pages: who may see them, what they say, what they cost."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse
from pytest_django import Settings

from perennial.apps.customers import today
from perennial.apps.team.models import User
from perennial.config.folder import DataFolder
from tests.apps.customers.company import (
    AS_OF,
    FRESH,
    GONE,
    GREEN,
    KESTREL,
    OTHER,
    SILENT,
)
from tests.apps.team.cast import Cast
from tests.builders import Case

ClientOf = Callable[[User], Client]
TABS = ("account", "usage", "money", "people", "health")


def url(tab: str, account_id: str) -> str:
    return reverse(f"customers:{tab}", args=[account_id])


PAGES = ["/", "/?who=team", "/?who=mine&all", "/why-these-accounts/", "/accounts/"]
PAGES += [url(tab, KESTREL) for tab in TABS]


def text(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers or None)
    assert response.status_code == 200, path
    return str(response.content.decode())


@pytest.fixture
def alice(data: Path, cast: Cast, client_of: ClientOf) -> Client:
    return client_of(cast.owner)


def test_cards_that_read_most_come_when_the_page_stands(
    alice: Client, data: Path
) -> None:
    path = url("account", KESTREL)
    at_once = text(alice, path)
    late = {part: text(alice, f"{path}?part={part}", **{"HX-Request": "true"})
            for part in ("features", "recent")}  # fmt: skip
    for part, mark in (("features", 'class="heat"'), ("recent", 'class="timeline"')):
        assert f'hx-get="?part={part}" hx-trigger="load"' in at_once
        assert mark in late[part]
        assert mark not in at_once
    assert "<html" not in late["recent"]
    # As an address it is the page, and a part nobody knows is, too.
    assert "<html" in text(alice, f"{path}?part=recent")
    assert "<html" in text(alice, f"{path}?part=all", **{"HX-Request": "true"})


# --- who may see what --------------------------------------------------------


@pytest.mark.parametrize("path", [*PAGES, "/accounts.csv"])
def test_the_door(path: str, data: Path, cast: Cast, client_of: ClientOf) -> None:
    assert Client().get(path)["Location"].startswith("/sign-in/")
    assert client_of(cast.nobody).get(path).status_code == 404
    assert client_of(cast.viewer).get(path).status_code == 200


@pytest.mark.parametrize("tab", TABS)
def test_accounts_of_others_are_not_here(
    tab: str, alice: Client, cast: Cast, client_of: ClientOf
) -> None:
    assert alice.get(url(tab, OTHER)).status_code == 404
    assert alice.get(url(tab, "never")).status_code == 404
    stranger = client_of(cast.stranger)
    assert stranger.get(url(tab, KESTREL)).status_code == 404
    assert stranger.get(url(tab, OTHER)).status_code == 200


def test_lists_of_others_are_not_ours(
    alice: Client, data: Path, cast: Cast, client_of: ClientOf
) -> None:
    stranger = client_of(cast.stranger)
    assert "Kestrel Elsewhere" not in text(alice, "/accounts/?state=all")
    for path in ("/accounts/?state=all", "/?who=team", "/palette/?q=kes"):
        assert "Kestrel &amp; Sons" not in text(stranger, path)
    assert "Kestrel Elsewhere" in text(stranger, "/accounts/")


def test_test_accounts_are_nowhere(alice: Client) -> None:
    assert "Test Account" not in text(alice, "/accounts/?state=all")
    assert alice.get(url("account", "test")).status_code == 404


# --- addresses ---------------------------------------------------------------


@pytest.mark.parametrize(
    "account_id", [KESTREL, "a/b/usage", "..", "%2F", "ö?#&=+ ", "x\\y"]
)
def test_any_id_has_an_address(account_id: str) -> None:
    path = url("account", account_id)
    assert path.count("/") == 3
    from urllib.parse import unquote

    assert resolve(unquote(path)).kwargs == {"account_id": account_id}
    assert resolve(unquote(url("usage", account_id))).url_name == "usage"


def test_an_id_with_a_slash_is_found(alice: Client) -> None:
    assert quote("/", safe="") in url("account", KESTREL) or "%252F" in url(
        "account", KESTREL
    )
    assert "Kestrel &amp; Sons" in text(alice, url("account", KESTREL))
    assert url("account", KESTREL) in text(alice, "/accounts/")


# --- home --------------------------------------------------------------------


def test_home_of_an_owner_is_mine(alice: Client) -> None:
    page = text(alice, "/")
    assert "One account needs you today." in page
    assert (
        "None is red, and €100 of monthly revenue renews with them within 90 days."
        in page
    )
    assert "One more is ready to expand." in page
    assert "Logins down 70% in two weeks" in page
    assert "Silent Mills" not in page
    assert re.search(r'Mine <span class="count num">2<', page)


def test_home_of_others_is_the_teams(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    page = text(client_of(cast.viewer), "/")
    assert "Three accounts need a human today." in page
    assert "One is red, and" in page
    assert page.index("Silent Mills") < page.index("Kestrel &amp; Sons")
    assert page.count("btn-primary") == 1, "only the first row has a primary step"
    mine = text(client_of(cast.viewer), "/?who=mine")
    assert "Nothing needs you today." in mine


def test_the_list_of_home_can_be_shown_whole(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(today, "SHOWN", 1)
    assert "Show all 3" in text(alice, "/?who=team")
    assert "Show all" not in text(alice, "/?who=team&all")


def test_a_drawer_is_a_part_and_a_page(alice: Client) -> None:
    for path in ("/why-these-accounts/", url("health", KESTREL)):
        part = text(alice, path, **{"HX-Request": "true"})
        assert "drawer-head" in part
        assert "<html" not in part
        assert "<html" in text(alice, path)


# --- the list ----------------------------------------------------------------


def names(page: str) -> list[str]:
    return re.findall(r'<td class="name[^"]*"><a href="[^"]+">([^<]+)</a>', page)


def test_the_list(alice: Client) -> None:
    page = text(alice, "/accounts/")
    assert names(page) == [
        "Silent Mills",
        "Kestrel &amp; Sons",
        "Greenfield",
        "Freshwater",
    ]
    assert "4 accounts · €750 MRR" in page
    assert "sorted by priority" in page
    assert re.search(r'Accounts</span><span class="count num">4<', page)


def test_the_list_filters_and_sorts_by_its_address(alice: Client) -> None:
    page = text(alice, "/accounts/?segment=Small&sort=-mrr")
    assert names(page) == ["Greenfield", "Silent Mills", "Freshwater"]
    assert 'aria-sort="descending"' in page
    assert "3 accounts · €650 MRR" in page
    assert "1 account · €100 MRR" in text(alice, "/accounts/?q=kes")


def test_other_states_are_named(alice: Client) -> None:
    assert "Churned</span>" in text(alice, "/accounts/?state=all")


def test_htmx_gets_rows_or_results(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perennial.apps.customers import queries

    monkeypatch.setattr(queries, "PAGE", 3)
    assert "page=2" in text(alice, "/accounts/")
    rows = text(alice, "/accounts/?page=2", **{"HX-Request": "true"})
    assert rows.lstrip().startswith("<tr")
    assert names(rows) == ["Freshwater"]
    found = text(alice, "/accounts/?q=kes", **{"HX-Request": "true"})
    assert 'id="results"' in found
    assert 'hx-swap-oob="true"' in found
    assert "<html" not in found


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999", "²"])
def test_a_page_that_is_none(alice: Client, page: str) -> None:
    assert alice.get(f"/accounts/?page={page}").status_code == 200


def test_no_match_says_so(alice: Client) -> None:
    page = text(alice, "/accounts/?q=%3Cscript%3E")
    assert "No account matches" in page
    assert "&lt;script&gt;" in page
    assert "Clear the filters" in page


def test_the_file_is_the_filter(data: Path, cast: Cast, client_of: ClientOf) -> None:
    response = client_of(cast.viewer).get(
        "/accounts.csv?owner=alice@default.example&sort=name"
    )
    assert (
        response["Content-Disposition"]
        == 'attachment; filename="accounts-2026-06-01.csv"'
    )
    lines = b"".join(response.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert [row["account_id"] for row in csv.DictReader(lines)] == [GREEN, KESTREL]


# --- one account -------------------------------------------------------------


def test_the_account_says_what_is_wrong(alice: Client) -> None:
    page = text(alice, url("account", KESTREL))
    assert "<b>Logins down 70% in two weeks</b>" in page
    assert "Why 43? Four parts add up to the score" in page
    assert "7.5 + 12.5 + 19.1 + 3.7 = 42.8, shown as 43" in page
    assert "four more active users (+20.0)" in page
    assert "All 4 parts were measured." in page
    assert "since Feb 2024" in page


def test_no_score_is_gray_with_its_reason(alice: Client) -> None:
    page = text(alice, url("account", FRESH))
    assert 'class="health is-none health-pill"' in page
    assert "A score begins when onboarding is done" in page
    assert "Accounts that neither pay nor are on trial have no score." in text(
        alice, url("account", GONE)
    )
    assert alice.get(url("health", GONE)).status_code == 200


def test_the_other_tabs(alice: Client) -> None:
    assert "Board" in text(alice, url("usage", KESTREL))
    assert "€1,200 a year" in text(alice, url("money", KESTREL))
    page = text(alice, url("people", KESTREL))
    assert "5 people have a seat" in page
    assert "Our Own" not in page
    assert 'hx-get="?health"' in page
    with_health = text(alice, f"{url('people', KESTREL)}?health")
    assert "44" in with_health
    rows = text(alice, f"{url('people', KESTREL)}?health", **{"HX-Request": "true"})
    assert rows.lstrip().startswith("<tr")


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("account_id", [SILENT, GREEN, FRESH, GONE, "trial"])
def test_every_tab_of_every_kind_of_account(
    alice: Client, tab: str, account_id: str
) -> None:
    assert "None" not in re.sub(r"<[^>]+>", "", text(alice, url(tab, account_id)))


def test_the_explanation_names_the_command(alice: Client) -> None:
    page = text(alice, url("health", KESTREL))
    assert "perennial health --account &#x27;kes/50% ü&#x27; --as-of 2026-06-01" in page


def test_old_data_say_so(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from perennial.lake.workspace import Workspace as Lake

    for today_, is_old in ((AS_OF, False), (AS_OF + timedelta(days=1), True)):
        monkeypatch.setattr(Lake, "today", today_)
        for path in ("/", "/accounts/", url("account", KESTREL)):
            assert ("Data to" in text(alice, path)) is is_old, path


# --- palette, emptiness, cost ------------------------------------------------


def test_the_palette_finds_accounts(alice: Client) -> None:
    page = text(alice, "/palette/?q=kes")
    assert "<mark>Kes</mark>trel &amp; Sons" in page
    assert "€100 · renews 12 Jul · Alice" in page
    assert "Churned" in text(alice, "/palette/?q=fish")
    for query in ("", "%3Ekes", "@kes", "zzz"):
        assert "Kestrel" not in text(alice, f"/palette/?q={query}")


def test_before_any_data_pages_say_what_will_be_here(
    settings: Settings, tmp_path: Path, cast: Cast, client_of: ClientOf
) -> None:
    settings.DATA = DataFolder(tmp_path)
    client = client_of(cast.owner)
    for path in ("/", "/accounts/"):
        assert "Your customers will be here" in text(client, path)
    assert client.get("/accounts.csv").status_code == 200
    assert client.get(url("account", "x")).status_code == 404
    assert client.get("/palette/?q=x").status_code == 200


def test_a_refresh_is_seen_at_once(
    settings: Settings, tmp_path: Path, cast: Cast, client_of: ClientOf
) -> None:
    """What pages keep, they keep by the version of the tables."""
    settings.DATA = DataFolder(tmp_path)
    client = client_of(cast.owner)
    assert "Your customers will be here" in text(client, "/accounts/")
    case = Case(settings.DATA.lake / "default", now="2026-06-01T06:00")
    for number, name in enumerate(("First Light", "Second Wind")):
        case.facts("accounts", {"account_id": str(number), "name": name})
        case.facts(
            "subscription_items",
            {"subscription_id": str(number), "account_id": str(number), "mrr": 9,
             "valid_from": "2026-01-01T00:00"},
        )  # fmt: skip
        case.refresh(as_of=AS_OF)
        assert name in text(client, "/accounts/")
        assert name in text(client, url("account", str(number)))
        assert text(client, "/").count("Nothing needs a human today.") == 1


@pytest.mark.parametrize("path", PAGES)
def test_the_database_is_asked_little(alice: Client, path: str) -> None:
    alice.get(path)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        alice.get(path)
    # Session, person and place, then a few for each application that joins a page.
    assert len(asked) <= 22, [q["sql"] for q in asked]
