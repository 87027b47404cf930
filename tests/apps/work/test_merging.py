"""Where accounts are merged everything that people made goes along, and comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennial.apps.customers import hooks, merging
from perennial.apps.customers.models import Merge
from perennial.apps.guides.models import Guide
from perennial.apps.health import actions as health
from perennial.apps.health import history
from perennial.apps.surveys.models import Survey
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.work.models import Alert, Playbook, PlaybookVersion, Run
from perennial.apps.work.playbooks import starting
from perennial.apps.work.playbooks.asking import Asked
from perennial.apps.work.playbooks.reading import read
from perennial.core.errors import BadValue
from perennial.lake import merged
from perennial.lake.tables import TABLES
from perennial.ui.formats import Regional
from tests.apps.customers.company import AS_OF, FRESH, KESTREL, SILENT
from tests.apps.customers.folder import own  # noqa: F401 - a fixture
from tests.apps.team.cast import Cast
from tests.builders import write

#: Models with an account that do not go along, and why not.
STAY: Final = {
    "customers.Merge": "it says which account went",
    "customers.Decision": "an attribute goes along as an edit of its own, if chosen",
    "work.Match": "found anew by every evaluation; what is left behind waits",
}
#: Tables of the lake with an account that are read as they were told, and why.
AS_TOLD: Final = {
    "account_attributes": "made of `accounts`, which is read as one",
    "account_decisions": "what people decided of each; an edit takes it along",
    "account_merges": "it says which account went",
    "former_attributes": "what each was on past days",
    "onboarding_ticks": "read beside the entries they are of, which are told apart",
    **dict.fromkeys(
        ("user_days", "feature_days", "sessions", "account_days", "mrr_ledger",
         "seat_ledger", "assignments", "request_days", "definition_days"),
        "derived of facts, which are read as one",
    ),
}  # fmt: skip
#: What a merge leaves behind on purpose: its own record, and work it asked for.
RECORDS: Final = {"Merge", "Edit", "Decision", "AuditEntry", "JobRun", "DBTaskResult"}
_numbers = count(1)
Make = Callable[[Workspace, str, int], dict[str, Any]]
KINDS = (
    "customers.Note", "customers.Contact", "health.Override", "health.Pulse",
    "surveys.Invite", "surveys.Answer", "guides.Showing", "guides.Invited",
    "work.Task", "work.Plan", "work.Alert", "work.Run", "work.Skip", "work.Message",
    "work.Notice",
)  # fmt: skip


#: Of which an account has one at a time, of the first so many `n` of `make`.
ONCE: Final = {
    "customers.Contact": 1, "guides.Invited": 3, "work.Alert": 2, "work.Run": 2,
    "work.Skip": 1,
}  # fmt: skip


@pytest.fixture
def data(own: Path) -> Path:  # noqa: F811
    return own


@pytest.fixture
def workspace(data: Path, cast: Cast) -> Workspace:
    return cast.workspace


@pytest.fixture
def playbook(workspace: Workspace) -> Playbook:
    document = {"name": "Call", "steps": [{"do": "wait", "days": 9}]}
    made = Playbook.objects.create(
        workspace=workspace, name="Call", state="on", document=document, number=1
    )
    PlaybookVersion.objects.create(playbook=made, number=1, document=document)
    Survey.objects.create(
        workspace=workspace, key="s", name="S", kind="nps", document={}
    )
    Guide.objects.create(
        workspace=workspace, key="g", name="G", form="modal", document={}
    )
    return made


def make(workspace: Workspace, label: str, account: str, n: int) -> models.Model:
    """A row of an account. `n` 0: one the account that stays may have as well, once;
    others are apart."""
    now, own_ = lake_of(workspace).now, next(_numbers)
    playbook, key = workspace.playbooks.get(), f"{label}{own_}"
    day: dict[str, Any] = {"starts_on": AS_OF, "ends_on": AS_OF + timedelta(days=9)}
    asked = {"survey": workspace.surveys.get(), "number": 1, "language": "en"}
    shown = {"guide": workspace.guides.get()}
    fields: dict[str, dict[str, Any]] = {
        "customers.Note": {"key": uuid4(), "kind": "call", "at": now, "written_at": now},
        "customers.Contact": {"user_id": "k1" if not n else key, "since": now},
        "health.Override": {"score": 9, "reason": "So", "set_at": now, **day},
        "health.Pulse": {"value": n, "date": AS_OF, "said_at": now},
        "surveys.Invite": {**asked, "person": key, "channel": "email", "invited_at": now, "asked_on": AS_OF},
        "surveys.Answer": {**asked, "score": 7, "channel": "api", "answered_at": now, "changed_at": now},
        "guides.Showing": {**shown, "number": 1, "person": key, "began_on": AS_OF, "claimed_at": now},
        "guides.Invited": shown,
        "work.Task": {"title": "Call"},
        "work.Plan": {"title": "Plan", "token": key},
        "work.Alert": {"rule": "no_usage", "priority": 2, "opened_on": AS_OF, "opened_at": now, "state": ("open", "snoozed", "closed")[n]},
        "work.Run": {"playbook": playbook, "version": playbook.version_in_force, "started_at": now, "due_at": now, "state": ("running", "held_out", "done")[n]},
        "work.Skip": {"playbook": playbook, "reason": "resting" if not n else key, "first_on": AS_OF, "last_on": AS_OF},
        "work.Message": {"key": key, "channel": "email", "to": "a@x", "text": "Hi"},
        "work.Notice": {"user": workspace.memberships.all()[0].user, "what": "task", "key": key, "url": "/", "at": now},
    }  # fmt: skip
    model = apps.get_model(label)
    here = {"workspace": workspace} if hasattr(model, "workspace") else {}
    return model._default_manager.create(account_id=account, **here, **fields[label])


def everything() -> dict[str, list[dict[str, Any]]]:
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model.__name__ not in RECORDS
    }


def test_whatever_has_an_account_goes_along_or_says_why_not(
    workspace: Workspace,
) -> None:
    going = {each.label for each in hooks.belongings(workspace)}
    having = {
        model._meta.label
        for model in apps.get_models()
        if any(field.name == "account_id" for field in model._meta.fields)
    }
    assert going == {*KINDS}
    assert having == going | STAY.keys()
    tables = {name for name, table in TABLES.items() if "account_id" in table.names}
    assert tables == merged.FOLLOWING | merged.LEAVING | AS_TOLD.keys()


ROWS = st.lists(
    st.tuples(
        st.sampled_from(KINDS), st.sampled_from([FRESH, KESTREL]), st.integers(0, 2)
    ),
    max_size=12,
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=ROWS)
def test_a_merge_taken_back_leaves_everything_as_it_was(
    rows: list[tuple[str, str, int]],
    workspace: Workspace,
    playbook: Playbook,
) -> None:
    """Whatever the two had: all that went is where the other is meanwhile."""
    seen = set[tuple[str, str]]()
    for each in hooks.belongings(workspace):
        each.rows.all().delete()
    for label, account, n in rows:
        once = label in ONCE and (n < ONCE[label])
        if not (once and (label, account) in seen):
            make(workspace, label, account, n)
            seen |= {(label, account)} if once else set()
    before = everything()
    rows_of = {str(e.word): e.rows for e in hooks.belongings(workspace)}
    told = {word: of.filter(account_id=FRESH).count() for word, of in rows_of.items()}
    made = Merge(workspace=workspace, account_id=FRESH, into_id=KESTREL)
    merging._move(made)
    for each in hooks.belongings(workspace):
        here = len(made.moved[each.label])
        left = each.rows.filter(account_id=FRESH).count()
        assert told.get(str(each.word), 0) == here + left
        assert not left or (each.label in ONCE and not each.ended)
    assert {str(g.word) for g in merging.moved(made)} <= told.keys()
    made.ended = json.loads(json.dumps(made.ended))
    for each in hooks.belongings(workspace):
        merging._move_back(made, each)
    assert everything() == before


def test_one_alert_of_a_rule_and_one_run_go_on(
    workspace: Workspace, cast: Cast, playbook: Playbook
) -> None:
    by = cast.membership(cast.owner)
    for account in (FRESH, KESTREL):
        make(workspace, "work.Alert", account, 0)
        make(workspace, "work.Run", account, 0)
    made = merging.merge(by, FRESH, KESTREL)
    assert list(workspace.alerts.values_list("account_id", "state").order_by("pk")) == [
        (KESTREL, "closed"), (KESTREL, "open")
    ]  # fmt: skip
    ended = Run.objects.order_by("pk")[0]
    assert (ended.account_id, ended.state, ended.ending) == (KESTREL, "ended", "merged")
    counts = starting.Counts(playbook, lake_of(workspace).now)
    assert counts.total[KESTREL] == 2  # a rest counts from both
    lake = lake_of(workspace)
    playbook.matches.create(account_id=FRESH, since=AS_OF)
    book = read(playbook.version_in_force.document)
    starting.follow_matches(
        playbook, book, Asked(lake, {book.start.condition: frozenset()}), lake.today
    )
    merging.undo(made, by)
    assert playbook.matches.get().account_id == FRESH  # it does not enter anew
    assert set(Alert.objects.values_list("state", flat=True)) == {"open"}
    assert set(Run.objects.values_list("state", "ending")) == {("running", "")}


def test_scores_people_set_count_for_both_and_go_back(
    workspace: Workspace, cast: Cast, regional: Regional
) -> None:
    """Set before, ended while they are one; the lake hears of the right account."""
    by, lake = cast.membership(cast.owner), lake_of(workspace)
    ends_on = lake.today + timedelta(days=9)
    set_ = health.set_override(by, FRESH, score=7, reason="So", ends_on=ends_on)
    turn = {"account_id": FRESH, "date": AS_OF, "from_color": "green", "to_color": "red",
            "cause": "no_score", "version": 1, "recorded_at": lake.now}  # fmt: skip
    write(lake.lake, "health_transitions", [turn])
    made = merging.merge(by, FRESH, KESTREL)
    [row] = lake.lake.read("health_overrides").to_pylist()
    assert row["account_id"] == KESTREL
    health.set_override(by, KESTREL, score=8, reason="So", ends_on=ends_on)
    assert [o.score for o in health.in_force(workspace, KESTREL)] == [8]
    [shown] = [t for t in history.turns(workspace, KESTREL, regional) if t.of]
    assert (shown.of, shown.after) == ("Freshwater", "red")
    merging.undo(made, by)
    found = {r["score"]: (r["account_id"], r["ends_on"]) for r in lake.lake.read("health_overrides").to_pylist()}  # fmt: skip
    assert found[7] == (FRESH, lake.today)
    assert found[8] == (KESTREL, ends_on)
    set_.refresh_from_db()
    assert set_.account_id == FRESH


def test_a_chain_of_merges_is_taken_back_from_its_end(
    workspace: Workspace, cast: Cast, playbook: Playbook
) -> None:
    by = cast.membership(cast.owner)
    for label in KINDS:
        for account in (FRESH, KESTREL, SILENT):
            make(workspace, label, account, 0)
    before = everything()
    first = merging.merge(by, FRESH, KESTREL)
    second = merging.merge(by, KESTREL, SILENT)
    with pytest.raises(BadValue, match="Take that merge back first"):
        merging.undo(first, by)
    for made in (second, first):
        merging.undo(made, by)
    assert everything() == before
