"""Documents to take along: the quarterly review of an account, a success plan."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _

from perennial.apps.customers import queries as customers
from perennial.apps.customers import wording
from perennial.apps.customers.account import Account
from perennial.apps.customers.hooks import Link
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.apps.work.documents import plan as plan_document
from perennial.apps.work.documents.review import Review, compose
from perennial.apps.work.plans import queries as plans
from perennial.ui import documents

_PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_FORMATS = {
    "pdf": (documents.pdf, "application/pdf"),
    "pptx": (documents.slides, _PPTX),
}


@role_required(Role.VIEWER)
def review(request: TeamRequest, account_id: str) -> HttpResponse:
    """The quarterly review, as `format` says, and for whom."""
    found = customers.get_account_or_404(request.workspace, account_id)
    for_customer = request.GET.get("for") == "customer"
    mask = not wording.reads_all(request.membership)
    asked = Review(request.workspace, found, request.regional, for_customer, mask)
    return _file(request, compose(asked), found.name)


@role_required(Role.VIEWER)
def plan(request: TeamRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(plans.plans(request.workspace), pk=pk)
    mask = not wording.reads_all(request.membership)
    [line] = plans.lines(request.workspace, [found], mask=mask)
    today = lake_of(request.workspace).today
    made = plan_document.compose(request.workspace, line, request.regional, today)
    return _file(request, made, found.title)


def links(request: TeamRequest, account: Account) -> list[Link]:
    """The reviews of an account, for the menu of its page."""
    url = reverse("work:review", args=[account.account_id])
    words = {
        "?format=pdf": _("Quarterly review, PDF"),
        "?format=pptx": _("Quarterly review, slides"),
        "?format=pdf&for=customer": _("For the customer, PDF"),
        "?format=pptx&for=customer": _("For the customer, slides"),
    }
    return [Link(word, f"{url}{query}") for query, word in words.items()]


def _file(
    request: TeamRequest, document: documents.Document, name: str
) -> HttpResponse:
    ending = request.GET.get("format", "pdf")
    if ending not in _FORMATS:
        raise Http404
    write, kind = _FORMATS[ending]
    response = HttpResponse(write(document), content_type=kind)
    called = slugify(name) or "document"
    response["Content-Disposition"] = f'attachment; filename="{called}.{ending}"'
    return response
