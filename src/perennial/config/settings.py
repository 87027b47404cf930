"""Settings of the web application.

Everything an installation decides comes from the environment (docs/reference);
everything it keeps lies in one data folder.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from perennial.config import database, environment
from perennial.config.folder import DataFolder

DATA = DataFolder.from_environment()
SECRET_KEY = DATA.secret_key()
DEBUG = environment.flag("PERENNIAL_DEBUG")
DEMO = environment.flag("PERENNIAL_DEMO")
DEMO_EMAIL = environment.text("PERENNIAL_DEMO_EMAIL", "demo@example.com")

# Where it is reached from outside: https://cs.example.com
_public = environment.url("PERENNIAL_URL", "https", "http")
PUBLIC_URL = _public.geturl().rstrip("/")
_is_https = _public.scheme == "https"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS += [_public.hostname] if _public.hostname else []
ALLOWED_HOSTS += environment.text("PERENNIAL_ALLOWED_HOSTS").replace(",", " ").split()
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if _is_https else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "template_partials",
    "django_tasks",
    "django_tasks_db",
    "perennial.ui",
    "perennial.apps.team",
    "perennial.apps.customers",
    "perennial.apps.health",
    "perennial.apps.insights",
    "perennial.apps.reports",
    "perennial.apps.intake",
    "perennial.apps.onboarding",
    "perennial.apps.surveys",
    "perennial.apps.guides",
    "perennial.apps.work",
    "perennial.apps.jobs",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "perennial.apps.team.middleware.WorkspaceMiddleware",
    "perennial.ui.middleware.NotAllowedMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "perennial.config.urls"
WSGI_APPLICATION = "perennial.config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "perennial.ui.context.frame",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": (
        database.from_url(database.named())
        if database.named()
        else database.sqlite(DATA.database)
    )
}
# Answers of metrics: one cache for web and worker that outlives a restart.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA.path / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people and sign-in

AUTH_USER_MODEL = "team.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "sesame.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation"
        ".UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
]
LOGIN_URL = "team:sign_in"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = int(timedelta(days=30).total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "perennial.ui.views.csrf_failure"
SESAME_ONE_TIME = True
SESAME_MAX_AGE = timedelta(hours=24)

# --- safety of the browser

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if _is_https else 0
TRUST_FORWARDED_FOR = environment.flag("PERENNIAL_BEHIND_PROXY")
if TRUST_FORWARDED_FOR:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- mail: smtp://user:password@host:587, or smtps://; empty: mails are kept, not sent

_mail = environment.url("PERENNIAL_SMTP", "smtp", "smtps")
EMAIL_HOST = _mail.hostname or ""
EMAIL_PORT = _mail.port or {"smtps": 465}.get(_mail.scheme, 587)
EMAIL_HOST_USER = unquote(_mail.username or "")
EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_USE_TLS = _mail.scheme == "smtp" and bool(_mail.username)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = environment.text("PERENNIAL_MAIL_FROM", "Perennial <cs@localhost>")

# --- how much at once; 0: what intake takes by itself

WEB_WORKERS = environment.number("PERENNIAL_WEB_WORKERS", 1)
WEB_THREADS = environment.number("PERENNIAL_WEB_THREADS", 4)
INTAKE_BACKLOG = environment.number("PERENNIAL_INTAKE_BACKLOG", 0)
INTAKE_BODY_MB = environment.number("PERENNIAL_INTAKE_BODY_MB", 0)

# --- files

STATIC_URL = "/static/"
MEDIA_ROOT = DATA.media
MEDIA_URL = "/media/"
#: Larger files are imported by the command line.
UPLOAD_LIMIT_MB = environment.number("PERENNIAL_UPLOAD_LIMIT_MB", 512)
# The bundle carries hashes in its names and lies beside its compressed copies,
# so it is served from the package: an installation has no collecting step.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG


def _has_hash(path: str, url: str) -> bool:
    return url.startswith("/static/dist/") and "-" in url


WHITENOISE_IMMUTABLE_FILE_TEST = _has_hash

# --- words, numbers, times

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("sv", _("Swedish"))]
LOCALE_PATHS = [Path(__file__).parent / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_COOKIE_AGE = SESSION_COOKIE_AGE
LANGUAGE_COOKIE_SAMESITE = "Lax"

# --- what the applications add to the frame

NAVIGATION = "perennial.config.navigation.NAVIGATION"
PALETTE = [
    "perennial.apps.customers.palette.accounts",
    "perennial.apps.customers.palette.segments",
    "perennial.apps.health.palette.pages",
    "perennial.apps.reports.palette.metrics",
    "perennial.apps.insights.palette.pages",
    "perennial.apps.work.palette.pages",
    "perennial.apps.surveys.palette.surveys",
    "perennial.apps.guides.palette.guides",
    "perennial.apps.onboarding.palette.flows",
    "perennial.apps.intake.palette.data",
    "perennial.apps.team.palette.pages",
]
#: What becomes of a member's work: each is called with the workspace and the person.
WHEN_A_MEMBER_LEAVES = ["perennial.apps.work.tasks.actions.hand_over"]
#: The pages of the area of guides: key, label, name of the address.
GUIDE_TABS = [
    ("guides", _("Guides"), "guides:guides"),
    ("onboarding", _("Onboarding"), "onboarding:flows"),
]
SETTINGS_PAGES = "perennial.config.navigation.SETTINGS_PAGES"
# Where applications join the pages of customers (`apps/customers/hooks.py`).
TIMELINE = [
    "perennial.apps.guides.joining.timeline",
    "perennial.apps.surveys.joining.timeline",
    "perennial.apps.work.joining.timeline",
]
ACCOUNT_TABS: list[str] = []
ACCOUNT_PANELS = [
    "perennial.apps.work.joining.panel",  # what is to do stands above the timeline
    "perennial.apps.surveys.joining.panel",
    "perennial.apps.guides.joining.panel",
    "perennial.apps.onboarding.joining.panel",
    "perennial.apps.work.mails.panel",
]
ACCOUNT_COLUMNS = ["perennial.apps.work.joining.column"]
ACCOUNT_BULK = [
    "perennial.apps.work.tasks.many.bulk_action",
    "perennial.apps.work.joining.start_playbook",
]
ACCOUNT_BELONGINGS = [
    "perennial.apps.customers.merging.belongings",
    "perennial.apps.health.joining.belongings",
    "perennial.apps.surveys.joining.belongings",
    "perennial.apps.guides.joining.belongings",
    "perennial.apps.work.joining.belongings",
]
ACCOUNT_DOCUMENTS = ["perennial.apps.work.documents.views.links"]
GUIDES = "perennial.apps.guides.joining.names"
REPORT_LINKS = ["perennial.apps.work.mailings.views.link"]
HOME_PANELS = ["perennial.apps.work.joining.home_panel"]
# What surveys need of those above them (`apps/surveys/hooks.py`).
OUTBOX = "perennial.apps.work.outbox"
#: What the loader does beside events, several times a second.
LOADERS = [
    "perennial.apps.surveys.loading.load_waiting",
    "perennial.apps.guides.loading.load_waiting",
]
#: What the snippet may show on pages of the product, by kind.
SHOWS = {
    "survey": "perennial.apps.surveys.showing",
    "guide": "perennial.apps.guides.showing",
}

# --- background work: durable queues on the application database, one a lane

TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend",
        "QUEUES": ["quick", "default"],
    }
}

# --- words for operators: one line a record, without request bodies

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["console"],
        "level": environment.log_level("PERENNIAL_LOG", "WARNING"),
    },
}
