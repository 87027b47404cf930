"""A person or an account, erased from everything a workspace has, and the proof.

What of the database is theirs is told by the names of columns, in any application:
one that comes later is covered by them, too.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from django.apps import apps
from django.core.cache import cache
from django.db import models, transaction
from django.db.models import Q, QuerySet

from perennial.apps.customers.models import Attachment, Contact, Note
from perennial.apps.customers.note_actions import path_of
from perennial.apps.intake.stream import loader
from perennial.apps.team.actions import record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.config.freeing import free
from perennial.lake import erasing, measures
from perennial.lake.erasing import ERASED, Subject
from perennial.lake.refresh import Refreshed, roll_up
from perennial.lake.store import Lake
from perennial.lake.tables import TABLES

_USER: Final = ("user_id", "person")
_ACCOUNT: Final = ("account_id", "into_id")
_ADDRESS: Final = ("email", "to")
#: Tables of the team itself, which are not about customers.
_OURS: Final = frozenset(
    {"team.User", "team.Membership", "team.Workspace", "team.ApiToken"}
)
#: Foreign keys between a row and its workspace, at most.
_FARTHEST: Final = 4
_TEXTS: Final = (models.CharField, models.TextField, models.JSONField)

Row = dict[str, Any]
Report = Callable[[float, str], None]


def subject_of(workspace: Workspace, *, user: str = "", account: str = "") -> Subject:
    """Who is meant by an id, with the addresses the team knows of them."""
    loader.drain(workspace)  # what waits would come after
    lake = lake_of(workspace).lake
    found = erasing.person(lake, user) if user else erasing.account(lake, account)
    contacts = Contact.objects.filter(_theirs(found, Contact), workspace=workspace)
    return found.with_addresses(contacts.values_list("email", flat=True))


def rows(workspace: Workspace, subject: Subject) -> list[Row]:
    """Where there is anything of them, and how many rows."""
    found = _in_database(workspace, subject)
    for name, n in erasing.rows(lake_of(workspace).lake, subject).items():
        found[f"lake.{name}"] = n
    return [{"place": place, "rows": n} for place, n in found.items() if n]


def erase(workspace: Workspace, subject: Subject, report: Report) -> list[Row]:
    """Take them out everywhere, then look in every table and file: rows erased or
    redacted by place, and those that are `left`."""
    lake = lake_of(workspace).lake
    gone = Counter(_from_database(workspace, subject))
    deleted = erasing.erase(lake, subject, lambda s, what: report(s / 2, what))
    gone.update({f"lake.{name}": n for name, n in deleted.items()})
    report(0.5, "roll-ups")
    roll_up(lake_of(workspace), Refreshed())
    measures.add_new(lake_of(workspace))
    _forget(lake, lambda s, what: report(0.6 + s * 0.3, what))
    still = free(subject.addresses)
    record(workspace, None, "customer.erased", ERASED, rows=sum(gone.values()))
    report(0.9, "proof")
    still.update(_in_database(workspace, subject))
    still.update({f"lake.{n}": rows for n, rows in erasing.left(lake, subject).items()})
    return [
        {"place": place, "erased": gone[place], "left": still[place]}
        for place in sorted({*gone, *+still})
    ]


def _forget(lake: Lake, report: Report) -> None:
    """Older versions and kept answers have them still."""
    for done, name in enumerate(TABLES):
        report(done / len(TABLES), name)
        lake.forget(name)
    cache.clear()


# The database


@transaction.atomic
def _from_database(workspace: Workspace, subject: Subject) -> Counter[str]:
    gone = Counter[str]()
    for rows in _tables(workspace):
        if theirs := _theirs(subject, rows.model):
            _delete_files(rows.filter(theirs))
            gone.update(rows.filter(theirs).delete()[1])
    for rows in _tables(workspace):
        for row in _mentioning(rows, subject):
            for field in _texts(rows.model):
                setattr(row, field.name, _redacted(row, field, subject))
            row.save(update_fields=[field.name for field in _texts(rows.model)])
            gone[rows.model._meta.label] += 1
    return gone


def _in_database(workspace: Workspace, subject: Subject) -> dict[str, int]:
    found = {}
    for rows in _tables(workspace):
        theirs = _theirs(subject, rows.model)
        own = set(rows.filter(theirs).values_list("pk", flat=True)) if theirs else set()
        told = {row.pk for row in _mentioning(rows, subject)}
        found[rows.model._meta.label] = len(own | told)
    return found


def _tables(workspace: Workspace) -> Iterator[QuerySet[Any]]:
    """The rows of a workspace, a table at a time; also those of no workspace."""
    for model in apps.get_models():
        label = model._meta.label
        if model._meta.app_label == "django_tasks_database":
            yield model._default_manager.all()
        elif label not in _OURS and (path := _way_to_workspace(model)):
            yield model._default_manager.filter(**{path: workspace})


def _way_to_workspace(model: type[models.Model]) -> str:
    """The shortest way over foreign keys, as a filter goes; none for what is shared."""
    ways: deque[tuple[type[models.Model], str]] = deque([(model, "")])
    while ways:
        at, way = ways.popleft()
        for field in at._meta.concrete_fields:
            target = field.related_model
            if target is Workspace:
                return f"{way}{field.name}"
            if isinstance(target, type) and way.count("__") < _FARTHEST:
                ways.append((target, f"{way}{field.name}__"))
    return ""


def _theirs(subject: Subject, model: type[models.Model]) -> Q:
    """Is a row theirs? An empty condition where none can be."""
    fields = {f.name for f in model._meta.concrete_fields if not f.is_relation}
    found = Q()
    for names, ids in ((_USER, subject.users), (_ACCOUNT, subject.accounts)):
        for name in fields.intersection(names):
            found |= Q(**{f"{name}__in": ids}) if ids else Q()
    for name in fields.intersection(_ADDRESS):
        for address in subject.addresses:
            found |= Q(**{f"{name}__iexact": address})
    return found


def _texts(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [f for f in model._meta.concrete_fields if isinstance(f, _TEXTS)]


def _mentioning(rows: QuerySet[Any], subject: Subject) -> Iterator[Any]:
    fields = _texts(rows.model)
    for row in rows.iterator() if fields else ():
        if any(_redacted(row, f, subject) != getattr(row, f.name) for f in fields):
            yield row


def _redacted(
    row: models.Model, field: models.Field[Any, Any], subject: Subject
) -> Any:
    value = getattr(row, field.name)
    if isinstance(field, models.JSONField):
        return json.loads(subject.redacted(json.dumps(value)))
    # What an entry of the audit is about is an id alone.
    is_id = field.name == "target" and value in subject.users | subject.accounts
    return ERASED if is_id else value and subject.redacted(value)


def _delete_files(theirs: QuerySet[Any]) -> None:
    if theirs.model is Note:
        for attachment in Attachment.objects.filter(note__in=theirs).select_related(
            "note__workspace"
        ):
            path_of(attachment.note.workspace, attachment.key).unlink(missing_ok=True)
