"""Playbooks at work: never two runs where one is allowed, none lost, none doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennial.apps.customers import details
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work.crew import actions as crew
from perennial.apps.work.models import Message, Playbook, Run, RunEntry, Task
from perennial.apps.work.playbooks import (
    actions,
    advancing,
    engine,
    queries,
    starting,
    words,
)
from perennial.apps.work.playbooks.reading import read
from perennial.core.errors import BadValue
from perennial.core.windows import DAY
from perennial.lake import matching, transitions
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics.conditions import Condition
from tests.apps.customers.company import AS_OF, FRESH, GREEN, KESTREL, SILENT
from tests.apps.team.cast import Cast
from tests.apps.work.conftest import Clock
from tests.builders import write

TASK = {"do": "task", "title": "Call {account}", "due_days": 2, "priority": "high"}
RED = {"field": "health_color", "op": "is", "value": ["red", "orange"]}
EVERYBODY = {"field": "state", "op": "is", "value": ["paying"]}


def on(
    admin: Membership, *steps: dict[str, Any], trigger: str = "matches", **more: Any
) -> Playbook:
    """A playbook that is on, for red and orange accounts."""
    condition = more.pop("condition", RED)
    document = {
        "name": more.pop("name", "Risk"),
        "when": {"trigger": trigger, "condition": condition},
        "steps": list(steps or [TASK]),
        **more,
    }
    playbook = actions.add(admin, document)
    actions.turn_on(playbook, admin)
    return Playbook.objects.get(pk=playbook.pk)


class Said:
    """What the lake would answer: accounts by condition, set by the test."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    def __call__(
        self, lake: Lake, condition: Condition, day: object = None
    ) -> list[str]:
        return sorted(self.ids)


@pytest.fixture
def matched(monkeypatch: pytest.MonkeyPatch) -> Said:
    said = Said()
    monkeypatch.setattr(matching, "matching", said)
    return said


def runs(workspace: Workspace) -> dict[str, str]:
    found = Run.objects.filter(playbook__workspace=workspace)
    return dict(found.values_list("account_id", "state"))


def test_it_starts_where_its_conditions_hold(
    workspace: Workspace, admin: Membership
) -> None:
    on(admin)
    done = engine.evaluate(workspace)
    assert (done.started, done.steps) == (2, 2)
    assert runs(workspace) == {KESTREL: "done", SILENT: "done"}
    task = Task.objects.get(account_id=KESTREL)
    assert task.title == "Call Kestrel & Sons"
    assert task.owner is not None
    assert task.owner.email == "alice@default.example"
    assert (task.due_on, task.reason) == (AS_OF + 2 * DAY, "Risk")
    assert engine.evaluate(workspace) == engine.Evaluated()


def test_enters_means_not_before(
    workspace: Workspace, admin: Membership, matched: Said, moving: Clock
) -> None:
    matched.ids = {KESTREL}
    on(admin, trigger="enters")
    moving.forward(days=1)
    matched.ids = {KESTREL, SILENT}
    engine.evaluate(workspace)
    assert set(runs(workspace)) == {SILENT}
    matched.ids = {SILENT}
    engine.evaluate(workspace)
    moving.forward(days=1)
    matched.ids = {KESTREL, SILENT}
    engine.evaluate(workspace)
    assert set(runs(workspace)) == {SILENT, KESTREL}


def test_leaves_means_it_matched_before(
    workspace: Workspace, admin: Membership, matched: Said, moving: Clock
) -> None:
    matched.ids = {KESTREL, SILENT}
    on(admin, trigger="leaves")
    engine.evaluate(workspace)
    assert runs(workspace) == {}
    moving.forward(days=1)
    matched.ids = {SILENT}
    engine.evaluate(workspace)
    assert set(runs(workspace)) == {KESTREL}


