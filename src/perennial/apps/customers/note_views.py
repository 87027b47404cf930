"""Logging a call, a meeting, an e-mail, a note; and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from perennial.apps.customers import account_page, note_queries, queries
from perennial.apps.customers import note_actions as actions
from perennial.apps.customers.account import Account
from perennial.apps.customers.models import Attachment, Note
from perennial.apps.customers.note_actions import Said
from perennial.apps.customers.words import owner_names
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError


class NoteForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Note.Kind.choices)
    at = forms.DateTimeField(
        label=gettext_lazy("When"),
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
    )
    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes"), required=False, min_value=0, max_value=1440
    )
    body = forms.CharField(
        label=gettext_lazy("What was said"),
        max_length=actions.LONGEST,
        widget=forms.Textarea(attrs={"rows": 7, "autofocus": True}),
        help_text=gettext_lazy("Markdown; @name speaks to a teammate."),
    )
    is_pinned = forms.BooleanField(
        label=gettext_lazy("Pin above the timeline"), required=False
    )

    def said(self) -> Said:
        return Said(**self.cleaned_data)


@role_required(Role.MEMBER)
def log(request: TeamRequest, account_id: str) -> HttpResponse:
    """The form, as a drawer or a page; sent, it writes the note down."""
    found = queries.get_account_or_404(request.workspace, account_id)
    if request.method != "POST":
        kind = request.GET.get("kind", Note.Kind.CALL)
        form = NoteForm(initial={"kind": kind, "at": _now(request)})
        return _form(request, found, form, uuid4())
    with timezone.override(request.regional.zone):
        form = NoteForm(request.POST)
        is_valid = form.is_valid()
    key = _key(request)
    if is_valid:
        try:
            note = actions.write_note(
                request.membership,
                account_id,
                form.said(),
                key=key,
                files=request.FILES.getlist("files"),
            )
        except PerennialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("It is written down."))
            return redirect(_place(note))
    return _form(request, found, form, key, status=422)


@role_required(Role.VIEWER)
def note(request: TeamRequest, account_id: str, pk: int) -> HttpResponse:
    """One note whole, with what it said before."""
    found = queries.get_account_or_404(request.workspace, account_id)
    kept = note_queries.get_note_or_404(request.workspace, account_id, pk)
    names = owner_names(request.workspace)
    context = {
        "nav": "accounts",
        "now": account_page.now(request, found),
        "account": found,
        "shown": note_queries.shown(kept, names, request.membership),
        "versions": note_queries.versions(kept, request.membership),
        "may_pin": request.membership.covers(Role.MEMBER),
    }
    return render(request, "customers/note.html", context)


@role_required(Role.MEMBER)
def change(request: TeamRequest, account_id: str, pk: int) -> HttpResponse:
    found = queries.get_account_or_404(request.workspace, account_id)
    kept = note_queries.get_note_or_404(request.workspace, account_id, pk)
    if request.method != "POST":
        at = kept.at.astimezone(request.regional.zone).replace(tzinfo=None)
        fields = ("kind", "minutes", "body", "is_pinned")
        held = {name: getattr(kept, name) for name in fields}
        return _form(
            request, found, NoteForm(initial={**held, "at": at}), kept.key, kept
        )
    with timezone.override(request.regional.zone):
        form = NoteForm(request.POST)
        is_valid = form.is_valid()
    if is_valid:
        try:
            actions.change_note(kept, request.membership, form.said())
        except PerennialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The note is changed."))
            return redirect("customers:note", account_id, pk)
    return _form(request, found, form, kept.key, kept, status=422)


@require_POST
@role_required(Role.MEMBER)
def keep(request: TeamRequest, account_id: str, pk: int) -> HttpResponse:
    """Pin a note, unpin it, or delete it."""
    kept = note_queries.get_note_or_404(request.workspace, account_id, pk)
    do = request.POST.get("do", "")
    try:
        if do == "delete":
            actions.delete_note(kept, request.membership)
            messages.success(request, _("The note is deleted."))
            return redirect("customers:account", account_id)
        actions.pin_note(kept, request.membership, is_pinned=do == "pin")
    except NotAllowed as error:
        messages.error(request, str(error))
    return redirect("customers:note", account_id, pk)


@role_required(Role.VIEWER)
def attachment(request: TeamRequest, account_id: str, key: UUID) -> FileResponse:
    """A file of a note, to be saved: nothing of it runs here."""
    file = get_object_or_404(
        Attachment,
        key=key,
        note__workspace=request.workspace,
        note__account_id=account_id,
        note__deleted_at=None,
    )
    place = actions.path_of(request.workspace, key)
    if not place.is_file():
        raise Http404
    response = FileResponse(
        place.open("rb"),
        as_attachment=True,
        filename=file.name,
        content_type="application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _form(
    request: TeamRequest,
    found: Account,
    form: NoteForm,
    key: UUID,
    kept: Note | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "nav": "accounts",
        "account": found,
        "form": form,
        "key": key,
        "note": kept,
    }
    template = "customers/log.html"
    part = "#part" if request.htmx else ""
    return render(request, f"{template}{part}", context, status=status)


def _place(note: Note) -> str:
    return reverse("customers:account", args=[note.account_id]) + "#timeline"


def _now(request: TeamRequest) -> datetime:
    return timezone.now().astimezone(request.regional.zone).replace(tzinfo=None)


def _key(request: TeamRequest) -> UUID:
    try:
        return UUID(request.POST.get("key", ""))
    except ValueError:
        return uuid4()
