"""Frame, errors, files, themes: what every page shares."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from perennial.apps.team.models import User
from perennial.core.errors import BadValue
from perennial.ui import assets, navigation, views
from perennial.ui.navigation import Entry
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
SOURCE = Path(views.__file__).parents[1]


def test_the_policy_allows_nothing_from_elsewhere() -> None:
    response = Client().get("/healthz")
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


def test_templates_carry_no_inline_scripts_or_styles() -> None:
    """Mails have to: programs that show them read no style sheets."""
    pages = (p for p in SOURCE.rglob("*.html") if p.parent.name != "mail")
    for path in pages:
        text = path.read_text()
        assert not re.search(r"\sstyle=|\son\w+=\"|hx-on|javascript:", text), path
        assert not re.search(
            r"<script(?![^>]*\b(src|type=\"application/json\"))", text
        ), path
        assert len(text.splitlines()) <= 90, path


@pytest.mark.django_db
def test_probes() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}
    answer = Client().get("/readyz").json()
    assert answer["database"] == "ok"


@pytest.mark.django_db
def test_prometheus_reads_how_the_installation_does() -> None:
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.content.decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if line[0] != "#")
    assert values["perennial_inbox_requests"] == "0"
    assert float(values["perennial_disk_free_bytes"]) > 0
    kinds = [line.split() for line in lines if line.startswith("# TYPE")]
    assert [name for _, _, name, _ in kinds] == [key.split("{")[0] for key in values]


@pytest.mark.django_db
def test_readyz_says_what_does_not_answer(settings: Settings, tmp_path: Path) -> None:
    from perennial.config.folder import DataFolder

    settings.DATA = DataFolder(tmp_path)
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["lake"]) == (503, "failed")
    settings.DATA.prepare()
    assert Client().get("/readyz").status_code == 200


def test_the_key_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    from perennial.config.folder import DataFolder

    folder = DataFolder(tmp_path / "data")
    assert folder.secret_key() != folder.secret_key(), "none is kept before prepare"
    folder.prepare()
    key = folder.secret_key()
    folder.prepare()
    assert folder.secret_key() == key
    assert folder.secret_key_file.stat().st_mode & 0o777 == 0o600


def test_the_database_url() -> None:
    from perennial.config import database

    made = database.from_url("postgresql://me:p%40ss@db:5433/cs?sslmode=require")
    assert (made["NAME"], made["USER"], made["PASSWORD"]) == ("cs", "me", "p@ss")
    assert (made["HOST"], made["PORT"]) == ("db", "5433")
    assert made["OPTIONS"] == {"sslmode": "require"}
    for wrong, said in (
        ("mysql://me:secret@x", "must begin with postgresql"),
        ("postgresql://me:secret@db:port/cs", "is no URL"),
    ):
        with pytest.raises(BadValue, match=said) as refused:
            database.from_url(wrong)
        assert "secret" not in str(refused.value)


def test_postgresql_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from perennial.config import database

    monkeypatch.setattr(database, "find_spec", lambda name: None)
    with pytest.raises(BadValue, match=r"pip install 'perennial\[postgres\]'"):
        database.from_url("postgresql://db/cs")


# --- files -------------------------------------------------------------------


def test_every_icon_that_is_named_is_in_the_sprite() -> None:
    if "icons.svg" not in assets.manifest():
        pytest.skip("the browser bundle is not built (npm run build in js/)")
    sprite = (assets.DIST / assets.manifest()["icons.svg"]).read_text()
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    for path in [*SOURCE.rglob("*.html"), *SOURCE.rglob("*.py")]:
        named = set(
            re.findall(r'\bicon\b"?\s*[=:(]?\s*"([a-z0-9-]+)"', path.read_text())
        )
        assert named <= drawn, path


def test_a_missing_bundle_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from perennial.ui import checks

    monkeypatch.setattr(checks, "manifest", dict)
    assert [m.id for m in checks.assets_are_built(app_configs=None)] == ["ui.W001"]
    monkeypatch.setattr(checks, "manifest", lambda: {"app.js": "app-1.js"})
    assert checks.assets_are_built(app_configs=None) == []


def test_names_carry_hashes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"app.js": "app-AB12.js"}))
    monkeypatch.setattr(assets, "DIST", tmp_path)
    assets.manifest.cache_clear()
    assets.url.cache_clear()
    try:
        assert assets.url("app.js") == "/static/dist/app-AB12.js"
        assert assets.url("unknown.js") == "/static/dist/unknown.js"
    finally:
        assets.manifest.cache_clear()
        assets.url.cache_clear()


# --- errors ------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "de", "sv"])
def test_a_page_that_is_not_here(language: str) -> None:
    client = Client(headers={"Accept-Language": language})
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert f'<html lang="{language}"' in response.content.decode()


def test_errors_say_what_is_safe_and_what_to_do(rf: RequestFactory) -> None:
    request = rf.get("/")
    for view in (views.bad_request, views.forbidden, views.not_found):
        page = view(request, Exception("secret")).content.decode()
        assert "What is safe:" in page
        assert "What to do:" in page
        assert "secret" not in page
    assert views.server_error(request).status_code == 500
    assert views.csrf_failure(request, "x").status_code == 403


# --- theme, language ---------------------------------------------------------


@pytest.mark.django_db
def test_the_theme_is_remembered() -> None:
    client = Client()
    assert "data-bs-theme" not in client.get("/sign-in/").content.decode()
    client.post(
        "/theme/", {"theme": "dark"}, headers={"Referer": "http://testserver/sign-in/"}
    )
    assert 'data-bs-theme="dark"' in client.get("/sign-in/").content.decode()
    client.post("/theme/", {"theme": "nonsense"})
    assert 'data-bs-theme="dark"' in client.get("/sign-in/").content.decode()


@pytest.mark.django_db
def test_the_language_is_remembered_and_the_way_back_is_ours() -> None:
    client = Client()
    response = client.post(
        "/language/", {"language": "sv"}, headers={"Referer": "https://evil.example/"}
    )
    assert response["Location"] == "/"
    assert '<html lang="sv"' in client.get("/sign-in/").content.decode()


# --- navigation, palette -----------------------------------------------------


def test_the_navigation_has_no_dead_links(
    rf: RequestFactory, settings: Settings
) -> None:
    for path in (settings.NAVIGATION, settings.SETTINGS_PAGES):
        for item in navigation._listed(path):
            try:
                assert reverse(item.url)
            except NoReverseMatch:
                pytest.fail(f"{item.key} leads nowhere")


def test_settings_are_shown_to_those_who_may_change_them(
    cast: Cast,
    client_of: ClientOf,
) -> None:
    assert (
        'href="/settings/"' in client_of(cast.admin).get("/profile/").content.decode()
    )
    assert (
        'href="/settings/"'
        not in client_of(cast.viewer).get("/profile/").content.decode()
    )


def test_the_palette_finds_pages(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    page = client.get("/palette/?q=aud").content.decode()
    assert "/settings/audit/" in page
    part = client.get(
        "/palette/?q=zzz", headers={"HX-Request": "true"}
    ).content.decode()
    assert "Nothing is called" in part
    assert "<html" not in part


def test_palette_entries_of_providers_are_grouped(
    rf: RequestFactory, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def provider(request: object, query: str) -> list[Entry]:
        return [Entry("Accounts", f"{query} {n}", "/", "building") for n in range(20)]

    monkeypatch.setattr("tests.ui.test_pages.provider", provider, raising=False)
    settings.PALETTE = ["tests.ui.test_pages.provider"]
    groups = navigation.search(rf.get("/"), "kes")
    assert [(g.title, len(g.entries)) for g in groups] == [
        ("Accounts", navigation.MOST)
    ]


def test_matching_is_by_beginnings_of_words() -> None:
    assert navigation.matches("back jo", "Background jobs")
    assert not navigation.matches("round", "Background jobs")
    assert navigation.matches("", "anything")


def test_the_style_guide_shows_every_component(cast: Cast, rf: RequestFactory) -> None:
    from perennial.ui import styleguide

    request = rf.get("/")
    request.user = cast.owner
    for template in ("ui/styleguide_parts.html", "ui/styleguide_bar.html"):
        page = render_to_string(template, styleguide.context(), request)
        assert "style=" not in page
        assert "None" not in re.sub(r"<[^>]+>", "", page)


def test_an_address_of_forms_is_not_blank(cast: Cast, client_of: ClientOf) -> None:
    """Who signs in anew after sending a form lands on its address."""
    client, address = client_of(cast.owner), "/theme/"
    page = client.get(address, headers={"accept": "text/html"})
    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert "This address only takes what a form sends." in page.content.decode()
    assert not client.get(address, headers={"accept": "application/json"}).content
