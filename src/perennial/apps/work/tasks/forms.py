from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from perennial.apps.customers import queries as customers
from perennial.apps.team.models import User, Workspace
from perennial.apps.work.models import Priority, Repeat, Task
from perennial.apps.work.tasks import queries
from perennial.core.errors import BadValue

_MOST_ITEMS = 50


class TaskForm(forms.Form):
    """A task as a person writes it; `values` is what the verbs take."""

    title = forms.CharField(label=_("What to do"), max_length=200)
    account = forms.CharField(
        label=_("Account"),
        max_length=254,
        required=False,
        help_text=_("Its name or its id."),
        widget=forms.TextInput(attrs={"list": "account-names", "autocomplete": "off"}),
    )
    owner = forms.ChoiceField(label=_("Owner"), required=False)
    due_on = forms.DateField(
        label=_("Due"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        choices=Priority.choices,
        coerce=int,
        initial=Priority.NORMAL,
    )
    reason = forms.CharField(
        label=_("Why"),
        max_length=300,
        required=False,
        help_text=_("So that whoever does it knows what for."),
    )
    description = forms.CharField(
        label=_("Notes"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    items = forms.CharField(
        label=_("Checklist"),
        required=False,
        help_text=_("One item a line."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    repeats = forms.ChoiceField(
        label=_("Repeats"), choices=Repeat.choices, required=False
    )
    waits_for = forms.ChoiceField(label=_("Waits for"), required=False)

    def __init__(
        self, *args: Any, workspace: Workspace, task: Task | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._workspace = workspace
        self._task = task
        self._people = {str(m.user.pk): m.user for m in queries.workers(workspace)}
        self._before = {
            str(t.pk): t
            for t in _others(workspace, task, self.initial.get("account_id", ""))
        }
        nobody = [("", _("Nobody yet"))]
        self._offer(
            "owner", nobody + [(k, u.display_name) for k, u in self._people.items()]
        )
        self._offer(
            "waits_for",
            [("", _("Nothing"))] + [(k, t.title) for k, t in self._before.items()],
        )

    def _offer(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_account(self) -> str:
        """The id of the account that is meant; a name may be enough."""
        text = self.cleaned_data["account"].strip()
        if not text:
            return ""
        try:
            return customers.meant(self._workspace, text).account_id
        except BadValue as error:
            raise forms.ValidationError(str(error)) from error

    def clean_items(self) -> list[dict[str, Any]]:
        """Items by line; those that were there keep their ticks."""
        lines = [line.strip() for line in self.cleaned_data["items"].splitlines()]
        known = (
            {i["text"]: i["done"] for i in self._task.checklist} if self._task else {}
        )
        items = [
            {"text": x[:200], "done": known.get(x[:200], False)} for x in lines if x
        ]
        if len(items) > _MOST_ITEMS:
            raise forms.ValidationError(
                _("A checklist holds at most %(most)s items.") % {"most": _MOST_ITEMS}
            )
        return items

    @property
    def values(self) -> dict[str, Any]:
        given = self.cleaned_data
        same = ("title", "due_on", "priority", "reason", "description", "repeats")
        owner: User | None = self._people.get(given["owner"])
        return {
            **{name: given[name] for name in same},
            "account_id": given["account"],
            "checklist": given["items"],
            "owner": owner,
            "waits_for": self._before.get(given["waits_for"]),
        }


def _others(workspace: Workspace, task: Task | None, account_id: str) -> list[Task]:
    """What a task can wait for: open ones of its account, or without one."""
    about = task.account_id if task else account_id
    found = queries.of_workspace(workspace).filter(account_id=about)
    active = found.filter(state__in=queries.ACTIVE).order_by(*queries.DUE_FIRST)
    before = task.waits_for_id if task else None
    listed = [t for t in active[:50] if task is None or t.pk != task.pk]
    if task and task.waits_for and before not in {t.pk for t in listed}:
        listed.append(task.waits_for)
    return listed


def initial(task: Task) -> dict[str, Any]:
    """A task as the form shows it."""
    return {
        "title": task.title,
        "account": task.account_id,
        "owner": str(task.owner_id or ""),
        "due_on": task.due_on,
        "priority": task.priority,
        "reason": task.reason,
        "description": task.description,
        "items": "\n".join(item["text"] for item in task.checklist),
        "repeats": task.repeats,
        "waits_for": str(task.waits_for_id or ""),
    }
