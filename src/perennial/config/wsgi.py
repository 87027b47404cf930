"""The application for a WSGI server: `granian --interface wsgi …:application`."""

from __future__ import annotations

import atexit
import gc
import os
from datetime import date
from pathlib import Path

from django.core.wsgi import get_wsgi_application

from perennial.config.folder import DataFolder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "perennial.config.settings")
DataFolder.from_environment().prepare()
application = get_wsgi_application()


def warm_up() -> None:
    """Loads what the first reader would wait a second for."""
    from django.template.loader import get_template
    from django.template.utils import get_app_template_dirs
    from django.urls import get_resolver

    import perennial.lake.workspace  # noqa: F401 - the engine takes the longest
    from perennial.metrics.registry import all_metrics
    from perennial.ui.formats import Regional, exact, money

    _ = get_resolver().url_patterns
    all_metrics()
    for folder in get_app_template_dirs("templates"):
        for path in Path(folder).glob("[!.]*/**/*.html"):
            get_template(str(path.relative_to(folder)))
    for language in ("en", "de", "sv"):
        money(1, Regional(language))
        exact(date(2026, 1, 1), Regional(language))
    # All of this stays: one look through it by the collector takes half a second.
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # or DuckDB says at the end what was forgotten


warm_up()
