"""The application for a WSGI server: `granian --interface wsgi …:application`."""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

from django.core.wsgi import get_wsgi_application

from perennial.config.folder import DataFolder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "perennial.config.settings")
DataFolder.from_environment().prepare()
application = get_wsgi_application()


def warm_up() -> None:
    """Loads what the first reader would wait a second for."""
    import pandas  # noqa: F401 - Arrow loads it for the first list it makes
    from django import forms
    from django.forms.renderers import get_default_renderer
    from django.template.loader import get_template
    from django.template.utils import get_app_template_dirs
    from django.urls import reverse
    from django.utils.translation import override

    import perennial.lake.workspace  # noqa: F401 - the engine takes the longest
    from perennial.metrics.registry import all_metrics
    from perennial.ui.formats import Regional, exact, money

    all_metrics()
    _load(get_template, *get_app_template_dirs("templates"))
    _load(get_default_renderer().get_template, Path(forms.__path__[0], "templates"))
    for language in ("en", "de", "sv"):
        with override(language):
            reverse("team:profile")  # each language has its own table of addresses
        money(1, Regional(language))
        exact(date(2026, 1, 1), Regional(language))
    # All of this stays: one look through it by the collector takes half a second.
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # or DuckDB says at the end what was forgotten


def _load(get: Callable[[str], object], *folders: str | Path) -> None:
    for folder in map(Path, folders):
        for path in folder.glob("[!.]*/**/*.html"):
            get(str(path.relative_to(folder)))


warm_up()
