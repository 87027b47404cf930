"""What leaves the house: written down with what caused it, then sent once.

A message is claimed before it is sent and marked after. A process that dies between
the two leaves it "perhaps sent": it is never sent again by itself, a person decides.
What certainly failed is tried again, later each time.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from email.mime.image import MIMEImage
from hashlib import sha256
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from standardwebhooks.webhooks import Webhook

from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work import posting
from perennial.apps.work.models import Message, Picture, Run, WebhookSecret
from perennial.core.errors import BadValue

logger = logging.getLogger(__name__)

State = Message.State
#: How the keys of messages begin that tell of news.
NEWS: Final = "news:"
ATTEMPTS: Final = 5
_FIRST_RETRY: Final = timedelta(minutes=1)
#: A claim older than this belongs to a process that is gone.
_LOST_AFTER: Final = timedelta(minutes=10)


@transaction.atomic
def write(
    workspace: Workspace,
    *,
    key: str,
    channel: Message.Channel,
    to: str,
    text: str,
    subject: str = "",
    html: str = "",
    pictures: Iterable[bytes] = (),
    is_draft: bool = False,
    headers: Mapping[str, str] | None = None,
    account_id: str = "",
) -> Message:
    """The message called `key`: written the first time, found again later.

    `pictures` are PNGs the HTML shows as `cid:` and their `digest`.
    """
    message, is_new = Message.objects.get_or_create(
        workspace=workspace,
        key=key,
        defaults={
            "channel": channel,
            "state": State.DRAFT if is_draft else State.QUEUED,
            "to": to,
            "subject": _one_line(subject),
            "text": text,
            "html": html,
            "headers": dict(headers or {}),
            "account_id": account_id,
        },
    )
    if is_new:
        message.pictures.set(_picture(workspace, png) for png in pictures)
    return message


def _picture(workspace: Workspace, png: bytes) -> Picture:
    found, _new = Picture.objects.get_or_create(
        workspace=workspace, digest=digest(png), defaults={"png": png}
    )
    return found


def digest(png: bytes) -> str:
    """What mails call a picture."""
    return sha256(png).hexdigest()


def write_mail(workspace: Workspace, **mail: Any) -> Message:
    """A mail of an application that cannot know this one (`settings.OUTBOX`)."""
    return write(workspace, channel=Message.Channel.EMAIL, **mail)


def failed(workspace: Workspace, keys: Collection[str]) -> set[str]:
    """Those of these messages that never arrived."""
    lost = workspace.messages.filter(key__in=keys, state=State.FAILED)
    return set(lost.values_list("key", flat=True))


def of_run(
    run: Run,
    step: str,
    *,
    workspace: Workspace,
    channel: Message.Channel,
    to: str,
    subject: str,
    text: str,
    is_draft: bool,
) -> Message:
    """The message of a step of a run, not yet written."""
    return Message(
        workspace=workspace,
        key=f"run:{run.pk}:{step}",
        channel=channel,
        state=State.DRAFT if is_draft else State.QUEUED,
        to=to,
        subject=_one_line(subject),
        text=text,
        run=run,
        account_id=run.account_id,
        owner_email=run.owner_email,
        created_at=timezone.now(),
        due_at=timezone.now(),
    )


def _one_line(subject: str) -> str:
    """A subject that cannot bring headers of its own."""
    return " ".join(subject.split())[:300]


def send_due(workspace: Workspace) -> int:
    """Send what waits; how many went out."""
    _give_up_claims(workspace)
    now = timezone.now()
    due = workspace.messages.filter(state=State.QUEUED, due_at__lte=now)
    return sum(_send(pk) for pk in list(due.values_list("pk", flat=True)))


def _give_up_claims(workspace: Workspace) -> None:
    lost = timezone.now() - _LOST_AFTER
    claimed = workspace.messages.filter(state=State.SENDING, claimed_at__lt=lost)
    claimed.update(state=State.UNSURE)


def _send(pk: int) -> bool:
    """Claim one message and send it; False where another process has it, or it
    failed, or there is nothing to send it with."""
    now = timezone.now()
    mine = Message.objects.filter(pk=pk, state=State.QUEUED)
    if not mine.update(state=State.SENDING, claimed_at=now):
        return False
    message = Message.objects.select_related("workspace").get(pk=pk)
    message.attempts += 1
    try:
        is_sent = _deliver(message)
    except Exception as error:  # whatever a server answers: the message stays
        logger.warning("message %s could not be sent", pk, exc_info=error)
        _failed(message, error)
        return False
    message.state = State.SENT if is_sent else State.KEPT
    message.sent_at, message.error = timezone.now() if is_sent else None, ""
    message.save(update_fields=["state", "sent_at", "attempts", "error"])
    return is_sent


def _failed(message: Message, error: Exception) -> None:
    is_last = message.attempts >= ATTEMPTS
    message.state = State.FAILED if is_last else State.QUEUED
    message.due_at = timezone.now() + _FIRST_RETRY * 4 ** (message.attempts - 1)
    message.error = f"{type(error).__name__}: {error}"[:500]
    message.save(update_fields=["state", "due_at", "attempts", "error"])


def _deliver(message: Message) -> bool:
    if message.channel == Message.Channel.EMAIL:
        return _mail(message)
    body = json.dumps(_payload(message))
    headers = {"Content-Type": "application/json"}
    if message.channel == Message.Channel.WEBHOOK:
        headers |= signature(message.workspace, message.key, body)
    posting.post(message.to, body.encode(), headers)
    return True


def _mail(message: Message) -> bool:
    """By the mail server; False where none is set: the message is kept to be read."""
    if not settings.EMAIL_HOST:
        return False
    mail = EmailMultiAlternatives(
        message.subject,
        message.text,
        to=[message.to],
        headers={"Message-ID": message_id(message), **message.headers},
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    for n, picture in enumerate(message.pictures.order_by("pk"), start=1):
        part = MIMEImage(bytes(picture.png), "png")
        part.add_header("Content-ID", f"<{picture.digest}>")
        part.add_header("Content-Disposition", "inline", filename=f"chart-{n}.png")
        mail.mixed_subtype = "related"  # type: ignore[attr-defined]
        mail.attach(part)
    mail.send()
    return True


def message_id(message: Message) -> str:
    """The same for a message however often it is sent: readers see it once."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    return f"<{message.pk}.{message.created_at:%Y%m%d%H%M%S}@{domain}>"