@pytest.mark.parametrize("trigger", ["enters", "leaves"])
def test_other_rules_are_no_change_of_the_account(
    trigger: str,
    lake: Lake,
    workspace: Workspace,
    admin: Membership,
    matched: Said,
    moving: Clock,
) -> None:
    """Kestrel has another color by a new scorecard, Silent by itself."""
    before, after = set(), {KESTREL, SILENT}
    matched.ids = before if trigger == "enters" else after
    on(admin, name="Color", trigger=trigger)
    on(admin, name="Money", trigger=trigger, condition=EVERYBODY)
    engine.evaluate(workspace)
    moving.forward(days=1)
    causes = ((KESTREL, "model_change"), (SILENT, "score"))
    turned = [
        {"account_id": i, "date": lake.today, "recorded_at": lake.now, "cause": cause}
        for i, cause in causes
    ]
    write(lake.lake, transitions.NAME, turned)
    matched.ids = after if trigger == "enters" else before
    engine.evaluate(workspace)
    started = Run.objects.values_list("playbook__name", "account_id")
    assert set(started) == {("Color", SILENT), ("Money", SILENT), ("Money", KESTREL)}


def test_it_enters_once_however_long_it_matches(
    workspace: Workspace, admin: Membership, matched: Said, moving: Clock
) -> None:
    on(admin, trigger="enters", limits={"again_after_days": 3})
    moving.forward(days=1)
    matched.ids = {KESTREL}
    for _ in range(10):
        engine.evaluate(workspace)
        moving.forward(days=1)
    assert Run.objects.count() == 1
    matched.ids = set()
    engine.evaluate(workspace)
    moving.forward(days=1)
    matched.ids = {KESTREL}
    engine.evaluate(workspace)
    assert Run.objects.count() == 2


