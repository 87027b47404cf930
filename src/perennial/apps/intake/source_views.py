"""Sources: the list, one of them, its keys, and how to make it send."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.intake import arriving, headlines, rejected, setup, sources, volume
from perennial.apps.intake.forms import SourceForm
from perennial.apps.intake.models import Source, WriteKey
from perennial.apps.intake.tabs import tabs
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue


@role_required(Role.VIEWER)
def sources_(request: TeamRequest) -> HttpResponse:
    """Every source; asked for by htmx, the table alone."""
    found = arriving.arrivals(request.workspace)
    context = {
        "tabs": tabs(request.workspace, "sources"),
        "arrivals": found,
        "archived": Source.objects.filter(
            workspace=request.workspace, archived_at__isnull=False
        ),
        "headline": headlines.sources(found),
        "may_change": request.role.covers(Role.ADMIN),
        "form": SourceForm(),
    }
    template = "intake/sources.html"
    return render(request, f"{template}#table" if request.htmx else template, context)


@role_required(Role.ADMIN)
def create(request: TeamRequest) -> HttpResponse:
    """A name; then the page that says how to send."""
    form = SourceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        if Source.objects.filter(
            workspace=request.workspace, name=name, archived_at=None
        ).exists():
            form.add_error("name", _("There is a source of that name."))
        else:
            key = sources.create_key(request.workspace, name, by=request.user)
            return redirect("intake:setup", key.source.slug)
    status = 422 if form.errors else 200
    return render(request, "intake/source_new.html", {"form": form}, status=status)


@role_required(Role.VIEWER)
def source(request: TeamRequest, slug: str) -> HttpResponse:
    found = _source(request, slug)
    return render(request, "intake/source.html", _context(request, found))


def _context(request: TeamRequest, found: Source) -> dict[str, object]:
    lake = lake_of(request.workspace)
    chart = volume.chart(
        lake, "source_id", found.slug, request.regional, days=30, height=160
    )
    one = arriving.arrival(found)
    return {
        "source": found,
        "arrival": one,
        "chart": chart,
        "groups": rejected.groups(request.workspace, found.slug),
        "keys": found.keys.order_by("revoked_at", "-created_at"),
        "headline": headlines.source(one),
        "may_change": request.role.covers(Role.ADMIN),
        "form": SourceForm(initial={"name": found.name}),
    }


@require_POST
@role_required(Role.ADMIN)
def rename(request: TeamRequest, slug: str) -> HttpResponse:
    found = _source(request, slug)
    form = SourceForm(request.POST)
    if form.is_valid():
        try:
            sources.rename(found, form.cleaned_data["name"], by=request.user)
            return redirect("intake:source", slug)
        except BadValue as error:
            form.add_error("name", str(error))
            found.refresh_from_db()
    context = {**_context(request, found), "form": form}
    return render(request, "intake/source.html", context, status=422)


@require_POST
@role_required(Role.ADMIN)
def new_key(request: TeamRequest, slug: str) -> HttpResponse:
    found = _source(request, slug)
    sources.create_key(request.workspace, found.name, by=request.user)
    messages.success(request, _("There is a new key. The others go on working."))
    return redirect("intake:source", slug)


@require_POST
@role_required(Role.ADMIN)
def revoke(request: TeamRequest, slug: str, key: int) -> HttpResponse:
    found = _source(request, slug).keys.filter(pk=key).first()
    if found is None:
        raise Http404
    sources.revoke(found, by=request.user)
    messages.success(request, _("The key is revoked. What it sent stays."))
    return redirect("intake:source", slug)


@require_POST
@role_required(Role.ADMIN)
def archive(request: TeamRequest, slug: str) -> HttpResponse:
    found = _source(request, slug)
    sources.archive(found, by=request.user)
    said = _("%(name)s is archived. Its events stay.") % {"name": found.name}
    messages.success(request, said)
    return redirect("intake:sources")


@role_required(Role.VIEWER)
def setup_(request: TeamRequest, slug: str) -> HttpResponse:
    """The lines to copy; asked for by htmx, the line that waits for an event."""
    found = _source(request, slug)
    context: dict[str, object] = {"source": found, "status": setup.status(found)}
    if request.htmx:
        return render(request, "intake/setup_status.html", context)
    key = _shown_key(request, found)
    guides = setup.guides(setup.host_of(request), key or setup.NO_KEY)
    asked = request.GET.get("for", "")
    context |= {
        "guides": guides.values(),
        "guide": guides.get(asked) or next(iter(guides.values())),
        "has_key": bool(key),
        "may_change": request.role.covers(Role.ADMIN),
    }
    return render(request, "intake/setup.html", context)


def _shown_key(request: TeamRequest, found: Source) -> str:
    """The newest key that works, for those who may see it."""
    if not request.role.covers(Role.ADMIN):
        return ""
    usable: WriteKey | None = found.keys.filter(revoked_at=None).last()
    return usable.key if usable else ""


def _source(request: TeamRequest, slug: str) -> Source:
    found = Source.objects.filter(workspace=request.workspace, slug=slug).first()
    if found is None:
        raise Http404
    return found
