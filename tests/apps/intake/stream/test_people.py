"""Who calls speak of: users, accounts, memberships and identities."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.apps.intake.stream.spells import Call, Spell, spells
from perennial.apps.intake.stream.traits import Said, merged
from perennial.apps.team.lake import lake_of
from perennial.lake.tables import FACTS
from tests.apps.intake.stream.conftest import JSON, NOW, Intake, Track

USERS = FACTS["users"]
BARE: dict[str, Any] = {**dict.fromkeys(USERS.names), "user_id": "u1"}


def clock(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).isoformat()


def identify(user: str = "u1", *, ago: float = 1, **rest: Any) -> JSON:
    return {"type": "identify", "userId": user, "timestamp": clock(ago), **rest}


def group(user: str | None, account: str, *, ago: float = 1, **traits: Any) -> JSON:
    call = {"type": "group", "groupId": account, "timestamp": clock(ago)}
    return {**call, "userId": user, "traits": traits}


@pytest.mark.django_db
class TestTables:
    def test_identify_fills_columns_and_keeps_the_rest(self, intake: Intake) -> None:
        traits = {
            "email": "ada@acme.example",
            "firstName": "Ada",
            "lastName": "Lovelace",
            "createdAt": "2025-01-02T03:04:05Z",
            "title": "Engineer",
            "team": {"size": 3},
        }
        intake.send(identify(traits=traits))
        intake.load()
        [user] = intake.rows("users")
        assert user["email"] == "ada@acme.example"
        assert user["name"] == "Ada Lovelace"
        assert user["role"] == "Engineer"
        assert user["created_at"] == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert json.loads(user["properties"]) == {
            "firstName": "Ada",
            "lastName": "Lovelace",
            "team": {"size": 3},
        }

    def test_traits_in_context_count_too(self, intake: Intake) -> None:
        intake.send(
            identify(context={"traits": {"email": "a@b.example", "role": "admin"}}),
            identify(traits={"role": "owner"}, context={"traits": {"role": "guest"}}),
        )
        intake.load()
        [user] = intake.rows("users")
        assert (user["email"], user["role"]) == ("a@b.example", "owner")

    def test_a_late_call_does_not_undo_a_newer_one(self, intake: Intake) -> None:
        intake.send(identify(ago=1, traits={"role": "owner"}))
        intake.load()
        intake.send(identify(ago=60, traits={"role": "guest", "name": "Ada"}))
        intake.load()
        [user] = intake.rows("users")
        assert (user["role"], user["name"]) == ("owner", "Ada")

    def test_null_takes_a_trait_away(self, intake: Intake) -> None:
        intake.send(identify(ago=9, traits={"role": "owner", "x": 1}))
        intake.send(identify(ago=5, traits={"role": None, "x": None}))
        intake.load()
        [user] = intake.rows("users")
        assert user["role"] is None
        assert json.loads(user["properties"]) == {"x": None}

    def test_unknown_users_and_accounts_are_made_bare(
        self, intake: Intake, track: Track
    ) -> None:
        intake.send(track(context={"groupId": "acme"}), track(userId="u2"))
        intake.load()
        assert [u["user_id"] for u in intake.rows("users")] == ["u1", "u2"]
        assert [a["account_id"] for a in intake.rows("accounts")] == ["acme"]
        before = lake_of(intake.workspace).lake.snapshot("users").version
        intake.send(track(event="Again"))
        intake.load()
        assert lake_of(intake.workspace).lake.snapshot("users").version == before

    def test_group_makes_accounts_and_memberships(self, intake: Intake) -> None:
        intake.send(
            group("u1", "acme", name="Acme", industry="Tools", employees=12),
            group(None, "june", name="June"),
        )
        intake.load()
        accounts = {a["account_id"]: a for a in intake.rows("accounts")}
        assert accounts["acme"]["name"] == "Acme"
        assert accounts["acme"]["industry"] == "Tools"
        assert json.loads(accounts["acme"]["properties"]) == {"employees": 12}
        assert accounts["june"]["name"] == "June"
        [membership] = intake.rows("memberships")
        assert membership["starts_at"] == NOW - timedelta(minutes=1)
        assert membership["ends_at"] is None

    @pytest.mark.parametrize(
        "leaves",
        [
            {
                "type": "track",
                "event": "Account Removed User",
                "userId": "u1",
                "context": {"groupId": "acme"},
            },
            {
                "type": "track",
                "event": "Account Removed User",
                "userId": "boss",
                "properties": {"userId": "u1", "account_id": "acme"},
            },
            {
                "type": "group",
                "userId": "u1",
                "groupId": "acme",
                "traits": {"left": True},
            },
        ],
    )
    def test_there_are_ways_to_leave(self, intake: Intake, leaves: JSON) -> None:
        intake.send(group("u1", "acme", ago=60))
        intake.send({**leaves, "timestamp": clock(30)})
        intake.load()
        [membership] = intake.rows("memberships")
        assert membership["ends_at"] == NOW - timedelta(minutes=30)
        intake.send(group("u1", "acme", ago=10))
        intake.load()
        assert len(intake.rows("memberships")) == 2

    def test_a_late_group_moves_the_start_back(self, intake: Intake) -> None:
        intake.send(group("u1", "acme", ago=5), group("u2", "acme", ago=5))
        intake.load()
        intake.send(group("u1", "acme", ago=90))
        intake.load()
        starts = {m["user_id"]: m["starts_at"] for m in intake.rows("memberships")}
        assert starts == {
            "u1": NOW - timedelta(minutes=90),
            "u2": NOW - timedelta(minutes=5),
        }

    def test_links_keep_their_first_time(self, intake: Intake) -> None:
        intake.send(identify(ago=5, anonymousId="a1"))
        intake.send({"type": "alias", "userId": "u1", "previousId": "old"})
        intake.load()
        intake.send(identify(ago=50, anonymousId="a1"))
        intake.send(identify(ago=1, anonymousId="a1"))
        intake.load()
        links = {row["previous_id"]: row for row in intake.rows("identities")}
        assert links["a1"]["at"] == NOW - timedelta(minutes=50)
        assert {row["kind"] for row in links.values()} == {"anonymous", "alias"}

    def test_any_order_split_and_repetition_ends_in_the_same_tables(
        self, intake: Intake
    ) -> None:
        calls = [
            group("u1", "acme", ago=50, name="Acme", plan="pro"),
            group("u1", "acme", ago=40, plan="team"),
            group("u2", "acme", ago=30, plan=None),
            group("u1", "other", ago=35),
            identify("u1", ago=60, anonymousId="a", traits={"name": "A", "x": 1}),
            identify("u1", ago=20, anonymousId="b", traits={"x": 2}),
            identify("u2", ago=10, anonymousId="a", traits={"name": "B"}),
            {
                "type": "alias",
                "userId": "u2",
                "previousId": "u0",
                "timestamp": clock(3),
            },
            {"type": "track", "event": "E", "userId": "u1", "timestamp": clock(2)},
        ]
        for number, call in enumerate(calls):
            call["messageId"] = str(number)
        tables = ("events", "users", "accounts", "memberships", "identities")
        intake.send(*calls)
        intake.load()
        expected = {name: intake.rows(name) for name in tables}
        chance = random.Random(7)
        for _ in range(3):
            again = chance.sample(calls, len(calls)) + chance.sample(calls, 4)
            for call in again:
                intake.send(call)
                if chance.random() < 0.4:
                    intake.load()
            intake.load()
            assert {name: intake.rows(name) for name in tables} == expected


SAID = st.builds(
    Said,
    st.integers(1, 6),
    st.dictionaries(
        st.sampled_from(
            ["name", "role", "title", "isTest", "is_test", "createdAt", "x"]
        ),
        st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from("ab")),
        max_size=3,
    ),
)


@given(st.lists(SAID, max_size=6), st.randoms(use_true_random=False))
def test_traits_do_not_depend_on_order_or_repetition(
    calls: list[Said], chance: random.Random
) -> None:
    expected = merged("users", BARE, calls)
    mixed = chance.sample(calls, len(calls)) + calls[:2]
    at_once = merged("users", BARE, mixed)
    one_by_one: dict[str, Any] = BARE
    for call in mixed:
        one_by_one = merged("users", one_by_one, [call])
    assert at_once == expected
    assert one_by_one == expected


DAY = datetime(2026, 1, 1, tzinfo=UTC)
INS = st.builds(lambda n: Call(DAY + timedelta(days=n), is_in=True), st.integers(0, 9))
POINTS = st.builds(
    lambda n, is_in: Call(DAY + timedelta(days=n, hours=is_in), is_in=is_in),
    st.integers(0, 9),
    st.booleans(),
)


@given(st.lists(INS, max_size=5), st.randoms(use_true_random=False))
def test_the_first_in_counts_in_any_order(
    calls: list[Call], chance: random.Random
) -> None:
    found: list[Spell] = []
    for call in chance.sample(calls, len(calls)):
        found = spells(found, [call])
    assert found == ([Spell(min(calls).at, None)] if calls else [])


@given(st.lists(POINTS, max_size=8))
def test_spells_are_apart_and_said_again_the_same(calls: list[Call]) -> None:
    found = spells([], calls)
    assert spells(found, []) == found
    for before, after in pairwise(found):
        assert before.end is not None
        assert after.start is not None
        assert before.end <= after.start
    day = DAY - timedelta(hours=1)
    for _ in range(12):
        last = max((c for c in calls if c.at <= day), default=None)
        inside = any(s.start <= day and (not s.end or day < s.end) for s in found)  # type: ignore[operator]
        assert inside == bool(last and last.is_in)
        day += timedelta(days=1)


@given(st.lists(POINTS, max_size=8))
def test_in_their_order_one_by_one_is_as_good_as_at_once(calls: list[Call]) -> None:
    found: list[Spell] = []
    for call in sorted(set(calls)):
        found = spells(found, [call])
    assert found == spells([], calls)


def test_an_out_that_came_first_ends_an_in_that_came_late() -> None:
    left = spells([], [Call(DAY + timedelta(days=5), is_in=False)])
    assert spells(left, [Call(DAY, is_in=True)]) == [
        Spell(DAY, DAY + timedelta(days=5))
    ]


def test_a_membership_since_ever_can_end() -> None:
    assert spells([Spell(None, None)], [Call(DAY, is_in=False)]) == [Spell(None, DAY)]
    assert spells([Spell(None, None)], [Call(DAY, is_in=True)]) == [Spell(None, None)]
