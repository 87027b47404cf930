"""The documentation says what the code does."""

from __future__ import annotations

import re
import shlex
import textwrap
import tomllib
from pathlib import Path
from statistics import median

import pytest
from docs.reference import FOLDER, PAGES

from perennial.cli.main import VERBS
from perennial.lake.tables import FACTS
from perennial.metrics.registry import all_metrics

ROOT = Path(__file__).parents[2]
PROSE = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), "run `make reference`"


def test_every_metric_says_what_it_is() -> None:
    for metric in all_metrics().values():
        assert metric.description.endswith("."), metric.key
        assert metric.formula, metric.key
        assert metric.source, metric.key


def _told(text: str) -> float:
    """What a sum comes to."""
    names = {"median": lambda *numbers: median(numbers)}
    return float(eval(text, {"__builtins__": {}}, names))


@pytest.mark.parametrize("key", all_metrics())
def test_every_metric_has_an_example_that_comes_out(key: str) -> None:
    words, colon, worked = all_metrics()[key].example.rpartition(": ")
    assert words
    assert colon
    sum_, equals, result = worked.rpartition(" = ")
    assert equals
    digits = len(result.partition(".")[2])
    assert round(_told(sum_), digits) == float(result)


def test_the_metric_that_contributors_are_shown_is_the_one_there_is() -> None:
    shown = re.search(
        r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.S
    )
    assert shown
    activity = ROOT / "src/perennial/metrics/activity.py"
    assert textwrap.dedent("   " + shown[1].lstrip()).strip() in activity.read_text()


@pytest.mark.parametrize("path", PROSE, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
        if not target.startswith(("http", "mailto")):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PROSE, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_shown_exist(path: Path) -> None:
    for line in re.findall(r"^\s*(?:\$ )?perennial (.+)$", path.read_text(), re.M):
        words = shlex.split(line.rstrip("\\").split("#")[0])
        while words and words[0].startswith("--"):
            words = words[2:]
        assert words[0] in VERBS, line
        if words[0] == "import":
            assert words[1] in {*FACTS, "auto", "TABLE"}, line
        if words[0] == "metric":
            assert words[1] in {*all_metrics(), "KEY", "big_exports"}, line


def test_the_two_commands_of_the_readme_are_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()
    commands = set(
        re.findall(r"^\s+make (\w+)", (ROOT / "README.md").read_text(), re.M)
    )
    assert {"demo", "test"} <= commands
    for command in commands:
        assert re.search(rf"^{command}:", makefile, re.M), command


def test_the_changelog_has_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