def test_who_leaves_is_not_forgotten_by_a_kill(
    workspace: Workspace,
    admin: Membership,
    matched: Said,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matched.ids = {KESTREL}
    on(admin, trigger="leaves")
    engine.evaluate(workspace)
    matched.ids = set()
    whole = starting.start

    def dies(*_rest: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(starting, "start", dies)
    with pytest.raises(KeyboardInterrupt):
        engine.evaluate(workspace)
    monkeypatch.setattr(starting, "start", whole)
    engine.evaluate(workspace)
    assert set(runs(workspace)) == {KESTREL}


def test_days_in_a_row(
    workspace: Workspace, admin: Membership, matched: Said, moving: Clock
) -> None:
    matched.ids = {KESTREL}
    on(admin, limits={"after_days": 3})
    for day in range(2):
        engine.evaluate(workspace)
        assert runs(workspace) == {}, day
        moving.forward(days=1)
    matched.ids = set()  # one day it does not match: counted from the beginning
    engine.evaluate(workspace)
    matched.ids = {KESTREL}
    for _ in range(2):
        moving.forward(days=1)
        engine.evaluate(workspace)
    assert runs(workspace) == {}
    moving.forward(days=1)
    engine.evaluate(workspace)
    assert set(runs(workspace)) == {KESTREL}


def test_limits_refuse_and_say_why(
    workspace: Workspace, admin: Membership, moving: Clock
) -> None:
    """Kestrel and Greenfield are Alice's, Silent is Bob's; red comes first."""
    playbook = on(admin, condition=EVERYBODY, limits={"owner_week": 1})
    engine.evaluate(workspace)
    assert set(runs(workspace)) == {SILENT, KESTREL, FRESH}
    said = {s.account_id: str(s.reason) for s in queries.skips(playbook)}
    assert "as many starts this week" in said[GREEN]
    moving.forward(days=1)
    engine.evaluate(workspace)
    skips = playbook.skips.filter(account_id=GREEN)
    assert [(s.first_on, s.last_on) for s in skips] == [(AS_OF, AS_OF + DAY)]
    moving.forward(days=7)
    engine.evaluate(workspace)
    assert GREEN in runs(workspace)


def test_the_loop_guard_holds(
    workspace: Workspace, admin: Membership, moving: Clock
) -> None:
    on(admin, limits={"again_after_days": 0})
    for _ in range(10):
        engine.evaluate(workspace)
        moving.forward(hours=1)
    assert Counter(Run.objects.values_list("account_id", flat=True)) == {
        KESTREL: starting.LOOP_STARTS,
        SILENT: starting.LOOP_STARTS,
    }


def test_held_out_by_chance_and_always_the_same(
    workspace: Workspace, admin: Membership
) -> None:
    playbook = on(admin, limits={"hold_out": 50})
    held = [starting.is_held_out(playbook, f"a{n}", 50) for n in range(2000)]
    assert 900 < sum(held) < 1100
    assert held == [starting.is_held_out(playbook, f"a{n}", 50) for n in range(2000)]
    assert not any(starting.is_held_out(playbook, f"a{n}", 0) for n in range(100))


def test_held_out_ones_are_left_alone_until_the_end(
    workspace: Workspace,
    admin: Membership,
    moving: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starting, "is_held_out", lambda _p, a, _n: a == KESTREL)
    on(admin, ends={"after_days": 30})
    done = engine.evaluate(workspace)
    assert (done.started, done.held_out) == (1, 1)
    assert runs(workspace) == {KESTREL: "held_out", SILENT: "done"}
    assert not Task.objects.filter(account_id=KESTREL).exists()
    moving.forward(days=31)
    engine.evaluate(workspace)
    last = Run.objects.filter(account_id=KESTREL).order_by("started_at").first()
    assert last is not None
    assert (last.state, last.ending) == ("ended", "time")


def test_a_killed_step_is_done_once(
    workspace: Workspace, admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a step did goes back with the position when the process dies."""
    on(admin, TASK, {"do": "email", "to": "a@b.example", "subject": "s", "text": "t"})
    whole = advancing._Made.write

    def dies(made: advancing._Made, where: Workspace) -> None:
        whole(made, where)
        raise KeyboardInterrupt

    monkeypatch.setattr(advancing._Made, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        engine.evaluate(workspace)
    assert (Task.objects.count(), Message.objects.count()) == (0, 0)
    monkeypatch.setattr(advancing._Made, "write", whole)
    engine.evaluate(workspace)
    assert (Task.objects.count(), Message.objects.count()) == (2, 2)
    assert Run.objects.filter(state=Run.State.DONE).count() == 2


def test_runs_follow_the_version_they_began_with(
    workspace: Workspace, admin: Membership, moving: Clock
) -> None:
    playbook = on(admin, {"do": "wait", "days": 3}, {**TASK, "title": "First"})
    engine.evaluate(workspace)
    changed = {**playbook.document, "steps": [{**TASK, "title": "Second"}]}
    actions.save(playbook, admin, changed)
    actions.turn_on(playbook, admin)
    moving.forward(days=3)
    engine.evaluate(workspace)
    assert set(Task.objects.values_list("title", flat=True)) == {"First"}
    assert playbook.versions.count() == 2
    actions.turn_on(playbook, admin)
    assert playbook.versions.count() == 2


def test_off_starts_no_more_and_ends_what_began(
    workspace: Workspace, admin: Membership, moving: Clock
) -> None:
    playbook = on(admin, {"do": "wait", "days": 3}, TASK)
    engine.evaluate(workspace)
    actions.turn_off(playbook, admin)
    moving.forward(days=40)
    assert engine.evaluate(workspace).started == 0
    assert Task.objects.count() == 2


def test_stopped_by_a_person(
    workspace: Workspace, admin: Membership, moving: Clock
) -> None:
    on(admin, {"do": "wait", "days": 3}, TASK)
    engine.evaluate(workspace)
    run = Run.objects.get(account_id=KESTREL)
    actions.stop(run, admin)
    with pytest.raises(BadValue, match="not running"):
        actions.stop(run, admin)
    moving.forward(days=5)
    engine.evaluate(workspace)
    assert set(Task.objects.values_list("account_id", flat=True)) == {SILENT}


def test_started_by_a_person(workspace: Workspace, admin: Membership) -> None:
    playbook = on(admin, trigger="manual", limits={"hold_out": 90})
    assert engine.evaluate(workspace).started == 0
    assert actions.start_for(playbook, admin, [GREEN]) == 1
    assert actions.start_for(playbook, admin, [GREEN]) == 0  # it rests
    assert Task.objects.get().account_id == GREEN


def test_nothing_starts_when_tracking_broke(
    workspace: Workspace, lake: Lake, admin: Membership
) -> None:
    on(admin)
    row = {"date": AS_OF - DAY, "events": 3, "expected": 90.0, "detected_at": lake.now}
    write(lake.lake, "data_incidents", [row])
    assert engine.evaluate(workspace) == engine.Evaluated()


def test_a_condition_that_cannot_be_asked_stops_no_other(
    workspace: Workspace, admin: Membership
) -> None:
    broken = on(admin, name="Broken")
    on(admin, name="Sound")
    unknown = {"field": "metric:gone", "op": "at_least", "value": 1}
    version = broken.version_in_force
    version.document = {**version.document, "when": {"condition": unknown}}
    version.save()
    assert engine.evaluate(workspace).started == 2
    broken.refresh_from_db()
    assert "gone" in broken.problem


def test_steps_that_edit_the_account(
    workspace: Workspace, lake: Lake, admin: Membership
) -> None:
    on(
        admin,
        {"do": "tag", "add": ["at risk"]},
        {"do": "set", "field": "lifecycle_stage", "value": "Trial"},
    )
    engine.evaluate(workspace)
    stages = {
        row["account_id"]: row["lifecycle_stage"]
        for row in lake.lake.read("accounts").to_pylist()
    }
    assert (stages[KESTREL], stages[GREEN]) == ("Trial", "Value")
    assert details.tags_by_account(workspace, [KESTREL, GREEN]) == {
        KESTREL: ["at risk"],
        GREEN: [],
    }
    unknown = {"do": "set", "field": "lifecycle_stage", "value": "Nowhere"}
    with pytest.raises(BadValue):
        on(admin, unknown, name="Unknown")
    said = [words.entry(e) for e in Run.objects.get(account_id=KESTREL).entries.all()]
    assert said[1:3] == ["+ at risk", "lifecycle_stage: Trial"]


def test_an_owner_is_found_by_rule(
    workspace: Workspace, lake: Lake, admin: Membership, cast: Cast
) -> None:
    """Alice has two accounts and 500, Bob one and 200. Kestrel is hers, 100: without
    it they have as many, and he less MRR. Nobody who owns none is asked, but if named;
    who is away is passed over."""

    logs: list[RunEntry] = []

    def owner_after(step: dict[str, object]) -> str:
        playbook = on(admin, {"do": "assign", **step}, trigger="manual")
        actions.start_for(playbook, admin, [KESTREL])
        logs.append(queries.entries(playbook.runs.get(), admin)[1])
        playbook.delete()
        rows = lake.lake.read("accounts").to_pylist()
        [owner] = [r["owner_email"] for r in rows if r["account_id"] == KESTREL]
        return str(owner)

    assert owner_after({}) == cast.teammate.email
    assert owner_after({"by": "least_mrr"}) == cast.teammate.email
    assert owner_after({"among": [cast.admin.email]}) == cast.admin.email
    ada, bob = admin, cast.membership(cast.teammate)
    crew.go_away(ada, bob, stand_in=ada, ends_on=AS_OF + DAY * 7)
    assert owner_after({"among": [cast.admin.email, bob.user.email]}) == ada.user.email
    assert owner_after({"among": [bob.user.email]}) == ada.user.email
    assert words.entry(logs[-1]) == "No owner chosen: who could be is away"
    playbook = on(admin, {"do": "assign", "among": [bob.user.email]}, trigger="manual")
    bob.role = Role.VIEWER
    bob.save()
    actions.start_for(playbook, admin, [KESTREL])
    [_started, line, _end] = queries.entries(playbook.runs.get(), admin)
    assert words.entry(line).endswith("nobody who is named can own accounts any more")
    assert line.details == {"why": "left"}
    [owner] = [r["owner_email"] for r in lake.lake.read("accounts").to_pylist()
               if r["account_id"] == KESTREL]  # fmt: skip
    assert owner == ada.user.email
    playbook.delete()
    said = {"do": "assign", "among": [cast.viewer.email]}
    with pytest.raises(BadValue, match="nobody who could own"):
        on(admin, said)


def test_the_test_on_one_account(workspace: Workspace, admin: Membership) -> None:
    from perennial.apps.customers import queries as customers

    playbook = on(admin, condition={"all": [RED, EVERYBODY]}, limits={"after_days": 2})
    engine.evaluate(workspace)
    kestrel = customers.get_account_or_404(workspace, KESTREL)
    green = customers.get_account_or_404(workspace, GREEN)
    found = queries.verdict(playbook, kestrel, str)
    assert [holds for _, holds in found.rows] == [True, True]
    assert "long enough" in str(found.refusal)
    found = queries.verdict(playbook, green, str)
    assert [holds for _, holds in found.rows] == [False, True]
    assert "do not hold" in str(found.refusal)


Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["evaluate", "hours", "match", "kill", "edit"]),
        st.integers(0, 15),
    ),
    min_size=5,
    max_size=25,
)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS, again=st.integers(0, 20), most=st.none() | st.integers(1, 3))
def test_never_two_where_one_is_allowed(
    steps: list[Step],
    again: int,
    most: int | None,
    workspace: Workspace,
    admin: Membership,
    matched: Said,
    moving: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Evaluations, time, changing matches, kills and edits in any order."""
    Playbook.objects.all().delete()
    limits = {"again_after_days": again, "most": most}
    wait = {"do": "wait", "days": 2}
    matched.ids = set()
    playbook = on(admin, TASK, wait, TASK, limits=limits, ends={"after_days": 9})
    acts = _acts(workspace, admin, playbook, matched, moving, monkeypatch)
    for name, number in steps:
        acts[name](number)
    engine.evaluate(workspace)
    _check(playbook, again, most)


def _acts(
    workspace: Workspace,
    admin: Membership,
    playbook: Playbook,
    matched: Said,
    moving: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Callable[[int], None]]:
    names, whole = [KESTREL, SILENT, GREEN, FRESH], advancing._Made.write

    def match(number: int) -> None:
        matched.ids = {name for n, name in enumerate(names) if number >> n & 1}

    def kill(_number: int) -> None:
        def dies(made: advancing._Made, where: Workspace) -> None:
            whole(made, where)
            raise KeyboardInterrupt

        monkeypatch.setattr(advancing._Made, "write", dies)
        try:
            engine.evaluate(workspace)
        except KeyboardInterrupt:
            pass
        finally:
            monkeypatch.setattr(advancing._Made, "write", whole)

    def edit(number: int) -> None:
        document = {**playbook.document, "description": str(number)}
        actions.save(playbook, admin, document)
        actions.turn_on(playbook, admin)

    return {
        "evaluate": lambda _number: (engine.evaluate(workspace), None)[1],
        "hours": lambda number: moving.forward(hours=number * 13),
        "match": match,
        "kill": kill,
        "edit": edit,
    }


def _check(playbook: Playbook, again: int, most: int | None) -> None:
    by_account: dict[str, list[Run]] = {}
    for run in playbook.runs.order_by("started_at", "pk"):
        by_account.setdefault(run.account_id, []).append(run)
    for found in by_account.values():
        assert most is None or len(found) <= most
        for before, after in pairwise(found):
            assert after.started_at - before.started_at >= timedelta(days=again)
            assert before.ended_at is not None
            assert before.ended_at <= after.started_at
    for run in playbook.runs.all():
        steps = list(run.tasks.order_by("pk").values_list("step", flat=True))
        book = read(run.version.document)
        order = [s.id for s in book.every_step()]
        assert steps == [s for s in order if s in steps]
        if run.state == Run.State.DONE:
            assert steps == ["1", "3"]
        waits = run.position == "2"
        assert run.state != Run.State.RUNNING or (waits and steps == ["1"])
