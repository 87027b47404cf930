from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import polars as pl
import pytest

from perennial.demo import catalog
from tests.demo.conftest import Tables
from tests.demo.frames import frame

Company = Callable[[], Tables]


@pytest.fixture(params=["small", "full"], scope="module")
def tables(request: pytest.FixtureRequest) -> Tables:
    found: Tables = request.getfixturevalue(request.param)
    return found


def test_users_and_accounts_exist(tables: Tables) -> None:
    accounts = set(frame(tables["accounts"])["account_id"])
    users = set(frame(tables["users"])["user_id"])
    for table in tables.values():
        names = table.schema.names
        if "account_id" in names:
            assert set(frame(table)["account_id"].drop_nulls()) <= accounts
        if "user_id" in names:
            assert set(frame(table)["user_id"].drop_nulls()) <= users


def test_people_only_act_as_members(tables: Tables) -> None:
    events = frame(tables["events"]).filter(pl.col("user_id").is_not_null())
    members = frame(tables["memberships"]).drop("properties")
    during = (pl.col("timestamp") >= pl.col("starts_at")) & (
        pl.col("ends_at").is_null() | (pl.col("timestamp") < pl.col("ends_at"))
    )
    named = events.filter(pl.col("account_id").is_not_null())
    joined = named.select("event_id", "timestamp", "user_id", "account_id").join(
        members, on=["user_id", "account_id"]
    )
    assert joined.filter(during)["event_id"].n_unique() == len(named)
    nameless = events.filter(pl.col("account_id").is_null())
    assert 0 < len(nameless) < 0.02 * len(events)
    joined = nameless.select("event_id", "timestamp", "user_id").join(
        members, on="user_id"
    )
    assert joined.filter(during)["event_id"].n_unique() == len(nameless)


def test_memberships_lie_within_people_and_accounts(tables: Tables) -> None:
    members = frame(tables["memberships"])
    users = frame(tables["users"]).select("user_id", born="created_at")
    accounts = frame(tables["accounts"]).select("account_id", made="created_at")
    joined = members.join(users, on="user_id").join(accounts, on="account_id")
    assert len(joined) == len(members)
    assert joined.filter(pl.col("starts_at") < pl.col("born")).is_empty()
    assert joined.filter(pl.col("starts_at") < pl.col("made")).is_empty()
    assert joined.filter(pl.col("ends_at") <= pl.col("starts_at")).is_empty()


def test_only_entitled_features_are_used(tables: Tables) -> None:
    definitions = frame(tables["event_definitions"]).filter(
        pl.col("feature_id").is_not_null()
    )
    uses = (
        frame(tables["events"].select(["event_id", "event", "timestamp", "account_id"]))
        .filter(pl.col("account_id").is_not_null())
        .join(
            definitions.select(event="name", feature_id="feature_id"),
            on="event",
        )
    )
    entitled = uses.join(
        frame(tables["entitlements"]).drop("properties"),
        on=["account_id", "feature_id"],
    ).filter(
        (pl.col("timestamp") >= pl.col("starts_at"))
        & (pl.col("ends_at").is_null() | (pl.col("timestamp") < pl.col("ends_at")))
    )
    assert entitled["event_id"].n_unique() == len(uses)
    assert len(entitled) == len(uses), "entitlements overlap"


def test_features_are_used_after_release_and_under_valid_names(tables: Tables) -> None:
    definitions = frame(tables["event_definitions"])
    events = frame(tables["events"].select(["event", "timestamp"]))
    meant = events.join(
        definitions.select("valid_from", "valid_to", "feature_id", event="name"),
        on="event",
        how="left",
    )
    valid = (pl.col("timestamp") >= pl.col("valid_from")) & (
        pl.col("valid_to").is_null() | (pl.col("timestamp") < pl.col("valid_to"))
    )
    assert meant.filter(valid).height == len(events)
    released = meant.join(
        frame(tables["features"]).select("feature_id", "released_at"), on="feature_id"
    )
    assert released.filter(pl.col("timestamp") < pl.col("released_at")).is_empty()
    assert {catalog.OLD_ASSET_EVENT, catalog.NEW_ASSET_EVENT} <= set(events["event"])


def test_nobody_acts_after_churn_or_before_creation(tables: Tables) -> None:
    contracts = frame(tables["contracts"])
    last = contracts.sort("term_start").group_by("account_id").last()
    left = last.filter(pl.col("outcome") == "cancelled")
    assert len(left) > 0
    events = frame(tables["events"].select(["timestamp", "account_id"]))
    gone = events.join(left, on="account_id")
    assert gone.filter(pl.col("timestamp").dt.date() >= pl.col("term_end")).is_empty()
    made = frame(tables["accounts"]).select("account_id", "created_at")
    early = events.join(made, on="account_id")
    assert early.filter(pl.col("timestamp") < pl.col("created_at")).is_empty()


