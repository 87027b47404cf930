"""The brake on guessing passwords.

Ten lines of counting instead of django-axes: that brings a middleware, four
tables, signals and a cache of its own for what is one query here, and it keeps
names and passwords' company in plain text. Counted in the database, so that
several processes share it: five failures of one account from one address, or
thirty from one address, within a quarter of an hour.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from perennial.apps.team.models import SignInFailure, clean_email

WINDOW: Final = timedelta(minutes=15)
MOST_PER_ACCOUNT: Final = 5
MOST_PER_ADDRESS: Final = 30


def is_on(email: str, address: str) -> bool:
    recent = SignInFailure.objects.filter(
        at__gt=timezone.now() - WINDOW, address=address
    )
    if recent.count() >= MOST_PER_ADDRESS:
        return True
    return recent.filter(who=_digest(email)).count() >= MOST_PER_ACCOUNT


def count_failure(email: str, address: str) -> None:
    SignInFailure.objects.filter(at__lt=timezone.now() - WINDOW).delete()
    SignInFailure.objects.create(who=_digest(email), address=address)


def release(email: str) -> None:
    SignInFailure.objects.filter(who=_digest(email)).delete()


def _digest(email: str) -> str:
    digest = salted_hmac("sign-in", clean_email(email), algorithm="sha256")
    return str(digest.hexdigest())


def address_of(request: HttpRequest) -> str:
    """The client's address; the proxy's word for it only where one is set up."""
    direct = request.META.get("REMOTE_ADDR", "")
    if settings.TRUST_FORWARDED_FOR:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        direct = forwarded.rpartition(",")[2].strip() or direct
    return direct if len(direct) <= 64 else hashlib.sha256(direct.encode()).hexdigest()
