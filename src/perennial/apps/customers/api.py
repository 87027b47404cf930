"""Accounts and their merges, notes and contacts over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from ninja import Router, Schema, Status
from pydantic import Field

from perennial.api import paging
from perennial.api.problems import ERRORS
from perennial.apps.customers import (
    attributes,
    contact_actions,
    edit_actions,
    merging,
    note_actions,
    queries,
    wording,
)
from perennial.apps.customers.account import Account
from perennial.apps.customers.models import Contact, Merge, Note
from perennial.apps.customers.note_actions import Said
from perennial.apps.team import tokens
from perennial.apps.team.access import TokenRequest
from perennial.apps.team.lake import lake_of
from perennial.core.errors import BadValue

router = Router(auth=tokens.READ, tags=["customers"])


class AccountOut(Schema):
    """An account as of the last refresh; money is in the workspace's currency."""

    account_id: str
    name: str
    as_of: date
    state: str = Field(description="paying, trial, free, lead, paused, churned, …")
    segment: str | None
    plan: str | None
    country: str | None
    industry: str | None
    owner: str | None
    stage: str | None
    customer_since: date | None
    mrr: float
    renewal_on: date | None
    seats: int | None
    active_users: int | None
    health_score: float | None
    health_color: str | None
    last_seen_at: datetime | None
    last_touch_at: datetime | None
    open_tickets: int


class AttributesIn(Schema):
    """Attributes to decide, by name; null empties one. They hold against imports."""

    attributes: dict[str, str | float | bool | list[str] | None] = Field(max_length=20)


class MergeOut(Schema):
    """An account that counts as another one, until that is undone."""

    id: int
    account_id: str
    into: str
    name: str
    author: str
    at: datetime
    undone_at: datetime | None


class NewMerge(Schema):
    account_id: str = Field(max_length=254, description="The one that goes.")
    into: str = Field(max_length=254, description="The one that stays.")
    take: list[str] = Field(
        default=[],
        max_length=50,
        description="Attributes of the one that goes, where both say something.",
    )


class NoteOut(Schema):
    """A note, or a contact that was logged."""

    id: int
    account_id: str
    kind: str
    body: str
    at: datetime
    minutes: int | None
    author: str
    is_pinned: bool
    written_at: datetime
    changed_at: datetime | None


class NoteIn(Schema):
    kind: str = Field("note", description="note, call, meeting, e-mail")
    body: str = Field(min_length=1, max_length=note_actions.LONGEST)
    at: datetime | None = Field(None, description="With its offset; empty: now.")
    minutes: int | None = None
    is_pinned: bool = False


class NewNote(NoteIn):
    account_id: str = Field(max_length=254)


class ContactOut(Schema):
    """Somebody at a customer who matters; `user_id` of those who use the product."""

    id: int
    account_id: str
    user_id: str | None
    name: str
    email: str
    role: str


class NewContact(Schema):
    account_id: str = Field(max_length=254)
    name: str = Field(min_length=1, max_length=120)
    email: str = Field("", max_length=254)
    role: str = Field("", description="champion, decision_maker, …; empty: none known")


# --- accounts ----------------------------------------------------------------