def test_terms_follow_each_other_and_items_end_with_them(tables: Tables) -> None:
    contracts = frame(tables["contracts"]).sort("account_id", "term_start")
    following = contracts.with_columns(
        next=pl.col("term_start").shift(-1).over("account_id")
    ).filter(pl.col("next").is_not_null())
    renewed = following.filter(pl.col("outcome") == "renewed")
    assert renewed.filter(pl.col("next") != pl.col("term_end")).is_empty()
    left = following.filter(pl.col("outcome") == "cancelled")
    assert left.filter(pl.col("next") <= pl.col("term_end") + timedelta(30)).is_empty()
    cancelled = contracts.filter(pl.col("outcome") == "cancelled")
    items = frame(tables["subscription_items"]).filter(pl.col("item_id") == "seats")
    ends = items.select("account_id", end=pl.col("valid_to").dt.date()).unique()
    found = cancelled.join(
        ends, left_on=["account_id", "term_end"], right_on=["account_id", "end"]
    )
    assert len(found) == len(cancelled)
    reasons = contracts["churn_reason"].is_not_null()
    assert (reasons == (contracts["outcome"] == "cancelled")).all()


def test_seats_of_a_subscription_are_the_seats_of_the_account(tables: Tables) -> None:
    contracts = frame(tables["seat_contracts"]).drop("properties")
    items = frame(tables["subscription_items"]).filter(pl.col("item_id") == "seats")
    joined = items.join(contracts, on="account_id").filter(
        (pl.col("valid_from") >= pl.col("starts_at"))
        & (pl.col("ends_at").is_null() | (pl.col("valid_from") < pl.col("ends_at")))
    )
    assert len(joined) > 0.9 * len(items)
    assert joined.filter(pl.col("quantity") != pl.col("seats")).is_empty()
    gaps = items.sort("valid_from").with_columns(
        before=pl.col("valid_to").shift(1).over("subscription_id")
    )
    assert gaps.filter(pl.col("before") != pl.col("valid_from")).is_empty()


def test_sessions_begin_with_a_log_in_and_hold_together(tables: Tables) -> None:
    events = (
        frame(tables["events"].select(["event", "timestamp", "user_id"]))
        .filter(
            pl.col("user_id").is_not_null()
            & (pl.col("event") != catalog.HEARTBEAT.name)
        )
        .sort("user_id", "timestamp")
    )
    gap = pl.col("timestamp").diff() > timedelta(minutes=30)
    events = events.with_columns(
        session=(gap | gap.is_null()).over("user_id").cum_sum()
    )
    sessions = events.group_by("session", maintain_order=True).agg(
        first=pl.col("event").first(), size=pl.len()
    )
    assert (sessions["first"] == catalog.LOGIN.name).mean() > 0.995
    assert 2 < sessions["size"].mean() < 5
    assert sessions["size"].quantile(0.999) <= 60
    assert sessions["size"].max() > 15


def test_tickets_go_forward_in_time(tables: Tables) -> None:
    tickets = frame(tables["tickets"])
    for before, after in (
        ("opened_at", "first_response_at"),
        ("first_response_at", "solved_at"),
        ("solved_at", "closed_at"),
    ):
        assert tickets.filter(pl.col(after) < pl.col(before)).is_empty()
    merged = tickets.filter(pl.col("merged_into").is_not_null())
    assert set(merged["merged_into"]) <= set(tickets["ticket_id"])
    assert set(merged["merged_into"]).isdisjoint(merged["ticket_id"])


def test_threads_go_back_and_forth(tables: Tables) -> None:
    emails = frame(tables["emails"])
    inbound = emails.filter(pl.col("direction") == "inbound")
    outside = ~inbound["from_address"].str.ends_with("@aldermoor.example")
    assert outside.all()
    outbound = emails.filter(pl.col("direction") == "outbound")
    assert outbound["from_address"].str.ends_with("@aldermoor.example").all()
    sizes = emails.filter(~pl.col("is_automatic")).group_by("thread_id").len()["len"]
    assert 2 < sizes.mean() < 5


def test_leads_run_through_their_stages_in_order(tables: Tables) -> None:
    stages = frame(tables["lead_stages"]).pivot(
        on="stage", index="lead_id", values="entered_at"
    )
    order = ("lead", "mql", "sql", "opportunity", "won")
    for before, after in pairwise(order):
        reached = stages.filter(pl.col(after).is_not_null())
        assert reached[before].null_count() == 0, after
        assert reached.filter(pl.col(after) < pl.col(before)).is_empty(), after
    assert set(stages["lead_id"]) == set(frame(tables["leads"])["lead_id"])
    both = stages.filter(pl.col("won").is_not_null() & pl.col("lost").is_not_null())
    assert both.is_empty()


def test_exchange_rates_cover_every_month_end(tables: Tables) -> None:
    rates = frame(tables["fx_rates"])
    items = frame(tables["subscription_items"])
    first = items.filter(pl.col("currency") != "EUR")["valid_from"].min().date()
    ends = pl.date_range(
        first.replace(day=1), rates["date"].max(), "1mo", eager=True
    ).dt.offset_by("-1d")
    for base in ("USD", "SEK", "GBP"):
        known = set(rates.filter(pl.col("base") == base)["date"])
        assert set(ends) <= known, base


def test_costs_have_every_category_in_every_month(tables: Tables) -> None:
    costs = frame(tables["costs"])
    months = frame(tables["events"].select(["timestamp"]))["timestamp"]
    touched = months.dt.month_start().dt.date().n_unique()
    assert costs["category"].n_unique() == 9
    assert len(costs) == 9 * touched
    assert (costs["amount"] > 0).all()