def _payload(message: Message) -> dict[str, Any]:
    if message.channel == Message.Channel.CHAT:
        return {"text": message.text}
    told = {"account_id": message.account_id, "text": message.text}
    said: dict[str, Any]
    run = message.run
    if run is None and message.key.startswith(NEWS):
        kind, said = "notification", {"what": message.subject}
    else:
        facts = run.facts if run else {}
        kind, run_pk = "playbook.step", run.pk if run else None
        said = {"playbook": message.subject, "run": run_pk, "facts": facts}
    timestamp = message.created_at.isoformat()
    return {"type": kind, "timestamp": timestamp, "data": {**told, **said}}


def webhook_secret(workspace: Workspace) -> str:
    """What receivers check signatures with: follows from the installation's key, and
    from when somebody made a new one."""
    made = WebhookSecret.objects.filter(workspace=workspace).first()
    about = f"webhook:{workspace.key}{f':{made.nonce}' if made else ''}"
    mixed = hmac.digest(settings.SECRET_KEY.encode(), about.encode(), "sha256")
    return "whsec_" + base64.b64encode(mixed).decode()


@transaction.atomic
def new_secret(by: Membership) -> str:
    """Another secret, from now on: the only time that its text is told."""
    must_cover(by, Role.ADMIN)
    made = {"nonce": secrets.token_urlsafe(), "by": by.user, "at": timezone.now()}
    WebhookSecret.objects.update_or_create(workspace=by.workspace, defaults=made)
    text = webhook_secret(by.workspace)
    record(by.workspace, by.user, "webhook.secret_made", last_of(text))
    return text


def last_of(secret: str) -> str:
    """What is shown of a secret, to tell it from another one."""
    return f"…{secret.rstrip('=')[-4:]}"


def signature(workspace: Workspace, message_key: str, body: str) -> dict[str, str]:
    """Headers of the Standard Webhooks specification."""
    now = timezone.now()
    signed = Webhook(webhook_secret(workspace)).sign(message_key, now, body)
    return {
        "webhook-id": message_key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signed,
    }


# --- what people do ----------------------------------------------------------


@transaction.atomic
def send_draft(
    message: Message, by: Membership, *, to: str, subject: str, text: str
) -> None:
    """A person read it, changed it perhaps, and lets it go."""
    must_cover(by, Role.MEMBER)
    message = Message.objects.select_for_update().get(pk=message.pk)
    if message.state != State.DRAFT:
        raise BadValue(_("It has left the drafts already."))
    if "@" not in to or not subject.strip() or not text.strip():
        raise BadValue(_("An address, a subject and a text are needed."))
    message.to, message.subject, message.text = to.strip(), subject.strip(), text
    message.state, message.by, message.due_at = State.QUEUED, by.user, timezone.now()
    message.save()
    record(by.workspace, by.user, "message.sent", message.to, message=message.pk)


@transaction.atomic
def discard(message: Message, by: Membership) -> None:
    """A draft that will not be sent; what is on its way cannot be called back."""
    must_cover(by, Role.MEMBER)
    if message.state not in {State.DRAFT, State.QUEUED}:
        raise BadValue(_("It has left the drafts already."))
    record(by.workspace, by.user, "message.discarded", message.to, message=message.pk)
    message.state = State.DISCARDED
    message.save(update_fields=["state"])


@transaction.atomic
def send_again(message: Message, by: Membership) -> None:
    """What failed, or perhaps went out: a person says that it is to go again."""
    must_cover(by, Role.MEMBER)
    if message.state not in {State.FAILED, State.UNSURE, State.KEPT}:
        raise BadValue(_("Only what was not sent can be sent again."))
    message.state, message.attempts, message.due_at = State.QUEUED, 0, timezone.now()
    message.save(update_fields=["state", "attempts", "due_at"])
    record(by.workspace, by.user, "message.sent_again", message.to, message=message.pk)