@router.get("/accounts", response={200: paging.Page[AccountOut], **ERRORS})
def list_accounts(
    request: TokenRequest,
    state: str = "",
    owner: str = "",
    limit: paging.Limit = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[AccountOut]:
    """Accounts by id."""
    lake = lake_of(request.auth.workspace)
    found = lake.table("account_measures")
    if state:
        found = found.filter(found.state == state)
    if owner:
        found = found.filter(found.owner_email.lower() == owner.lower())
    rows, following = paging.of_table(lake, found, "account_id", limit, cursor)
    items = [_account(account) for account in queries.accounts_of(lake, rows)]
    return paging.Page(items=items, next_cursor=following)


@router.get("/accounts/{path:account_id}", response={200: AccountOut, **ERRORS})
def get_account(request: TokenRequest, account_id: str) -> AccountOut:
    """One account."""
    return _account(queries.get_account_or_404(request.auth.workspace, account_id))


@router.patch(
    "/accounts/{path:account_id}",
    auth=tokens.WRITE,
    response={200: AccountOut, **ERRORS},
)
def edit_account(
    request: TokenRequest, account_id: str, given: AttributesIn
) -> AccountOut:
    """Decide attributes of an account: owner_email, lifecycle_stage, tags, own ones."""
    by, workspace = tokens.acting(request.auth), request.auth.workspace
    queries.get_account_or_404(workspace, account_id)
    read = {}
    for name, value in given.attributes.items():
        texts = value if isinstance(value, list) else [_typed(value)]
        read[name] = attributes.read(attributes.definition(workspace, name), texts)
    for name, decided in read.items():
        edit_actions.edit_accounts(by, name, {account_id: decided})
    return _account(queries.get_account_or_404(workspace, account_id))


def _typed(value: str | float | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


# --- merges ------------------------------------------------------------------


@router.get("/merges", response={200: paging.Page[MergeOut], **ERRORS})
def list_merges(
    request: TokenRequest, limit: paging.Limit = paging.USUAL, cursor: str | None = None
) -> paging.Page[MergeOut]:
    """Merges of accounts by id, also those that were undone."""
    found = request.auth.workspace.account_merges.all()
    return paging.by_id(found, _merge, limit, cursor)


@router.post("/merges", auth=tokens.WRITE, response={200: MergeOut, **ERRORS})
def merge_accounts(request: TokenRequest, given: NewMerge) -> dict[str, Any]:
    """Let an account count as another one; for admins. With an Idempotency-Key once."""
    by = tokens.acting(request.auth)

    def make() -> dict[str, Any]:
        made = merging.merge(by, given.account_id, given.into, taken=given.take)
        return _merge(made).model_dump(mode="json")

    return tokens.once(request, request.auth, make)


@router.delete("/merges/{pk}", auth=tokens.WRITE, response={204: None, **ERRORS})
def undo_merge(request: TokenRequest, pk: int) -> Status[None]:
    """Take a merge back; again it changes nothing."""
    made = paging.get_or_404(request.auth.workspace.account_merges.all(), pk)
    merging.undo(made, tokens.acting(request.auth))
    return Status(204, None)


def _merge(made: Merge) -> MergeOut:
    return MergeOut(
        id=made.pk,
        account_id=made.account_id,
        into=made.into_id,
        name=made.name,
        author=made.author,
        at=made.at,
        undone_at=made.undone_at,
    )


# --- notes -------------------------------------------------------------------


@router.get("/notes", response={200: paging.Page[NoteOut], **ERRORS})
def list_notes(
    request: TokenRequest,
    account_id: str = "",
    kind: str = "",
    limit: paging.Limit = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[NoteOut]:
    """Notes and logged contacts by id."""
    found = Note.objects.filter(workspace=request.auth.workspace, deleted_at=None)
    if account_id:
        found = found.filter(account_id=account_id)
    if kind:
        found = found.filter(kind=kind)
    page = paging.by_id(found, _note, limit, cursor)
    if not wording.reads_all(request.auth):
        wording.hide(request.auth.workspace, page.items, "body")
    return page


@router.post("/notes", auth=tokens.WRITE, response={200: NoteOut, **ERRORS})
def add_note(request: TokenRequest, given: NewNote) -> dict[str, Any]:
    """A new note. With an Idempotency-Key it is written once."""
    by = tokens.acting(request.auth)
    _known(request, given.account_id)
    said = _said(request, given)

    def make() -> dict[str, Any]:
        made = note_actions.write_note(by, given.account_id, said, key=uuid4())
        return _note(made).model_dump(mode="json")

    return tokens.once(request, request.auth, make)


@router.put("/notes/{pk}", auth=tokens.WRITE, response={200: NoteOut, **ERRORS})
def change_note(request: TokenRequest, pk: int, given: NoteIn) -> NoteOut:
    """Change what a note says; what it said before is kept."""
    note = _note_or_404(request, pk)
    note_actions.change_note(note, tokens.acting(request.auth), _said(request, given))
    return _note(note)


@router.delete("/notes/{pk}", auth=tokens.WRITE, response={204: None, **ERRORS})
def delete_note(request: TokenRequest, pk: int) -> Status[None]:
    """Take a note and its files away."""
    note_actions.delete_note(_note_or_404(request, pk), tokens.acting(request.auth))
    return Status(204, None)


def _said(request: TokenRequest, given: NoteIn) -> Said:
    at = given.at or lake_of(request.auth.workspace).now
    if at.tzinfo is None:
        raise BadValue("at must say its offset, as in 2026-06-01T09:30:00+02:00")
    kind, body, minutes = given.kind, given.body, given.minutes
    return Said(kind, body, at.astimezone(UTC), minutes, given.is_pinned)


def _note_or_404(request: TokenRequest, pk: int) -> Note:
    every = Note.objects.filter(workspace=request.auth.workspace, deleted_at=None)
    return paging.get_or_404(every, pk)


# --- contacts ----------------------------------------------------------------


@router.get("/contacts", response={200: paging.Page[ContactOut], **ERRORS})
def list_contacts(
    request: TokenRequest,
    account_id: str = "",
    role: str = "",
    limit: paging.Limit = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[ContactOut]:
    """Contacts by id: people with a part to play, users or not."""
    found = Contact.objects.filter(workspace=request.auth.workspace)
    if account_id:
        found = found.filter(account_id=account_id)
    if role:
        found = found.filter(role=role)
    return paging.by_id(found, _contact, limit, cursor)


@router.post("/contacts", auth=tokens.WRITE, response={200: ContactOut, **ERRORS})
def add_contact(request: TokenRequest, given: NewContact) -> dict[str, Any]:
    """Somebody who does not use the product. With an Idempotency-Key once."""
    by = tokens.acting(request.auth)
    _known(request, given.account_id)

    def make() -> dict[str, Any]:
        made = contact_actions.add_contact(by, **given.dict())
        return _contact(made).model_dump(mode="json")

    return tokens.once(request, request.auth, make)


@router.delete("/contacts/{pk}", auth=tokens.WRITE, response={204: None, **ERRORS})
def remove_contact(request: TokenRequest, pk: int) -> Status[None]:
    every = Contact.objects.filter(workspace=request.auth.workspace)
    contact = paging.get_or_404(every, pk)
    contact_actions.remove_contact(contact, tokens.acting(request.auth))
    return Status(204, None)


# --- as they are told --------------------------------------------------------


def _known(request: TokenRequest, account_id: str) -> None:
    if not queries.some(request.auth.workspace, (account_id,)):
        raise BadValue(f"there is no account {account_id!r}")


def _account(a: Account) -> AccountOut:
    same = {name: getattr(a, name) for name in _SAME}
    return AccountOut(
        **same,
        owner=a.owner_email,
        stage=a.lifecycle_stage,
        mrr=float(a.mrr),
        health_score=a.score,
        health_color=a.color or None,
    )


_SAME = (
    *("account_id", "name", "as_of", "state", "segment", "plan", "country", "industry"),
    *("customer_since", "renewal_on", "seats", "active_users", "last_seen_at"),
    *("last_touch_at", "open_tickets"),
)


def _note(note: Note) -> NoteOut:
    return NoteOut(
        id=note.pk,
        account_id=note.account_id,
        kind=note.kind,
        body=note.body,
        at=note.at,
        minutes=note.minutes,
        author=note.author,
        is_pinned=note.is_pinned,
        written_at=note.written_at,
        changed_at=note.changed_at,
    )


def _contact(contact: Contact) -> ContactOut:
    return ContactOut(
        id=contact.pk,
        account_id=contact.account_id,
        user_id=contact.user_id or None,
        name=contact.name,
        email=contact.email,
        role=contact.role,
    )
