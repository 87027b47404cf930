"""Why an account needs a human, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from perennial.apps.customers import listing, today
from perennial.apps.customers.account import Account
from perennial.apps.customers.board import rows, step_for
from perennial.apps.customers.reasons import Facts, Reason, Steps, reasons, sentence
from perennial.apps.customers.words import listed, name_of, spelled
from perennial.apps.team.models import Workspace
from perennial.lake.workspace import Workspace as Lake
from perennial.ui.formats import Regional
from tests.apps.customers import company

CALM = Account(
    account_id="a",
    as_of=date(2026, 6, 1),
    name="A",
    segment=None,
    plan=None,
    country=None,
    industry=None,
    owner_email=None,
    lifecycle_stage=None,
    state="paying",
    created_at=None,
    customer_since=None,
    mrr=Decimal(100),
    mrr_90d=Decimal(100),
    renewal_on=None,
    seats=20,
    assigned_users=20,
    active_users=15,
    active_users_before=15,
    logins_14d=40,
    logins_14d_before=40,
    last_seen_at=datetime(2026, 5, 31, tzinfo=UTC),
    last_touch_at=datetime(2026, 5, 20, tzinfo=UTC),
    nps_score=9,
    nps_at=datetime(2026, 5, 20, tzinfo=UTC),
    open_tickets=0,
    urgent_tickets=0,
    score=85.0,
    color="green",
    status="ok",
    score_28d=85.0,
    color_1d="green",
    weeks=(),
    cuts=(40, 60, 80),
)


def said(account: Account, facts: Facts | None = None) -> list[str]:
    regional = Regional(timezone="Europe/Berlin")
    return [r.text for r in reasons(account, facts or Facts(), regional)]


def test_a_calm_account_has_no_reason() -> None:
    assert said(CALM) == []
    assert sentence([]) is None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"logins_14d": 15}, "logins down 63% in two weeks"),
        ({"last_seen_at": datetime(2026, 5, 21, tzinfo=UTC)}, "nobody has logged in for 11 days"),
        ({"last_seen_at": None}, "no log-in on record"),
        ({"urgent_tickets": 1}, "one urgent ticket is open"),
        ({"urgent_tickets": 2}, "two urgent tickets are open"),
        ({"urgent_tickets": 12}, "12 urgent tickets are open"),
        ({"nps_score": 4.0}, "NPS answer 4 on 20 May"),
        ({"active_users": 10}, "active users down from 15 to 10"),
        ({"score_28d": 96.0}, "health down 11 points in 28 days"),
        ({"mrr": Decimal(88)}, "MRR down 12% in 90 days"),
        ({"active_users": 19, "active_users_before": 19}, "19 of 20 seats in use: ready to expand"),
        ({"active_users": 22, "active_users_before": 19}, "22 people use 20 seats: ready to expand"),
        ({"renewal_on": date(2026, 7, 12)}, "renewal in 41 days"),
        ({"renewal_on": date(2026, 6, 2)}, "renewal tomorrow"),
        ({"renewal_on": date(2026, 6, 1)}, "renewal today"),
    ],
)  # fmt: skip
def test_one_reason_each(changes: dict[str, object], text: str) -> None:
    assert said(replace(CALM, **changes)) == [text]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"logins_14d": 6, "logins_14d_before": 9},
        {"logins_14d": 30},
        {"nps_score": 4.0, "nps_at": datetime(2026, 4, 1, tzinfo=UTC)},
        {"nps_score": 7.0},
        {"active_users": 14},
        {"score_28d": 94.0},
        {"renewal_on": date(2026, 12, 1)},
        {"seats": 3, "active_users": 3, "active_users_before": 3},
    ],
)
def test_what_is_within_the_noise_is_not_said(changes: dict[str, object]) -> None:
    assert said(replace(CALM, **changes)) == []  # type: ignore[arg-type]


def test_a_risky_account_always_has_a_reason() -> None:
    orange = replace(CALM, color="orange", score=55.3, score_28d=55.3)
    assert said(orange) == ["4.7 points below yellow"]
    facts = Facts(key_features_used=1, key_features=6)
    low = replace(orange, active_users=5, active_users_before=5, last_touch_at=None)
    assert said(low, facts) == [
        "1 of 6 key features used",
        "5 of 20 seats in use",
        "no contact on record",
    ]


def test_silence_makes_its_consequences_superfluous() -> None:
    red = replace(
        CALM, color="red", score=4.0, score_28d=4.0, active_users=0,
        last_seen_at=datetime(2026, 4, 22, tzinfo=UTC),
    )  # fmt: skip
    assert said(red)[0] == "nobody has logged in for 40 days"
    assert not any("seats" in text or "users" in text for text in said(red))


def test_the_sentence_keeps_the_renewal() -> None:
    account = replace(
        CALM, logins_14d=15, urgent_tickets=2, nps_score=4.0, score_28d=99.0,
        renewal_on=date(2026, 7, 12),
    )  # fmt: skip
    found = sentence(reasons(account, Facts(), Regional()))
    assert found is not None
    assert found.lead == "Logins down 63% in two weeks"
    assert found.rest == "; two urgent tickets are open; renewal in 41 days."


def test_a_sentence_has_one_stop() -> None:
    found = sentence([Reason("nps", "NPS answer 4 on 18. Nov.")])
    assert found is not None
    assert f"{found.lead}{found.rest}" == "NPS answer 4 on 18. Nov."


def test_onboarding_that_stands_still() -> None:
    fresh = replace(CALM, status="onboarding", color="", score=None, score_28d=None)
    steps = Steps(3, 6, datetime(2026, 5, 16, 9, tzinfo=UTC))
    text = "onboarding has stood at step 3 of 6 for 16 days"
    assert said(fresh, Facts(steps=steps)) == [text]
    assert (
        said(fresh, Facts(steps=Steps(3, 6, datetime(2026, 5, 28, tzinfo=UTC)))) == []
    )


def test_each_reason_has_a_step() -> None:
    why = reasons(replace(CALM, urgent_tickets=2), Facts(), Regional())
    assert str(step_for(why).label) == "See tickets"
    assert step_for(why).url(CALM) == "/accounts/a/#timeline"


def test_words() -> None:
    regional = Regional()
    assert [spelled(n, regional) for n in (1, 9, 10)] == ["one", "nine", "10"]
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert name_of("sanne.de_graaf@x.example", {}) == "Sanne De Graaf"
    assert name_of("A@x.example", {"a@x.example": "Ann"}) == "Ann"
    assert name_of(None, {}) == ""


# --- the same rules in the lake ----------------------------------------------


def needed(workspace: Workspace, lake: Lake, owner: str = "") -> today.Needed:
    reader = listing.Reader("alice@default.example", company.AS_OF, lake.settings.tz)
    return today.needed(workspace, reader, owner, 10)


def test_the_order_is_color_then_money(workspace: Workspace, lake: Lake) -> None:
    found = needed(workspace, lake)
    ids = [account.account_id for account in found.accounts]
    assert ids == [company.SILENT, company.KESTREL, company.FRESH]
    assert (found.count, found.red, found.renewing) == (3, 1, Decimal(100))
    assert [a.account_id for a in found.growing] == [company.GREEN]


def test_rows_say_why(workspace: Workspace, lake: Lake, regional: Regional) -> None:
    said = {
        r.account.account_id: r.sentence
        for r in rows(needed(workspace, lake), regional)
    }
    assert said[company.SILENT].lead == "Nobody has logged in for 40 days"
    kestrel = said[company.KESTREL]
    assert kestrel.lead == "Logins down 70% in two weeks"
    assert kestrel.rest == "; two urgent tickets are open; renewal in 41 days."
    assert said[company.FRESH].lead == "Onboarding has stood at step 2 of 5 for 12 days"
    assert said[company.GREEN].lead == "4 of 4 seats in use: ready to expand"


def test_what_the_lake_finds_has_a_reason(workspace: Workspace, lake: Lake) -> None:
    found = needed(workspace, lake)
    for account in (*found.accounts, *found.growing):
        why = reasons(account, found.facts[account.account_id], Regional())
        assert why, account.account_id


def test_mine_are_mine(workspace: Workspace, lake: Lake) -> None:
    found = needed(workspace, lake, "Bob@default.example")
    assert [a.account_id for a in found.accounts] == [company.SILENT]
    assert found.growing == []


def test_changes_of_color(workspace: Workspace, lake: Lake) -> None:
    """Since yesterday none; a week ago Kestrel was orange too, Silent red."""
    reader = listing.Reader("", company.AS_OF, lake.settings.tz)
    assert today.changes(workspace, reader, "").rows == []
