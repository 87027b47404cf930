from __future__ import annotations

from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "perennial.ui"
    label = "ui"

    def ready(self) -> None:
        from perennial.ui import checks  # noqa: F401 - registers them
