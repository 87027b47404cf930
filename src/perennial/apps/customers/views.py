from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse

from perennial.apps.customers import (
    board,
    cells,
    chips,
    columns,
    files,
    home,
    hooks,
    listing,
    queries,
    reasons,
    saved_views,
    today,
)
from perennial.apps.customers.queries import Book
from perennial.apps.customers.words import owner_names
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.ui import navigation
from perennial.ui.files import download

MINE, TEAM = "mine", "team"


def now_of(request: TeamRequest, as_of: date) -> datetime:
    """The instant a page counts from: midnight of the day the data speak of."""
    return datetime.combine(as_of, datetime.min.time(), request.regional.zone)


def _empty(request: TeamRequest, nav: str) -> HttpResponse:
    """Before any data: what will be here, and how it comes here."""
    items = navigation.items(request)
    data = next((reverse(i.url) for i in items if i.key == "data"), "")
    return render(request, "customers/empty.html", {"nav": nav, "import_url": data})


@role_required(Role.VIEWER)
def my_day(request: TeamRequest) -> HttpResponse:
    book = queries.book(request.workspace)
    if book is None or not book.customers:
        return _empty(request, "home")
    default = MINE if book.owns(request.user.email) else TEAM
    mine = request.GET.get("who", default) == MINE
    context = _day(request, book, mine=mine)
    return render(request, "customers/home.html", {"nav": "home", **context})


def _day(request: TeamRequest, book: Book, *, mine: bool) -> dict[str, Any]:
    workspace, email = request.workspace, request.user.email
    owner = email if mine else ""
    reader = book.reader(email)
    most = today.MOST if "all" in request.GET else today.SHOWN
    needed = today.needed(workspace, reader, owner, most)
    summary = home.summary(workspace, book.as_of, owner)
    own = [s.accounts for s in book.paying if s.owner.lower() == email.lower()]
    return {
        "now": now_of(request, book.as_of),
        "data_to": queries.data_to(workspace, book.as_of),
        "mine": mine,
        "counts": {"mine": sum(own), "team": book.customers},
        "headline": board.headline(needed, summary, request.regional, mine=mine),
        "rows": board.rows(needed, request.regional),
        "needed": needed,
        "summary": summary,
        "tiles": board.tiles(summary),
        "changes": board.changed(
            today.changes(workspace, reader, owner), request.regional
        ),
        "renewals": board.renewals(summary, request.regional),
        "urls": _urls(listing.ME if mine else ""),
        "panels": hooks.home_panels(request, owner),
    }


def _urls(owner: str) -> dict[str, str]:
    """Where the tiles lead: the list, narrowed to what they count."""
    asked = listing.Filter(owner=owner)
    return {
        "all": asked.url(),
        "renewing": asked.url(renewal="90", sort="renewal"),
        "risky": asked.url(health=("red", "orange")),
    }


@role_required(Role.VIEWER)
def ranking(request: TeamRequest) -> HttpResponse:
    """How accounts come onto the list of Home, as a drawer or a page."""
    template = "customers/ranking.html"
    context = {"nav": "home", "rules": reasons}
    return render(request, f"{template}#part" if request.htmx else template, context)


@role_required(Role.VIEWER)
def accounts(request: TeamRequest) -> HttpResponse:
    book = queries.book(request.workspace)
    if book is None or not book.slices:
        return _empty(request, "accounts")
    asked = listing.parse(request.GET)
    reader = book.reader(request.user.email)
    names = owner_names(request.workspace)
    number = _page_number(request)
    page = queries.page(request.workspace, asked, reader, number)
    now = now_of(request, book.as_of)
    shown = columns.shown(request.workspace, asked)
    extra = columns.cells(request.workspace, shown, page.accounts, request.regional)
    context = {
        "nav": "accounts",
        "shown": shown,
        "own_fields": shown.own.values(),
        "asked": asked,
        "may_edit": request.membership.covers(Role.MEMBER),
        "page": page,
        "rows": cells.rows(page.accounts, names, request.regional, now, extra),
    }
    if request.htmx and number > 1:
        return render(request, "customers/accounts.html#rows", context)
    totals = queries.totals(request.workspace, asked, reader, page)
    context |= {"totals": totals, **_around(request, book, asked, names)}
    part = "#results" if request.htmx else ""
    return render(request, f"customers/accounts.html{part}", context)


def _around(
    request: TeamRequest, book: Book, asked: listing.Filter, names: dict[str, str]
) -> dict[str, Any]:
    """Tabs, chips and heads of the list; more rows on scroll need none of it."""
    return {
        "now": now_of(request, book.as_of),
        "data_to": queries.data_to(request.workspace, book.as_of),
        "tabs": [
            *chips.tabs(book, asked, request.user.email),
            *_saved(request, asked),
        ],
        "usual_url": asked.url(columns=()),
        "chips": chips.chips(book, asked, names, _segment_names(request)),
        "heads": chips.heads(asked),
        "sorted_text": chips.sorted_text(asked),
        "bulk_actions": hooks.bulk_actions(),
        "clear_url": listing.Filter().url(),
        "priority_url": asked.url(sort=""),
        "is_narrowed": asked.is_narrowed,
    }


def _saved(request: TeamRequest, asked: listing.Filter) -> list[dict[str, Any]]:
    """Tabs of saved views."""
    return [
        {"label": v.name, "url": saved_views.url_of(v), "on": asked.view == str(v.pk)}
        for v in saved_views.views_of(request)
    ]


def _segment_names(request: TeamRequest) -> dict[str, str]:
    live = request.workspace.segments.filter(archived_at=None).order_by("name")
    return dict(live.values_list("key", "name"))


def _page_number(request: TeamRequest) -> int:
    text = request.GET.get("page", "1")
    return min(max(int(text), 1), 10_000) if text.isdecimal() else 1


@role_required(Role.VIEWER)
def accounts_file(request: TeamRequest) -> HttpResponse | StreamingHttpResponse:
    """The rows of the list as it is filtered and sorted, all of them."""
    book = queries.book(request.workspace)
    asked = listing.parse(request.GET)
    rows = (
        queries.every(request.workspace, asked, book.reader(request.user.email))
        if book
        else ()
    )
    day = book.as_of if book else date.min
    if request.GET.get("format") == "xlsx":
        head, table = files.table(rows, request.regional.zone)
        return download({"format": "xlsx"}, f"accounts-{day}", head, table)
    response = StreamingHttpResponse(files.lines(rows), content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="accounts-{day}.csv"'
    return response
