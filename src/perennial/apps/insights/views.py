"""Insights: power feature, renewal model, forecast, patterns, lifetime value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.customers import queries as customers
from perennial.apps.customers.chips import Chip, Choice
from perennial.apps.customers.words import name_of, owner_names
from perennial.apps.insights import (
    advice,
    backtest,
    explained,
    files,
    lives,
    outlook,
    patterns,
    power,
    queries,
    renewal,
    value,
)
from perennial.apps.insights.tabs import PAGES, tabs
from perennial.apps.jobs.queries import latest
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.lake.models import Version
from perennial.scoring.patterns import UNUSED_BELOW
from perennial.ui import explained as ui

#: Users that must have tried a feature for a share to mean something.
_LEAST_USERS = 20


def shared(request: TeamRequest, on: str) -> dict[str, Any]:
    """What every page of insights shows around its content."""
    lake = lake_of(request.workspace)
    waiting = [v for v in queries.versions(lake) if v.status == "proposed"]
    return {
        "nav": "insights",
        "tabs": tabs(on),
        "active": queries.active(lake),
        "page_title": PAGES[on],
        "waiting": waiting[-1] if waiting else None,
        "data_to": customers.data_to(request.workspace, lake.today),
    }


def segment_chip(request: TeamRequest, segments: list[str]) -> Chip | None:
    """Which segment a page is about; none where there are no segments."""
    if not segments:
        return None
    labels = {"": _("All customers"), **{s: s for s in segments}}
    return _chip(request, _("Segment"), "segment", labels)


def _chip(
    request: TeamRequest, title: str, name: str, labels: Mapping[str, str]
) -> Chip:
    """A choice of values, the first without being asked for; everything else in the
    address stays."""
    usual, *_others = labels
    chosen = _chosen(request, name, labels)

    def url(value: str) -> str:
        kept = {k: v for k, v in request.GET.items() if k != name}
        return "?" + urlencode({**kept, **({name: value} if value != usual else {})})

    choices = [Choice(text, url(v), v == chosen) for v, text in labels.items()]
    return Chip(title, labels[chosen], chosen != usual, choices)


def _chosen(request: TeamRequest, name: str, labels: Mapping[str, str]) -> str:
    wanted = request.GET.get(name, "")
    return wanted if wanted in labels else next(iter(labels))


def empty(request: TeamRequest, on: str) -> HttpResponse:
    """Nothing was learned yet: what will be here, and the one step."""
    context = {
        **shared(request, on),
        "run": latest(request.workspace, "review_models"),
        "may_look": request.membership.covers(Role.MEMBER),
    }
    return render(request, "insights/empty.html", context)


def shown(request: TeamRequest) -> Version | None:
    """The version a page speaks of: that asked for, in force, or the last proposed."""
    lake = lake_of(request.workspace)
    wanted = queries.version(lake, request.GET.get("version", ""))
    every = queries.versions(lake)
    return wanted or (every[-1] if every else None)


@role_required(Role.VIEWER)
def index(request: TeamRequest) -> HttpResponse:
    return redirect("insights:power")


@role_required(Role.VIEWER)
def explain(request: TeamRequest, topic: str) -> HttpResponse:
    """What a card shows, explained: as a drawer, or as a page of its own."""
    found = explained.find(topic)
    if found is None:
        raise Http404
    name, about = found
    facts = _learned_from(request) if name in ("power", "renewal", "backtest") else []
    back = reverse(f"insights:{name}"), PAGES[name]
    return ui.page(request, about, nav="insights", back=back, facts=facts)


def _learned_from(request: TeamRequest) -> list[tuple[ui.Text, str]]:
    version, segment = shown(request), request.GET.get("segment", "")
    return explained.facts(version, segment, request.regional) if version else []


@role_required(Role.VIEWER)
def power_feature(request: TeamRequest) -> HttpResponse:
    version = shown(request)
    if version is None:
        return empty(request, "power")
    lake, review = lake_of(request.workspace), version.review
    segments = sorted(s for s in review.discoveries if s)
    segment = request.GET.get("segment", "")
    segment = segment if segment in segments else ""
    found, names = review.discoveries[segment], queries.feature_names(lake)
    bands, feature = review.bands_of(segment), review.feature(segment)
    here = [c for c in queries.told(lake) if not segment or c.segment == segment]
    regional = request.regional
    band_rows = power.band_rows(bands, here, regional)
    name = names.get(feature or "", feature or "")
    below = power.below_green(here) if version == queries.active(lake) else []
    context = {
        **shared(request, "power"),
        "version": version,
        "chip": segment_chip(request, segments),
        "found": found,
        "feature": name,
        "advice": advice.power(found, below, name, regional),
        "below": below[: power.MOST],
        "below_count": len(below),
        "headline": power.headline(found, names, lake.settings, regional),
        "rows": power.rows(found, names),
        "bands": band_rows,
        "source": power.band_source(bands, regional),
        "green": power.green_text(bands, regional),
        "gap": power.gap_chart(review, segment, regional),
        "gap_text": power.gap_text(review, segment, regional),
        "trust": power.trust(found, lake.settings, regional),
        "drift": power.drift(review, segment, here, lake.settings, regional),
    }
    trend = power.trend(review, segment)
    tables = {
        "features": lambda: files.plain(found.findings),
        "bands": lambda: files.plain(band_rows),
        "gap": lambda: files.plain(trend.months if trend else ()),
        "below": lambda: files.chances(below),
    }
    return files.page(request, "insights/power.html", context, tables)


@role_required(Role.VIEWER)
def renewal_model(request: TeamRequest) -> HttpResponse:
    version = shown(request)
    if version is None:
        return empty(request, "renewal")
    lake, review = lake_of(request.workspace), version.review
    compared = review.comparison
    chosen = renewal.adopted(compared)
    told, cut = queries.told(lake), lake.settings.chances[0]
    moves = renewal.weights(review, told)
    context = {
        **shared(request, "renewal"),
        "version": version,
        "compared": compared,
        "chosen": chosen,
        "headline": renewal.headline(compared, request.regional),
        "advice": advice.renewal(told, cut, request.regional),
        "models": renewal.model_rows(compared),
        "calibration": renewal.calibration(chosen, request.regional),
        "groups": renewal.lowest_groups(chosen),
        "lift": renewal.lift(chosen),
        "ece_max": lake.settings.ece_max,
        "low": renewal.low_rows(told, request.regional),
        "weights": moves,
    }
    tables = {
        "chances": lambda: files.chances(told),
        "models": lambda: files.models(compared),
        "calibration": lambda: files.plain(renewal.lowest_groups(chosen)),
        "moves": lambda: files.plain(moves),
    }
    return files.page(request, "insights/renewal.html", context, tables)


@role_required(Role.VIEWER)
def back_test(request: TeamRequest) -> HttpResponse:
    version = shown(request)
    if version is None:
        return empty(request, "backtest")
    compared = version.review.comparison
    ways = backtest.rows(compared)
    verdicts = [row.way.verdict for row in ways]
    context = {
        **shared(request, "backtest"),
        "version": version,
        "headline": backtest.headline(ways, compared, request.regional),
        "advice": advice.back_test() if ways else None,
        "ways": ways,
        "base": verdicts[0].left / verdicts[0].n if verdicts else None,
        "days": backtest.days(ways),
        "chart": backtest.chart(ways, request.regional),
    }
    tables = {
        "ways": lambda: backtest.verdicts(ways),
        "early": lambda: backtest.files(ways),
    }
    return files.page(request, "insights/backtest.html", context, tables)


@role_required(Role.VIEWER)
def forecast(request: TeamRequest) -> HttpResponse:
    lake = lake_of(request.workspace)
    told = queries.told(lake)
    if not told:
        return empty(request, "forecast")
    segments = sorted({c.segment for c in told if c.segment})
    segment = request.GET.get("segment", "")
    segment = segment if segment in segments else ""
    here = [c for c in told if not segment or c.segment == segment]
    soon = outlook.soon(here, lake.today)
    total = outlook.due(_("90 days"), soon)
    ahead = queries.ahead(lake, segment)
    past = queries.hindsight(lake, lake.today)
    months = outlook.by_month(here, lake.today)
    names = owner_names(request.workspace)
    owners = outlook.by_group(here, lake.today, "owner")
    segments_due = outlook.by_group(here, lake.today, "segment")
    context = {
        **shared(request, "forecast"),
        "chip": segment_chip(request, segments),
        "headline": outlook.headline(total, request.regional),
        "advice": advice.forecast(soon, request.regional),
        "total": total,
        "months": months,
        "last": ahead[-1] if ahead else None,
        "fan": outlook.fan(lake, ahead, segment, request.regional),
        "groups": [] if segment else segments_due,
        "owners": [(name_of(str(o.label), names), o) for o in owners],
        "past": outlook.hindsight_chart(past, request.regional),
        "past_text": outlook.hindsight_text(past, request.regional),
        "telling": _running(request, "tell_past_forecasts"),
    }
    tables = {
        "chances": lambda: files.chances(here),
        "months": lambda: files.plain(months),
        "due_segments": lambda: files.plain(segments_due),
        "due_owners": lambda: files.plain(owners),
        "forecast": lambda: files.plain(ahead),
        "hindsight": lambda: files.plain(past),
    }
    return files.page(request, "insights/forecast.html", context, tables)


def _running(request: TeamRequest, job: str) -> Any:
    run = latest(request.workspace, job)
    return run if run is not None and run.is_active else None


@role_required(Role.VIEWER)
def usage_patterns(request: TeamRequest) -> HttpResponse:
    lake = lake_of(request.workspace)
    book = customers.book(request.workspace)
    if book is None:
        return empty(request, "patterns")
    rows = queries.answers(lake, book.as_of, "patterns")
    names = queries.account_names(lake)
    segments = patterns.light(rows, "light_use_of_segment", {"": _("No segment")})
    dips = patterns.dips(rows)
    accounts = patterns.light(rows, "light_use_of_account", names)
    context = {
        **shared(request, "patterns"),
        "headline": patterns.headline(segments, dips, request.regional),
        "advice": advice.patterns(segments, dips),
        "segments": segments,
        "accounts": [a for a in accounts if a.verdict in ("norm", "mixed")],
        "dips": dips,
        "unused": patterns.unused(rows, queries.feature_names(lake)),
        "unused_days": lake.settings.unused_feature_days,
        "unused_below": 100 * UNUSED_BELOW,
        "floor": lake.settings.light_floor * lake.settings.health.minutes,
    }
    tables = {"patterns": lambda: rows}
    return files.page(request, "insights/patterns.html", context, tables)


@role_required(Role.VIEWER)
def product_health(request: TeamRequest) -> HttpResponse:
    lake = lake_of(request.workspace)
    book = customers.book(request.workspace)
    if book is None:
        return empty(request, "product")
    rows = queries.answers(lake, book.as_of, "product")
    found = patterns.product(rows, queries.feature_names(lake), _LEAST_USERS)
    context = {
        **shared(request, "product"),
        "headline": patterns.product_headline(found, request.regional),
        "found": found,
        "least": _LEAST_USERS,
    }
    tables = {"product": lambda: rows}
    return files.page(request, "insights/product.html", context, tables)


@role_required(Role.VIEWER)
def survival(request: TeamRequest) -> HttpResponse:
    lake = lake_of(request.workspace)
    book = customers.book(request.workspace)
    if book is None:
        return empty(request, "survival")
    groups_by = {"": _("All together"), "segment": _("Segment"), "plan": _("Plan")}
    kinds = {"monthly": _("Who pays by the month"), "all": _("All customers")}
    by = _chosen(request, "by", groups_by)
    terms = _chosen(request, "terms", kinds)
    rows = queries.survival(lake, book.as_of, by, terms)
    found = lives.groups(rows, by)
    alike = rows[0]["p_groups_alike"] if rows else None
    context = {
        **shared(request, "survival"),
        "chips": [
            _chip(request, _("Customers"), "terms", kinds),
            _chip(request, _("By"), "by", groups_by),
        ],
        "headline": lives.headline(found, alike, request.regional),
        "advice": advice.survival(found, request.regional),
        "groups": [
            {"group": g, "range": lives.median_range(g, request.regional)}
            for g in found
        ],
        "months": lives.MONTHS,
        "alike": alike,
        "terms": terms,
        "chart": lives.chart(found, request.regional),
    }
    return files.page(
        request, "insights/survival.html", context, {"survival": lambda: rows}
    )


@role_required(Role.VIEWER)
def lifetime_value(request: TeamRequest) -> HttpResponse:
    lake = lake_of(request.workspace)
    book = customers.book(request.workspace)
    if book is None:
        return empty(request, "value")
    forms, by_segment, buyers = (
        queries.answers(lake, book.as_of, question)
        for question in ("value", "value_by_segment", "buyers")
    )
    told = value.forms(forms)
    context = {
        **shared(request, "value"),
        "headline": value.headline(told, request.regional),
        "advice": advice.value(),
        "forms": told,
        "segments": value.by_segment(by_segment),
        "buyers": value.parameters(buyers, request.regional),
    }
    tables = {
        "forms": lambda: forms,
        "segments": lambda: by_segment,
        "parameters": lambda: buyers,
    }
    return files.page(request, "insights/value.html", context, tables)
