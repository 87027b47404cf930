"""The token file: readable, safe for color-blind people, the same in charts."""

from __future__ import annotations

import re
from itertools import accumulate, combinations
from pathlib import Path

import pytest

from perennial.ui.charts import COLORS
from tests.ui.color import MACHADO, contrast, difference, lab, linear, seen_by

JS = Path(__file__).parents[2] / "js"
THEMES = ("light", "dark")
STATES = ("green", "yellow", "orange", "red", "none")

#: Smallest CIEDE2000 of any two fills of health, as the design measured it.
SMALLEST = {
    ("light", "deutan"): 11.9,
    ("light", "protan"): 13.8,
    ("light", "tritan"): 11.5,
    ("dark", "deutan"): 15.0,
    ("dark", "protan"): 20.0,
    ("dark", "tritan"): 14.6,
}


def tokens(theme: str) -> dict[str, str]:
    text = (JS / "css/tokens.css").read_text()
    pattern = r"--([\w-]+): light-dark\((#[0-9A-F]{6}), (#[0-9A-F]{6})\);"
    at = 1 + THEMES.index(theme)
    return {m[1]: m[1 + at] for m in re.finditer(pattern, text)}


def test_the_measure_is_right() -> None:
    """The first pairs of the reference data of CIEDE2000."""
    assert difference((50, 2.6772, -79.7751), (50, 0, -82.7485)) == pytest.approx(
        2.0425, abs=1e-4
    )
    assert difference((50, 2.5, 0), (73, 25, -18)) == pytest.approx(27.1492, abs=1e-4)
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_readable_on_every_ground(theme: str) -> None:
    t = tokens(theme)
    for ink in ("ink", "ink-2", "ink-3", "accent"):
        for ground in ("canvas", "surface", "raised", "sunken", "hover"):
            assert contrast(t[ink], t[ground]) >= 4.5, (ink, ground)
    assert contrast(t["accent"], t["accent-soft"]) >= 4.5
    assert contrast(t["ink"], t["nav-on"]) >= 4.5
    assert contrast("#FFFFFF", t["accent-fill"]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", STATES)
def test_health_is_readable(theme: str, state: str) -> None:
    t = tokens(theme)
    for ground in (t["surface"], t["canvas"], t[f"{state}-soft"]):
        assert contrast(t[f"{state}-ink"], ground) >= 4.5
    assert contrast(t[f"{state}-fill"], t["surface"]) >= 2.95


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", sorted(MACHADO))
def test_fills_differ_for_color_blind_people(theme: str, kind: str) -> None:
    t = tokens(theme)
    seen = [lab(seen_by(t[f"{state}-fill"], kind)) for state in STATES]
    smallest = min(difference(a, b) for a, b in combinations(seen, 2))
    assert smallest == pytest.approx(SMALLEST[theme, kind], abs=0.15)


@pytest.mark.parametrize("theme", THEMES)
def test_categories_differ_for_color_blind_people(theme: str) -> None:
    colors = [COLORS[theme][f"c{n}"] for n in range(1, 6)]
    for kind in MACHADO:
        seen = [lab(seen_by(color, kind)) for color in colors]
        assert min(difference(a, b) for a, b in combinations(seen, 2)) >= 11.9
    plain = [lab(linear(color)) for color in colors]
    assert min(difference(a, b) for a, b in combinations(plain, 2)) >= 12.5


@pytest.mark.parametrize("theme", THEMES)
def test_charts_use_the_same_values(theme: str) -> None:
    t, chart = tokens(theme), COLORS[theme]
    for name in ("surface", "ink", "ink-2", "ink-3"):
        assert chart[name] == t[name]
    for state in STATES:
        assert chart[state] == t[f"{state}-fill"]
    for state in STATES[:4]:
        assert chart[f"{state}-soft"] == t[f"{state}-soft"]


def test_our_rules_stay_few() -> None:
    """A rule with those nested in it is one; there are not many of these either."""
    text = "".join(path.read_text() for path in (JS / "css").glob("*.css"))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    depths = accumulate({"{": 1, "}": -1}.get(character, 0) for character in text)
    opened = zip(text, depths, strict=True)
    assert sum(pair == ("{", 1) for pair in opened) < 300
    assert text.count("{") < 700


def test_colors_come_from_tokens_only() -> None:
    for path in (JS / "css").glob("*.css"):
        if path.name != "tokens.css":
            found = set(re.findall(r"#[0-9A-Fa-f]{3,8}\b(?!-)", path.read_text()))
            assert found <= {"#FFFFFF", "#000000"}, path.name
