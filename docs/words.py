"""Brings the catalogs of translations up to date with the code: `make words`.

Words come from two places: what the applications mark (`xgettext` finds it), and
what metrics, settings and the fields of conditions say, who speak English and know no
Django. New words enter the catalogs empty, words nobody says any more leave them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import perennial
from perennial.core import settings
from perennial.metrics import condition_fields
from perennial.metrics.registry import Metric, all_metrics

SOURCE = Path(perennial.__file__).parent
FOLDER = SOURCE / "config/locale"
#: What has words that people see.
COVERED = ("config", "ui", "apps")
_COLLECT = """
import django
from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.makemessages import Command

settings.configure(LOCALE_PATHS=["words"], USE_I18N=True)
django.setup()
Command.xgettext_options = [*Command.xgettext_options, "--keyword=noop"]
call_command("makemessages", locale=["de"], verbosity=0)
"""


def of_metrics() -> set[str]:
    """Everything the registry says to people."""
    return {text for metric in all_metrics().values() for text in _said(metric) if text}


def _said(metric: Metric) -> Iterator[str]:
    yield from (metric.title, metric.description, metric.formula, metric.caveats)
    yield from metric.variants.values()
    yield from metric.params.values()


def of_settings() -> set[str]:
    """What each setting is, and the groups they stand in."""
    groups = settings.groups()
    return {*groups, *(settings.about(n) for names in groups.values() for n in names)}


def of_applications() -> Catalog:
    """Everything templates and code mark, with its plurals and contexts."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        only = shutil.ignore_patterns("static", "locale", "__pycache__")
        for name in COVERED:
            shutil.copytree(SOURCE / name, copy / name, ignore=only)
        (copy / "words").mkdir()
        subprocess.run([sys.executable, "-c", _COLLECT], cwd=copy, check=True)
        with (copy / "words/de/LC_MESSAGES/django.po").open("rb") as file:
            return read_po(file)


def wanted() -> Catalog:
    """Every word there is to translate."""
    found = of_applications()
    for text in sorted(of_metrics() | of_settings() | condition_fields.words()):
        found.add(text, flags=["python-format"] if "%(" in text else [])
    return found


def update(language: str, words: Catalog) -> int:
    """Bring one catalog up to date; how many words wait for a translation."""
    path = FOLDER / language / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        old = read_po(file, locale=language)
    new = Catalog(
        locale=language,
        project="Perennial",
        version="0.1",
        header_comment=old.header_comment,
        creation_date=old.creation_date,
        revision_date=old.revision_date,
        charset="utf-8",
        fuzzy=False,
    )
    for message in words:
        if message.id:
            known = old.get(message.id, message.context)
            new.add(
                message.id,
                string=known.string if known else "",
                flags=message.flags - {"fuzzy"},
                context=message.context,
            )
    with path.open("wb") as file:
        write_po(file, new, sort_output=True, width=88)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, new)
    return sum(not any(_forms(m.string)) for m in new if m.id)


def _forms(string: object) -> list[str]:
    return list(string) if isinstance(string, (tuple, list)) else [str(string)]


if __name__ == "__main__":
    words = wanted()
    for language in ("de", "sv"):
        print(f"{language}: {update(language, words)} words wait for a translation")
