"""Further entries of a timeline: e-mails, leads, onboarding, contracts, first uses,
notes, and what people decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from perennial.apps.customers import attributes, markdown, note_queries, wording
from perennial.apps.customers.account import Account
from perennial.apps.customers.kept import kept
from perennial.apps.customers.models import Note
from perennial.apps.customers.scope import rows_of
from perennial.apps.customers.timeline import Entry
from perennial.apps.customers.words import name_of
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake.tables import TABLES
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.masking import masked
from perennial.ui import formats
from perennial.ui.formats import Regional

Row = Mapping[str, Any]
#: E-mails shown of one account, the newest.
MOST_EMAILS = 500


@dataclass(frozen=True)
class _Look:
    icon: str


_LOOKS = {
    Note.Kind.NOTE: _Look(icon="note"),
    Note.Kind.CALL: _Look(icon="phone"),
    Note.Kind.MEETING: _Look(icon="calendar-event"),
    Note.Kind.EMAIL: _Look(icon="mail"),
}


@dataclass(frozen=True)
class About:
    """Whose timeline, for whom; `names` of one's own people by address, `users` of the
    account's by id. `mask`: without personal data in what customers wrote."""

    workspace: Workspace
    account: Account
    regional: Regional
    names: Mapping[str, str]
    users: Mapping[str, str]
    mask: bool = True

    @property
    def lake(self) -> Lake:
        return lake_of(self.workspace)


def entries(about: About) -> Iterator[Entry]:
    """All of them, in no order."""
    yield from _emails(about)
    yield from _leads(about)
    yield from _steps(about)
    yield from _terms(about)
    yield from _firsts(about)
    yield from _gone(about)
    yield from notes(about)
    yield from _decisions(about)


# --- facts -------------------------------------------------------------------


@kept("emails", "leads", "lead_stages", "onboarding_steps", "contracts")
def _rows(lake: Lake, name: str, account_id: str) -> Sequence[Row]:
    columns = [column for column in TABLES[name].names if column != "properties"]
    return lake.engine.rows(name, account_id, columns).to_dicts()


def _emails(about: About) -> Iterator[Entry]:
    rows = _rows(about.lake, "emails", about.account.account_id)
    people = [row for row in rows if not row["is_automatic"]]
    shown = masked if about.mask else str
    for row in sorted(people, key=lambda r: r["sent_at"])[-MOST_EMAILS:]:
        if row["direction"] == "outbound":
            who = name_of(row["from_address"], about.names)
            said = _("E-mail from {who} to {to}")
        else:
            who, said = shown(row["from_address"]), _("E-mail from <b>{who}</b>")
        to = shown(row["to_addresses"] or formats.EMPTY)
        text = format_html(said, who=who, to=to)
        yield Entry(row["sent_at"], icon="mail", text=text, kind="contact")


def _leads(about: About) -> Iterator[Entry]:
    leads = _rows(about.lake, "leads", about.account.account_id)
    for lead in leads:
        if lead["created_at"]:
            detail = lead["source"] or ""
            said = _("First heard of them")
            yield Entry(
                lead["created_at"],
                icon="seedling",
                text=said,
                detail=detail,
                kind="lead",
            )
    for row in _stages(about.lake, tuple(sorted(lead["lead_id"] for lead in leads))):
        text = format_html(_("Sales stage <b>{stage}</b>"), stage=row["stage"])
        yield Entry(row["entered_at"], icon="seedling", text=text, kind="lead")


@kept("lead_stages")
def _stages(lake: Lake, ids: tuple[str, ...]) -> Sequence[Row]:
    table = lake.table("lead_stages")
    rows = table.filter(table.lead_id.isin(list(ids))).drop("properties")
    return lake.engine.run(rows).to_dicts() if ids else []


def _steps(about: About) -> Iterator[Entry]:
    for row in _rows(about.lake, "onboarding_steps", about.account.account_id):
        text = format_html(_("Onboarding: <b>{step}</b> done"), step=row["step"])
        who = about.users.get(row["user_id"] or "", "")
        at = row["completed_at"]
        yield Entry(at, icon="checklist", text=text, detail=who, kind="onboarding")


def _terms(about: About) -> Iterator[Entry]:
    words = {
        "renewed": _("The contract was renewed"),
        "cancelled": _("The contract was cancelled"),
    }
    for row in _rows(about.lake, "contracts", about.account.account_id):
        amount = formats.money(row["acv"], about.regional, row["currency"] or None)
        detail = _("%(money)s a year") % {"money": amount} if row["acv"] else ""
        said = _("A contract term began")
        yield Entry(
            row["term_start"],
            icon="file-text",
            text=said,
            detail=detail,
            kind="billing",
        )
        if row["outcome"] in words and row["outcome_at"]:
            yield Entry(row["outcome_at"], icon="file-text", text=words[row["outcome"]],
                        said=row["churn_reason"] or "", kind="billing")  # fmt: skip


