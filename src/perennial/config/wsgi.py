"""The application for a WSGI server: `granian --interface wsgi …:application`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from perennial.config.folder import DataFolder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "perennial.config.settings")
DataFolder.from_environment().prepare()
application = get_wsgi_application()
