"""Template tags of the interface: `{% load ui %}`.

Each tag writes one component of the look; the style guide shows them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField
from django.http import HttpRequest, QueryDict
from django.template import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import (
    conditional_escape,
    format_html,
    format_html_join,
    json_script,
)
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_lazy, pgettext_lazy

from perennial.ui import assets, charts, formats, navigation, shapes
from perennial.ui.context import regional as regional_of
from perennial.ui.formats import Number, Regional

register = template.Library()

#: Colors of health: the icon, the word. An empty color is "no score".
STATES: dict[str, tuple[str, str | Promise]] = {
    "green": ("circle-check-filled", pgettext_lazy("health", "Green")),
    "yellow": ("square-rotated-filled", pgettext_lazy("health", "Yellow")),
    "orange": ("alert-triangle-filled", pgettext_lazy("health", "Orange")),
    "red": ("square-minus-filled", pgettext_lazy("health", "Red")),
    "none": ("circle-dashed", pgettext_lazy("health", "No score")),
}

#: Why there is no score.
REASONS: dict[str, str | Promise] = {
    "insufficient": gettext_lazy("Not enough data"),
    "onboarding": gettext_lazy("Onboarding"),
    "inactive": gettext_lazy("No score"),
}

#: A rise of a health score below this is noise.
HEALTH_NOISE = 3

#: Days to a renewal that are set in bold.
SOON_DAYS = 45


def _regional(context: Context) -> Regional:
    known = context.get("regional")
    if isinstance(known, Regional):
        return known
    request = context.get("request")
    if isinstance(request, HttpRequest):
        return regional_of(request)
    return Regional(locale=get_language() or "en")


def _now(context: Context) -> datetime:
    now = context.get("now")
    return now if isinstance(now, datetime) else timezone.now()


# --- files, icons, people ----------------------------------------------------


@register.simple_tag
def asset(name: str) -> str:
    return assets.url(name)


@register.simple_tag
def icon(name: str, size: int = 16, label: str = "") -> SafeString:
    says = format_html('role="img" aria-label="{}"', label) if label else _SILENT
    size_class = "" if size == 16 else f" icon-{size}"
    href = f"{assets.url('icons.svg')}#{name}"
    return format_html(
        '<svg class="icon{}" {}><use href="{}"/></svg>', size_class, says, href
    )


_SILENT = SafeString('aria-hidden="true"')


@register.simple_tag
def avatar(name: str) -> SafeString:
    return format_html(
        '<span class="avatar" title="{}" aria-hidden="true">{}</span>',
        name,
        formats.initials(name),
    )


@register.filter
def initial(name: str) -> str:
    return formats.initials(name)[:1]


# --- numbers and times -------------------------------------------------------


@register.simple_tag(takes_context=True)
def number(context: Context, value: Number | None, places: int = 0) -> str:
    return formats.number(value, _regional(context), places)


@register.simple_tag(takes_context=True)
def percent(context: Context, value: Number | None, places: int = 1) -> str:
    return formats.percent(value, _regional(context), places)


@register.simple_tag(takes_context=True)
def money(context: Context, value: Number | None, currency: str = "") -> str:
    return formats.money(value, _regional(context), currency or None)


@register.simple_tag(takes_context=True)
def money_plain(context: Context, value: Number | None) -> str:
    return formats.money_plain(value, _regional(context))


@register.simple_tag(takes_context=True)
def currency_symbol(context: Context) -> str:
    return formats.currency_symbol(_regional(context))


@register.simple_tag(takes_context=True)
def day(context: Context, value: date | datetime | None) -> SafeString | str:
    """ "22 Jun", the exact date on hover."""
    regional = _regional(context)
    if value is None:
        return formats.EMPTY
    today = _now(context).astimezone(regional.zone).date()
    return _time(value, formats.day(value, regional, today), regional)


@register.simple_tag(takes_context=True)
def touched(context: Context, value: date | datetime | None) -> SafeString | str:
    """A touch in a list: "today", "3 d"."""
    if value is None:
        return formats.EMPTY
    regional = _regional(context)
    days = formats.days_between(value, _now(context), regional)
    text = gettext("today") if days <= 0 else gettext("%(n)s d") % {"n": days}
    return _time(value, text, regional)


@register.simple_tag(takes_context=True)
def ago(context: Context, value: datetime | None) -> SafeString | str:
    """How long ago something happened: "2 s ago", "22 min ago", "3 d ago"."""
    if value is None:
        return formats.EMPTY
    seconds = int((_now(context) - value).total_seconds())
    return _time(value, _ago(max(seconds, 0)), _regional(context))


def _ago(seconds: int) -> str:
    if seconds < 60:
        return gettext("%(n)s s ago") % {"n": seconds}
    if seconds < 3600:
        return gettext("%(n)s min ago") % {"n": seconds // 60}
    if seconds < 86400:
        return gettext("%(n)s h ago") % {"n": seconds // 3600}
    return gettext("%(n)s d ago") % {"n": seconds // 86400}


@register.simple_tag(takes_context=True)
def until(context: Context, value: date | None) -> SafeString | str:
    """Days to a renewal: a bare figure, bold when it is near."""
    if value is None:
        return formats.EMPTY
    regional = _regional(context)
    days = -formats.days_between(value, _now(context), regional)
    text = formats.number(days, regional)
    if 0 <= days <= SOON_DAYS:
        return format_html("<b>{}</b>", text)
    return text


def _time(value: date | datetime, text: str, regional: Regional) -> SafeString:
    exact = formats.exact(value, regional)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact, text
    )


@register.simple_tag
def duration(seconds: float | None) -> str:
    """ "0.4 s", "42 s", "3 min 20 s", "1 h 5 min"."""
    if seconds is None:
        return formats.EMPTY
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


# --- health and change -------------------------------------------------------


@register.simple_tag(name="health_word")
def state_word(color: str, status: str = "") -> str:
    if color in STATES:
        return str(STATES[color][1])
    return str(REASONS.get(status, STATES["none"][1]))


@register.simple_tag(takes_context=True)
def health_mark(
    context: Context,
    score: Number | None = None,
    color: str | None = "",
    status: str | None = "",
    *,
    pill: bool = False,
    word: bool = True,
) -> SafeString:
    """Icon, score and word of a health; without a color the reason."""
    state = color if color and color in STATES else "none"
    figure = _SPACE
    if score is not None and state != "none":
        figure = format_html("<b>{}</b> ", formats.number(score, _regional(context)))
    said = state_word(state if color else "", status or "")
    return format_html(
        '<span class="health is-{}{}">{}{}<span class="{}">{}</span></span>',
        state,
        " health-pill" if pill else "",
        icon(STATES[state][0]),
        figure,
        "" if word else "sr-only",
        said,
    )


_SPACE = SafeString()


@register.simple_tag(takes_context=True)
def health_change(
    context: Context,
    before: str | None,
    after: str | None,
    score: Number | None = None,
) -> SafeString:
    """A transition: the icon before, an arrow, the mark after."""
    return format_html(
        '<span class="transition">{}{}{}</span>',
        health_mark(context, None, before, word=False),
        icon("arrow-narrow-right", label=gettext("now")),
        health_mark(context, score, after),
    )


@register.simple_tag(takes_context=True)
def delta(
    context: Context,
    value: Number | None,
    kind: str = "number",
    good: str = "",
    *,
    noise: float = 0.0,
    places: int | None = None,
    unit: str = "",
    note: str = "",
) -> SafeString:
    """A change: ▲ or ▼, the number, its unit.

    `kind` is number, percent (a share of the old value), pp (a difference of two
    shares) or money; `good` says which direction is good (up, down, or neither).
    Below `noise` the change has no color.
    """
    if value is None:
        return SafeString(formats.EMPTY)
    regional = _regional(context)
    text = _change_text(_size(value), kind, regional, places) + (
        f" {unit}" if unit else ""
    )
    mood = _mood(value, good, noise)
    arrow = _ARROWS[(value > 0) - (value < 0)]
    body = format_html('<span class="delta{}">{}{}</span>', mood, arrow(), text)
    if note:
        return format_html('{} <span class="delta-note">{}</span>', body, note)
    return body


def _up() -> SafeString:
    return format_html(
        '<i aria-hidden="true">▲</i><span class="sr-only">{}</span>', gettext("up")
    )


def _down() -> SafeString:
    return format_html(
        '<i aria-hidden="true">▼</i><span class="sr-only">{}</span>', gettext("down")
    )


def _still() -> SafeString:
    return SafeString()


_ARROWS = {1: _up, -1: _down, 0: _still}


def _change_text(
    value: Number, kind: str, regional: Regional, places: int | None
) -> str:
    match kind:
        case "percent":
            return formats.percent(value, regional, 1 if places is None else places)
        case "pp":
            points = formats.number(
                float(value) * 100, regional, 1 if places is None else places
            )
            return f"{points} {gettext('pp')}"
        case "money":
            return formats.money(value, regional)
        case _:
            return formats.number(value, regional, places or 0)


def _size(value: Number) -> Decimal:
    return abs(Decimal(str(value)))


def _mood(value: Number, good: str, noise: float) -> str:
    if value == 0 or _size(value) < noise or good not in {"up", "down"}:
        return ""
    return " good" if (value > 0) == (good == "up") else " bad"


@register.simple_tag
def sparkline(values: Sequence[float | None], color: str | None = "") -> SafeString:
    """A 64 × 20 line; hidden from screen readers, the change beside it speaks."""
    drawn = shapes.spark(values)
    if drawn is None:
        return SafeString()
    lines = format_html_join(
        "", '<polyline points="{}"/>', ((points,) for points in drawn.points)
    )
    return format_html(
        '<svg class="spark{}" viewBox="0 0 64 20" aria-hidden="true">{}'
        '<circle cx="{}" cy="{}" r="2.25"/></svg>',
        f" is-{color}" if color in STATES else "",
        lines,
        drawn.end_x,
        drawn.end_y,
    )


@register.simple_tag
def meter(
    value: Number | None, of: Number = 1, color: str = "", *, tall: bool = False
) -> SafeString:
    """A track with the part that is filled; the number stands beside it."""
    height, radius = (7, 1) if tall else (4, 2)
    on = shapes.share(float(value or 0), float(of))
    return format_html(
        '<svg class="meter{}{}" height="{}" aria-hidden="true">'
        '<rect width="100%" height="{}" rx="{}"/>'
        '<rect class="on" width="{}%" height="{}" rx="{}"/></svg>',
        " meter-tall" if tall else "",
        f" is-{color}" if color else "",
        height,
        height,
        radius,
        on,
        height,
        radius,
    )


@register.simple_tag
def use_meter(value: Number | None) -> SafeString:
    """License use: accent from 90 % on."""
    return meter(value, 1, "accent" if value is not None and value >= 0.9 else "gray")


@register.simple_tag(takes_context=True)
def split_bar(context: Context, parts: Sequence[tuple[str, Number]]) -> SafeString:
    """One bar of health colors, by accounts or money: `[("green", 31), …]`."""
    said = ", ".join(
        f"{state_word(state)} {formats.number(value, _regional(context))}"
        for state, value in parts
    )
    drawn = shapes.split([(state, float(value)) for state, value in parts])
    rects = format_html_join(
        "",
        '<rect class="is-{}" x="{}%" width="{}%" height="8" rx="1"/>',
        ((part.state, part.x, part.width) for part in drawn),
    )
    return format_html(
        '<svg class="split" height="8" role="img" aria-label="{}">{}</svg>', said, rects
    )


@register.simple_tag
def label(text: str, color: str = "") -> SafeString:
    """A small label: green, yellow, orange, red, accent; gray when empty."""
    return format_html(
        '<span class="label{}">{}</span>', f" is-{color}" if color else "", text
    )


@register.filter
def heat(value: float | None, high: float) -> str:
    """The class of a heat cell: `<td class="{{ uses|heat:most }}">`."""
    return f"heat-{shapes.heat_step(value, high)}"


# --- the frame ---------------------------------------------------------------


@register.inclusion_tag("ui/nav.html", takes_context=True)
def navigation_items(context: Context, place: str = "side") -> dict[str, Any]:
    """The items at one of three places; found once for a page."""
    shared = context.render_context
    if "nav_lines" not in shared:
        shared["nav_lines"] = _nav_lines(context)
    lines = [
        line for line in shared["nav_lines"] if place != "tabbar" or line["item"].phone
    ]
    return {"lines": lines, "place": place, "regional": _regional(context)}


def _nav_lines(context: Context) -> list[dict[str, Any]]:
    request = context["request"]
    on = context.get("nav") or navigation.key_of(request.path)
    return [
        {
            "item": item,
            "url": reverse(item.url),
            "on": item.key == on,
            "count": item.count(request) if item.count else None,
        }
        for item in navigation.items(request)
    ]


@register.inclusion_tag("ui/tabs.html", takes_context=True)
def settings_tabs(context: Context, on: str) -> dict[str, Any]:
    pages = navigation.settings_pages(context["request"])
    tabs = [{"label": p.label, "url": reverse(p.url), "on": p.key == on} for p in pages]
    return {"tabs": tabs, "label": gettext("Settings")}


@register.inclusion_tag("ui/chart.html", takes_context=True)
def chart(
    context: Context,
    drawing: charts.Chart,
    title: str,
    sub: str = "",
    *,
    name: str = "chart",
    explain: str = "",
    bare: bool = False,
) -> dict[str, Any]:
    """A chart in its card: title, tools, drawing, and the table behind it."""
    regional = _regional(context)
    return {
        "chart": drawing,
        "spec": json_script(drawing.spec),
        "themes": _themes(context, regional),
        "heads": drawing.columns,
        "rows": charts.table(drawing, regional),
        "title": title,
        "sub": sub,
        "name": name,
        "explain": explain,
        "bare": bare,
        "regional": regional,
    }


def _themes(context: Context, regional: Regional) -> SafeString | str:
    """What the browser draws with, once a page, in whichever part comes first."""
    request = context.get("request")
    if getattr(request, "has_chart_themes", False):
        return ""
    if isinstance(request, HttpRequest):
        request.has_chart_themes = True  # type: ignore[attr-defined]
    return json_script(charts.themes(regional), "chart-themes")


@register.simple_tag(takes_context=True)
def explain_url(context: Context, view: str, topic: str) -> str:
    """Where a topic is explained, for what the page was asked for."""
    request = context.get("request")
    asked = request.GET.copy() if isinstance(request, HttpRequest) else QueryDict()
    kept = asked.urlencode()
    return reverse(view, args=[topic]) + (f"?{kept}" if kept else "")


@register.simple_tag(takes_context=True)
def explains(context: Context, view: str, topic: str) -> SafeString:
    """The button of a card that explains what it shows."""
    return format_html(
        '<a class="btn btn-icon" href="{}" data-drawer data-explain '
        'aria-label="{}">{}</a>',
        explain_url(context, view, topic),
        gettext("Explain this number"),
        icon("math-function"),
    )


# --- forms and texts ---------------------------------------------------------

_CLASSES = {"checkbox": "form-check-input", "select": "form-select"}


@register.filter
def control(field: BoundField) -> SafeString:
    """The input of a form field, in the look and with what is wrong with it."""
    kind = getattr(field.field.widget, "input_type", "text")
    attrs: dict[str, str | bool] = {"class": _CLASSES.get(kind, "form-control")}
    if field.errors:
        attrs |= {
            "aria-invalid": "true",
            "aria-describedby": f"{field.id_for_label}_error",
        }
    return field.as_widget(attrs=attrs)


@register.filter
def of(values: Mapping[str, object], key: str) -> object:
    """The value of a key, or nothing: `{{ roles|of:person.user_id }}`."""
    return values.get(key, "")


@register.filter
def marked(text: object, query: str) -> SafeString:
    """The text with what was typed in bold, at its first place."""
    words = [re.escape(word) for word in query.lstrip(">@#").split()]
    found = re.search("|".join(words), str(text), re.IGNORECASE) if words else None
    if found is None:
        return conditional_escape(str(text))
    start, end = found.span()
    before, hit, after = str(text)[:start], str(text)[start:end], str(text)[end:]
    return format_html("{}<mark>{}</mark>{}", before, hit, after)
