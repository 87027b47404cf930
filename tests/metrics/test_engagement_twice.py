"""Numbers of use, adoption, conversion and retention, computed a second time.

From plain events and rows (`used`), for months over both changes of clocks, days
around a midnight and the lost hour, and a day of the past; by segment and account.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil
from statistics import fmean, median
from typing import Any

import pytest

from perennial.core.windows import add_months, months_between
from tests.metrics.books import midnight
from tests.metrics.plainly import AS_OF, DAY, DAYS, MONTHS, SPRING, TODAY, Row, local
from tests.metrics.used import Used, days
from tests.metrics.world import World

Key = tuple[Any, ...]
Values = Mapping[Key, float | None]
SEGMENT, ACCOUNT = ("segment",), ("account",)
LATELY = {"start": "2026-01-01", "end": "2026-06-10", "grain": "month"}


@dataclass(frozen=True)
class Asked:
    """What a row answers: days `[start, end)`, known before `horizon`, split `by`."""

    start: date
    end: date
    horizon: date
    by: tuple[str, ...]

    @property
    def days(self) -> list[date]:
        return days(self.start, self.end)


@pytest.fixture(scope="module")
def used(world: World) -> Used:
    return Used(world)


def check(
    used: Used,
    key: str,
    expected: Callable[[Asked], Values],
    *,
    by: tuple[str, ...] = (),
    made: tuple[str, ...] = (),
    spans: Sequence[Mapping[str, str]] = (),
    **more: Any,
) -> None:
    """Is the product's answer what is expected, row by row, and complete?

    `made` are columns of the answer that tell its rows apart beside those of `by`.
    By default the whole is asked for months, and its parts for a day of the past.
    """
    some = False
    for span in spans or ((AS_OF,) if by else (MONTHS,)):
        rows = used.world.workspace.metric(key, by=list(by), **span, **more).to_dicts()
        horizon = date.fromisoformat(span["as_of"]) if "as_of" in span else TODAY
        periods = sorted({(r["period_start"], r["period_end"]) for r in rows})
        for start, end in periods:
            if start >= TODAY:
                continue
            wanted = expected(Asked(start, min(end, TODAY), horizon, by))
            found = {
                tuple(r[name] for name in (*by, *made)): r["value"]
                for r in rows
                if r["period_start"] == start
            }
            for group in {*found, *wanted}:
                value, where = wanted.get(group), (key, more, span, start, group)
                if value is None:
                    assert found.get(group) is None, where
                else:
                    some = True
                    assert found.get(group) == pytest.approx(value, rel=1e-9), where
    assert some, (key, more, "nothing was compared")


def ratio(parts: Mapping[Key, float], wholes: Mapping[Key, float]) -> Values:
    return {k: parts.get(k, 0) / whole for k, whole in wholes.items() if whole}


def counted(pairs: Iterable[tuple[Key, Any]]) -> dict[Key, int]:
    """How many different things belong to each key."""
    found = defaultdict(set)
    for key, thing in pairs:
        found[key].add(thing)
    return {key: len(things) for key, things in found.items()}


class TestActivity:
    @pytest.mark.parametrize("by", [(), SEGMENT])
    def test_active_users_and_stickiness(self, used: Used, by: tuple[str, ...]) -> None:
        days_of = defaultdict(list)
        for row in used.active:
            days_of[row["date"]].append((used.group(row, by), row["user_id"]))

        def users(first: date, end: date) -> dict[Key, int]:
            return counted(pair for day in days(first, end) for pair in days_of[day])

        def daily(asked: Asked) -> Counter[Key]:
            total: Counter[Key] = Counter()
            for day in asked.days:
                total.update(users(day, day + DAY))
            return total

        def sticky(asked: Asked) -> Values:
            mean = {k: n / len(asked.days) for k, n in daily(asked).items()}
            return ratio(mean, users(asked.start, asked.end))

        def weekly(asked: Asked) -> Values:
            total: Counter[Key] = Counter()
            for day in asked.days:
                total.update(users(day - DAY * 6, day + DAY))
            return ratio(daily(asked), total)

        check(used, "stickiness", sticky, by=by)
        check(used, "stickiness", weekly, by=by, spans=(DAYS,), variant="dau_wau")
        for key, width in (("wau", 7), ("mau", 30)):
            for row in used.world.workspace.metric(
                key, by=list(by), **SPRING
            ).to_dicts():
                end = row["period_end"]
                wanted = users(end - DAY * width, end)
                assert row["value"] == wanted.get(tuple(row[n] for n in by), 0)

    def test_sessions(self, used: Used) -> None:
        def short(asked: Asked) -> Values:
            rows = [s for s in used.sessions if asked.start <= s.date < asked.end]
            brief = timedelta(seconds=10)
            ends = [
                s for s in rows if len(s.events) == 1 or timedelta(0) < s.length < brief
            ]
            key = lambda s: used.group({"account_id": s.account}, asked.by)  # noqa: E731
            return ratio(Counter(map(key, ends)), Counter(map(key, rows)))

        check(used, "short_session_share", short)
        check(used, "short_session_share", short, by=SEGMENT, spans=(SPRING,))

    def test_time_and_days(self, used: Used) -> None:
        """Means of sessions, of users' days and of their time, split at midnight."""

        def inside(asked: Asked) -> list[int]:
            return [
                s.length // timedelta(milliseconds=1)
                for s in used.sessions
                if asked.start <= s.date < asked.end
            ]

        def mean(asked: Asked) -> Values:
            lengths = inside(asked)
            return {(): sum(lengths) / len(lengths) / 1000} if lengths else {}

        def nonzero(asked: Asked) -> Values:
            lengths = [ms for ms in inside(asked) if ms]
            return {(): sum(lengths) / len(lengths) / 1000} if lengths else {}

        def active(asked: Asked) -> dict[str, set[date]]:
            found = defaultdict(set)
            for row in used.active:
                if asked.start <= row["date"] < asked.end:
                    found[row["user_id"]].add(row["date"])
            return found

        def time(asked: Asked) -> Values:
            low, high = midnight(asked.start), midnight(asked.end)
            parts = [
                min(s.events[-1].at, high) - max(s.events[0].at, low)
                for s in used.sessions
            ]
            none = timedelta(0)
            total = sum(max(part, none) // timedelta(milliseconds=1) for part in parts)
            return {(): total / 1000 / len(active(asked))} if active(asked) else {}

        check(used, "average_session_duration", mean, spans=(MONTHS, SPRING))
        check(used, "average_session_duration", nonzero, variant="nonzero")
        check(used, "time_in_app", time, spans=(MONTHS, SPRING))
        for variant, of in (("mean", fmean), ("median", median)):

            def days_of(asked: Asked, of: Any = of) -> Values:
                counts = [len(known) for known in active(asked).values()]
                return {(): of(counts)} if counts else {}

            check(used, "active_days", days_of, variant=variant)

    @pytest.mark.parametrize("by", [(), SEGMENT])
    @pytest.mark.parametrize("variant", ["users", "accounts"])
    def test_frequency(self, used: Used, variant: str, by: tuple[str, ...]) -> None:
        created = {r["user_id"]: r["created_at"] for r in used.rows("users")}
        onboarded = {a: (day, day + DAY * 30) for a, day in used.first_paid.items()}
        for row in used.rows("accounts"):
            began = row["created_at"] and local(row["created_at"])
            began = began or used.first_paid.get(row["account_id"])
            done = row["onboarding_completed_at"]
            end = local(done) if done else began and began + DAY * 30
            onboarded[row["account_id"]] = (began, end)

        def spans(asked: Asked) -> dict[Key, tuple[date, date]]:
            """From when to when somebody could have been active, by group and id."""
            if variant == "accounts":
                last = asked.end - DAY
                held = [
                    (a, a, onboarded.get(a, (None, None))[0], None)
                    for a in {account for account, _, _ in used.paying}
                    if used.pays(a, last) and used.visible([{"account_id": a}])
                ]
            else:
                held = [(a, u, since, until) for a, u, since, until in used.seats]
            found: dict[Key, tuple[date, date]] = {}
            for account, who, since, until in held:
                born = created.get(who) if variant == "users" else None
                begins = (since, onboarded.get(account, (None, None))[1])
                begins = (*begins, born and local(born), asked.start)
                first = max(day for day in begins if day)
                end = min(asked.end, until or asked.end)
                if first < end:
                    key = (*used.group({"account_id": account}, by), who)
                    old = found.get(key, (first, end))
                    found[key] = (min(old[0], first), max(old[1], end))
            return found

        entity = "account_id" if variant == "accounts" else "user_id"

        def classes(asked: Asked) -> Values:
            present = defaultdict(set)
            for row in used.active:
                if row[entity]:
                    key = (*used.group(row, by), row[entity])
                    present[key].add(row["date"])
            found: dict[Key, Counter[str]] = defaultdict(Counter)
            for key, (first, end) in spans(asked).items():
                length = (end - first).days
                if length >= 14:
                    there = sum(first <= day < end for day in present[key])
                    cuts = (ceil(16 * length / 28), ceil(4 * length / 28), 1)
                    names = ("daily", "frequent", "occasional")
                    known = (n for n, c in zip(names, cuts, strict=True) if there >= c)
                    found[key[:-1]][next(known, "inactive")] += 1
            names = ("daily", "frequent", "occasional", "inactive")
            return {
                (*group, name): counts[name] / counts.total()
                for group, counts in found.items()
                for name in names
            }

        check(used, "usage_frequency", classes, by=by, made=("class",), variant=variant)

    def test_time_in_areas(self, used: Used) -> None:
        areas = {r["feature_id"]: r["area"] for r in used.rows("features") if r["area"]}

        def spent(asked: Asked) -> Values:
            found: dict[Key, float] = defaultdict(float)
            for session in used.sessions:
                if asked.start <= session.date < asked.end:
                    group = used.group({"account_id": session.account}, asked.by[:-1])
                    events = sorted(session.events, key=lambda e: (e.at, e.event_id))
                    for n, event in enumerate(events):
                        if event.feature in areas:
                            after = (
                                events[n + 1].at if n + 1 < len(events) else event.at
                            )
                            key = (*group, areas[event.feature])
                            wait = _ms(after) - _ms(event.at)
                            found[key] += wait / 1000
            return found

        for by in (("area",), ("segment", "area")):
            check(
                used, "product_usage_rate", spent, by=by, variant="seconds",
                spans=(SPRING,),
            )  # fmt: skip


def _ms(at: Any) -> int:
    return int(at.timestamp() * 1_000_000) // 1000


class TestFeatures:
    @pytest.mark.parametrize(
        "variant", ["trial", "habit", "account_trial", "account_habit"]
    )
    def test_adoption(self, used: Used, variant: str) -> None:
        told = {
            r["feature_id"] for n in ("features", "entitlements") for r in used.rows(n)
        }
        entity = "account_id" if variant.startswith("account") else "user_id"

        def adopted(asked: Asked) -> Values:
            active = {
                (r["account_id"], r["user_id"])
                for r in used.active
                if asked.start <= r["date"] < asked.end and r["account_id"]
            }
            uses = [r for r in used.uses if asked.start <= r["date"] < asked.end]
            heard = {r["feature"] for r in uses}
            use_days = defaultdict(set)
            for r in uses:
                use_days[r["account_id"], r["user_id"], r["feature"]].add(r["date"])
            least = 2 if variant.endswith("habit") else 1
            open_to = {
                account: used.open_to(account, asked.start, asked.end) & (told | heard)
                for account, _ in active
            }
            could, took = defaultdict(set), defaultdict(set)
            for account, user in active:
                for feature in open_to[account]:
                    row = {"account_id": account, "user_id": user, "feature": feature}
                    key, thing = used.group(row, asked.by), (row[entity], feature)
                    could[key].add(thing)
                    if len(use_days[account, user, feature]) >= least:
                        took[key].add(thing)
            return ratio(
                {k: len(v) for k, v in took.items()},
                {k: len(v) for k, v in could.items()},
            )

        check(used, "feature_adoption", adopted, variant=variant)
        by = ("segment", "feature")
        check(used, "feature_adoption", adopted, by=by, variant=variant)

    @pytest.mark.parametrize("by", [(), ("feature",), ACCOUNT])
    def test_repeat(self, used: Used, by: tuple[str, ...]) -> None:
        dates = defaultdict(set)
        of_account = "account" in by
        for r in used.uses:
            account = r["account_id"] if of_account else None
            dates[account, r["user_id"], r["feature"]].add(r["date"])

        def again(asked: Asked) -> Values:
            tried, back = Counter(), Counter()
            for (account, user, feature), known in dates.items():
                known = {day for day in known if day < asked.horizon}
                first = min(known, default=asked.end)
                late = first + DAY * 30 >= asked.horizon
                if not asked.start <= first < asked.end or late:
                    continue
                row = {"account_id": account, "user_id": user, "feature": feature}
                key = used.group(row, by)
                tried[key] += 1
                back[key] += any(first < d <= first + DAY * 30 for d in known)
            return ratio(back, tried)

        check(used, "feature_repeat_rate", again, by=by)

    @pytest.mark.parametrize("by", [(), ("feature",), ("account", "feature")])
    def test_time_to_adopt(self, used: Used, by: tuple[str, ...]) -> None:
        of_account = "account" in by
        first_use: dict[Key, date] = {}
        for r in used.uses:
            key = (r["account_id"] if of_account else None, r["user_id"], r["feature"])
            first_use[key] = min(first_use.get(key, r["date"]), r["date"])
        opened = self.opened(used)

        def waits(asked: Asked, *, naive: bool) -> Values:
            began: dict[Key, list[tuple[date, date]]] = defaultdict(list)
            for account, user, feature, since, until in opened:
                last = min(until, asked.horizon) - DAY
                if since <= last:
                    began[account if of_account else None, user, feature].append(
                        (since, last)
                    )
            found = defaultdict(list)
            for (account, user, feature), spans in began.items():
                start, last = min(s for s, _ in spans), max(e for _, e in spans)
                if not asked.start <= start < asked.end:
                    continue
                use = first_use.get((account, user, feature))
                use = use if use and use < asked.horizon else None
                key = used.group({"account_id": account, "feature": feature}, by)
                found[key].append(
                    (max(((use or last) - start).days, 0), use is not None)
                )
            return {
                key: _naive(waited) if naive else _kaplan_meier(waited)
                for key, waited in found.items()
            }

        check(
            used,
            "time_to_adopt",
            lambda a: waits(a, naive=True),
            by=by,
            variant="adopters",
        )
        if by:
            check(used, "time_to_adopt", lambda a: waits(a, naive=False), by=by)

    def opened(self, used: Used) -> list[tuple[Any, str, str, date, date]]:
        """Account, user, feature, the day it was open from and the first not watched."""
        ever, never = date(1900, 1, 1), date(9999, 12, 31)
        grants = defaultdict(dict)
        for r in used.rows("entitlements"):
            since = local(r["starts_at"]) if r["starts_at"] else ever
            of_feature = grants[r["feature_id"]]
            known = of_feature.get(r["account_id"], never)
            of_feature[r["account_id"]] = min(known, since)
        released = {r["feature_id"]: r["released_at"] for r in used.rows("features")}
        features = {*released, *grants, *(r["feature"] for r in used.uses)}
        places: dict[tuple[Any, str], tuple[date | None, date]] = {}
        for account, user, since, until in used.seats:
            first, last = places.get((account, user), (since, until or never))
            firsts = [d for d in (first, since) if d]
            places[account, user] = (
                min(firsts, default=None),
                max(last, until or never),
            )
        created = {
            r["user_id"]: r["created_at"] and local(r["created_at"])
            for r in used.visible(used.rows("users"))
        }
        active: dict[str, date] = {}
        for r in used.active:
            active[r["user_id"]] = min(active.get(r["user_id"], r["date"]), r["date"])
        seated = {user for _, user in places}
        places |= {
            (None, user): (None, never) for user in created if user not in seated
        }
        return [
            (account, user, feature, max(seen, since, out), until)
            for (account, user), (first, until) in places.items()
            if (seen := created.get(user) or active.get(user) or first)
            for feature in features
            if feature not in grants or account in grants[feature]
            for since in [grants[feature][account] if feature in grants else ever]
            for out in [local(released[feature]) if released.get(feature) else ever]
        ]

    @pytest.mark.parametrize("by", [(), SEGMENT, ("feature",), ACCOUNT])
    def test_key_feature_coverage(self, used: Used, by: tuple[str, ...]) -> None:
        keys = {r["feature_id"] for r in used.rows("features") if r["is_key"]}
        accounts = self.begun(used)

        def covered(asked: Asked) -> Values:
            last = asked.end - DAY
            inside = [r for r in used.uses if asked.start <= r["date"] < asked.end]
            uses = {(r["account_id"], r["feature"]) for r in inside}
            active = {
                r["account_id"]
                for r in used.active
                if asked.start <= r["date"] < asked.end
            }
            could, took = Counter(), Counter()
            for account, (began, stage) in accounts.items():
                paid = used.first_paid.get(account)
                may_come = (
                    (began is None or began <= last)
                    and (paid is None or paid > last)
                    and (stage or "").lower() not in ("lead", "churned")
                )
                if not (may_come or used.pays(account, last) or account in active):
                    continue
                for feature in used.open_to(account, asked.start, asked.end) & keys:
                    key = used.group({"account_id": account, "feature": feature}, by)
                    could[key] += 1
                    took[key] += (account, feature) in uses
            return ratio(took, could)

        check(used, "key_feature_coverage", covered, by=by)

    def begun(self, used: Used) -> dict[str, tuple[date | None, str | None]]:
        rows = {r["account_id"]: r for r in used.rows("accounts")}
        ledger = used.world.workspace.lake.read("mrr_ledger").to_pylist()
        known = {*rows, *(r["account_id"] for r in ledger)}
        known |= {r["account_id"] for r in used.active if r["account_id"]}
        known |= {s.account for s in used.sessions if s.account}
        found = {}
        for account in known:
            row = rows.get(account, {})
            if row.get("is_test"):
                continue
            created = row.get("created_at")
            began = local(created) if created else used.first_paid.get(account)
            found[account] = (began, row.get("lifecycle_stage"))
        return found

    @pytest.mark.parametrize("by", [(), SEGMENT, ("area",), ("account", "area")])
    def test_product_usage(self, used: Used, by: tuple[str, ...]) -> None:
        areas = {r["feature_id"]: r["area"] for r in used.rows("features") if r["area"]}

        def rate(asked: Asked) -> Values:
            inside = [r for r in used.active if asked.start <= r["date"] < asked.end]
            present = {(r["account_id"], r["user_id"], None) for r in inside}
            if "area" in by:
                present = {
                    (r["account_id"], r["user_id"], areas.get(r["feature"]))
                    for r in used.uses
                    if asked.start <= r["date"] < asked.end
                }
            could, took = defaultdict(set), defaultdict(set)
            for account, user in used.holders(asked.start, asked.end - DAY):
                open_ = (
                    used.open_to(account, asked.start, asked.end)
                    if "area" in by
                    else ()
                )
                parts = (
                    {areas[f] for f in open_ if f in areas} if "area" in by else {None}
                )
                for area in parts:
                    key = used.group({"account_id": account, "area": area}, by)
                    could[key].add(user)
                    if (account, user, area) in present:
                        took[key].add(user)
            return ratio(
                {k: len(v) for k, v in took.items()},
                {k: len(v) for k, v in could.items()},
            )

        check(used, "product_usage_rate", rate, by=by)


def _kaplan_meier(waits: Sequence[tuple[int, bool]]) -> float | None:
    """Median by the product of (1 − ended / at risk), counted from scratch."""
    alive = 1.0
    for time in sorted({t for t, ended in waits if ended}):
        at_risk = sum(t >= time for t, _ in waits)
        alive *= 1 - sum(t == time and ended for t, ended in waits) / at_risk
        if alive <= 0.5 + 1e-12:
            return time
    return None


def _naive(waits: Sequence[tuple[int, bool]]) -> float | None:
    ended = [t for t, is_over in waits if is_over]
    return median(ended) if ended else None


class TestSeats:
    @pytest.mark.parametrize("by", [(), SEGMENT, ACCOUNT])
    def test_held_and_used(self, used: Used, by: tuple[str, ...]) -> None:
        def rate(asked: Asked, *, active: bool) -> Values:
            last = asked.end - DAY
            seats, people = Counter(), Counter()
            recent = {
                (r["account_id"], r["user_id"])
                for r in used.active
                if last - DAY * 29 <= r["date"] <= last
            }
            holders = used.holders(last, last)
            for account, count in used.bought(last).items():
                key = used.group({"account_id": account}, by)
                seats[key] += count
                people[key] += sum(
                    a == account and (not active or (a, u) in recent)
                    for a, u in holders
                )
            return ratio(people, seats)

        spans = (DAYS, AS_OF) if by else (MONTHS,)
        check(
            used,
            "seat_assignment_rate",
            lambda a: rate(a, active=False),
            by=by,
            spans=spans,
        )
        check(
            used,
            "license_utilization",
            lambda a: rate(a, active=True),
            by=by,
            spans=spans,
        )


class TestEngagement:
    def test_dip(self, used: Used) -> None:
        accounts = TestFeatures().begun(used)
        done = {
            r["account_id"]: local(r["onboarding_completed_at"])
            for r in used.rows("accounts")
            if r["onboarding_completed_at"]
        }
        people = defaultdict(set)
        for r in used.active:
            people[r["account_id"], r["date"]].add(r["user_id"])

        def curve(asked: Asked, *, survivors: bool) -> Values:
            shares: dict[tuple[Key, int], dict[str, float]] = defaultdict(dict)
            later = set()
            for account, (began, _) in accounts.items():
                begun = done.get(account) or (began and began + DAY * 30)
                if begun is None:
                    continue
                for k in range(months_between(begun, asked.horizon)):
                    first, last = add_months(begun, k), add_months(begun, k + 1) - DAY
                    seats = used.bought(last).get(account)
                    paid = used.first_paid.get(account)
                    gone = paid and paid <= last and not used.pays(account, last)
                    if not seats or gone:
                        continue
                    later.add((account, k - 3))
                    if asked.start <= last < asked.end:
                        users = set().union(
                            *(people[account, d] for d in days(first, last + DAY))
                        )
                        key = used.group({"account_id": account}, asked.by)
                        shares[key, k][account] = len(users) / seats
            means = {}
            for (key, k), known in shares.items():
                kept = [s for a, s in known.items() if not survivors or (a, k) in later]
                if len(kept) >= 3:
                    means[key, k] = sum(kept) / len(kept)
            found: dict[Key, float | None] = {}
            for key, k in means:
                before = [means.get((key, k - n)) for n in (1, 2, 3)]
                if None not in before and sum(before):
                    found[(*key, k)] = means[key, k] / (sum(before) / 3) - 1
            return found

        year = {"start": "2025-09-01", "end": "2026-06-10"}
        least = {
            "params": {"min_accounts": "3"},
            "made": ("k",),
            "spans": (year,),
        }
        check(used, "usage_dip", lambda a: curve(a, survivors=False), **least)
        check(
            used, "usage_dip", lambda a: curve(a, survivors=False), by=SEGMENT, **least
        )
        check(
            used,
            "usage_dip",
            lambda a: curve(a, survivors=True),
            variant="survivors",
            **least,
        )

    @pytest.mark.parametrize("by", [(), SEGMENT])
    def test_score(self, used: Used, by: tuple[str, ...]) -> None:
        core = {
            r["feature_id"]: r["released_at"]
            for r in used.rows("features")
            if r["is_core"]
        }

        def parts(asked: Asked) -> dict[Key, list[float | None]]:
            middle = asked.end - DAY * 30
            now = [r for r in used.active if middle <= r["date"] < asked.end]
            before = [r for r in used.active if middle - DAY * 30 <= r["date"] < middle]
            out = {f for f, at in core.items() if at is None or local(at) < asked.end}
            users = counted((used.group(r, by), r["user_id"]) for r in now)
            pairs = counted(
                (used.group(r, by), (r["user_id"], r["feature"]))
                for r in used.uses
                if middle <= r["date"] < asked.end and r["feature"] in out
            )
            daily = counted((used.group(r, by), (r["user_id"], r["date"])) for r in now)
            here, there = (
                {(used.group(r, by), r["account_id"]) for r in rows if r["account_id"]}
                for rows in (now, before)
            )
            gained = Counter(key for key, _ in here - there)
            dropped = Counter(key for key, _ in there - here)
            found = {}
            for key in {*users, *dropped}:
                n, moved = users.get(key, 0), gained[key] + dropped[key]
                found[key] = [
                    pairs.get(key, 0) / (n * len(out)) if n and out else None,
                    daily[key] / 30 / n if n else None,
                    gained[key] / moved if moved else None,
                ]
            return found

        def whole(asked: Asked) -> Values:
            return {
                key: None if None in known else 100 * sum(known) / 3
                for key, known in parts(asked).items()
            }

        def some(asked: Asked) -> Values:
            known = {
                k: [p for p in ps if p is not None] for k, ps in parts(asked).items()
            }
            return {k: 100 * sum(ps) / len(ps) for k, ps in known.items() if ps}

        check(used, "product_engagement_score", whole, by=by)
        check(used, "product_engagement_score", some, by=by, variant="partial")


class TestHealth:
    @pytest.mark.parametrize("by", [(), SEGMENT, ACCOUNT])
    def test_scores_and_colors(self, used: Used, by: tuple[str, ...]) -> None:
        def newest(asked: Asked) -> list[Row]:
            found: dict[str, Row] = {}
            for r in used.visible(used.rows("health_snapshots")):
                old = r["date"] > asked.end or r["date"] <= asked.end - DAY * 7
                order = (r["date"], r["computed_at"])
                known = found.get(r["account_id"])
                if not old and (
                    known is None or order > (known["date"], known["computed_at"])
                ):
                    found[r["account_id"]] = r
            return [r for r in found.values() if r["score"] is not None]

        def grouped(asked: Asked) -> dict[Key, list[Row]]:
            found = defaultdict(list)
            for r in newest(asked):
                found[used.group(r, by)].append(r)
            return found

        def weighted(rows: list[Row]) -> float | None:
            total = sum(r["mrr_e4"] or 0 for r in rows)
            return (
                sum(r["score"] * (r["mrr_e4"] or 0) for r in rows) / total
                if total
                else None
            )

        def scored(
            value: Callable[[list[Row]], float | None],
        ) -> Callable[[Asked], Values]:
            return lambda asked: {k: value(rows) for k, rows in grouped(asked).items()}

        def mean(rows: list[Row]) -> float:
            return sum(r["score"] for r in rows) / len(rows)

        def middle(rows: list[Row]) -> float:
            return median(r["score"] for r in rows)

        for variant, value in (
            ("mean", mean),
            ("median", middle),
            ("mrr_weighted", weighted),
        ):
            check(
                used,
                "health_score",
                scored(value),
                by=by,
                variant=variant,
                spans=(AS_OF,) if by else (LATELY,),
            )

        def spread(asked: Asked, *, mrr: bool) -> Values:
            found: dict[Key, float | None] = {}
            for key, rows in grouped(asked).items():
                of = dict.fromkeys(("red", "orange", "yellow", "green"), 0)
                for r in rows:
                    of[r["color"]] += (r["mrr_e4"] or 0) if mrr else 1
                total = sum(of.values())
                found |= {
                    (*key, c): n / total if total else None for c, n in of.items()
                }
            return found

        for variant in ("accounts", "mrr"):
            check(
                used, "health_distribution", lambda a, v=variant: spread(a, mrr=v == "mrr"),
                by=by, made=("color",), variant=variant, spans=(AS_OF,) if by else (LATELY,),
            )  # fmt: skip


class TestFunnels:
    names = ("e step 1", "e step 2", "e step 3")

    def taken(
        self, used: Used, asked: Asked, names: Sequence[str], within: int
    ) -> dict[Key, list[int]]:
        """How many of each group took each step, followed one person at a time."""
        mine = defaultdict(list)
        for e in used.events:
            if e.name in names and e.date < asked.horizon:
                mine[e.person].append(e)
        found: dict[Key, list[int]] = defaultdict(lambda: [0] * len(names))
        for events in mine.values():
            starts: dict[Key, Any] = {}
            for e in events:
                if e.name == names[0] and asked.start <= e.date < asked.end:
                    starts.setdefault(
                        used.group({"account_id": e.account}, asked.by), e
                    )
            for key, entry in starts.items():
                at, reached = entry.at, 1
                for name in names[1:]:
                    steps = [
                        e.at
                        for e in events
                        if e.name == name
                        and e.at >= at
                        and (e.date - entry.date).days <= within
                    ]
                    if not steps:
                        break
                    at, reached = min(steps), reached + 1
                for n in range(reached):
                    found[key][n] += 1
        return found

    @pytest.mark.parametrize(
        ("names", "within", "by"),
        [
            (names, 30, SEGMENT),
            (names, 31, ()),
            (("Comment Added", "Report Scheduled", "Invoice Viewed"), 7, SEGMENT),
        ],
    )
    def test_events(
        self, used: Used, by: tuple[str, ...], names: Sequence[str], within: int
    ) -> None:
        params = {"steps": ",".join(names), "within_days": str(within)}

        def last(asked: Asked) -> Values:
            found = self.taken(used, asked, names, within)
            return {k: counts[-1] / counts[0] for k, counts in found.items()}

        def each(asked: Asked) -> Values:
            found = self.taken(used, replace(asked, by=by), names, within)
            return {
                (*k, name): counts[n] / (counts[n - 1] if n else counts[0])
                if n == 0 or counts[n - 1]
                else None
                for k, counts in found.items()
                for n, name in enumerate(names)
            }

        check(used, "funnel", last, by=by, params=params)
        check(
            used,
            "funnel",
            each,
            by=(*by, "step"),
            params=params,
            variant="step",
            spans=(LATELY,),
        )

    def test_conversion(self, used: Used) -> None:
        base, goal = "e step 1", "e step 2"
        params = {"base_event": base, "goal_event": goal}

        def cohort(asked: Asked) -> Values:
            found = self.taken(used, asked, (base, goal), 30)
            return {k: counts[1] / counts[0] for k, counts in found.items()}

        def period(asked: Asked) -> Values:
            inside = [e for e in used.events if asked.start <= e.date < asked.end]
            came, went = (
                counted(
                    (used.group({"account_id": e.account}, asked.by), e.person)
                    for e in inside
                    if e.name == name
                )
                for name in (base, goal)
            )
            return ratio(went, came)

        for by in ((), ACCOUNT):
            check(
                used, "conversion_rate", cohort, by=by, params=params, spans=(LATELY,)
            )
            check(
                used,
                "conversion_rate",
                period,
                by=by,
                params=params,
                variant="period",
                spans=(LATELY,),
            )

    @pytest.mark.parametrize("by", [(), SEGMENT, ("source",)])
    def test_leads(self, used: Used, by: tuple[str, ...]) -> None:
        order = ("lead", "mql", "sql", "opportunity", "won")
        stages = defaultdict(list)
        for r in used.rows("lead_stages"):
            stages[r["lead_id"]].append((r["entered_at"], r["stage"].lower()))
        leads = []
        for r in used.visible(used.rows("leads")):
            known = [at for at, _ in stages[r["lead_id"]]]
            known += [r["created_at"]] if r["created_at"] else []
            if known:
                leads.append((local(min(known)), r))

        def reached(asked: Asked) -> dict[Key, list[int]]:
            found: dict[Key, list[int]] = defaultdict(lambda: [0] * 5)
            for day, lead in leads:
                if asked.start <= day < asked.end:
                    known = [
                        order.index(s)
                        for at, s in stages[lead["lead_id"]]
                        if s in order
                        and local(at) <= day + DAY * 30
                        and local(at) < asked.horizon
                    ]
                    key = used.group(lead, by)
                    for n in range(max(known, default=0) + 1):
                        found[key][n] += 1
            return found

        def won(asked: Asked) -> Values:
            decided, wins = Counter(), Counter()
            for day, lead in leads:
                known = {
                    s for at, s in stages[lead["lead_id"]] if local(at) < asked.horizon
                }
                if asked.start <= day < asked.end and known & {"won", "lost"}:
                    decided[used.group(lead, by)] += 1
                    wins[used.group(lead, by)] += "won" in known
            return ratio(wins, decided)

        def each(asked: Asked) -> Values:
            return {
                (*k, stage): counts[n] / counts[0]
                for k, counts in reached(asked).items()
                for n, stage in enumerate(order)
            }

        spans = (AS_OF,) if by else (MONTHS,)
        check(
            used,
            "lead_funnel",
            lambda a: {k: c[-1] / c[0] for k, c in reached(a).items()},
            by=by,
            spans=spans,
        )
        check(used, "lead_funnel", each, by=(*by, "stage"), spans=spans)
        check(used, "lead_funnel", won, by=by, variant="win_rate", spans=spans)

    @pytest.mark.parametrize("by", [(), ("kind",), ("segment", "last_step")])
    def test_trials(self, used: Used, by: tuple[str, ...]) -> None:
        items = defaultdict(list)
        for r in used.visible(used.rows("subscription_items")):
            items[r["account_id"]].append(r)

        def kind(r: Row) -> str:
            trial = r["is_trial"]
            if trial is None:
                until = r["trial_end"]
                trial = r["status"] == "trialing" or (until and until > r["valid_from"])
            if trial:
                return "trial"
            live = (r["status"] or "active").lower() not in (
                "canceled", "cancelled", "incomplete", "incomplete_expired", "unpaid", "ended",
            )  # fmt: skip
            if not live or r["usage_type"] == "metered":
                return "none"
            amount = r["mrr"]
            if amount is None:
                quantity = 1.0 if r["quantity"] is None else r["quantity"]
                amount = quantity * float(r["unit_amount"]) - float(r["discount"] or 0)
            return "priced" if amount > 0 else "freemium"

        starts = []
        accounts = {r["account_id"]: r for r in used.visible(used.rows("accounts"))}
        for account in {*items, *accounts}:
            found: dict[str, Any] = {}
            for r in items[account]:
                k = kind(r)
                found[k] = min(found.get(k, r["valid_from"]), r["valid_from"])
            free = [
                (found[k], k != "trial", k) for k in ("trial", "freemium") if k in found
            ]
            row = accounts.get(account, {})
            stage = (row.get("lifecycle_stage") or "").lower()
            if free:
                at, _, name = min(free)
            elif stage in ("trial", "free", "freemium") and row.get("created_at"):
                at, name = (
                    row["created_at"],
                    "trial" if stage == "trial" else "freemium",
                )
            else:
                continue
            priced = found.get("priced") if free else None
            paid = used.first_paid.get(account)
            if (priced and priced <= at) or (paid and paid < local(at)):
                continue
            starts.append((local(at), account, name, paid))
        steps: dict[str, list[Row]] = defaultdict(list)
        for r in used.visible(used.rows("onboarding_steps")):
            if r["account_id"]:
                steps[r["account_id"]].append(r)
        payments = defaultdict(list)
        for r in used.rows("payments"):
            payments[r["account_id"]].append(r)

        def refunded(account: str, start: date, paid: date) -> bool:
            back, taken = Counter(), Counter()
            for r in payments[account]:
                if start <= local(r["paid_at"]) <= paid + DAY * 30:
                    of = back if r["kind"] == "refund" else taken
                    of[(r["currency"] or "").upper()] += abs(r["amount"])
            kept = any(taken[c] > back[c] for c in taken)
            return sum(back.values()) > 0 and not kept

        def paid_share(asked: Asked, *, net: bool) -> Values:
            began, converted = Counter(), Counter()
            for start, account, name, paid in starts:
                within = 30 if name == "trial" else 90
                if (
                    not asked.start <= start < asked.end
                    or start + DAY * within >= asked.horizon
                ):
                    continue
                done = [
                    r
                    for r in steps[account]
                    if local(r["completed_at"]) < asked.horizon
                ]
                last = max(
                    done,
                    key=lambda r: (r["position"] or 0, r["completed_at"], r["step"]),
                    default={"step": None},
                )["step"]
                row = {"account_id": account, "kind": name, "last_step": last}
                key = used.group(row, by)
                began[key] += 1
                in_time = paid is not None and paid <= start + DAY * within
                converted[key] += in_time and not (
                    net and refunded(account, start, paid)
                )
            return ratio(converted, began)

        for variant in ("gross", "net"):
            check(
                used, "free_to_paid", lambda a, v=variant: paid_share(a, net=v == "net"),
                by=by, variant=variant,
            )  # fmt: skip


class TestOnboarding:
    @pytest.mark.parametrize("by", [(), SEGMENT, ("flow",), ACCOUNT])
    def test_steps(self, used: Used, by: tuple[str, ...]) -> None:
        rows = used.visible(used.rows("onboarding_steps"))

        def chains(horizon: date) -> dict[str, list[str]]:
            places: dict[str, dict[str, tuple[Any, Any]]] = defaultdict(dict)
            for r in rows:
                if local(r["completed_at"]) < horizon:
                    place, first = places[r["flow"]].get(
                        r["step"], (None, r["completed_at"])
                    )
                    known = [p for p in (place, r["position"]) if p is not None]
                    at = min(first, r["completed_at"])
                    places[r["flow"]][r["step"]] = (min(known, default=None), at)
            found = {}
            for flow, steps in places.items():
                has_places = any(p is not None for p, _ in steps.values())
                kept = [
                    (p or 0, at, s)
                    for s, (p, at) in steps.items()
                    if p is not None or not has_places
                ]
                found[flow] = [s for _, _, s in sorted(kept)]
            return found

        def progress(asked: Asked) -> dict[Key, dict[str, list[Any]]]:
            """By group and flow: steps, people who began, reached of each, latest day."""
            took: dict[Key, dict[str, Any]] = defaultdict(dict)
            entry: dict[Key, dict[Key, date]] = defaultdict(dict)
            order = chains(asked.horizon)
            for r in rows:
                if local(r["completed_at"]) >= asked.horizon:
                    continue
                person = (
                    r["user_id"] or r["account_id"],
                    r["account_id"] if "account" in by else None,
                )
                mine = took[(*person, r["flow"])]
                mine[r["step"]] = min(
                    mine.get(r["step"], r["completed_at"]), r["completed_at"]
                )
                if order[r["flow"]][:1] == [r["step"]]:
                    key = used.group(r, by)
                    day = local(r["completed_at"])
                    known = entry[(*person, r["flow"])]
                    known[key] = min(known.get(key, day), day)
            found: dict[Key, dict[str, list[Any]]] = defaultdict(
                lambda: defaultdict(list)
            )
            for who, groups in entry.items():
                flow, mine = who[-1], took[who]
                reached, before = 0, None
                for step in order[flow]:
                    if step not in mine or (before and mine[step] < before):
                        break
                    reached, before = reached + 1, mine[step]
                latest = local(max(mine.values()))
                for key, day in groups.items():
                    if asked.start <= day < asked.end:
                        found[key][flow].append((reached, latest, len(order[flow])))
            return found

        def completion(asked: Asked) -> Values:
            people = {
                k: [p for ps in flows.values() for p in ps]
                for k, flows in progress(asked).items()
            }
            return {
                k: sum(r == n for r, _, n in ps) / len(ps) for k, ps in people.items()
            }

        def stalled(asked: Asked) -> Values:
            people = {
                k: [p for ps in flows.values() for p in ps]
                for k, flows in progress(asked).items()
            }
            quiet = asked.horizon - DAY * 7
            return {
                k: sum(r < n and d < quiet for r, d, n in ps) / len(ps)
                for k, ps in people.items()
            }

        def dropped(asked: Asked) -> Values:
            order, lost, came = chains(asked.horizon), Counter(), Counter()
            for key, flows in progress(asked).items():
                for flow, ps in flows.items():
                    for n, step in enumerate(order[flow][:-1], start=1):
                        came[(*key, step)] += sum(r >= n for r, _, _ in ps)
                        lost[(*key, step)] += sum(r == n for r, _, _ in ps)
            return ratio(lost, came)

        if by != ("flow",):
            check(used, "onboarding_funnel", completion, by=by)
            check(used, "onboarding_funnel", stalled, by=by, variant="stalled")
        check(used, "onboarding_funnel", dropped, by=(*by, "step"), variant="drop")

    @pytest.mark.parametrize("by", [(), SEGMENT])
    @pytest.mark.parametrize("event", ["", "Report Scheduled"])
    def test_time_to_value(self, used: Used, by: tuple[str, ...], event: str) -> None:
        keys = {r["feature_id"] for r in used.rows("features") if r["is_key"]}
        first: dict[str, date] = {}
        for e in used.events:
            is_value = e.name == event if event else e.feature in keys and e.user
            if e.account and is_value:
                first[e.account] = min(first.get(e.account, e.date), e.date)
        signed: dict[str, date] = {}
        for r in used.rows("contracts"):
            account = r["account_id"]
            signed[account] = min(signed.get(account, r["term_start"]), r["term_start"])
        starts = {
            account: min(known)
            for account, (began, _) in TestFeatures().begun(used).items()
            if (known := [d for d in (began, signed.get(account)) if d])
        }

        def waits(asked: Asked) -> dict[Key, list[tuple[int, bool]]]:
            found = defaultdict(list)
            for account, start in starts.items():
                if asked.start <= start < asked.end:
                    value = first.get(account)
                    value = value if value and value < asked.horizon else None
                    wait = ((value or asked.horizon - DAY) - start).days
                    key = used.group({"account_id": account}, by)
                    found[key].append((max(wait, 0), value is not None))
            return found

        asked = {"by": by, "params": {"event": event}}
        check(
            used,
            "time_to_value",
            lambda a: {k: _kaplan_meier(w) for k, w in waits(a).items()},
            **asked,
        )
        check(
            used,
            "time_to_value",
            lambda a: {k: _naive(w) for k, w in waits(a).items()},
            variant="naive_median",
            **asked,
        )


class TestRetention:
    @pytest.mark.parametrize("by", [(), SEGMENT, ACCOUNT])
    @pytest.mark.parametrize("variant", ["n_day", "unbounded"])
    def test_weeks_and_months(
        self, used: Used, by: tuple[str, ...], variant: str
    ) -> None:
        present = self.present(used, by)
        for grain in ("week", "month"):
            span = {"start": "2025-12-10", "end": "2026-06-10", "grain": grain}
            check(
                used, "user_retention",
                lambda a, g=grain: self.by_units(present, a, g, variant),
                by=by, made=("cohort", "k"), variant=variant, spans=(span,),
            )  # fmt: skip

    def present(
        self, used: Used, by: tuple[str, ...]
    ) -> dict[tuple[Key, str], set[date]]:
        """The days each person was there, by group."""
        found = defaultdict(set)
        for r in used.active:
            found[used.group(r, by), r["user_id"]].add(r["date"])
        return found

    def by_units(self, present: Any, asked: Asked, grain: str, variant: str) -> Values:
        def unit(day: date) -> int:
            if grain == "month":
                return day.year * 12 + day.month
            return (day - date(1970, 1, 5)).days // 7

        def first_day(day: date) -> date:
            return day.replace(day=1) if grain == "month" else day - DAY * day.weekday()

        came, size = Counter(), Counter()
        last = unit(asked.horizon) - 1
        for (key, _), known in present.items():
            began = min(known)
            if not asked.start <= began < asked.end:
                continue
            cohort = first_day(began)
            units = {unit(d) - unit(began) for d in known if d < asked.horizon}
            for k in range(last - unit(began) + 1):
                size[(*key, cohort, k)] += 1
                there = k in units if variant == "n_day" else max(units) >= k
                came[(*key, cohort, k)] += there
        return ratio(came, size)

    @pytest.mark.parametrize("by", [(), SEGMENT])
    def test_days(self, used: Used, by: tuple[str, ...]) -> None:
        present = self.present(used, by)

        def on_days(
            asked: Asked, spans: Sequence[tuple[Any, int, int]], *, later: bool
        ) -> Values:
            came, size = Counter(), Counter()
            for (key, _), known in present.items():
                began = min(known)
                if asked.start <= began < asked.end:
                    offsets = {(d - began).days for d in known if d < asked.horizon}
                    for label, first, last in spans:
                        if began + DAY * last < asked.horizon:
                            size[(*key, label)] += 1
                            there = any(
                                first <= o and (later or o <= last) for o in offsets
                            )
                            came[(*key, label)] += there
            return ratio(came, size)

        single = [(n, n, n) for n in (0, 1, 7, 30)]
        brackets = [("1-7", 1, 7), ("8-30", 8, 30)]
        for variant, spans, named in (
            ("n_day", single, "0,1,7,30"),
            ("unbounded", single, "0,1,7,30"),
            ("bracket", brackets, "1-7,8-30"),
        ):
            check(
                used, "user_retention",
                lambda a, s=spans, v=variant: on_days(a, s, later=v == "unbounded"),
                by=by, made=("day",), variant=variant, params={"days": named},
                spans=(AS_OF,) if by else (LATELY,),
            )  # fmt: skip


def test_events_by_name_are_those_of_the_roll_ups(used: Used) -> None:
    """Whose they are, which account's and what they mean, told without roll-ups."""
    from perennial.metrics import registry
    from perennial.metrics.query import ask

    workspace = used.world.workspace
    query = ask(registry.get("funnel"), now=workspace.now, settings=workspace.settings)
    names = [n for n in {e.name for e in used.events} if n != "Logged In"]
    inputs = workspace.inputs(query)
    rows = workspace.engine.run(inputs.named_events(names, end=TODAY)).to_dicts()
    found = Counter(
        (r["event"], r["at"], r["user_id"], r["account_id"], r["person"]) for r in rows
    )
    wanted = Counter(
        (e.name, e.at, e.user, e.account, e.person)
        for e in used.events
        if e.name in names and e.date < TODAY
    )
    assert found == wanted
    first, end = date(2026, 1, 1), date(2026, 4, 1)
    events = workspace.engine.run(inputs.activity_events(first, end)).to_dicts()
    told = Counter(
        (r["event_id"], r["user_id"], r["account_id"], r["feature_id"]) for r in events
    )
    assert told == Counter(
        (e.event_id, e.user, e.account, e.feature)
        for e in used.events
        if first <= e.date < end and e.is_activity and e.user
    )