# --- use ---------------------------------------------------------------------


def _firsts(about: About) -> Iterator[Entry]:
    """The first day in the product, and the first use of each feature."""
    for name, day in _first_uses(about.lake, about.account.account_id):
        if name:
            text = format_html(_("First use of <b>{feature}</b>"), feature=name)
            yield Entry(day, icon="sparkles", text=text, kind="usage")
        else:
            yield Entry(
                day, icon="login", text=_("First day in the product"), kind="usage"
            )


@kept("feature_days", "user_days", "features", "users", "assignments")
def _first_uses(lake: Lake, account_id: str) -> list[tuple[str, Any]]:
    day = pl.col("date").min()
    [[first]] = (
        rows_of(lake, "user_days", account_id, ("user_id", "date")).select(day).rows()
    )
    wanted = ("user_id", "feature_id", "date", "uses")
    uses = rows_of(lake, "feature_days", account_id, wanted).filter(pl.col("uses") > 0)
    names = dict(
        lake.engine.run(lake.table("features").select("feature_id", "name")).rows()
    )
    found = uses.group_by("feature_id").agg(day).rows()
    begun = [("", first)] if first else []
    return [*begun, *((names.get(key) or key, day) for key, day in found if key)]


def _gone(about: About) -> Iterator[Entry]:
    for name, role, at in _deactivated(about.lake, about.account.account_id):
        text = format_html(_("<b>{name}</b> was deactivated"), name=name)
        yield Entry(at, icon="user-off", text=text, detail=role, kind="usage")


@kept("users", "assignments")
def _deactivated(lake: Lake, account_id: str) -> list[tuple[str, str, datetime]]:
    seats = rows_of(lake, "assignments", account_id, ("user_id",))
    users = lake.table("users")
    gone = users.filter(
        users.deactivated_at.notnull()
        & users.user_id.isin(seats["user_id"].unique().to_list())
    )
    rows = lake.engine.run(gone.select("user_id", "name", "role", "deactivated_at"))
    return [(name or key, role or "", at) for key, name, role, at in rows.rows()]


# --- what people wrote and decided -------------------------------------------


def notes(about: About) -> Iterator[Entry]:
    account_id = about.account.account_id
    found = list(note_queries.notes_of(about.workspace, account_id))
    if about.mask:
        wording.hide(about.workspace, found, "body")
    for note in found:
        parts = [str(note.get_kind_display()), name_of(note.author, about.names)]
        if note.minutes:
            minutes = formats.number(note.minutes, about.regional)
            parts.insert(1, _("%(n)s min") % {"n": minutes})
        yield Entry(
            note.at,
            icon=_LOOKS[Note.Kind(note.kind)].icon,
            text=", ".join(parts),
            kind="contact" if note.is_contact else "note",
            html=markdown.render(note.body),
            url=reverse("customers:note", args=[account_id, note.pk]),
        )


def _decisions(about: About) -> Iterator[Entry]:
    workspace, account_id = about.workspace, about.account.account_id
    titles = {each.key: each for each in attributes.titles(workspace)}
    every = workspace.account_decisions.filter(account_id=account_id)
    rows = list(every.select_related("edit"))
    yield from _imported(about, titles, {row.name for row in rows})
    for row in rows:
        of = titles.get(row.name)
        if of is None:
            continue
        before, now = (
            attributes.shown(of, value, about.names)
            for value in (row.before, row.value)
        )
        text = format_html("{} <b>{} → {}</b>", of.title, before, now)
        who = name_of(row.edit.author, about.names) or _("by a rule")
        url = reverse("customers:edited", args=[row.edit_id])
        yield Entry(row.edit.at, icon="pencil", text=text, detail=who, kind="account",
                    url=url)  # fmt: skip


def _imported(
    about: About, titles: Mapping[str, attributes.Definition], decided: set[str]
) -> Iterator[Entry]:
    """What sources changed of an account; where people decide, that tells it."""
    for name, value, day in _former(about.lake, about.account.account_id):
        if name in titles and name not in decided:
            was = attributes.shown(titles[name], value, about.names)
            text = format_html(
                _("{title} changed; it was <b>{was}</b>"),
                title=titles[name].title,
                was=was,
            )
            yield Entry(day, icon="pencil", text=text, kind="account")


@kept("former_attributes")
def _former(lake: Lake, account_id: str) -> Sequence[tuple[str, str | None, date]]:
    wanted = ("name", "value", "date_to")
    return lake.engine.rows("former_attributes", account_id, wanted).rows()
