from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from perennial.ui.formats import Regional

NOW = datetime(2026, 5, 12, 6, 41, tzinfo=UTC)
REGIONAL = Regional("en", "EUR", "Europe/Berlin")


def write(source: str, **context: object) -> str:
    full = {"regional": REGIONAL, "now": NOW, **context}
    return Template("{% load ui %}" + source).render(Context(full))


def text(source: str, **context: object) -> str:
    import re

    plain = re.sub(r"<[^>]+>", " ", write(source, **context))
    return " ".join(plain.split())


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ('{% health_mark 46 "orange" "ok" %}', "46 Orange"),
        ('{% health_mark 88.4 "green" %}', "88 Green"),
        ('{% health_mark None "" "onboarding" %}', "Onboarding"),
        ('{% health_mark None None "insufficient" %}', "Not enough data"),
        ('{% health_mark None "" "inactive" %}', "No score"),
        ('{% health_mark None "purple" "" %}', "No score"),
        ('{% health_change "yellow" "red" 38 %}', "Yellow 38 Red"),
    ],
)
def test_health_is_icon_score_and_word(tag: str, said: str) -> None:
    assert text(tag) == said
    assert "<use href=" in write(tag)


def test_a_missing_score_is_never_red() -> None:
    assert "is-none" in write('{% health_mark None "" "insufficient" %}')


@pytest.mark.parametrize(
    ("tag", "said", "mood"),
    [
        ('{% delta 0.026 "pp" "up" %}', "▲ up 2.6 pp", "good"),
        ('{% delta -0.008 "pp" "up" %}', "▼ down 0.8 pp", "bad"),
        (
            '{% delta 2400 "money" "down" note="vs last week" %}',
            "▲ up €2,400 vs last week",
            "bad",
        ),
        ('{% delta -15 good="up" noise=3 %}', "▼ down 15", "bad"),
        ('{% delta 2 good="up" noise=3 %}', "▲ up 2", ""),
        ("{% delta 2 %}", "▲ up 2", ""),
        ('{% delta 0 good="up" %}', "0", ""),
        ("{% delta None %}", "–", ""),
        ('{% delta -4 good="down" unit="days" %}', "▼ down 4 days", "good"),
    ],
)
def test_a_change_has_color_only_when_it_means_something(
    tag: str, said: str, mood: str
) -> None:
    html = write(tag)
    assert text(tag) == said
    assert [m for m in ("good", "bad") if f'delta {m}"' in html] == [mood] * bool(mood)


def test_times_carry_the_exact_one() -> None:
    html = write("{% ago at %}", at=datetime(2026, 5, 12, 6, 19, tzinfo=UTC))
    assert "22 min ago" in html
    assert 'title="Tue 12 May 2026, 08:19 CEST"' in html


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("{% touched d %}", "3 d"),
        ("{% day d %}", "9 May"),
        ("{% until d %}", "−3"),
        ("{% touched None %}", "–"),
        ("{% until None %}", "–"),
        ("{% ago None %}", "–"),
        ("{% duration 0.41 %}", "0.4 s"),
        ("{% duration 3900 %}", "1 h 5 min"),
    ],
)
def test_dates(tag: str, said: str) -> None:
    assert text(tag, d=date(2026, 5, 9)) == said


def test_a_near_renewal_is_bold() -> None:
    assert write("{% until d %}", d=date(2026, 6, 26)) == "<b>45</b>"
    assert write("{% until d %}", d=date(2026, 6, 27)) == "46"


def test_texts_of_users_are_escaped() -> None:
    bad = '"><script>'
    for tag in (
        "{% avatar bad %}",
        "{% label bad %}",
        "{{ bad|marked:'script' }}",
        "{% delta 1 note=bad %}",
        "{% icon 'home' label=bad %}",
    ):
        assert "<script>" not in write(tag, bad=bad), tag


def test_what_was_typed_is_marked() -> None:
    assert write("{{ 'Brikeston'|marked:'KES' }}") == "Bri<mark>kes</mark>ton"
    assert write("{{ 'a (b)'|marked:'(' }}") == "a <mark>(</mark>b)"
    assert write("{{ 'abc'|marked:'' }}") == "abc"


def test_no_tag_writes_inline_styles() -> None:
    tags = "{% meter 0.4 %}{% split_bar parts %}{% sparkline line 'red' %}{% use_meter 0.95 %}"
    html = write(tags, parts=[("green", 3), ("red", 1)], line=[1, 2, 3])
    assert "style=" not in html
    assert 'aria-label="Green 3, Red 1"' in html


def test_words_follow_the_language() -> None:
    assert "kr" in write("{% money 120 %}", regional=Regional("sv", "SEK"))
    with translation.override("de"):
        assert "1.234" in write("{% number 1234 %}", regional=Regional("de"))


def test_what_charts_need_is_sent_once_a_page(rf: RequestFactory) -> None:
    from perennial.ui import styleguide

    one = Template("{% load ui %}{% chart line 'One' %}")
    page = Template("{% include part %}{% include part %}")
    context = {**styleguide.context(), "part": one, "request": rf.get("/")}
    html = page.render(Context(context))
    assert html.count('class="chart-spec"') == 2
    assert html.count('id="chart-themes"') == 1
